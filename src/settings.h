#ifndef LSC_SETTINGS_H
#define LSC_SETTINGS_H

#include "base/log.h"
#include "plugin/option.h"

/*
 * What the command line and logstash.yml say. One table, settings_rows, is the source of keys,
 * flags, types, defaults, help and the manual; a row is an option row as plugins have them, so
 * checks and messages are the same.
 */
enum dump { DUMP_NONE, DUMP_AST, DUMP_PIPELINE, DUMP_PROGRAM };
enum api_auth { API_AUTH_NONE, API_AUTH_BASIC };
enum password_policy { POLICY_WARN, POLICY_ERROR };
enum password_rule { RULE_REQUIRED, RULE_OPTIONAL };
enum ordered { ORDERED_AUTO, ORDERED_TRUE, ORDERED_FALSE };

struct settings {
    struct str      node_name;
    struct str      path_config, config_string; /* data NULL: not given */
    struct str      path_data, path_logs, path_settings;
    bool            config_test_and_exit;
    bool            config_reload_automatic;
    struct duration config_reload_interval;
    bool            config_debug;
    bool            config_support_escapes;
    int             config_escape_style; /* enum field_escape */
    struct str      pipeline_id;
    int64_t         pipeline_workers;
    int64_t         pipeline_batch_size, pipeline_batch_delay; /* delay: milliseconds */
    bool            pipeline_unsafe_shutdown;
    int             pipeline_ordered;           /* enum ordered */
    int             pipeline_ecs_compatibility; /* enum ecs */
    bool            pipeline_reloadable;
    bool            allow_superuser;
    int             log_level, log_format;

    bool            api_enabled;
    struct str      api_http_host, api_http_port; /* data NULL: not given */
    int             api_auth_type;                /* enum api_auth */
    struct str      api_auth_basic_username;
    struct password api_auth_basic_password;
    int             api_password_mode; /* enum password_policy */
    int64_t         api_password_length;
    int             api_password_upper, api_password_lower; /* enum password_rule */
    int             api_password_digit, api_password_symbol;
    bool            api_ssl_enabled;
    struct str      api_ssl_keystore_path;
    struct password api_ssl_keystore_password;
    struct strings  api_ssl_supported_protocols;

    bool       version, help, verbose, debug, quiet;
    int        dump; /* enum dump */
    struct str docs; /* folder to write the manual of the plugins to; data NULL: not asked for */
    bool       plugin_help;
    struct str plugin_help_name; /* empty: all of them */
    struct str test_clock, test_host;
    struct duration test_stall;
};

struct setting {
    struct option option;
    char          letter;    /* of the short flag; 0: none */
    bool          flag;      /* --KEY exists */
    bool          own;       /* of the command line only: no key of logstash.yml */
    const char   *argument;  /* how the flag's value is called in the help; NULL: takes none */
    const char   *long_flag; /* when it is not called as the key: without the dashes */
};

/* Sorted as the help shows them; the last has no option.name. */
extern const struct setting settings_rows[];

/* NULL: no such key or flag. */
const struct setting *settings_row(struct str key);

struct plugin_open;

/* Every default. */
void settings_init(struct settings *s, struct plugin_open *cx);

/*
 * Puts a value into its member. False after a diag: wrong type, not built yet, unknown. What has no
 * effect here is accepted with a warning, unless it is what Logstash does anyway (the default).
 */
bool settings_set(struct settings *s, const struct setting *row, const struct ast_value *v,
                  struct plugin_open *cx);

/* Reads DIR/logstash.yml: nested or flat keys, ${VAR}. No such file is no error unless the folder
   was asked for. False after at least one diag. */
bool settings_read_yaml(struct settings *s, bool asked_for, struct plugin_open *cx);

/* What settings mean together, and the defaults that depend on the machine. */
bool settings_finish(struct settings *s, struct plugin_open *cx);

/* What the settings of the API mean together: part of settings_finish(). */
bool settings_check_api(const struct settings *s, struct plugin_open *cx);

/* The row that is nearest to a key or flag, for "did you mean"; NULL when none is near. */
const char *settings_nearest(struct str key, bool flags);

#endif
