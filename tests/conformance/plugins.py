"""Which plugins a config names, and which of them an lsc has."""
import re
import subprocess

# Every plugin name of Logstash's that the cases use: a case with one that lsc lacks is for later.
NAMES = """aggregate alter anonymize avro beats bytes cef cidr cipher clone collectd csv date de_dot dissect dns dots
drop edn edn_lines elapsed elasticsearch environment es_bulk exec extractnumbers file fingerprint fluent gelf generator
geoip graphite grok gzip_lines heartbeat http http_poller i18n java_generator java_stdin json json_encode json_lines kv
line memcached metrics msgpack multiline mutate netflow null pipe pipeline plain protobuf prune range redis ruby
rubydebug sink sleep split stdin stdout syslog syslog_pri tcp throttle tld translate truncate udp unix urldecode
useragent uuid websocket xml""".split()


def plugins_of(lsc):
    """(codecs, all others) of that lsc, by name."""
    text = subprocess.run([lsc, "--plugin-help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(input|codec|filter|output) +([a-z0-9_]+)", text, re.M)
    return {n for k, n in found if k == "codec"}, {n for k, n in found if k != "codec"}


def lacks(config, known):
    """Plugins that the config names and this lsc does not have."""
    codecs, others = known
    codec = r"codec\s*=>\s*\"?([a-z][a-z0-9_]+)\"?(?:\s*\{)?"
    missing = {w for w in re.findall(codec, config) if w in NAMES and w not in codecs}
    words = re.findall(r"(?<![\w/\"'-])([a-z][a-z0-9_]+)\s*\{", re.sub(codec, "", config))
    return missing | {w for w in words if w in NAMES and w not in others}
