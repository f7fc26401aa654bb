/*
 * split: makes an event of each item of a list, or of each piece of a text.
 *
 * Source: logstash-filter-split, lib/logstash/filters/split.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/failure.h"
#include "text/rubytext.h"

struct split {
    const struct field *field;
    const struct field *target;
    struct str          terminator;
};

static const struct option split_options[] = {
    OPT(struct split, OPT_FIELD, field, .preset = "message",
        .doc = "The field whose list or text is cut. An event where it is something else, or "
               "missing, goes on whole with the tag _split_type_failure."),
    OPT(struct split, OPT_FIELD, target,
        .doc = "Where each event gets its piece. By default in the field that was cut."),
    OPT(struct split, OPT_STRING, terminator, .preset = "\n",
        .doc = "What a text is cut at: a newline by default. One blank stands for any run of "
               "blanks, and an empty text cuts after every character. Empty pieces make no "
               "event; a text that is one piece goes on as it is."),
    OPT_END,
};

static void fail(struct event *ev, struct filter_context *cx, const char *message,
                 const struct field *field)
{
    static struct log_limit limit;

    event_tag(ev, STR("_split_type_failure"));
    filter_failed(cx, &limit, "filter.split", message, field->text);
}

static bool is_piece(struct value v)
{
    return v.kind != VALUE_NULL && !(v.kind == VALUE_STRING && v.len == 0);
}

static void set_piece(const struct split *s, struct event *ev, struct value piece,
                      struct filter_context *cx)
{
    const struct field *target = s->target ? s->target : s->field;

    if (!event_set(ev, target, piece)) fail(ev, cx, "cannot set the target", target);
}

/* The first piece stays in the event itself; the others get copies of it, made before it changes.
 */
static enum verdict send_pieces(const struct split *s, struct event *ev, const struct list *pieces,
                                struct filter_context *cx)
{
    bool     shared = s->target != NULL; /* the source stays in every event */
    uint32_t first = 0;

    while (first < pieces->len && !is_piece(pieces->items[first]))
        first++;
    if (first == pieces->len) return FILTER_DROP;
    for (uint32_t i = first + 1; i < pieces->len; i++) {
        if (!is_piece(pieces->items[i])) continue;
        struct event *copy = event_clone(ev->arena, ev);
        struct value  piece = pieces->items[i];
        set_piece(s, copy, shared ? value_clone(ev->arena, piece) : piece, cx);
        filter_emit(cx, copy, FILTER_MATCH);
    }
    struct value piece = pieces->items[first];
    set_piece(s, ev, shared ? value_clone(ev->arena, piece) : piece, cx);
    return FILTER_MATCH;
}

static enum verdict split_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct split *s = self;
    struct value       *v = event_get(ev, s->field);
    struct list        *pieces;

    if (v && v->kind == VALUE_LIST) {
        pieces = v->as.list;
    } else if (v && v->kind == VALUE_STRING) {
        pieces = ruby_split(ev->arena, value_str(*v), s->terminator, true);
        if (pieces->len == 1) return FILTER_PASS;
    } else {
        fail(ev, cx, "neither a text nor a list", s->field);
        return FILTER_PASS;
    }
    /* Taken out of the event, so that a list of n items is not copied n times. */
    if (!s->target) *v = value_null();
    return send_pieces(s, ev, pieces, cx);
}

const struct plugin filter_split = {
    .kind = PLUGIN_FILTER,
    .name = "split",
    .summary = "Makes an event of each item of a list, or of each piece of a text.",
    .size = sizeof(struct split),
    .options = split_options,
    .filter = {.run = split_run},
};
