#include "api/logging.h"

#include <stdio.h>

#include "base/log.h"

enum { COMPONENT_MAX = 100 };

static const char *const level_names[] = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"};

static void add_level(const char *component, enum log_level level, void *out)
{
    json_object_set_new(out, component, json_string(level_names[level]));
}

json_t *logging_report(void)
{
    json_t *out = json_object();

    log_each_level(add_level, out);
    return out;
}

static const char *component_of(const char *key)
{
    if (strcmp(key, "logger.") == 0) return "";
    return strncmp(key, "logger.", 7) == 0 && strlen(key) < COMPONENT_MAX ? key + 7 : NULL;
}

static bool check(json_t *levels, char *problem, size_t size)
{
    const char    *key;
    json_t        *value;
    enum log_level level;

    json_object_foreach(levels, key, value)
    {
        if (!component_of(key)) {
            snprintf(problem, size, "unrecognized option [%.*s]", COMPONENT_MAX, key);
            return false;
        }
        const char *text = json_string_value(value);
        if (!text || !log_level_parse(str_of(text), &level)) {
            snprintf(problem, size, "invalid level[%.*s] for logger[%s]", COMPONENT_MAX / 2,
                     text ? text : "", component_of(key));
            return false;
        }
    }
    return true;
}

bool logging_set(struct str body, char *problem, size_t size)
{
    json_t        *levels = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL), *value;
    const char    *key;
    enum log_level level;

    bool good = json_is_object(levels);
    if (!good) snprintf(problem, size, "the body must be a JSON object");
    good = good && check(levels, problem, size);
    if (good) {
        json_object_foreach(levels, key, value)
        {
            log_level_parse(str_of(json_string_value(value)), &level);
            if (log_set_level(component_of(key), level)) continue;
            snprintf(problem, size, "too many loggers have levels of their own");
            good = false;
        }
    }
    json_decref(levels);
    return good;
}
