#include <stdatomic.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "program/program.h"

/* No step: the event has left the filters. */
static const uint32_t DONE = UINT32_MAX;

/* One event in this many is timed; the time counts for all of them. Two clock readings for every
   event and filter would cost more than most filters do. */
enum { TIMED = 16, DECODE_TIMED = 64 };

struct pending {
    struct event *ev;
    uint32_t      step;
};

/* Events on their way, each with the step that it goes on with. */
struct line {
    struct pending *at;
    uint32_t        len, cap;
};

/* What happened at one node during a batch; added to its metrics afterwards. */
struct tally {
    uint64_t in, out, failures, ns;
};

/* A filter's or output's own part of a runner. */
struct place {
    void             *state; /* worker_size bytes */
    struct tally      tally;
    struct event_list events; /* outputs: what the current batch has for it */
};

struct runner {
    const struct pipeline_plan *plan;
    struct pipeline_metrics    *metrics;
    _Atomic int64_t             busy_since_ns; /* 0: no batch is being worked on */
    struct tally  tally; /* of the batch: what all inputs gave, what all filters left */
    struct place *inputs, *filters, *outputs;

    /* Events that wait to go on; the last one is next. */
    struct line pending;

    /* The batch in order: events that are done, or wait at a filter with prepare(). */
    struct line       line, next_line;
    uint32_t          prepared; /* the step whose events go on now */
    bool             *gathers;  /* of each step: events wait there for prepare() */
    struct event_list gathered;

    struct filter_context        cx;
    _Atomic(const struct node *) node;      /* that runs; other threads look at it */
    uint32_t                     next_step; /* that an emitted event goes on with */
    uint64_t                     count;     /* of events, for the timing of some */
    int64_t                      start_ns;  /* of the batch */
    bool                         timed;

    struct decode         decode;
    const struct item    *item;       /* being decoded */
    struct str            whole;      /* its message with the delimiter, once an event wants it */
    uint64_t              messages;   /* for the timing of some */
    int64_t               filters_ns; /* of a timed decode: time that went into filters */
    struct output_context output_cx;

    struct arena scratch, decode_scratch, flush_arena;
    struct arena events;          /* what the messages of a batch are decoded into: always warm */
    struct buf   buf, decode_buf; /* a codec's own: filters run while it emits */
};

static struct place *places_new(struct node *const *nodes, uint32_t len, enum plugin_kind kind)
{
    struct place *places = xcalloc(len, sizeof(*places));

    for (uint32_t i = 0; i < len; i++) {
        size_t size = kind == PLUGIN_FILTER   ? nodes[i]->plugin->filter.worker_size
                      : kind == PLUGIN_OUTPUT ? nodes[i]->plugin->output.worker_size
                                              : 0;
        if (size) places[i].state = xcalloc(1, size);
    }
    return places;
}

static void places_free(struct place *places, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        free(places[i].state);
        event_list_release(&places[i].events);
    }
    free(places);
}

static void tally_publish(struct node *n, struct place *p)
{
    struct tally *t = &p->tally;

    if (n->metrics.enabled && (t->in | t->out | t->failures | t->ns)) {
        atomic_fetch_add_explicit(&n->metrics.in, t->in, memory_order_relaxed);
        atomic_fetch_add_explicit(&n->metrics.out, t->out, memory_order_relaxed);
        atomic_fetch_add_explicit(&n->metrics.failures, t->failures, memory_order_relaxed);
        atomic_fetch_add_explicit(&n->metrics.duration_ns, t->ns, memory_order_relaxed);
    }
    *t = (struct tally){0};
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void publish(struct runner *r)
{
    for (uint32_t i = 0; i < r->plan->inputs_len; i++)
        r->tally.in += r->inputs[i].tally.out;
    add(&r->metrics->in, r->tally.in);
    add(&r->metrics->out, r->tally.out);
    add(&r->metrics->duration_ns, r->tally.ns);
    r->tally = (struct tally){0};
    for (uint32_t i = 0; i < r->plan->inputs_len; i++)
        tally_publish(r->plan->inputs[i], &r->inputs[i]);
    for (uint32_t i = 0; i < r->plan->filters_len; i++)
        tally_publish(r->plan->filters[i], &r->filters[i]);
    for (uint32_t i = 0; i < r->plan->outputs_len; i++)
        tally_publish(r->plan->outputs[i], &r->outputs[i]);
}

/* ---- filters ---- */

static void line_push(struct line *l, struct event *ev, uint32_t step)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->at = xrealloc(l->at, l->cap * sizeof(*l->at));
    }
    l->at[l->len++] = (struct pending){ev, step};
}

static void at_node(struct runner *r, const struct node *n)
{
    atomic_store_explicit(&r->node, n, memory_order_relaxed);
}

void filter_emit(struct filter_context *cx, struct event *ev, enum verdict v)
{
    struct runner     *r = (struct runner *)((char *)cx - offsetof(struct runner, cx));
    const struct node *n = atomic_load_explicit(&r->node, memory_order_relaxed);

    if (v == FILTER_DROP) return;
    if (v == FILTER_MATCH && n->decoration.any) decoration_apply(&n->decoration, ev, cx->buf);
    r->filters[n->index].tally.out++;
    line_push(&r->pending, ev, r->next_step);
}

/* What one filter emitted lies first to last; the first must be next. */
static void reverse(struct pending *p, uint32_t len)
{
    for (uint32_t i = 0; i < len / 2; i++) {
        struct pending swap = p[i];
        p[i] = p[len - 1 - i];
        p[len - 1 - i] = swap;
    }
}

/* False when the filter dropped the event. */
static bool run_filter(struct runner *r, struct node *n, struct event *ev, uint32_t next_step)
{
    struct place *place = &r->filters[n->index];
    uint32_t      before = r->pending.len;
    int64_t       start = r->timed ? clock_monotonic_ns() : 0;

    at_node(r, n);
    r->next_step = next_step;
    r->cx.state = place->state;
    r->cx.failures = &place->tally.failures;
    place->tally.in++;
    enum verdict v = n->plugin->filter.run(n->self, ev, &r->cx);
    if (v == FILTER_MATCH && n->decoration.any) decoration_apply(&n->decoration, ev, &r->buf);
    place->tally.out += v != FILTER_DROP;
    if (r->timed) place->tally.ns += (uint64_t)(clock_monotonic_ns() - start) * TIMED;
    if (r->pending.len - before > 1) reverse(r->pending.at + before, r->pending.len - before);
    return v != FILTER_DROP;
}

/* Walks the program from step `at` to its end, or to a filter that wants the whole batch first. */
static void walk(struct runner *r, struct event *ev, uint32_t at)
{
    const struct step *steps = r->plan->filter.steps;

    for (;;) {
        const struct step *s = &steps[at];
        switch (s->op) {
        case OP_FILTER:
            if (r->gathers[at] && at != r->prepared) {
                line_push(&r->line, ev, at);
                return;
            }
            if (!run_filter(r, s->node, ev, at + 1)) return;
            at++;
            break;
        case OP_JUMP:
            at = s->target;
            break;
        case OP_JUMP_UNLESS:
            at = cond_eval(s->cond, ev) ? at + 1 : s->target;
            break;
        case OP_OUTPUT:
        case OP_END:
            line_push(&r->line, ev, DONE);
            return;
        }
    }
}

/* Takes what waits as far as it gets; it ends in r->line. */
static void drain(struct runner *r)
{
    while (r->pending.len > 0) {
        struct pending next = r->pending.at[--r->pending.len];
        r->timed = r->count++ % TIMED == 0;
        walk(r, next.ev, next.step);
        arena_reset(&r->scratch);
    }
}

/* The first step that events of the line wait at; DONE when none does. */
static uint32_t first_step(const struct line *l)
{
    uint32_t first = DONE;

    for (uint32_t i = 0; i < l->len; i++)
        if (l->at[i].step < first) first = l->at[i].step;
    return first;
}

/* Shows the filter of `step` all the events that wait for it. */
static void prepare(struct runner *r, uint32_t step)
{
    struct node  *n = r->plan->filter.steps[step].node;
    struct place *place = &r->filters[n->index];
    int64_t       start = clock_monotonic_ns();

    r->gathered.len = 0;
    for (uint32_t i = 0; i < r->line.len; i++)
        if (r->line.at[i].step == step) event_list_push(&r->gathered, r->line.at[i].ev);
    r->cx.state = place->state;
    r->cx.failures = &place->tally.failures;
    at_node(r, n);
    n->plugin->filter.prepare(n->self, r->gathered.at, r->gathered.len, &r->cx);
    arena_reset(&r->scratch);
    place->tally.ns += (uint64_t)(clock_monotonic_ns() - start);
}

/* Events that wait at a step go on, when it is prepared; all others keep their place in the line.
 */
static void advance(struct runner *r, uint32_t step)
{
    struct line before = r->line;

    r->line = r->next_line;
    r->line.len = 0;
    r->prepared = step;
    for (uint32_t i = 0; i < before.len; i++) {
        if (before.at[i].step != step) {
            line_push(&r->line, before.at[i].ev, before.at[i].step);
            continue;
        }
        line_push(&r->pending, before.at[i].ev, step);
        drain(r);
    }
    r->prepared = DONE;
    r->next_line = before;
}

/* Brings the whole line to the end of the program. That leads forward only, so each step comes
   once. */
static void settle(struct runner *r)
{
    for (uint32_t step; (step = first_step(&r->line)) != DONE;) {
        prepare(r, step);
        advance(r, step);
    }
}

/* ---- decoding ---- */

/* The message as it was read, with its delimiter: one text for all events made of it. */
static struct value whole_message(struct runner *r, struct arena *a, struct str delimiter)
{
    struct str message = r->item->message;

    if (delimiter.len == 0) return value_string(message);
    if (!r->whole.data) {
        char *text = arena_alloc(a, message.len + delimiter.len);
        if (message.len) memcpy(text, message.data, message.len);
        memcpy(text + message.len, delimiter.data, delimiter.len);
        r->whole = (struct str){text, message.len + delimiter.len};
    }
    return value_string(r->whole);
}

/* False when the event holds something else where a map would have to be. */
static bool apply_origin(struct runner *r, struct event *ev, const struct item *item)
{
    const struct origin *o = item->origin;
    bool                 room = true;

    for (uint32_t i = 0; o && i < o->len; i++) {
        const struct origin_field *f = &o->fields[i];
        if (!f->always && event_get(ev, f->field)) continue;
        if (f->is_message && item->ev) continue; /* made of a stream: of no one message */
        room &= event_set(ev, f->field,
                          f->is_message ? whole_message(r, ev->arena, value_str(f->value))
                                        : value_clone(ev->arena, f->value));
    }
    return room;
}

/* The event that stands for a message which gave none that its input can use. */
static struct event *undecoded(struct runner *r, const struct item *item)
{
    struct event *ev = event_blank(r->decode.arena, r->decode.now);

    *map_add(&ev->data, ev->arena, names.message) = value_string(item->message);
    event_tag(ev, STR("_jsonparsefailure"));
    return ev;
}

/* False when the event has to give way to undecoded(). */
static bool decorate(struct runner *r, struct event *ev, const struct item *item)
{
    const struct origin *o = item->origin;
    bool                 first = o && o->decorated_first;

    if (first) decoration_input(item->input, ev, &r->buf);
    bool room = apply_origin(r, ev, item);
    if (!first) decoration_input(item->input, ev, &r->buf);
    return room || !o->insists || item->ev;
}

/* A new event from an input: its decoration, and then the filters at once, while it is warm. */
static void enter(struct runner *r, struct event *ev, const struct item *item)
{
    if (!decorate(r, ev, item)) {
        ev = undecoded(r, item);
        decorate(r, ev, item);
    }
    r->inputs[item->input->index].tally.out++;
    line_push(&r->pending, ev, 0);
    drain(r);
}

static void decoded(struct decode *to, struct event *ev)
{
    struct runner *r = (struct runner *)((char *)to - offsetof(struct runner, decode));

    enter(r, ev, r->item);
}

static void decoded_timed(struct decode *to, struct event *ev)
{
    struct runner *r = (struct runner *)((char *)to - offsetof(struct runner, decode));
    int64_t        start = clock_monotonic_ns();

    enter(r, ev, r->item);
    r->filters_ns += clock_monotonic_ns() - start;
}

/* Decodes and counts the time, but not that of the filters, which run meanwhile. */
static void decode_timed(struct runner *r, const struct codec *codec, struct str message)
{
    int64_t start = clock_monotonic_ns();

    r->filters_ns = 0;
    r->decode.emit = decoded_timed;
    codec->plugin->codec_ops.decode(codec->self, message, &r->decode);
    r->decode.emit = decoded;
    r->inputs[r->item->input->index].tally.ns +=
        (uint64_t)(clock_monotonic_ns() - start - r->filters_ns) * DECODE_TIMED;
}

static void decode_item(struct runner *r, const struct item *item)
{
    const struct codec *codec = item->input->common.codec;
    struct tally       *tally = &r->inputs[item->input->index].tally;
    uint64_t            failures = 0;

    r->item = item;
    r->whole = (struct str){.data = NULL};
    r->decode.failures = &failures;
    at_node(r, item->input);
    if (r->messages++ % DECODE_TIMED == 0)
        decode_timed(r, codec, item->message);
    else
        codec->plugin->codec_ops.decode(codec->self, item->message, &r->decode);
    tally->in++;
    tally->failures += failures;
    arena_reset(&r->decode_scratch);
}

/* ---- outputs ---- */

static void route(struct runner *r, struct event *ev)
{
    const struct step *steps = r->plan->output.steps;

    for (uint32_t at = 0;;) {
        const struct step *s = &steps[at];
        switch (s->op) {
        case OP_OUTPUT:
            event_list_push(&r->outputs[s->node->index].events, ev);
            at++;
            break;
        case OP_JUMP:
            at = s->target;
            break;
        case OP_JUMP_UNLESS:
            at = cond_eval(s->cond, ev) ? at + 1 : s->target;
            break;
        case OP_FILTER:
        case OP_END:
            return;
        }
    }
}

static void write_out(struct runner *r)
{
    for (uint32_t i = 0; i < r->line.len; i++)
        route(r, r->line.at[i].ev);
    r->tally.out += r->line.len;
    r->line.len = 0;

    for (uint32_t i = 0; i < r->plan->outputs_len; i++) {
        struct node  *n = r->plan->outputs[i];
        struct place *place = &r->outputs[i];
        if (place->events.len == 0) continue;

        int64_t start = clock_monotonic_ns();
        r->output_cx.state = place->state;
        r->output_cx.failures = &place->tally.failures;
        r->output_cx.codec = n->common.codec;
        at_node(r, n);
        n->plugin->output.write(n->self, place->events.at, place->events.len, &r->output_cx);
        place->tally.in += place->events.len;
        place->tally.out += place->events.len;
        place->tally.ns += (uint64_t)(clock_monotonic_ns() - start);
        place->events.len = 0;
        arena_reset(&r->scratch);
    }
    r->tally.ns += (uint64_t)(clock_monotonic_ns() - r->start_ns);
    publish(r);
    atomic_store_explicit(&r->busy_since_ns, 0, memory_order_relaxed);
}

/* ---- the runner ---- */

static bool shares_state(const struct step *s)
{
    return s->op == OP_FILTER && s->node->plugin->filter.shares_state &&
           s->node->plugin->filter.shares_state(s->node->self);
}

static bool *gathering_steps(const struct program *p)
{
    bool    *gathers = xcalloc(p->len, sizeof(*gathers));
    uint32_t first = 0, last = 0; /* of the filters that share state */

    for (uint32_t at = p->len; at-- > 0;)
        if (shares_state(&p->steps[at])) first = at;
    for (uint32_t at = 0; at < p->len; at++)
        if (shares_state(&p->steps[at])) last = at;
    for (uint32_t at = 0; at < p->len; at++)
        gathers[at] = p->steps[at].op == OP_FILTER && p->steps[at].node->plugin->filter.prepare &&
                      (first == last || at < first || at > last);
    return gathers;
}

struct runner *runner_new(const struct pipeline_plan *plan, struct pipeline_metrics *metrics,
                          struct stop *stop)
{
    struct runner *r = xcalloc(1, sizeof(*r));

    r->plan = plan;
    r->metrics = metrics;
    r->prepared = DONE;
    r->gathers = gathering_steps(&plan->filter);
    r->inputs = places_new(plan->inputs, plan->inputs_len, PLUGIN_INPUT);
    r->filters = places_new(plan->filters, plan->filters_len, PLUGIN_FILTER);
    r->outputs = places_new(plan->outputs, plan->outputs_len, PLUGIN_OUTPUT);
    r->cx = (struct filter_context){.scratch = &r->scratch, .buf = &r->buf, .stop = stop};
    r->decode =
        (struct decode){.scratch = &r->decode_scratch, .buf = &r->decode_buf, .emit = decoded};
    r->output_cx = (struct output_context){.scratch = &r->scratch, .buf = &r->buf, .stop = stop};
    return r;
}

void runner_free(struct runner *r)
{
    if (!r) return;
    places_free(r->inputs, r->plan->inputs_len);
    places_free(r->filters, r->plan->filters_len);
    places_free(r->outputs, r->plan->outputs_len);
    event_list_release(&r->gathered);
    free(r->gathers);
    free(r->line.at);
    free(r->next_line.at);
    arena_release(&r->scratch);
    arena_release(&r->decode_scratch);
    arena_release(&r->flush_arena);
    arena_release(&r->events);
    buf_release(&r->buf);
    buf_release(&r->decode_buf);
    free(r->pending.at);
    free(r);
}

static void use_arena(struct runner *r, struct arena *a, struct timestamp now)
{
    r->start_ns = clock_monotonic_ns();
    atomic_store_explicit(&r->busy_since_ns, r->start_ns, memory_order_relaxed);
    r->cx.arena = a;
    r->cx.now = now;
    r->decode.arena = a;
    r->decode.now = now;
    r->output_cx.arena = a;
}

uint64_t runner_busy_ns(const struct runner *r)
{
    int64_t since = atomic_load_explicit(&r->busy_since_ns, memory_order_relaxed);

    return since ? (uint64_t)(clock_monotonic_ns() - since) : 0;
}

const struct node *runner_busy_at(const struct runner *r)
{
    if (!atomic_load_explicit(&r->busy_since_ns, memory_order_relaxed)) return NULL;
    return atomic_load_explicit(&r->node, memory_order_relaxed);
}

void runner_batch(struct runner *r, struct batch *b)
{
    use_arena(r, &r->events, b->time);
    for (uint32_t i = 0; i < b->len; i++) {
        const struct item *item = &b->items[i];
        if (item->ev)
            enter(r, item->ev, item);
        else
            decode_item(r, item);
    }
    settle(r);
    write_out(r);
    arena_reset(&r->events);
}

void runner_flush(struct runner *r, bool final)
{
    const struct program *p = &r->plan->filter;

    use_arena(r, &r->flush_arena, clock_now());
    for (uint32_t at = 0; at < p->len; at++) {
        struct node *n = p->steps[at].op == OP_FILTER ? p->steps[at].node : NULL;
        if (!n || !n->plugin->filter.flush) continue;
        at_node(r, n);
        r->next_step = at + 1;
        r->cx.state = r->filters[n->index].state;
        r->cx.failures = &r->filters[n->index].tally.failures;
        n->plugin->filter.flush(n->self, &r->cx, final);
        reverse(r->pending.at, r->pending.len);
        drain(r);
        settle(r);
    }
    write_out(r);
    arena_reset(&r->flush_arena);
}
