#ifndef LSC_EVENT_TIME_LETTERS_H
#define LSC_EVENT_TIME_LETTERS_H

#include "event/time.h"

/* The letters of date patterns and what they print, in English and UTC; weeks as in the United
   States (java.time) or ISO (Joda). Used by event/time_format.c. */

struct moment {
    struct civil c;
    int64_t      sec;
    uint32_t     nsec;
};

struct piece {
    void (*print)(const struct piece *p, const struct moment *m, struct buf *out);
    int        width; /* count of the letter */
    int        pad;   /* java.time's "p": blanks in front up to this width */
    struct str text;
};

/* How long one print stays right, in seconds; 0: fractions of a second matter. */
enum { UNIT_FRACTION = 0, UNIT_SECOND = 1, UNIT_MINUTE = 60, UNIT_HOUR = 3600, UNIT_DAY = 86400 };

/*
 * What a letter means. `counts`: how often it may stand, bit n for n times; 0: any number.
 * `fixed`, unless NULL, is what it prints in UTC for 1, 2, 3, 4 and 5 or more of it.
 */
struct letter {
    char letter;
    void (*print)(const struct piece *p, const struct moment *m, struct buf *out);
    int                unit;
    unsigned           counts;
    const char *const *fixed;
};

/* Prints p->text. */
void time_print_text(const struct piece *p, const struct moment *m, struct buf *out);

/* Each ends with a letter of 0. */
extern const struct letter time_joda_letters[], time_java_letters[];

#endif
