#ifndef LSC_FILTERS_RUBY_API_H
#define LSC_FILTERS_RUBY_API_H

#include <ruby.h>
#include <ruby/encoding.h>
#include <ruby/thread.h>

#include "base/log.h"
#include "event/event.h"

/* What rb_protect() and the like pass on: a pointer in the clothes of a VALUE. */
#define RUBY_ARG(type, v) ((type *)(v)) /* NOLINT(performance-no-int-to-ptr) */

/* What the files of the module filter_ruby share. All of it runs on Ruby's thread only. */

/* Defines the module LogStash and all that it holds: C below, Ruby in ruby_prelude.rb. May raise.
   Takes and returns nothing of use: a function for rb_protect(). */
VALUE ruby_define_all(VALUE unused);
void  ruby_define_timestamp(VALUE logstash);
void  ruby_define_event(VALUE logstash);

/* The exception that interrupts a call when the process is forced to stop. */
VALUE ruby_stopped_class(void);
/* "Class: message" of the exception that rb_protect() caught, which is cleared. malloc'd. */
char *ruby_error_text(void);

/* ---- values ---- */

/* A deep copy: strings are UTF-8, times LogStash::Timestamp. */
VALUE ruby_of_value(struct value v);
VALUE ruby_of_str(struct str s);
VALUE ruby_of_timestamp(struct timestamp t);
/* A deep copy into `a`; raises TypeError for what an event cannot hold, ArgumentError when nested
   too deeply. Source: Valuefier.java. */
struct value ruby_to_value(VALUE v, struct arena *a);
struct map  *ruby_to_map(VALUE hash, struct arena *a);
/* The text of a String in `a`, as UTF-8: what cannot be said in UTF-8 becomes U+FFFD. */
struct str ruby_to_str(VALUE string, struct arena *a);
/* False when `v` is no LogStash::Timestamp. */
bool ruby_is_timestamp(VALUE v, struct timestamp *t);

/* ---- events ---- */

/* A LogStash::Event for an event of the engine, which takes it back by
   ruby_event_leave(). */
VALUE ruby_event_wrap(struct event *ev);
/* The engine takes its event back. With `copied` a copy as it is now stays behind for the code;
   without, the Ruby object raises when it is used. */
void ruby_event_leave(VALUE event, bool copied);
bool ruby_event_cancelled(VALUE event);
bool ruby_is_event(VALUE v);
/* A copy of the event for the engine. Never raises. */
struct event *ruby_event_copy(VALUE event, struct arena *a);

#endif
