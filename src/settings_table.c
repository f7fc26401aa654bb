#include "settings.h"

/*
 * Every key of Logstash's environment.rb and every flag of its runner.rb, and lsc's own. A key
 * whose feature is missing is refused where ignoring it would deceive (`not_built`), else accepted
 * with a warning (`no_effect`); both only when the value is not the default.
 */

static const char *const log_levels[] = {"fatal", "error", "warn", "info", "debug", "trace", NULL};
static const char *const log_formats[] = {"plain", "json", NULL};
static const char *const ordered_names[] = {"auto", "true", "false", NULL};
static const char *const escape_styles[] = {"none", "percent", "ampersand", NULL};
static const char *const auth_types[] = {"none", "basic", NULL};
static const char *const policy_modes[] = {"WARN", "ERROR", NULL};
static const char *const policy_rules[] = {"REQUIRED", "OPTIONAL", NULL};
static const char *const ecs_levels[] = {"disabled", "v1", "v8", NULL};
static const char *const dumps[] = {"none", "ast", "pipeline", "program", NULL};

/* FLAG: a flag and a key; KEY: a key only (-S sets it, too); OWN: a flag only. */
#define FLAG(short_flag, name_of_value, option_type, key, member, ...)                             \
    {                                                                                              \
        .option = OPT_NAMED(struct settings, option_type, key, member, __VA_ARGS__),               \
        .letter = short_flag, .flag = true, .argument = name_of_value                              \
    }
#define KEY(option_type, key, member, ...)                                                         \
    {                                                                                              \
        .option = OPT_NAMED(struct settings, option_type, key, member, __VA_ARGS__)                \
    }
#define OWN(short_flag, name_of_value, option_type, key, member, ...)                              \
    {                                                                                              \
        .option = OPT_NAMED(struct settings, option_type, key, member, __VA_ARGS__),               \
        .letter = short_flag, .flag = true, .own = true, .argument = name_of_value                 \
    }
/* Without a member: accepted with a warning, or refused. */
#define IDLE(key, default_value, why)                                                              \
    {                                                                                              \
        .option = OPT_REFUSED(key, .preset = default_value, .no_effect = why, .doc = why)          \
    }
#define IDLE_FLAG(short_flag, name_of_value, key, default_value, why)                              \
    {                                                                                              \
        .option = OPT_REFUSED(key, .preset = default_value, .no_effect = why, .doc = why),         \
        .letter = short_flag, .flag = true, .argument = name_of_value                              \
    }
#define ABSENT(key, default_value, why)                                                            \
    {                                                                                              \
        .option = OPT_REFUSED(key, .preset = default_value, .not_built = why, .doc = why)          \
    }

#define JVM "It only means something to a JVM."
#define RUBY_PLUGINS "lsc loads no Ruby plugins."
#define NO_QUEUE "lsc has no persistent queue yet."
#define NO_DLQ "lsc has no dead letter queue yet."
#define RACK "It only means something to Logstash's web server."
#define NO_KEYSTORE "lsc reads no keystore yet."
#define NO_SLOWLOG "lsc has no slow log yet."
#define NO_MONITORING "lsc ships no monitoring data to Elasticsearch yet."
#define NO_CENTRAL "lsc cannot be managed from Kibana yet."
#define NO_OTEL "lsc exports no OpenTelemetry data yet."
#define NO_GEOIP "lsc downloads no GeoIP databases."

const struct setting settings_rows[] = {
    /* the config */
    FLAG('f', "PATH", OPT_STRING, "path.config", path_config,
         .doc = "The pipeline's config: a file, a folder (all its files, sorted) or a pattern. The "
                "last one given counts."),
    FLAG('e', "TEXT", OPT_STRING, "config.string", config_string,
         .doc = "The pipeline's config itself. Without an input it reads stdin, without an output "
                "it prints to stdout."),
    FLAG('t', NULL, OPT_BOOL, "config.test_and_exit", config_test_and_exit, .preset = "false",
         .doc = "Checks the config, says so and ends: 0 when it is good, 1 when not."),
    FLAG('r', NULL, OPT_BOOL, "config.reload.automatic", config_reload_automatic, .preset = "false",
         .doc = "Watches the config and reloads it when it changed."),
    FLAG(0, "TIME", OPT_SECONDS, "config.reload.interval", config_reload_interval, .preset = "3s",
         .doc = "How often the config is looked at for changes."),
    FLAG(0, NULL, OPT_BOOL, "config.debug", config_debug, .preset = "false",
         .doc = "With log.level debug: logs the compiled pipeline. Passwords stay hidden."),
    KEY(OPT_BOOL, "config.support_escapes", config_support_escapes, .preset = "false",
        .doc = "Whether \\n, \\t, \\\" and such mean something in strings of the config."),
    {.option = OPT_NAMED(struct settings, OPT_ENUM, "config.field_reference.escape_style",
                         config_escape_style, .preset = "none", .choices = escape_styles,
                         .doc = "How brackets in field names are written in references."),
     .flag = true,
     .argument = "STYLE",
     .long_flag = "field-reference-escape-style"},

    /* the pipeline */
    FLAG(0, "ID", OPT_STRING, "pipeline.id", pipeline_id, .preset = "main",
         .doc = "Name of the pipeline in logs and in the API."),
    FLAG('w', "N", OPT_INT, "pipeline.workers", pipeline_workers, .min = 1, .max = 4096,
         .doc = "Threads that run filters and outputs. As many as there are cores when not given."),
    FLAG('b', "N", OPT_INT, "pipeline.batch.size", pipeline_batch_size, .preset = "125", .min = 1,
         .max = 1000000, .doc = "Most events that a worker takes at once."),
    FLAG('u', "MS", OPT_INT, "pipeline.batch.delay", pipeline_batch_delay, .preset = "50",
         .max = 86400000,
         .doc = "Longest time in milliseconds that an event waits for its batch to fill. lsc never "
                "waits: a batch goes on as soon as nothing more can be read."),
    FLAG(0, "MODE", OPT_ENUM, "pipeline.ordered", pipeline_ordered, .preset = "auto",
         .choices = ordered_names,
         .doc = "Whether the order of events is kept. With one worker it always is; true refuses "
                "more than one."),
    FLAG(0, "LEVEL", OPT_ENUM, "pipeline.ecs_compatibility", pipeline_ecs_compatibility,
         .preset = "v8", .choices = ecs_levels,
         .doc = "Which version of the Elastic Common Schema names the fields that plugins set."),
    FLAG(0, NULL, OPT_BOOL, "pipeline.unsafe_shutdown", pipeline_unsafe_shutdown, .preset = "false",
         .doc = "Whether a stop that is stuck for 15 seconds ends the process with status 255, "
                "losing what is on its way."),
    KEY(OPT_BOOL, "pipeline.reloadable", pipeline_reloadable, .preset = "true",
        .doc = "Whether the pipeline may be reloaded."),
    IDLE("metric.collect", "true", "lsc always counts: that costs nothing."),

    /* places */
    {.option = OPT_NAMED(struct settings, OPT_STRING, "path.settings", path_settings,
                         .doc = "Folder of logstash.yml. The variable LS_SETTINGS_DIR says it, "
                                "too."),
     .flag = true,
     .own = true,
     .argument = "DIR"},
    FLAG(0, "DIR", OPT_STRING, "path.data", path_data,
         .doc = "Folder for what lsc and its plugins must remember. Made when missing; one process "
                "at a time may use it."),
    FLAG('l', "DIR", OPT_STRING, "path.logs", path_logs,
         .doc = "Folder for log files. Without it the log goes to stderr only."),

    /* the process */
    FLAG('n', "NAME", OPT_STRING, "node.name", node_name,
         .doc = "Name of this node; the host name when not given."),
    KEY(OPT_BOOL, "allow_superuser", allow_superuser, .preset = "true",
        .doc = "Whether lsc may run as root. Logstash's default is false."),
    FLAG(0, "LEVEL", OPT_ENUM, "log.level", log_level, .preset = "info", .choices = log_levels,
         .doc = "The least severe lines that are logged."),
    FLAG(0, "FORMAT", OPT_ENUM, "log.format", log_format, .preset = "plain", .choices = log_formats,
         .doc = "Log lines as text or as JSON."),

    /* the monitoring API: docs/monitoring.md */
    FLAG(0, "BOOL", OPT_BOOL, "api.enabled", api_enabled, .preset = "true",
         .doc = "Whether the monitoring API is served."),
    FLAG(0, "HOST", OPT_STRING, "api.http.host", api_http_host,
         .doc = "Name or address that the API listens at. 127.0.0.1 when not given; with TLS and "
                "basic authentication all addresses."),
    FLAG(0, "PORT", OPT_STRING, "api.http.port", api_http_port,
         .doc = "Port of the API, or a range such as 9600-9700, which is the default: its first "
                "free port is taken. When none is, lsc runs without the API; it does not start "
                "when the port was given here."),
    KEY(OPT_ENUM, "api.auth.type", api_auth_type, .preset = "none", .choices = auth_types,
        .doc = "Whether requests to the API need a name and a password (basic)."),
    KEY(OPT_STRING, "api.auth.basic.username", api_auth_basic_username,
        .doc = "The name that basic authentication takes."),
    KEY(OPT_PASSWORD, "api.auth.basic.password", api_auth_basic_password,
        .doc = "The password that basic authentication takes."),
    KEY(OPT_ENUM, "api.auth.basic.password_policy.mode", api_password_mode, .preset = "WARN",
        .choices = policy_modes,
        .doc = "What happens when the password breaks the policy: WARN says so, ERROR refuses to "
               "start."),
    KEY(OPT_INT, "api.auth.basic.password_policy.length.minimum", api_password_length,
        .preset = "8", .min = 5, .max = 1024, .doc = "Fewest characters of the password."),
    KEY(OPT_ENUM, "api.auth.basic.password_policy.include.upper", api_password_upper,
        .preset = "REQUIRED", .choices = policy_rules,
        .doc = "Whether the password needs a capital letter."),
    KEY(OPT_ENUM, "api.auth.basic.password_policy.include.lower", api_password_lower,
        .preset = "REQUIRED", .choices = policy_rules,
        .doc = "Whether the password needs a small letter."),
    KEY(OPT_ENUM, "api.auth.basic.password_policy.include.digit", api_password_digit,
        .preset = "REQUIRED", .choices = policy_rules,
        .doc = "Whether the password needs a digit."),
    KEY(OPT_ENUM, "api.auth.basic.password_policy.include.symbol", api_password_symbol,
        .preset = "OPTIONAL", .choices = policy_rules,
        .doc = "Whether the password needs a character that is neither letter nor digit."),
    KEY(OPT_BOOL, "api.ssl.enabled", api_ssl_enabled, .preset = "false",
        .doc = "Whether the API speaks TLS; it needs the keystore then."),
    KEY(OPT_STRING, "api.ssl.keystore.path", api_ssl_keystore_path,
        .doc = "A PKCS#12 file with the certificate and the key of the API."),
    KEY(OPT_PASSWORD, "api.ssl.keystore.password", api_ssl_keystore_password,
        .doc = "Opens the keystore."),
    KEY(OPT_STRINGS, "api.ssl.supported_protocols", api_ssl_supported_protocols,
        .doc = "Versions of TLS that the API speaks: TLSv1.2, TLSv1.3. Both when not given."),
    {.option =
         OPT_NAMED(struct settings, OPT_STRING, "http.host", api_http_host,
                   .deprecated = "use api.http.host.", .doc = "The former name of api.http.host.")},
    {.option =
         OPT_NAMED(struct settings, OPT_STRING, "http.port", api_http_port,
                   .deprecated = "use api.http.port.", .doc = "The former name of api.http.port.")},
    {.option =
         OPT_NAMED(struct settings, OPT_BOOL, "http.enabled", api_enabled, .preset = "true",
                   .deprecated = "use api.enabled.", .doc = "The former name of api.enabled.")},
    IDLE("api.environment", "production", RACK),
    IDLE("http.environment", "production", RACK),

    /* for a later version, or for a JVM */
    IDLE_FLAG('p', "DIR", "path.plugins", "[]", RUBY_PLUGINS),
    {.option = OPT_REFUSED("interactive", .not_built = "there is no Ruby shell in lsc.",
                           .doc = "A Ruby shell of Logstash (irb, pry). lsc has none."),
     .letter = 'i',
     .flag = true,
     .argument = "SHELL"},
    IDLE_FLAG(0, NULL, "enable-local-plugin-development", "false", RUBY_PLUGINS),
    IDLE_FLAG(0, NULL, "plugin-classloaders", "false", JVM),
    IDLE_FLAG(0, "N", "pipeline.batch.output_chunking.growth_threshold_factor", "1000",
              "lsc's batches do not grow."),
    IDLE_FLAG(0, "BOOL", "log.format.json.fix_duplicate_message_fields", "true",
              "lsc writes no duplicate fields."),
    IDLE("ssl.reload.automatic", "false", "lsc does not watch certificates yet."),
    IDLE("pipeline.batch.metrics.sampling_mode", "minimal",
         "lsc does not sample the sizes of batches."),
    IDLE("pipeline.recoverable", "false", "An event never stops a pipeline of lsc."),
    IDLE("pipeline.system", "false", JVM),
    IDLE("pipeline.plugin_classloaders", "false", JVM),
    IDLE("pipeline.buffer.type", "heap", JVM),
    IDLE("pipeline.separate_logs", "false", "lsc writes one log file for all pipelines yet."),
    IDLE("event_api.tags.illegal", "rename", "lsc renames, as Logstash does by default."),
    ABSENT("queue.type", "memory", NO_QUEUE),
    IDLE("path.queue", NULL, NO_QUEUE),
    IDLE("queue.drain", "false", "lsc always drains its queue at a stop."),
    IDLE("queue.page_capacity", "64mb", NO_QUEUE),
    IDLE("queue.max_bytes", "1024mb", NO_QUEUE),
    IDLE("queue.max_events", "0", NO_QUEUE),
    IDLE("queue.checkpoint.acks", "1024", NO_QUEUE),
    IDLE("queue.checkpoint.writes", "1024", NO_QUEUE),
    IDLE("queue.checkpoint.interval", "1000", NO_QUEUE),
    IDLE("queue.checkpoint.retry", "true", NO_QUEUE),
    IDLE("queue.compression", "none", NO_QUEUE),
    ABSENT("dead_letter_queue.enable", "false", NO_DLQ),
    IDLE("path.dead_letter_queue", NULL, NO_DLQ),
    IDLE("dead_letter_queue.max_bytes", "1024mb", NO_DLQ),
    IDLE("dead_letter_queue.flush_interval", "5000", NO_DLQ),
    IDLE("dead_letter_queue.flush_check_interval", "1000", NO_DLQ),
    IDLE("dead_letter_queue.storage_policy", "drop_newer", NO_DLQ),
    IDLE("dead_letter_queue.retain.age", NULL, NO_DLQ),
    IDLE("slowlog.threshold.warn", "-1", NO_SLOWLOG),
    IDLE("slowlog.threshold.info", "-1", NO_SLOWLOG),
    IDLE("slowlog.threshold.debug", "-1", NO_SLOWLOG),
    IDLE("slowlog.threshold.trace", "-1", NO_SLOWLOG),
    IDLE("keystore.file", NULL, NO_KEYSTORE),
    IDLE("keystore.classname", NULL, NO_KEYSTORE),
    IDLE("monitoring.cluster_uuid", NULL, NO_MONITORING),
    IDLE("xpack.monitoring.enabled", "false", NO_MONITORING),
    IDLE("xpack.monitoring.allow_legacy_collection", "false", NO_MONITORING),
    IDLE("xpack.monitoring.*", NULL, NO_MONITORING),
    ABSENT("xpack.management.enabled", "false", NO_CENTRAL),
    IDLE("xpack.management.*", NULL, NO_CENTRAL),
    IDLE("xpack.geoip.*", NULL, NO_GEOIP),
    IDLE("otel.*", NULL, NO_OTEL),

    /* of lsc's own, and what is no setting */
    OWN(0, "[KIND/]NAME", OPT_STRING, "plugin-help", plugin_help_name,
        .doc = "Prints what a plugin does and all its settings; without a name, lists all "
               "plugins."),
    OWN(0, "DIR", OPT_STRING, "docs", docs,
        .doc = "Writes the manual of every plugin to a folder, as Markdown."),
    OWN(0, "STAGE", OPT_ENUM, "dump", dump, .preset = "none", .choices = dumps,
        .doc = "Prints the config as lsc sees it and ends: ast (the tree), pipeline (the plugins), "
               "program (the steps)."),
    OWN(0, "TIME", OPT_STRING, "test-clock", test_clock,
        .doc = "Stops the clock of events at an ISO 8601 time. For tests."),
    OWN(0, "NAME", OPT_STRING, "test-host", test_host,
        .doc = "The host name that plugins see. For tests."),
    OWN(0, "TIME", OPT_SECONDS, "test-stall", test_stall, .preset = "1s",
        .doc = "How often a stop looks whether it is stalled; 1s when not given. For tests."),
    OWN(0, NULL, OPT_BOOL, "verbose", verbose, .preset = "false",
        .deprecated = "use --log.level info.", .doc = "Deprecated: sets log.level to info."),
    OWN(0, NULL, OPT_BOOL, "debug", debug, .preset = "false",
        .deprecated = "use --log.level debug.", .doc = "Deprecated: sets log.level to debug."),
    OWN(0, NULL, OPT_BOOL, "quiet", quiet, .preset = "false",
        .deprecated = "use --log.level error.", .doc = "Deprecated: sets log.level to error."),
    OWN('V', NULL, OPT_BOOL, "version", version, .preset = "false",
        .doc = "Prints the version and ends."),
    OWN('h', NULL, OPT_BOOL, "help", help, .preset = "false", .doc = "Prints this text and ends."),
    {.option = OPT_END},
};
