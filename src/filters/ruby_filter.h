#ifndef LSC_FILTERS_RUBY_FILTER_H
#define LSC_FILTERS_RUBY_FILTER_H

#include "filters/ruby_api.h"
#include "plugin/plugin.h"

/*
 * A filter whose work is done by a Ruby object: what the filters ruby and aggregate share. The
 * object's class is in ruby_prelude.rb and answers lsc_open, lsc_filter, lsc_flush and lsc_close.
 */
struct ruby_filter;

/* A worker's part: what came of the events of a batch, until their turn comes. */
struct ruby_worker {
    struct ruby_outcome *at;
    uint32_t             len, next;
};

/*
 * Starts Ruby, makes an object of the class `class` and calls its lsc_open with `options`. NULL
 * after an error at the setting that it is about; errors of code at their line.
 */
struct ruby_filter *ruby_filter_open(const char *class, struct map *options,
                                     struct plugin_open *cx);
/* The operations of a filter; its worker_size is that of struct ruby_worker. */
void         ruby_filter_prepare(struct ruby_filter *f, struct event *const *ev, uint32_t n,
                                 struct filter_context *cx);
enum verdict ruby_filter_run(struct ruby_filter *f, struct event *ev, struct filter_context *cx);
void         ruby_filter_flush(struct ruby_filter *f, struct filter_context *cx, bool final);
void         ruby_filter_close(struct ruby_filter *f);

/* Adds a member; a string that was not given (data NULL) is nil. */
void ruby_option(struct map *options, struct arena *a, const char *name, struct value v);
void ruby_option_str(struct map *options, struct arena *a, const char *name, struct str s);

/* Once, when Ruby starts. */
void ruby_define_filter(void);

/* The events made by code since the last call: an array, not to be kept. On Ruby's thread. */
VALUE ruby_take_emitted(void);

#endif
