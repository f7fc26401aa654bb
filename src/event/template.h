#ifndef LSC_EVENT_TEMPLATE_H
#define LSC_EVENT_TEMPLATE_H

#include "event/event.h"

/*
 * Text with %{…} in it, compiled once: %{field}, %{[a][b]}, %{+JODA}, %{+%s}, %{{java.time}},
 * %{{TIME_NOW}}. Source: StringInterpolation.java.
 */
struct template;

struct templates {
    uint32_t                len;
    const struct template **at;
};

/* Compiles `text` into `a`. Never NULL: what is not a valid reference stays as text; then
   `*problem` (may be NULL; else set to NULL first) says what and `*at` where, for a warning, or
   for an error when `*fatal` comes back true (a bad date pattern). */
const struct template *template_parse(struct arena *a, struct str text, const char **problem,
                                      size_t *at, bool *fatal);

/* Appends the text for `ev`. Missing fields leave the reference as written. */
void template_render(const struct template *t, const struct event *ev, struct buf *out);

/* The same as a string in the event's arena; nothing is copied when the template is constant. */
struct str template_str(const struct template *t, struct event *ev);

/* True when no part depends on the event; then `*text` is all of it. */
bool template_constant(const struct template *t, struct str *text);

/* The text as written. */
struct str template_source(const struct template *t);

/* When the whole template is one %{field}: that field, else NULL. */
const struct field *template_field(const struct template *t);

/* The part before the first reference: a static root for paths. */
struct str template_static_prefix(const struct template *t);

#endif
