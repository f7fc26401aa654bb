#ifndef LSC_TEXT_DATE_NAMES_H
#define LSC_TEXT_DATE_NAMES_H

#include "base/arena.h"
#include "text/date_fields.h"

/* The words of dates in the languages of date_names.def: as Java knows them, each also in lower and
   in upper case, and no other mix. Shared by the date files only. */
struct date_locale;
struct date_names;

/* "de", "de-AT", "de_DE.UTF-8": a region that has no names of its own has its language's. NULL: not
   among those that lsc knows. Case does not count. */
const struct date_locale *date_locale_find(struct str tag);

/* Long and short names of a field: month, weekday, half of the day or era. */
const struct date_names *date_names_of(struct arena *a, const struct date_locale *l,
                                       enum date_field field);

/* Bytes of the longest name at the start of `text`; 0 when there is none. */
size_t date_names_match(const struct date_names *n, struct str text, int32_t *value);

#endif
