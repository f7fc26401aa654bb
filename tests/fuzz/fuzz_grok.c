/* A grok pattern, and behind a newline a line: expanding, cutting into pieces and looking for where
   the match stops must come to an end inside of the pattern and the line, and a match must hold the
   text that each match is said to hold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/grok_library.h"
#include "text/grok_stop.h"
#include "text/regex_literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pieces(struct str pattern)
{
    while (pattern.len > 0) {
        size_t len = grok_piece(pattern);
        if (len == 0 || len > pattern.len) abort();
        pattern = str_from(pattern, len);
    }
}

static void check_match(struct arena *a, struct str expanded, struct str line)
{
    enum { SPANS = 8 };
    struct span        spans[SPANS];
    struct regex_error error;
    struct regex      *r = regex_compile(a, expanded, REGEX_DOTALL, &error);

    if (!r) return;
    struct needle n = needle_make(regex_literal(a, expanded));
    if (regex_find_within(r, line, spans, SPANS, 20 * 1000 * 1000) == REGEX_MATCH)
        if (!needle_in(&n, line) || spans[0].end > line.len) abort();
    regex_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena         a = {0};
    struct grok_patterns p;
    struct grok_error    unknown;
    struct buf           out = {0};
    struct str           all = {(const char *)data, size}, problem;
    ptrdiff_t            cut = str_find(all, STR("\n"));
    struct str           pattern = {all.data, cut < 0 ? size : (size_t)cut};
    struct str           line = cut < 0 ? STR("") : str_from(all, (size_t)cut + 1);

    if (pattern.len > 200 || line.len > 200 || !utf8_valid(all)) return 0;
    grok_patterns_init(&p, &a);
    p.base = grok_library(true, &problem);
    check_pieces(pattern);
    if (grok_expand(&p, pattern, GROK_CAPTURE_NONE, NULL, &out, &unknown) && out.len < 20000) {
        struct regex_cache *cache = regex_cache_new();
        check_match(&a, buf_view(&out), line);
        struct grok_stop stop = grok_find_stop(&p, pattern, line, cache);
        if (stop.start > stop.end || stop.end > line.len) abort();
        regex_cache_free(cache);
    }
    buf_release(&out);
    arena_release(&a);
    return 0;
}
