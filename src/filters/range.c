/*
 * range: acts on fields whose number, or length, lies in a range.
 *
 * Source: logstash-filter-range, lib/logstash/filters/range.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "base/utf8.h"
#include "event/json.h"
#include "plugin/failure.h"

enum action { ACTION_DROP, ACTION_TAG, ACTION_FIELD };

struct range_rule {
    const struct field    *field;
    double                 min, max;
    enum action            action;
    const struct template *name; /* of the tag or field */
    struct value           value;
    const struct template *text; /* the value when it is a text */
};

struct range {
    const struct ast_value *ranges;
    bool                    negate;

    uint32_t           len;
    struct range_rule *rules; /* those of one field together */
};

static const struct option range_options[] = {
    OPT(struct range, OPT_BOOL, negate, .preset = "false",
        .doc = "Whether to act on what lies outside of the ranges."),
    OPT(struct range, OPT_AST, ranges, .preset = "[]",
        .doc = "Field, smallest number, largest number and action, four at a time. Of a text the "
               "number of characters counts. Actions: \"drop\"; \"tag:NAME\"; "
               "\"field:NAME:VALUE\", where a value that is a number becomes one, and a field that "
               "is there becomes a list. Names and texts may hold %{…}."),
    OPT_END,
};

/* ---- opening ---- */

static const struct template *parse_template(struct str text, struct plugin_open *cx)
{
    const char *problem;
    size_t      at;
    bool        fatal = false;

    const struct template *t = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (!fatal) return t;
    plugin_error(cx, "ranges", "\"%.*s\": %s", STR_ARG(text), problem);
    return NULL;
}

/* The number that a text spells as Ruby would; else null. */
static struct value number_of(struct str text)
{
    struct buf   back = {0};
    struct value v = value_null();
    int64_t      i;
    double       f;

    if (option_int(text, &i))
        v = value_int(i);
    else if (option_float(text, &f))
        v = value_float(f);
    if (v.kind != VALUE_NULL) json_encode(v, &back);
    bool same = str_eq(buf_view(&back), text);
    buf_release(&back);
    return same ? v : value_null();
}

static bool bad_action(struct str text, struct plugin_open *cx)
{
    return plugin_error(cx, "ranges", "\"%.*s\" is not drop, tag:NAME or field:NAME:VALUE",
                        STR_ARG(text));
}

static bool parse_action(struct range_rule *r, struct str text, struct plugin_open *cx)
{
    ptrdiff_t  colon = str_find(text, STR(":"));
    struct str rest = str_from(text, (size_t)colon + 1);

    if (str_is(text, "drop")) {
        r->action = ACTION_DROP;
        return true;
    }
    if (colon < 0 || rest.len == 0) return bad_action(text, cx);
    if (str_starts(text, STR("tag:")) && str_find(rest, STR(":")) < 0) {
        r->action = ACTION_TAG;
        return (r->name = parse_template(rest, cx)) != NULL;
    }
    colon = str_find(rest, STR(":"));
    struct str value = str_from(rest, (size_t)colon + 1);
    if (!str_starts(text, STR("field:")) || colon <= 0 || value.len == 0 ||
        str_find(value, STR(":")) >= 0)
        return bad_action(text, cx);
    r->action = ACTION_FIELD;
    r->value = number_of(value);
    r->text = parse_template(value, cx);
    r->name = parse_template((struct str){rest.data, (size_t)colon}, cx);
    return r->name && r->text;
}

static bool parse_rule(struct range_rule *r, const struct ast_value *at, struct plugin_open *cx)
{
    const char *problem;
    struct str  name = ast_text(&at[0]), action = ast_text(&at[3]);

    r->field = name.data ? field_parse(cx->arena, name, &problem, NULL) : NULL;
    if (!r->field) return plugin_error(cx, "ranges", "the first of four is the name of a field");
    if (at[1].kind != AST_NUMBER || at[2].kind != AST_NUMBER ||
        !option_float(at[1].text, &r->min) || !option_float(at[2].text, &r->max))
        return plugin_error(cx, "ranges", "the second and third of four are numbers");
    if (!action.data) return plugin_error(cx, "ranges", "the fourth of four is a text");
    return parse_action(r, action, cx);
}

/* Puts the rules of one field behind one another, the fields in the order of their first rules. */
static void group(struct range *r)
{
    for (uint32_t i = 0; i < r->len; i++) {
        uint32_t to = i + 1;
        for (uint32_t j = i + 1; j < r->len; j++) {
            if (!str_eq(r->rules[j].field->text, r->rules[i].field->text)) continue;
            struct range_rule moved = r->rules[j];
            memmove(&r->rules[to + 1], &r->rules[to], (j - to) * sizeof(moved));
            r->rules[to++] = moved;
        }
        i = to - 1;
    }
}

static bool range_open(void *self, struct plugin_open *cx)
{
    struct range *r = self;

    if (r->ranges->kind != AST_LIST || r->ranges->len % 4)
        return plugin_error(cx, "ranges", "takes field, smallest, largest, action: four at a time");
    r->rules = arena_zalloc(cx->arena, r->ranges->len / 4 * sizeof(*r->rules));
    for (uint32_t i = 0; i < r->ranges->len; i += 4) {
        if (!parse_rule(&r->rules[r->len++], &r->ranges->items[i], cx)) return false;
    }
    group(r);
    return true;
}

/* ---- running ---- */

static bool lies_in(const struct range_rule *r, struct value v, struct filter_context *cx)
{
    static struct log_limit limit;
    double                  n;

    if (v.kind == VALUE_INT) {
        n = (double)v.as.i;
    } else if (v.kind == VALUE_FLOAT) {
        n = v.as.f;
    } else if (v.kind == VALUE_STRING) {
        n = (double)utf8_count(value_str(v));
    } else {
        filter_failed(cx, &limit, "filter.range", "neither a number nor a text", r->field->text);
        return false;
    }
    return n >= r->min && n <= r->max;
}

static void add_field(const struct range_rule *r, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    struct str              name = template_str(r->name, ev);
    const struct field     *f = field_parse(ev->arena, name, NULL, NULL);
    struct value           *old = f ? event_get(ev, f) : NULL;
    bool is_there = old && old->kind != VALUE_NULL && !(old->kind == VALUE_BOOL && !old->as.b);
    struct value v = r->value.kind == VALUE_NULL || is_there
                         ? value_string(template_str(r->text, ev))
                         : r->value;

    if (is_there && old->kind == VALUE_LIST) {
        list_push(old->as.list, ev->arena, v);
        return;
    }
    if (is_there) {
        struct list *l = list_new(ev->arena, 2);
        list_push(l, ev->arena, *old);
        list_push(l, ev->arena, v);
        v = value_list(l);
    }
    if (!f || !event_set(ev, f, v))
        filter_failed(cx, &limit, "filter.range", "cannot set the field", name);
}

static enum verdict range_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct range *r = self;

    for (uint32_t i = 0; i < r->len; i++) {
        const struct range_rule *rule = &r->rules[i];
        const struct value      *v = event_get(ev, rule->field);
        if (!v || lies_in(rule, *v, cx) == r->negate) continue;
        if (rule->action == ACTION_DROP) return FILTER_DROP;
        if (rule->action == ACTION_TAG)
            event_tag(ev, template_str(rule->name, ev));
        else
            add_field(rule, ev, cx);
    }
    return FILTER_MATCH;
}

const struct plugin filter_range = {
    .kind = PLUGIN_FILTER,
    .name = "range",
    .summary = "Acts on fields whose number, or length, lies in a range.",
    .size = sizeof(struct range),
    .options = range_options,
    .open = range_open,
    .filter = {.run = range_run},
};
