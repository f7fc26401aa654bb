/*
 * syslog_pri: splits the priority of a syslog message into facility and severity.
 *
 * Source: logstash-filter-syslog_pri, lib/logstash/filters/syslog_pri.rb; RFC 3164 section 4.1.1.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include <math.h>

#include "plugin/failure.h"
#include "text/rubytext.h"

enum { PRIORITY_PRESET = 13 }; /* user-level, notice: RFC 3164 section 4.3.3 */

struct syslog_pri {
    int                 ecs_compatibility;
    struct strings      facility_labels, severity_labels;
    const struct field *syslog_pri_field_name;
    bool                use_labels;

    const struct field *facility_code, *facility_name, *severity_code, *severity_name;
};

static const struct option syslog_pri_options[] = {
    OPT(struct syslog_pri, OPT_ECS, ecs_compatibility,
        .doc = "Names of the fields: [syslog_facility], [syslog_facility_code], "
               "[syslog_severity] and [syslog_severity_code] when disabled, else "
               "[log][syslog][facility] and [log][syslog][severity] with [code] and [name]. "
               "Follows pipeline.ecs_compatibility unless given."),
    OPT(struct syslog_pri, OPT_STRINGS, facility_labels,
        .preset = "[\"kernel\", \"user-level\", \"mail\", \"daemon\", \"security/authorization\", "
                  "\"syslogd\", \"line printer\", \"network news\", \"uucp\", \"clock\", "
                  "\"security/authorization\", \"ftp\", \"ntp\", \"log audit\", \"log alert\", "
                  "\"clock\", \"local0\", \"local1\", \"local2\", \"local3\", \"local4\", "
                  "\"local5\", \"local6\", \"local7\"]",
        .doc = "Names of the facilities from 0 on. A facility beyond them gets the tag "
               "_syslogpriparsefailure."),
    OPT(struct syslog_pri, OPT_STRINGS, severity_labels,
        .preset = "[\"emergency\", \"alert\", \"critical\", \"error\", \"warning\", \"notice\", "
                  "\"informational\", \"debug\"]",
        .doc = "Names of the severities from 0 on."),
    OPT(struct syslog_pri, OPT_FIELD, syslog_pri_field_name,
        .doc = "The field with the priority. By default [syslog_pri], or "
               "[log][syslog][priority] with ECS names. Where it is missing, 13 counts."),
    OPT(struct syslog_pri, OPT_BOOL, use_labels, .preset = "true",
        .doc = "Whether the names are set besides the codes."),
    OPT_END,
};

static const struct field *field(struct plugin_open *cx, bool ecs, const char *name,
                                 const char *ecs_name)
{
    return field_parse(cx->arena, str_of(ecs ? ecs_name : name), NULL, NULL);
}

static bool syslog_pri_open(void *self, struct plugin_open *cx)
{
    struct syslog_pri *s = self;
    bool               ecs = s->ecs_compatibility != ECS_DISABLED;

    s->facility_code = field(cx, ecs, "syslog_facility_code", "[log][syslog][facility][code]");
    s->facility_name = field(cx, ecs, "syslog_facility", "[log][syslog][facility][name]");
    s->severity_code = field(cx, ecs, "syslog_severity_code", "[log][syslog][severity][code]");
    s->severity_name = field(cx, ecs, "syslog_severity", "[log][syslog][severity][name]");
    if (!s->syslog_pri_field_name)
        s->syslog_pri_field_name = field(cx, ecs, "syslog_pri", "[log][syslog][priority]");
    return true;
}

/* The priority that a value means; of a list the first item counts. False: none. */
static bool priority_of(const struct value *v, struct arena *scratch, int64_t *out)
{
    struct value n;

    if (!v || v->kind == VALUE_NULL || (v->kind == VALUE_BOOL && !v->as.b)) {
        *out = PRIORITY_PRESET;
        return true;
    }
    n = *v;
    if (n.kind == VALUE_LIST)
        n = n.as.list->len && n.as.list->items[0].kind != VALUE_NULL ? n.as.list->items[0]
                                                                     : value_int(0);
    if (n.kind == VALUE_STRING) n = ruby_to_i(scratch, value_str(n));
    if (n.kind == VALUE_FLOAT && isfinite(n.as.f)) n = ruby_integer(scratch, trunc(n.as.f));
    if (n.kind != VALUE_INT && n.kind != VALUE_TIME) return false;
    *out = n.as.i;
    return true;
}

/* The label of a code; a negative one counts from the end, as in Ruby. NULL: none. */
static const struct str *label(const struct strings *labels, int64_t code)
{
    if (code < 0) code += labels->len;
    return code >= 0 && code < labels->len ? &labels->at[code] : NULL;
}

static bool set_label(struct event *ev, const struct field *f, const struct str *label)
{
    return !label || event_set(ev, f, value_string(*label));
}

/* False when the priority is none, or beyond the labels, or when there is no place for the fields.
 */
static bool set_fields(const struct syslog_pri *s, struct event *ev, struct filter_context *cx)
{
    int64_t priority;

    if (!priority_of(event_get(ev, s->syslog_pri_field_name), cx->scratch, &priority)) return false;
    int64_t severity = (int64_t)((uint64_t)priority & 7), facility = (priority - severity) / 8;
    if (!event_set(ev, s->severity_code, value_int(severity)) ||
        !event_set(ev, s->facility_code, value_int(facility)))
        return false;
    if (!s->use_labels) return true;
    if (facility >= (int64_t)s->facility_labels.len) return false;
    return set_label(ev, s->facility_name, label(&s->facility_labels, facility)) &&
           set_label(ev, s->severity_name, label(&s->severity_labels, severity));
}

static enum verdict syslog_pri_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit  limit;
    const struct syslog_pri *s = self;

    if (!set_fields(s, ev, cx)) {
        event_tag(ev, STR("_syslogpriparsefailure"));
        filter_failed(cx, &limit, "filter.syslog_pri", "not a priority, or no place for its parts",
                      s->syslog_pri_field_name->text);
    }
    return FILTER_MATCH;
}

const struct plugin filter_syslog_pri = {
    .kind = PLUGIN_FILTER,
    .name = "syslog_pri",
    .summary = "Splits the priority of a syslog message into facility and severity.",
    .size = sizeof(struct syslog_pri),
    .options = syslog_pri_options,
    .open = syslog_pri_open,
    .filter = {.run = syslog_pri_run},
};
