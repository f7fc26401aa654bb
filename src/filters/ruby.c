/*
 * ruby: code of the config, or a script file, that changes events. A module: filter_ruby.
 *
 * Source: logstash-filter-ruby, lib/logstash/filters/ruby.rb and ruby/script.rb.
 * Threads: any worker; the code itself runs on Ruby's one thread (ruby_vm.c), one event at a time.
 */
#include <stdio.h>

#include "filters/ruby_filter.h"
#include "plugin/module.h"

enum { SCRIPT_MAX = 1 << 20 };

struct ruby {
    struct str              code, init, path, tag_on_exception;
    const struct ast_value *script_params;
    bool                    tag_with_exception_message;
    bool                    shares; /* code that may see what other filters' code does */
    struct ruby_filter     *filter;
};

static const struct option filter_options[] = {
    OPT(struct ruby, OPT_STRING, code,
        .doc = "Ruby code that runs for every event, which it has as event. Further events are "
               "made with new_event_block.call(LogStash::Event.new(\"k\" => \"v\")). Variables "
               "that begin with @ keep their values from one event to the next; of an event that "
               "is kept in one, a copy as the code left it."),
    OPT(struct ruby, OPT_STRING, init,
        .doc = "Ruby code that runs once, when the pipeline starts; under -t it is compiled only."),
    OPT(struct ruby, OPT_PATH, path,
        .doc = "A script file instead of code. It defines filter(event), which returns a list of "
               "events, and optionally register(params). Its blocks test \"name\" do ... end run "
               "when the config is loaded, also under -t, and a test that fails is an error."),
    OPT(struct ruby, OPT_AST, script_params, .doc = "A hash that the script's register gets."),
    OPT(struct ruby, OPT_STRING, tag_on_exception, .preset = "_rubyexception",
        .doc = "The tag of events whose code raised an exception. The exception is logged, at most "
               "once in ten seconds."),
    OPT(struct ruby, OPT_BOOL, tag_with_exception_message, .preset = "false",
        .doc = "Adds a second tag, made of tag_on_exception and the message of the exception."),
    OPT_END,
};

/* `event["x"]` went with Logstash 5: said when the config is read, not at the first event. */
static void warn_of_old_form(const struct plugin_open *cx, struct str code)
{
    const struct ast_setting *s = plugin_setting(cx, "code");
    ptrdiff_t                 at = code.data ? str_find(code, STR("event[")) : -1;

    if (at < 0 || !s || (at > 0 && (code.data[at - 1] == '_' || code.data[at - 1] == '@'))) return;
    diag(cx->diags, DIAG_WARNING, ast_loc_at(&s->value, (size_t)at),
         "event['x'] went with Logstash 5: use event.get('x') and event.set('x', value)");
}

/* Whether the code names a global or a class variable, which other filters' code may use. */
static bool names_shared_variable(struct str code)
{
    if (!code.data) return false;
    for (size_t i = 0; i + 1 < code.len; i++) {
        char next = (char)(code.data[i + 1] | 0x20);
        if (code.data[i] == '@' && code.data[i + 1] == '@') return true;
        if (code.data[i] == '$' && next >= 'a' && next <= 'z') return true;
    }
    return false;
}

/* The text of the script file; empty when it cannot be read: Ruby itself will say why. */
static struct str script_text(struct arena *a, struct str path)
{
    FILE *f = path.data ? fopen(arena_cstr(a, path), "re") : NULL;

    if (!f) return STR("");
    char  *text = arena_alloc(a, SCRIPT_MAX);
    size_t len = fread(text, 1, SCRIPT_MAX, f);
    arena_trim(a, text, len);
    fclose(f);
    return (struct str){text, len};
}

static bool ruby_open(void *self, struct plugin_open *cx)
{
    struct ruby  *r = self;
    struct map   *options = map_new(cx->arena, 8);
    struct arena *a = cx->arena;

    if (!r->code.data == !r->path.data)
        return plugin_error(cx, r->code.data ? "path" : NULL, "set either code or path");
    if (r->script_params && r->script_params->kind != AST_HASH)
        return plugin_error(cx, "script_params", "script_params is a hash");
    warn_of_old_form(cx, r->code);
    r->shares = names_shared_variable(r->code) || names_shared_variable(r->init) ||
                names_shared_variable(script_text(a, r->path));
    ruby_option_str(options, a, "code", r->code);
    ruby_option_str(options, a, "init", r->init);
    ruby_option_str(options, a, "path", r->path);
    ruby_option_str(options, a, "tag_on_exception", r->tag_on_exception);
    ruby_option(options, a, "tag_with_exception_message",
                value_bool(r->tag_with_exception_message));
    ruby_option(options, a, "script_params",
                r->script_params ? ast_to_value(a, r->script_params) : value_map(map_new(a, 0)));
    r->filter = ruby_filter_open("LogStash::Filters::Ruby", options, cx);
    return r->filter != NULL;
}

static void ruby_close(void *self)
{
    ruby_filter_close(((struct ruby *)self)->filter);
}

static bool ruby_shares_state(const void *self)
{
    return ((const struct ruby *)self)->shares;
}

static void ruby_prepare(const void *self, struct event *const *ev, uint32_t n,
                         struct filter_context *cx)
{
    ruby_filter_prepare(((const struct ruby *)self)->filter, ev, n, cx);
}

static enum verdict ruby_run(const void *self, struct event *ev, struct filter_context *cx)
{
    return ruby_filter_run(((const struct ruby *)self)->filter, ev, cx);
}

PLUGIN_MODULE;

extern const struct plugin filter_ruby;

const struct plugin filter_ruby = {
    .kind = PLUGIN_FILTER,
    .name = "ruby",
    .summary = "Changes events with Ruby code of the config or of a script file.",
    .size = sizeof(struct ruby),
    .options = filter_options,
    .open = ruby_open,
    .close = ruby_close,
    .filter = {.run = ruby_run,
               .prepare = ruby_prepare,
               .shares_state = ruby_shares_state,
               .worker_size = sizeof(struct ruby_worker)},
};
