#include "plugin/option_parts.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/utf8.h"
#include "grammar/parse.h"
#include "plugin/common.h"

enum { SHOWN_MAX = 60, CHOICES_MAX = 16 };

const char *const ecs_names[] = {"disabled", "v1", "v8", NULL};

static const char *const type_names[OPT_LAST] = {
    [OPT_BOOL] = "true or false",
    [OPT_INT] = "a whole number",
    [OPT_FLOAT] = "a number",
    [OPT_BYTES] = "a size such as 1024 or \"10 mb\"",
    [OPT_SECONDS] = "a time such as 5 (seconds), \"100 ms\" or \"2 minutes\"",
    [OPT_STRING] = "a string",
    [OPT_ENUM] = "one of",
    [OPT_PATH] = "the path of a file that exists",
    [OPT_URI] = "a URI with a scheme, such as http://…",
    [OPT_PASSWORD] = "a string",
    [OPT_FIELD] = "a field reference",
    [OPT_FIELDS] = "a list of field references",
    [OPT_TEMPLATE] = "a string",
    [OPT_TEMPLATES] = "a list of strings",
    [OPT_REGEX] = "a regular expression",
    [OPT_STRINGS] = "a list of strings",
    [OPT_PAIRS] = "a hash",
    [OPT_CODEC] = "a codec",
    [OPT_ECS] = "one of",
    [OPT_AST] = "a value",
};

static bool has_limits(const struct option *o)
{
    return (o->type == OPT_INT || o->type == OPT_BYTES || o->type == OPT_FLOAT) &&
           (o->min != 0 || o->max != 0);
}

static const char *const *choices_of(const struct option *o)
{
    return o->type == OPT_ENUM ? o->choices : o->type == OPT_ECS ? ecs_names : NULL;
}

void option_describe(const struct option *o, struct buf *out)
{
    const char *const *choices = choices_of(o);
    int                len = 0;

    while (choices && choices[len])
        len++;
    if (len > CHOICES_MAX) {
        buf_printf(out, "one of %d names", len);
        return;
    }
    buf_str(out, str_of(type_names[o->type]));
    for (int i = 0; i < len; i++)
        buf_printf(out, "%s%s", i ? ", " : ": ", choices[i]);
    if (!has_limits(o)) return;
    if (o->max < o->min || o->max == INT64_MAX)
        buf_printf(out, " of at least %" PRId64, o->min);
    else
        buf_printf(out, " from %" PRId64 " to %" PRId64, o->min, o->max);
}

static const char *choice_at(const void *choices, int i)
{
    return ((const char *const *)choices)[i];
}

/* "X" takes …, not …; did you mean "…"? */
static bool wrong(const struct option *o, const struct ast_value *v, struct plugin_open *cx)
{
    struct buf  takes = {0}, got = {0};
    const char *near = NULL;
    bool        cut;

    option_describe(o, &takes);
    ast_inspect(v, &got);
    cut = got.len > SHOWN_MAX;
    if (cut) got.len = utf8_floor(buf_view(&got), SHOWN_MAX);
    if (choices_of(o) && ast_text(v).data) near = nearest(v->text, choice_at, choices_of(o));
    if (o->type == OPT_PASSWORD)
        diag(cx->diags, DIAG_ERROR, v->loc, "\"%s\" takes %s", o->name, buf_cstr(&takes));
    else
        diag(cx->diags, DIAG_ERROR, v->loc, "\"%s\" takes %s, not %s%s%s%s%s", o->name,
             buf_cstr(&takes), buf_cstr(&got), cut ? "…" : "", near ? "; did you mean \"" : "",
             near ? near : "", near ? "\"?" : "");
    buf_release(&takes);
    buf_release(&got);
    return false;
}

static bool in_limits(const struct option *o, double n)
{
    if (!has_limits(o)) return true;
    return n >= (double)o->min && (o->max < o->min || n <= (double)o->max);
}

static bool to_float(const struct ast_value *v, struct plugin_open *cx, double *out)
{
    if (v->kind != AST_NUMBER) return ast_text(v).data && option_float(v->text, out);
    struct value n = ast_to_value(cx->arena, v);
    if (n.kind == VALUE_INT) *out = (double)n.as.i;
    if (n.kind == VALUE_FLOAT) *out = n.as.f;
    return n.kind == VALUE_INT || n.kind == VALUE_FLOAT;
}

/* A fraction is cut off with a warning: Logstash hands it to plugins, whose Ruby cuts it. */
static bool to_int(const struct option *o, const struct ast_value *v, struct plugin_open *cx,
                   int64_t *out)
{
    double f;

    if (v->kind != AST_NUMBER && ast_text(v).data && option_int(v->text, out)) return true;
    if (v->kind == AST_NUMBER) {
        struct value n = ast_to_value(cx->arena, v);
        if (n.kind == VALUE_INT) return *out = n.as.i, true;
    }
    if (!to_float(v, cx, &f) || fabs(f) > 9e15) return false;
    *out = (int64_t)f;
    if (f != floor(f))
        diag(cx->diags, DIAG_WARNING, v->loc,
             "\"%s\" takes a whole number: %.*s counts as %" PRId64, o->name, STR_ARG(v->text),
             *out);
    return true;
}

static bool convert_number(const struct option *o, const struct ast_value *v, void *member,
                           struct plugin_open *cx)
{
    int64_t i = 0;
    double  f = 0;
    bool    good;

    if (o->type == OPT_FLOAT) {
        good = to_float(v, cx, &f) && in_limits(o, f);
        if (good) *(double *)member = f;
    } else {
        good = o->type == OPT_BYTES ? ast_text(v).data && option_bytes(v->text, &i)
                                    : to_int(o, v, cx, &i);
        good = good && in_limits(o, (double)i);
        if (good) *(int64_t *)member = i;
    }
    return good || wrong(o, v, cx);
}

static bool convert_choice(const struct option *o, const struct ast_value *v, void *member,
                           struct plugin_open *cx)
{
    const char *const *choices = choices_of(o);

    if (ast_text(v).data)
        for (int i = 0; choices[i]; i++)
            if (str_is(v->text, choices[i])) return *(int *)member = i, true;
    return wrong(o, v, cx);
}

static bool to_path(const struct option *o, const struct ast_value *v, struct str *out,
                    struct plugin_open *cx)
{
    *out = ast_to_s(cx->arena, v);
    if (access(arena_cstr(cx->arena, *out), F_OK) == 0) return true;
    diag(cx->diags, DIAG_ERROR, v->loc, "\"%s\": there is no file %.*s", o->name, STR_ARG(*out));
    return false;
}

/* scheme:… without blanks (RFC 3986 section 3.1). */
static bool is_uri(struct str s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    ptrdiff_t         colon = str_find(s, STR(":"));

    if (colon <= 0 || !strchr(letters, s.data[0])) return false;
    for (ptrdiff_t i = 1; i < colon; i++)
        if (!strchr(letters, s.data[i]) && !strchr("0123456789+-.", s.data[i])) return false;
    return !memchr(s.data, ' ', s.len) && !memchr(s.data, '\n', s.len);
}

static bool to_field(const struct option *o, const struct ast_value *v, const struct field **out,
                     struct plugin_open *cx)
{
    const char *problem = "not a field reference";
    size_t      at = 0;

    struct str text = ast_to_s(cx->arena, v);
    /* Logstash takes "" and means a field without a name. */
    *out = text.len ? field_parse(cx->arena, text, &problem, &at) : field_of_name(cx->arena, text);
    if (*out) return true;
    diag(cx->diags, DIAG_ERROR, ast_loc_at(v, at), "\"%s\" takes a field reference: %s", o->name,
         problem);
    return false;
}

static bool to_template(const struct option *o, const struct ast_value *v,
                        const struct template **out, struct plugin_open *cx)
{
    const char *problem = NULL;
    size_t      at = 0;
    bool        fatal = false;

    *out = template_parse(cx->arena, ast_to_s(cx->arena, v), &problem, &at, &fatal);
    if (problem)
        diag(cx->diags, fatal ? DIAG_ERROR : DIAG_WARNING, ast_loc_at(v, at), "\"%s\": %s", o->name,
             problem);
    return !fatal;
}

static bool to_regex(const struct option *o, const struct ast_value *v, struct regex **out,
                     struct plugin_open *cx)
{
    struct regex_error error = {.offset = 0};

    *out = regex_compile(cx->arena, ast_to_s(cx->arena, v), 0, &error);
    if (*out) return true;
    diag(cx->diags, DIAG_ERROR, ast_loc_at(v, error.offset), "\"%s\": %s", o->name, error.message);
    return false;
}

/* Where a text is wanted, Logstash takes a list or hash, too, as Ruby prints it. */
static void text_warning(const struct option *o, const struct ast_value *v, struct plugin_open *cx)
{
    diag(cx->diags, DIAG_WARNING, v->loc, "\"%s\" takes %s: this %s is taken as its text", o->name,
         type_names[o->type],
         v->kind == AST_LIST   ? "list"
         : v->kind == AST_HASH ? "hash"
                               : "codec");
}

/* Types that hold one text. A hash of one entry counts as its text, as Logstash takes it. */
static bool convert_text(const struct option *o, const struct ast_value *v, void *member,
                         struct plugin_open *cx)
{
    if (v->kind == AST_LIST || v->kind == AST_PLUGIN || (v->kind == AST_HASH && v->len != 1))
        return wrong(o, v, cx);
    if (v->kind == AST_HASH) text_warning(o, v, cx);
    switch (o->type) {
    case OPT_PATH:
        return to_path(o, v, member, cx);
    case OPT_FIELD:
        return to_field(o, v, member, cx);
    case OPT_TEMPLATE:
        return to_template(o, v, member, cx);
    case OPT_REGEX:
        return to_regex(o, v, member, cx);
    case OPT_PASSWORD:
        ((struct password *)member)->secret = ast_to_s(cx->arena, v);
        return true;
    default:
        *(struct str *)member = ast_to_s(cx->arena, v);
        return o->type != OPT_URI || is_uri(*(struct str *)member) || wrong(o, v, cx);
    }
}

/* What a list option was given: items of a list, one scalar, or, as Logstash takes it too, a hash,
   whose keys and values count as items. */
static const struct ast_value *items_of(const struct option *o, const struct ast_value *v,
                                        uint32_t *len, struct plugin_open *cx)
{
    if (v->kind == AST_LIST) return *len = v->len, v->items;
    if (v->kind != AST_HASH) return *len = 1, v;
    struct ast_value *items = arena_alloc(cx->arena, (2 * (size_t)v->len + 1) * sizeof(*items));
    diag(cx->diags, DIAG_WARNING, v->loc,
         "\"%s\" takes %s: the keys and values of this hash count"
         " as its items",
         o->name, type_names[o->type]);
    for (uint32_t i = 0; i < v->len; i++) {
        items[(size_t)2 * i] = v->entries[i].key;
        items[(size_t)2 * i + 1] = v->entries[i].value;
    }
    *len = 2 * v->len;
    return items;
}

static bool convert_list(const struct option *o, const struct ast_value *v, void *member,
                         struct plugin_open *cx)
{
    uint32_t                len;
    const struct ast_value *items = items_of(o, v, &len, cx);
    size_t                  size = o->type == OPT_STRINGS ? sizeof(struct str) : sizeof(void *);
    char                   *at = arena_zalloc(cx->arena, (len + 1) * size);
    bool                    good = true;

    for (uint32_t i = 0; i < len; i++) {
        void *slot = at + i * size;
        if (!ast_text(&items[i]).data) text_warning(o, &items[i], cx);
        if (o->type == OPT_STRINGS)
            *(struct str *)slot = ast_to_s(cx->arena, &items[i]);
        else if (o->type == OPT_FIELDS)
            good &= to_field(o, &items[i], slot, cx);
        else
            good &= to_template(o, &items[i], slot, cx);
    }
    if (o->type == OPT_STRINGS)
        *(struct strings *)member = (struct strings){len, (struct str *)at};
    else if (o->type == OPT_FIELDS)
        *(struct fields *)member = (struct fields){len, (const struct field **)at};
    else
        *(struct templates *)member = (struct templates){len, (const struct template **)at};
    return good;
}

/* Adds to a pair that is there, or a new pair. */
static void add_pair(struct pairs *p, const struct ast_value *key, const struct ast_value *value,
                     struct arena *a)
{
    struct str name = ast_to_s(a, key);

    for (uint32_t i = 0; i < p->len; i++)
        if (str_eq(p->at[i].key, name)) {
            struct ast_value two = {.kind = AST_LIST, .len = 1, .loc = value->loc};
            two.items = (struct ast_value *)value;
            p->at[i].value = ast_merge(a, p->at[i].value, &two);
            return;
        }
    p->at[p->len++] = (struct pair){.key = name, .key_loc = key->loc, .value = value};
}

static bool convert_pairs(const struct option *o, const struct ast_value *v, struct pairs *out,
                          struct plugin_open *cx)
{
    if (v->kind != AST_HASH && v->kind != AST_LIST) return wrong(o, v, cx);
    if (v->kind == AST_LIST && v->len % 2 != 0) {
        diag(cx->diags, DIAG_ERROR, v->loc,
             "\"%s\" takes a hash, or a list of keys and values: this one has an odd number of "
             "items",
             o->name);
        return false;
    }
    out->at = arena_alloc(cx->arena, ((size_t)v->len + 1) * sizeof(*out->at));
    out->len = 0;
    for (uint32_t i = 0; v->kind == AST_HASH && i < v->len; i++)
        add_pair(out, &v->entries[i].key, &v->entries[i].value, cx->arena);
    for (uint32_t i = 0; v->kind == AST_LIST && i < v->len; i += 2)
        add_pair(out, &v->items[i], &v->items[i + 1], cx->arena);
    return true;
}

bool option_convert(const struct option *o, const struct ast_value *v, void *member,
                    struct plugin_open *cx)
{
    bool list = o->type == OPT_FIELDS || o->type == OPT_TEMPLATES || o->type == OPT_STRINGS ||
                o->type == OPT_PAIRS || o->type == OPT_AST;

    /* A list of one counts as its item. */
    if (!list && v->kind == AST_LIST && v->len == 1) v = v->items;
    switch (o->type) {
    case OPT_BOOL:
        return (ast_text(v).data && option_bool(v->text, member)) || wrong(o, v, cx);
    case OPT_INT:
    case OPT_FLOAT:
    case OPT_BYTES:
        return convert_number(o, v, member, cx);
    case OPT_SECONDS:
        return (ast_text(v).data && option_duration(v->text, member)) || wrong(o, v, cx);
    case OPT_ENUM:
    case OPT_ECS:
        return convert_choice(o, v, member, cx);
    case OPT_FIELDS:
    case OPT_TEMPLATES:
    case OPT_STRINGS:
        return convert_list(o, v, member, cx);
    case OPT_PAIRS:
        return convert_pairs(o, v, member, cx);
    case OPT_CODEC:
        return (*(struct codec **)member = codec_open(v, NULL, cx)) != NULL;
    case OPT_AST:
    case OPT_LAST:
        *(const struct ast_value **)member = v;
        return true;
    default:
        return convert_text(o, v, member, cx);
    }
}

/* A default that is a list or hash is read by the grammar, as the value of some setting. */
static const struct ast_value *parse_preset(const char *preset, struct plugin_open *cx)
{
    struct source       *source = arena_zalloc(cx->arena, sizeof(*source));
    struct parse_options how = {.support_escapes = false};
    struct ast_config    config = {0};

    source->name = "default";
    source->text = arena_printf(cx->arena, "filter{plugin{setting=>%s}}", preset);
    if (!parse_source(cx->arena, source, &how, &config, cx->diags)) return NULL;
    return &config.sections[0].block.statements[0].plugin->settings[0].value;
}

const struct ast_value *option_preset(const struct option *o, struct plugin_open *cx)
{
    struct ast_value *v;

    if (!o->preset) return NULL;
    if (o->preset[0] == '[' || o->preset[0] == '{') {
        if (o->type == OPT_FIELDS || o->type == OPT_TEMPLATES || o->type == OPT_STRINGS ||
            o->type == OPT_PAIRS || o->type == OPT_AST)
            return parse_preset(o->preset, cx);
    }
    v = arena_zalloc(cx->arena, sizeof(*v));
    *v = (struct ast_value){.kind = AST_STRING, .text = str_of(o->preset)};
    return v;
}
