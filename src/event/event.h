#ifndef LSC_EVENT_EVENT_H
#define LSC_EVENT_EVENT_H

#include "event/field.h"
#include "event/value.h"

/* One event. It and all that it holds live until its batch is done. */
struct event {
    struct arena *arena; /* where it lives: new strings, lists and maps go here */
    struct map    data;
    struct map    metadata;
};

/* Names that the engine itself uses; ready after event_names_init(). */
struct event_names {
    struct key timestamp, version, metadata, tags, tags_failed, timestamp_failed, message, type,
        host, event, original;
};
extern struct event_names names;
void                      event_names_init(void); /* once, before threads start */

/* An empty event: no fields, not even @timestamp. */
struct event *event_new(struct arena *a);

/*
 * An event with the members of `m` (taken over, not copied), as LogStash::Event.new(hash) makes
 * one: @version "1" and @timestamp now unless present; a @timestamp string is parsed, and when it
 * cannot be, goes to _@timestamp with the tag _timestampparsefailure; `tags` of a wrong type go to
 * _tags with the tag _tagsparsefailure; @metadata becomes the event's metadata. NULL when
 * @metadata is there and not a map: a codec then treats the text as broken. Source: Event.java.
 */
struct event *event_from_map(struct arena *a, struct map *m, struct timestamp now);

/* An event with @timestamp `now` and @version "1" and nothing else. */
struct event *event_blank(struct arena *a, struct timestamp now);

/* The map in which `f` begins. */
static inline struct map *event_root(const struct event *ev, const struct field *f)
{
    return (struct map *)(f->metadata ? &ev->metadata : &ev->data);
}

struct value *event_get_deep(const struct event *ev, const struct field *f); /* for event_get() */
bool          event_set_deep(struct event *ev, const struct field *f, struct value v);

/* The value that `f` names; NULL when there is none. Valid until the event changes.
   [@metadata] itself gives a map value in static thread-local storage. */
static inline struct value *event_get(const struct event *ev, const struct field *f)
{
    return f->plain ? map_get(event_root(ev, f), f->steps[0].key) : event_get_deep(ev, f);
}

/*
 * Puts `v` at `f`, making maps on the way, and clones nothing: `v` is taken over. False when the
 * path leads through something that is neither map nor list (null included), a list index is out
 * of bounds by more than 10,000 or negative beyond the start, [@metadata] would not be a map,
 * @timestamp not a time, or [tags] neither text nor a list of texts (Event.java's rules,
 * differences in docs/differences.md). A name in a list changes nothing and is true, as in
 * Logstash.
 */
static inline bool event_set(struct event *ev, const struct field *f, struct value v)
{
    if (!f->plain) return event_set_deep(ev, f, v);
    *map_add(event_root(ev, f), ev->arena, f->steps[0].key) = v;
    return true;
}

/* The same for a value that event_get() has just found at `there`. */
static inline bool event_replace(struct event *ev, const struct field *f, struct value *there,
                                 struct value v)
{
    if (!f->plain) return event_set_deep(ev, f, v);
    *there = v;
    return true;
}

/* event_set() for a name that comes with the data (a key of JSON, CSV or key=value text): with
   brackets it is a field reference; false as well when it is not a valid one. The name is not
   copied. */
bool event_set_named(struct event *ev, struct key name, struct value v);

/*
 * For many fields in a row whose names differ: `had` is ev->data.seen from ahead of the first, so
 * a name that the event did not have is added without a look. event_set_fresh() takes plain names
 * of the event itself (not of its metadata), event_set_another() any, as event_set_named() does.
 */
static inline void event_set_fresh(struct event *ev, uint64_t had, struct key name, struct value v)
{
    *(had & key_bit(name) ? map_add(&ev->data, ev->arena, name)
                          : map_append(&ev->data, ev->arena, name)) = v;
}
bool event_set_another(struct event *ev, uint64_t *had, struct key name, struct value v);

/* Takes the value out; false when there was none. `*old` (may be NULL) gets it. */
bool event_remove(struct event *ev, const struct field *f, struct value *old);

/* Adds `tag` to [tags] unless it is there. */
void event_tag(struct event *ev, struct str tag);
void event_untag(struct event *ev, struct str tag);

/* A copy in `a`: containers are copied, string bytes shared when `a` is the event's own arena,
   else copied as well. */
struct event *event_clone(struct arena *a, const struct event *ev);

/* @timestamp; false when the event has none. */
bool event_timestamp(const struct event *ev, struct timestamp *out);
void event_set_timestamp(struct event *ev, struct timestamp t);

static inline struct value *event_get_key(const struct event *ev, struct key key)
{
    return map_get(&ev->data, key);
}

#endif
