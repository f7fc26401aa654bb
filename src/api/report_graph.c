/*
 * A pipeline as a graph of vertices and edges, which Kibana's pipeline viewer draws, and what went
 * through the vertices. Read off the flat program: what stands between a jump-unless and its target
 * is an arm of an if.
 *
 * Source: Logstash's config/lir_serializer.rb.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/reply.h"
#include "base/fatal.h"

/* A way into the next vertex. */
struct end {
    const char *from; /* the id in a vertex */
    int         when; /* of an if: 1 or 0; else -1 */
};

struct ends {
    struct end *at;
    uint32_t    len, cap;
};

struct drawing {
    const struct program *program;
    json_t               *vertices, *edges;
    uint32_t              edge;
    bool                  parallel; /* outputs: each gets what comes in, not what the last left */
};

static void ends_add(struct ends *e, const char *from, int when)
{
    if (e->len == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 8;
        e->at = xrealloc(e->at, e->cap * sizeof(*e->at));
    }
    e->at[e->len++] = (struct end){from, when};
}

static void ends_move(struct ends *to, struct ends *from)
{
    for (uint32_t i = 0; i < from->len; i++)
        ends_add(to, from->at[i].from, from->at[i].when);
    free(from->at);
    *from = (struct ends){0};
}

static struct ends ends_copy(const struct ends *from)
{
    struct ends copy = {0};

    for (uint32_t i = 0; i < from->len; i++)
        ends_add(&copy, from->at[i].from, from->at[i].when);
    return copy;
}

static void add_edges(struct drawing *d, const struct ends *in, const char *to)
{
    char id[24];

    for (uint32_t i = 0; i < in->len; i++) {
        const struct end *e = &in->at[i];
        snprintf(id, sizeof(id), "edge_%u", ++d->edge);
        json_t *edge = json_pack("{s:s, s:s, s:o, s:s}", "id", id, "from", e->from, "to",
                                 reply_str(str_of(to)), "type", e->when < 0 ? "plain" : "boolean");
        if (e->when >= 0) json_object_set_new(edge, "when", json_boolean(e->when));
        json_array_append_new(d->edges, edge);
    }
}

static void place(json_t *vertex, struct loc loc)
{
    int line, column;

    if (!loc.source) return;
    loc_position(loc, &line, &column);
    json_object_set_new(vertex, "meta",
                        json_pack("{s:{s:s, s:o, s:i, s:i}}", "source", "protocol", "file", "id",
                                  reply_str(str_of(loc.source->name)), "line", line, "column",
                                  column));
}

/* Returns the vertex's id, which lives as long as the drawing. */
static const char *add_vertex(struct drawing *d, json_t *vertex)
{
    json_array_append_new(d->vertices, vertex);
    return json_string_value(json_object_get(vertex, "id"));
}

static const char *add_plugin(struct drawing *d, const struct node *n)
{
    char made_up[100];

    snprintf(made_up, sizeof(made_up), "%s_%s_", plugin_kind_name(n->plugin->kind),
             n->plugin->name);
    json_t *v =
        json_pack("{s:o, s:b, s:s, s:s, s:s}", "id", reply_str(n->common.id), "explicit_id",
                  !str_starts(n->common.id, str_of(made_up)), "type", "plugin", "plugin_type",
                  plugin_kind_name(n->plugin->kind), "config_name", n->plugin->name);
    place(v, n->loc);
    return add_vertex(d, v);
}

static const char *add_if(struct drawing *d, uint32_t at)
{
    char id[64];

    snprintf(id, sizeof(id), "%s_if_%u", d->parallel ? "output" : "filter", at + 1);
    return add_vertex(d,
                      json_pack("{s:s, s:b, s:s, s:o}", "id", id, "explicit_id", 0, "type", "if",
                                "condition", reply_str(cond_source(d->program->steps[at].cond))));
}

static const char *add_queue(struct drawing *d)
{
    return add_vertex(d, json_pack("{s:s, s:b, s:s, s:n}", "id", "__QUEUE__", "explicit_id", 0,
                                   "type", "queue", "meta"));
}

static struct ends draw(struct drawing *d, uint32_t from, uint32_t to, struct ends in);

/* The if at `at`: its arm, and what stands behind else. `*next` is the step after all of it. */
static struct ends draw_if(struct drawing *d, uint32_t at, struct ends in, uint32_t *next)
{
    const struct step *s = &d->program->steps[at], *last = &d->program->steps[s->target - 1];
    bool               has_else = s->target > at + 1 && last->op == OP_JUMP;
    struct ends        then = {0}, other = {0};
    const char        *id = add_if(d, at);

    add_edges(d, &in, id);
    free(in.at);
    ends_add(&then, id, 1);
    ends_add(&other, id, 0);
    *next = has_else ? last->target : s->target;
    then = draw(d, at + 1, has_else ? s->target - 1 : s->target, then);
    if (has_else) other = draw(d, s->target, *next, other);
    ends_move(&then, &other);
    return then;
}

/* Draws the steps [from, to), with the ends `in` leading in; returns those that lead on. */
static struct ends draw(struct drawing *d, uint32_t from, uint32_t to, struct ends in)
{
    bool parallel = d->parallel;

    while (from < to) {
        const struct step *s = &d->program->steps[from];
        struct ends        now = parallel ? ends_copy(&in) : in;
        uint32_t           next = from + 1;
        if (s->op == OP_FILTER || s->op == OP_OUTPUT) {
            const char *id = add_plugin(d, s->node);
            add_edges(d, &now, id);
            now.len = 0;
            ends_add(&now, id, -1);
        } else if (s->op == OP_JUMP_UNLESS) {
            now = draw_if(d, from, now, &next);
        }
        if (parallel)
            free(now.at);
        else
            in = now;
        from = next;
    }
    return in;
}

json_t *report_graph(const struct pipeline_plan *plan)
{
    struct drawing d = {.vertices = json_array(), .edges = json_array()};
    struct ends    ends = {0};

    for (uint32_t i = 0; i < plan->inputs_len; i++)
        ends_add(&ends, add_plugin(&d, plan->inputs[i]), -1);
    const char *queue = add_queue(&d);
    add_edges(&d, &ends, queue);
    ends.len = 0;
    ends_add(&ends, queue, -1);
    d.program = &plan->filter;
    ends = draw(&d, 0, plan->filter.len - 1, ends);
    d.program = &plan->output;
    d.parallel = true;
    ends = draw(&d, 0, plan->output.len - 1, ends);
    free(ends.at);
    return json_pack("{s:{s:o, s:o}}", "graph", "vertices", d.vertices, "edges", d.edges);
}

/* ---- what went through ---- */

static json_t *counters(const struct state *s, const struct node *n)
{
    bool    is_input = n->plugin->kind == PLUGIN_INPUT;
    json_t *v = json_pack("{s:o, s:s, s:o}", "id", reply_str(n->common.id), "pipeline_ephemeral_id",
                          s->pipeline_ephemeral_id, "events_out",
                          reply_int(atomic_load_explicit(&n->metrics.out, memory_order_relaxed)));
    if (is_input) {
        uint64_t waited = atomic_load_explicit(&n->metrics.push_ns, memory_order_relaxed);
        json_object_set_new(v, "queue_push_duration_in_millis", reply_ms(waited));
        return v;
    }
    uint64_t in = atomic_load_explicit(&n->metrics.in, memory_order_relaxed);
    uint64_t spent = atomic_load_explicit(&n->metrics.duration_ns, memory_order_relaxed);
    json_object_set_new(v, "events_in", reply_int(in));
    json_object_set_new(v, "duration_in_millis", reply_ms(spent));
    return v;
}

json_t *report_vertices(struct state *s)
{
    const struct pipeline_plan *plan = pipeline_plan(s->pipeline);
    json_t                     *all = json_array();

    for (uint32_t i = 0; i < plan->inputs_len; i++)
        json_array_append_new(all, counters(s, plan->inputs[i]));
    for (uint32_t i = 0; i < plan->filters_len; i++)
        json_array_append_new(all, counters(s, plan->filters[i]));
    for (uint32_t i = 0; i < plan->outputs_len; i++)
        json_array_append_new(all, counters(s, plan->outputs[i]));
    return all;
}
