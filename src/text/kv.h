#ifndef LSC_TEXT_KV_H
#define LSC_TEXT_KV_H

#include "text/regex.h"

/*
 * key=value text, cut into pairs as Logstash's kv filter cuts it: with one regular expression, and,
 * where the splitters are sets of ASCII characters and the text has no backslash, with a scanner
 * that finds the same and is many times faster. Constant once compiled: any thread. Source:
 * logstash-filter-kv, lib/logstash/filters/kv.rb.
 */
struct kv_syntax {
    bool          plain; /* the scanner can do it */
    bool          lenient, brackets;
    uint8_t       kinds[256]; /* of bytes: enum kv_byte */
    struct regex *pair;
};

/* What the settings say. data NULL: not given. */
struct kv_rules {
    struct str field_split, value_split; /* insides of character classes */
    struct str field_pattern, value_pattern;
    bool       lenient;  /* blanks around the value splitter do not count */
    bool       brackets; /* () [] <> enclose values as quotes do */
};

/* False with `*error` filled when one of them is no valid regular expression. */
bool kv_compile(struct kv_syntax *s, struct arena *a, const struct kv_rules *rules,
                struct regex_error *error);
void kv_release(struct kv_syntax *s);

/* A text being read: zero but for the first three. */
struct kv_reader {
    const struct kv_syntax *syntax;
    struct str              text;
    bool                    by_regex;
    size_t                  at;
};

/* Whether the scanner reads `text`; else it is to be read by the regex. */
bool kv_is_plain(const struct kv_syntax *s, struct str text);

/* The next pair, as views into the text; the value may be empty. REGEX_MATCH, REGEX_NO_MATCH at the
   end, or REGEX_LIMIT. */
int kv_next(struct kv_reader *r, struct str *key, struct str *value);

#endif
