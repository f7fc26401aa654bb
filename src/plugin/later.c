#include "plugin/plugin.h"

/*
 * Plugins of Logstash, bundled or documented, whether lsc has them or not: so that a config which
 * names one gets told that it is not built yet, not that it does not exist.
 * Source: rakelib/plugins-metadata.json and the plugin reference.
 */
static const char *const known[] = {
    [PLUGIN_INPUT] =
        " azure_event_hubs beats cloudwatch couchdb_changes dead_letter_queue elastic_agent "
        "elastic_serverless_forwarder elasticsearch exec ganglia gelf generator github "
        "google_cloud_storage google_pubsub graphite heartbeat http http_poller imap irc "
        "java_generator java_stdin jdbc jms jmx kafka kinesis log4j logstash lumberjack meetup "
        "pipe "
        "pipeline puppet_facter rabbitmq redis relp rss s3 s3-sns-sqs salesforce snmp snmptrap "
        "sqlite sqs stomp syslog tcp twitter udp unix varnishlog wmi xmpp ",
    [PLUGIN_CODEC] =
        " avro cef cloudfront cloudtrail collectd csv edn edn_lines es_bulk fluent graphite "
        "gzip_lines jdots java_line java_plain msgpack netflow nmap protobuf ",
    [PLUGIN_FILTER] =
        " age aggregate alter anonymize cipher csv date dissect dns elapsed elastic_integration "
        "elasticsearch environment extractnumbers fingerprint geoip grok http i18n java_uuid "
        "jdbc_static jdbc_streaming json json_encode kv memcached metricize metrics range ruby "
        "threats_classifier throttle tld translate useragent wurfl xml ",
    [PLUGIN_OUTPUT] =
        " boundary circonus cloudwatch csv datadog datadog_metrics dynatrace elasticsearch email "
        "exec ganglia gelf google_bigquery google_cloud_storage google_pubsub graphite graphtastic "
        "http influxdb irc java_stdout juggernaut kafka librato loggly logstash lumberjack "
        "metriccatcher mongodb nagios nagios_nsca opensearch opentsdb pagerduty pipe pipeline "
        "rabbitmq redis redmine riak riemann s3 sns solr_http sqs statsd stomp syslog tcp timber "
        "udp webhdfs xmpp zabbix ",
};

bool plugin_later(enum plugin_kind kind, struct str name)
{
    const char *list = known[kind];

    for (const char *at = list; name.len && (at = strchr(at, ' ')) && at[1];) {
        size_t len = strcspn(++at, " ");
        if (str_eq(name, (struct str){at, len})) return true;
    }
    return false;
}
