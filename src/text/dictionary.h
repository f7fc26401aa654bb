#ifndef LSC_TEXT_DICTIONARY_H
#define LSC_TEXT_DICTIONARY_H

#include "event/value.h"

/*
 * Texts and what they stand for, in the order in which they were added: a hash table with open
 * addressing over entries that lie behind one another. Made for a million of them: no entry has
 * memory of its own. Once filled it is constant, for any thread.
 */
struct dictionary_entry {
    struct key   key; /* `hash` is the dictionary's own */
    struct value value;
};

struct dictionary {
    struct arena             arena; /* of what keys and values point to */
    uint32_t                 len, cap;
    struct dictionary_entry *entries;
    uint32_t                *slots; /* positions + 1, 0: free; a power of two of them */
    uint32_t                 mask;
};

enum { DICTIONARY_MAX = 100 * 1000 * 1000 };

struct dictionary *dictionary_new(void);
void               dictionary_free(struct dictionary *d); /* NULL: nothing */

/* A key that is there already gets the new value and keeps its place. The bytes of `key` and `v`
   must lie in d->arena, or live longer. False: there are DICTIONARY_MAX entries. */
bool dictionary_put(struct dictionary *d, struct str key, struct value v);

/* The value of `key`; NULL when there is none. */
const struct value *dictionary_get(const struct dictionary *d, struct str text);
/* The position of `text` among the entries, or -1. */
int64_t dictionary_find(const struct dictionary *d, struct str text);

/* Adds copies of all entries of `from`. */
bool dictionary_merge(struct dictionary *d, const struct dictionary *from);

/* ---- files: text/dictionary_file.c ---- */

enum dictionary_format { DICTIONARY_YAML, DICTIONARY_JSON, DICTIONARY_CSV };

/* From the end of a file's name. False: none of them. */
bool dictionary_format_of(struct str path, enum dictionary_format *out);

/* Why a file was refused: in full, with the line where that is known. */
struct dictionary_error {
    char text[200];
};

/*
 * Adds what the file holds. YAML: a map whose keys are texts (others are passed over: no text
 * equals them; `*passed_over` counts them); JSON: an object; CSV: key and value, without a header,
 * further columns are not read. A YAML file may hold up to `code_points` characters, 0: any number.
 */
bool dictionary_read(struct dictionary *d, const char *path, enum dictionary_format format,
                     size_t code_points, uint32_t *passed_over, struct dictionary_error *error);
/* The same from a text that lies in d->arena and may be changed. */
bool dictionary_parse(struct dictionary *d, struct str text, enum dictionary_format format,
                      uint32_t *passed_over, struct dictionary_error *error);

#endif
