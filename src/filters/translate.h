#ifndef LSC_FILTERS_TRANSLATE_H
#define LSC_FILTERS_TRANSLATE_H

#include "plugin/plugin.h"
#include "text/dictionary.h"

/* Shared by the files of the translate filter only. */

enum lookup_mode {
    LOOKUP_EXACT,  /* a key that is the text */
    LOOKUP_REGEX,  /* the first key that, as a regex, is found in the text */
    LOOKUP_WITHIN, /* every key that stands in the text is replaced there */
};

/* A dictionary, ready to look texts up. Constant; any thread. */
struct lookup;

/* Takes `d` over, also on failure: NULL with `*error` filled when a key is no regex. */
struct lookup *lookup_new(struct dictionary *d, enum lookup_mode mode,
                          struct dictionary_error *error);
void           lookup_free(void *lookup); /* NULL: nothing */

const struct dictionary *lookup_dictionary(const struct lookup *l);

/* What `source` stands for. False: nothing. Strings of `*out` are the dictionary's or in `a`;
   `buf` is overwritten. */
bool lookup_fetch(const struct lookup *l, struct str source, struct arena *a, struct buf *buf,
                  struct value *out);

#endif
