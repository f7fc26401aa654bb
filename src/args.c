#include "args.h"

#include <stdlib.h>

#include "plugin/option_parts.h"

/*
 * The command line becomes a source of its own, so that problems are shown like those of a config:
 *
 *     command line:1:5: error: "pipeline.workers" takes a whole number from 1 to 4096, not "many"
 *         1 | lsc -w many
 *           |        ^~~~
 */
struct flag {
    const struct setting *row;
    struct ast_value      value;
};

struct parsing {
    int                 argc;
    char *const        *argv;
    int                 at; /* the next argument */
    struct source       source;
    uint32_t           *offsets; /* of each argument in the source */
    struct flag        *flags;
    uint32_t            flags_len;
    struct plugin_open *cx;
    bool                good;
};

static void write_source(struct parsing *p)
{
    struct arena *a = p->cx->arena;
    struct buf    b = {0};

    p->offsets = arena_alloc(a, ((size_t)p->argc + 1) * sizeof(*p->offsets));
    buf_str(&b, STR("lsc"));
    for (int i = 1; i < p->argc; i++) {
        buf_char(&b, ' ');
        p->offsets[i] = (uint32_t)b.len;
        buf_str(&b, str_of(p->argv[i]));
    }
    p->source = (struct source){"command line", arena_copy(a, buf_view(&b))};
    buf_release(&b);
}

/* The place of `text`, which lies in argument `i`. */
static struct loc loc_of(const struct parsing *p, int i, struct str text)
{
    uint32_t inside = (uint32_t)(text.data - p->argv[i]);

    return (struct loc){&p->source, p->offsets[i] + inside, text.len ? (uint32_t)text.len : 1};
}

static void add_flag(struct parsing *p, const struct setting *row, struct str value, int at)
{
    struct ast_value v = {.kind = AST_STRING, .text = value, .loc = loc_of(p, at, value)};

    p->flags[p->flags_len++] = (struct flag){row, v};
}

/* A flag that takes no value means true; its place is its own. */
static void add_switch(struct parsing *p, const struct setting *row, struct str name, int at)
{
    struct ast_value v = {.kind = AST_STRING, .text = STR("true"), .loc = loc_of(p, at, name)};

    p->flags[p->flags_len++] = (struct flag){row, v};
}

static void complain(struct parsing *p, int at, struct str place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(struct parsing *p, int at, struct str place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_v(p->cx->diags, DIAG_ERROR, loc_of(p, at, place), format, args);
    va_end(args);
    p->good = false;
}

/* The next argument as the value of the flag called `name`. False when there is none. */
static bool take_value(struct parsing *p, struct str name, struct str *out)
{
    if (p->at >= p->argc) {
        complain(p, p->at - 1, str_of(p->argv[p->at - 1]), "\"%.*s\" needs a value", STR_ARG(name));
        return false;
    }
    *out = str_of(p->argv[p->at++]);
    return true;
}

/* -S KEY=VALUE: any key of logstash.yml. */
static void add_setting(struct parsing *p, struct str text, int at)
{
    ptrdiff_t  equals = str_find(text, STR("="));
    struct str key = {text.data, equals > 0 ? (size_t)equals : 0};

    if (equals <= 0) {
        complain(p, at, text, "-S takes KEY=VALUE");
        return;
    }
    const struct setting *row = settings_row(key);
    if (row && !row->own) {
        add_flag(p, row, str_from(text, (size_t)equals + 1), at);
        return;
    }
    const char *near = settings_nearest(key, false);
    complain(p, at, key, "unknown setting \"%.*s\"%s%s%s", STR_ARG(key),
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static const struct setting *long_flag(struct str name)
{
    for (const struct setting *row = settings_rows; row->option.name; row++)
        if (row->flag && str_is(name, row->long_flag ? row->long_flag : row->option.name))
            return row;
    return NULL;
}

/* --plugin-help has a value only when one follows that is no flag. */
static void add_plugin_help(struct parsing *p, const struct setting *row, struct str flag, int at)
{
    if (p->at < p->argc && p->argv[p->at][0] != '-')
        add_flag(p, row, str_of(p->argv[p->at++]), at + 1);
    else {
        struct ast_value v = {.kind = AST_STRING, .text = STR(""), .loc = loc_of(p, at, flag)};
        p->flags[p->flags_len++] = (struct flag){row, v};
    }
}

/* --name, --name VALUE or --name=VALUE */
static void parse_long(struct parsing *p, struct str arg, int at)
{
    ptrdiff_t             equals = str_find(arg, STR("="));
    struct str            flag = {arg.data, equals > 0 ? (size_t)equals : arg.len};
    struct str            name = str_from(flag, 2), value = {0};
    const struct setting *row = long_flag(name);

    if (equals > 0) value = str_from(arg, (size_t)equals + 1);
    if (str_is(name, "setting")) {
        if (equals > 0 || take_value(p, flag, &value))
            add_setting(p, value, equals > 0 ? at : at + 1);
    } else if (!row) {
        const char *near = settings_nearest(name, true);
        complain(p, at, flag, "unknown flag \"%.*s\"%s%s%s", STR_ARG(flag),
                 near ? "; did you mean \"--" : "", near ? near : "", near ? "\"?" : "");
    } else if (equals > 0) {
        if (row->argument)
            add_flag(p, row, value, at);
        else
            complain(p, at, arg, "\"%.*s\" takes no value", STR_ARG(flag));
    } else if (!row->argument) {
        add_switch(p, row, flag, at);
    } else if (str_is(name, "plugin-help")) {
        add_plugin_help(p, row, flag, at);
    } else if (take_value(p, flag, &value)) {
        add_flag(p, row, value, at + 1);
    }
}

static const struct setting *short_flag(char letter)
{
    for (const struct setting *row = settings_rows; row->option.name; row++)
        if (row->letter == letter) return row;
    return NULL;
}

/* -t, -w 4, -w4, -tr; `arg` starts at the dash. */
static void parse_short(struct parsing *p, struct str arg, int at)
{
    for (size_t i = 1; i < arg.len; i++) {
        const struct setting *row = short_flag(arg.data[i]);
        struct str            flag = {arg.data + i, 1}, value = str_from(arg, i + 1);
        bool                  setting = arg.data[i] == 'S';

        if (!row && !setting) {
            complain(p, at, flag, "unknown flag \"-%c\"", arg.data[i]);
            return;
        }
        if (row && !row->argument) {
            add_switch(p, row, flag, at);
            continue;
        }
        bool apart = value.len == 0;
        if (apart && !take_value(p, arg, &value)) return;
        if (setting)
            add_setting(p, value, at + apart);
        else
            add_flag(p, row, value, at + apart);
        return;
    }
}

static void parse_all(struct parsing *p)
{
    while (p->at < p->argc) {
        int        at = p->at++;
        struct str arg = str_of(p->argv[at]);

        if (arg.len > 2 && str_starts(arg, STR("--")))
            parse_long(p, arg, at);
        else if (arg.len > 1 && arg.data[0] == '-' && arg.data[1] != '-')
            parse_short(p, arg, at);
        else
            complain(p, at, arg, "\"%.*s\" is no flag; a config is given with -f", STR_ARG(arg));
    }
}

/* Where logstash.yml is looked for. True when somebody said so. */
static bool find_settings(const struct parsing *p, struct settings *s)
{
    const char *env = getenv("LS_SETTINGS_DIR");

    s->path_settings = env && *env ? str_of(env) : STR(SYSCONFDIR "/lsc");
    for (uint32_t i = 0; i < p->flags_len; i++)
        if (str_is(STR("path.settings"), p->flags[i].row->option.name)) {
            s->path_settings = p->flags[i].value.text;
            return true;
        }
    return env && *env;
}

bool args_parse(int argc, char *const argv[], struct arena *a, struct settings *s, struct diags *d)
{
    struct plugin_open cx = {.arena = a, .diags = d};
    struct parsing    *p = arena_zalloc(a, sizeof(*p));

    *p = (struct parsing){.argc = argc, .argv = argv, .at = 1, .cx = &cx, .good = true};
    write_source(p);
    p->flags = arena_alloc(a, (p->source.text.len + 1) * sizeof(*p->flags)); /* a letter each */
    settings_init(s, &cx);
    parse_all(p);
    bool asked_for = find_settings(p, s);
    bool read = settings_read_yaml(s, asked_for, &cx);
    for (uint32_t i = 0; i < p->flags_len; i++) {
        struct flag *f = &p->flags[i];
        if (!settings_set(s, f->row, &f->value, &cx)) p->good = false;
        if (str_is(STR("plugin-help"), f->row->option.name)) s->plugin_help = true;
    }
    return p->good && read && settings_finish(s, &cx);
}
