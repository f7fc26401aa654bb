#ifndef LSC_PLUGIN_COMMON_H
#define LSC_PLUGIN_COMMON_H

#include "plugin/plugin.h"

/* What the common options of every kind are bound to, and the plugins opened from a config. */
struct common {
    struct str        id;
    bool              enable_metric;
    struct codec     *codec;        /* inputs, outputs */
    struct pairs      add_field;    /* inputs, filters */
    struct strings    tags;         /* inputs */
    struct str        type;         /* inputs */
    struct templates  add_tag;      /* filters */
    struct templates  remove_tag;   /* filters */
    struct templates  remove_field; /* filters */
    bool              periodic_flush;
    int64_t           workers;      /* outputs */
};

/* add_field compiled: name and values are templates. */
struct add_field {
    const struct template *name;
    const struct field    *field; /* when the name is constant */
    struct templates       values;
};

struct decoration {
    uint32_t          add_len;
    struct add_field *add;
    struct templates  add_tag, remove_tag, remove_field;
    bool              any;
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

struct codec *codec_open(const struct ast_value *value, const char *preset, struct plugin_open *cx);

/* add_field, remove_field, add_tag, remove_tag, in that order (filters/base.rb). */
void decoration_apply(const struct decoration *d, struct event *ev, struct buf *scratch);
/* add_field, type when there is none, tags (inputs/base.rb). */
void decoration_input(const struct node *n, struct event *ev, struct buf *scratch);
/* Event#add_field of decorators.rb: an existing value becomes or extends a list. */
void event_add_field(struct event *ev, const struct field *f, struct value v);

#endif
