#ifndef LSC_PLUGIN_COMMON_H
#define LSC_PLUGIN_COMMON_H

#include "plugin/plugin.h"

/* What the common options of every kind are bound to, and the plugins opened from a config. */
struct common {
    struct str       id;
    bool             enable_metric;
    struct codec    *codec;        /* inputs, outputs */
    struct pairs     add_field;    /* inputs, filters */
    struct templates tags;         /* inputs */
    struct str       type;         /* inputs */
    struct templates add_tag;      /* filters */
    struct templates remove_tag;   /* filters */
    struct templates remove_field; /* filters */
    bool             periodic_flush;
    int64_t          workers; /* outputs */
    int              ecs_compatibility;
};

/* add_field compiled: name and values are templates. */
struct add_field {
    const struct template *name;
    const struct field    *field; /* when the name is constant */
    struct templates       values;
    bool                   broken; /* can never work: see decorate.c */
};

struct remove_field {
    const struct template *name;
    const struct field    *field; /* when the name is constant */
    bool                   broken;
};

struct decoration {
    uint32_t             add_len, remove_len;
    struct add_field    *add;
    struct remove_field *remove;
    struct templates     add_tag, remove_tag;
    struct str           type;     /* inputs: data NULL when not given */
    struct str           fail_tag; /* "_mutate_error": for events in which a field cannot be set */
    bool                 any;
};

/* A plugin opened from the config: what programs and pipelines refer to. */
struct node {
    const struct plugin *plugin;
    void                *self;
    struct common        common;
    struct decoration    decoration;
    struct loc           loc;
    uint32_t             index; /* among the nodes of its kind */
    struct metrics       metrics;
};

/*
 * Looks up, binds and opens one plugin of the config. NULL after at least one diag. Codecs named in
 * it are opened too. The node lives in cx->arena.
 */
struct node *node_open(enum plugin_kind kind, const struct ast_plugin *ast, struct plugin_open *cx);
void         node_close(struct node *n);

/* The codec that `value` names, a word or a block; `preset` when `value` is NULL. NULL after at
   least one diag. */
struct codec *codec_open(const struct ast_value *value, const char *preset, struct plugin_open *cx);
void          codec_close(struct codec *c); /* NULL: nothing */

/*
 * add_field, remove_field, add_tag, remove_tag, in that order. False when a field could not be set:
 * then the rest is left undone and the event has the tag `fail_tag`, as with an exception of
 * mutate's. Source: filters/base.rb, decorators.rb.
 */
bool decoration_apply(const struct decoration *d, struct event *ev, struct buf *scratch);
/* type when there is none, add_field, tags; false as above. Source: inputs/base.rb. */
bool decoration_input(const struct node *n, struct event *ev, struct buf *scratch);
/* An existing value becomes or extends a list. False when event_set() refuses. Source:
   decorators.rb. */
bool event_add_field(struct event *ev, const struct field *f, struct value v);
/* Adds to [tags] whether or not it is there already, as add_tag and tags do. False when [tags] is
   no list and cannot become one. */
bool event_add_tag(struct event *ev, struct str tag);
/* Compiles the common options that change events. Part of node_open(). */
void decoration_open(struct node *n, struct plugin_open *cx);

#endif
