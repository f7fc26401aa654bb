#ifndef LSC_TEXT_DATE_PROGRAM_H
#define LSC_TEXT_DATE_PROGRAM_H

#include "text/date_fields.h"
#include "text/date_names.h"
#include "text/date_parse.h"

/* A date format, compiled: steps that read a text one after the other. Shared by the date files
   only. */
enum date_form { FORM_PATTERN, FORM_ISO8601, FORM_UNIX, FORM_UNIX_MS, FORM_TAI64N };

enum { SLOTS_MAX = 32, YEAR_NOT_GIVEN = 2000 };

/* A text being read. */
struct date_cursor {
    const char *at, *end;
    int32_t     values[SLOTS_MAX]; /* by slot */
    bool        has_offset, has_zone;
    struct zone offset, zone; /* from the text */
};

/* One step of a pattern. What it reads goes to its slot. */
struct date_step {
    bool (*run)(const struct date_step *s, struct date_cursor *c);
    uint8_t                  slot; /* where its value goes */
    uint8_t                  max;  /* digits */
    int                      base; /* years of two digits: the first year of their century */
    struct str               literal;
    const struct date_names *names;
};

struct date_format {
    enum date_form            form;
    bool                      has_year; /* a y or Y anywhere, as Logstash looks for it */
    bool                      plain;    /* slots are fields: see date_is_plain() */
    unsigned                  have;     /* fields, when plain */
    uint32_t                  len, slots;
    struct date_value         fields[SLOTS_MAX];  /* in the order of setting; slots if not plain */
    int32_t                   initial[SLOTS_MAX]; /* values before anything is read */
    const struct date_format *others[4];          /* ISO8601: what is tried next */
    struct date_step          steps[];
};

#endif
