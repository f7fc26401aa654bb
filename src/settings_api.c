#include "api/listen.h"
#include "plugin/plugin.h"
#include "settings.h"

/* What the settings of the API mean together. Source: Logstash's password_policies and agent.rb. */

enum { PASSWORD_MAX = 1024 };

static bool complain(struct plugin_open *cx, bool error, const char *message)
{
    diag(cx->diags, error ? DIAG_ERROR : DIAG_WARNING, (struct loc){0}, "%s", message);
    return !error;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_symbol(char c)
{
    return !is_upper(c) && !is_lower(c) && !is_digit(c);
}

static bool has(struct str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.len; i++)
        if (is(s.data[i])) return true;
    return false;
}

/* The problem is never told with the password itself. */
static bool check_password(const struct settings *s, struct plugin_open *cx)
{
    struct str password = s->api_auth_basic_password.secret;
    bool       strict = s->api_password_mode == POLICY_ERROR, good = true;
    const struct {
        int rule;
        bool (*is)(char);
        const char *message;
    } rules[] = {
        {s->api_password_upper, is_upper, "api.auth.basic.password must hold a capital letter"},
        {s->api_password_lower, is_lower, "api.auth.basic.password must hold a small letter"},
        {s->api_password_digit, is_digit, "api.auth.basic.password must hold a digit"},
        {s->api_password_symbol, is_symbol,
         "api.auth.basic.password must hold a special character"},
    };

    if (password.len < (size_t)s->api_password_length || password.len > PASSWORD_MAX)
        good &= complain(cx, strict,
                         "api.auth.basic.password is shorter than "
                         "api.auth.basic.password_policy.length.minimum, or longer than 1024");
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].rule == RULE_REQUIRED && !has(password, rules[i].is))
            good &= complain(cx, strict, rules[i].message);
    return good;
}

static bool check_auth(const struct settings *s, struct plugin_open *cx)
{
    if (s->api_auth_type == API_AUTH_NONE) return true;
    if (s->api_auth_basic_username.len == 0)
        return complain(cx, true, "api.auth.type basic needs api.auth.basic.username");
    if (s->api_auth_basic_password.secret.len == 0)
        return complain(cx, true, "api.auth.type basic needs api.auth.basic.password");
    return check_password(s, cx);
}

static bool check_tls(const struct settings *s, struct plugin_open *cx)
{
    if (!s->api_ssl_enabled) return true;
    if (s->api_ssl_keystore_path.len == 0)
        return complain(cx, true, "api.ssl.enabled needs api.ssl.keystore.path");
    for (uint32_t i = 0; i < s->api_ssl_supported_protocols.len; i++) {
        struct str name = s->api_ssl_supported_protocols.at[i];
        if (!str_is(name, "TLSv1.2") && !str_is(name, "TLSv1.3"))
            return complain(cx, true, "api.ssl.supported_protocols knows TLSv1.2 and TLSv1.3");
    }
    return true;
}

bool settings_check_api(const struct settings *s, struct plugin_open *cx)
{
    struct port_range range;

    if (!s->api_enabled) return true;
    if (s->api_http_port.data && !listen_range(s->api_http_port, &range))
        return complain(cx, true, "api.http.port must be a port or a range such as 9600-9700");
    bool auth = check_auth(s, cx), tls = check_tls(s, cx);
    return auth && tls;
}
