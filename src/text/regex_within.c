/*
 * Matching for a limited time. PCRE2 cannot be stopped by a clock, but counts steps, and gives up
 * behind a number of them at any one place where a match may start. So the places are searched in
 * slices, with a look at the clock behind each, and a place that needs more steps is tried again
 * with more and more of them. The tries before tell how long a step takes, so the last one can be
 * made to end when the time does.
 */
#include "base/clock.h"
#include "text/regex_parts.h"

enum {
    STEPS_LAST = UINT32_MAX / 2,
    SLICE_NS = 5 * 1000 * 1000,
    SLICE_MAX = 64 * 1024, /* places */
};

/* A search under way. */
struct search {
    const struct regex_code *code;
    struct regex_matcher    *matcher;
    struct str               subject;
    size_t                   at;     /* the first place not searched yet */
    size_t                   places; /* searched in one try */
    uint32_t                 steps;  /* allowed at each */
    double                   steps_per_ns;
    int64_t                  deadline_ns, now_ns;
};

/* One try of the next slice; `*took_ns` is its time. */
static int try_slice(struct search *s, int64_t *took_ns)
{
    pcre2_match_context *context = s->matcher->within;
    size_t               last = s->at + s->places - 1;
    int64_t              before = s->now_ns;

    pcre2_set_match_limit(context, s->steps);
    pcre2_set_offset_limit(context, last < s->subject.len ? last : s->subject.len);
    int found = regex_run(s->code, s->matcher, context, s->subject, s->at);
    pcre2_set_offset_limit(context, PCRE2_UNSET);
    s->now_ns = clock_monotonic_ns();
    *took_ns = s->now_ns - before;
    return found;
}

/* A slice was searched in vain. A match may start in the middle of a character no more than the
   search may, so the next slice begins at one. */
static void next_slice(struct search *s, int64_t took_ns)
{
    s->at += s->places;
    while (s->at < s->subject.len && (s->subject.data[s->at] & 0xC0) == 0x80)
        s->at++;
    if (took_ns < SLICE_NS / 2 && s->places < SLICE_MAX)
        s->places *= 2;
    else if (took_ns > SLICE_NS && s->places > 1)
        s->places /= 2;
}

static bool over(const struct search *s)
{
    return s->now_ns >= s->deadline_ns;
}

/*
 * More steps for the one place that needs them: twice as many, or all that the time is good for
 * when that does not leave enough for another doubling. False when there is no use in trying.
 */
static bool grow(struct search *s, int64_t took_ns)
{
    int64_t left = s->deadline_ns - s->now_ns;
    double  steps = (double)s->steps * 2;

    if (s->steps >= STEPS_LAST || left < took_ns / 2) return false;
    s->steps_per_ns = (double)s->steps / (double)(took_ns > 0 ? took_ns : 1);
    if (left < 4 * took_ns) steps = s->steps_per_ns * (double)left;
    s->steps = steps < STEPS_LAST ? (uint32_t)steps : STEPS_LAST;
    return true;
}

/* The place that took so many steps was searched in vain: the next ones get no more than what the
   time that is left is good for. */
static void shrink(struct search *s)
{
    double all = s->steps_per_ns * (double)(s->deadline_ns - s->now_ns);

    if (all >= 1 && all < s->steps) s->steps = (uint32_t)all;
}

static int search(struct search *s)
{
    int64_t took_ns;

    while (s->at <= s->subject.len) {
        int found = try_slice(s, &took_ns);
        if (found == PCRE2_ERROR_NOMATCH) {
            next_slice(s, took_ns);
            if (s->steps_per_ns > 0) shrink(s);
        } else if (found != PCRE2_ERROR_MATCHLIMIT) {
            return found;
        } else if (s->places > 1) {
            s->places = s->places > 8 ? s->places / 8 : 1;
        } else if (!grow(s, took_ns)) {
            return PCRE2_ERROR_MATCHLIMIT;
        }
        if (over(s)) return PCRE2_ERROR_MATCHLIMIT;
    }
    return PCRE2_ERROR_NOMATCH;
}

int regex_find_slowly(const struct regex *r, struct str subject, struct span *spans, uint32_t count,
                      int64_t limit_ns)
{
    struct search s = {
        .code = regex_code(r, REGEX_FORM_SLICED),
        .matcher = regex_matcher(r->groups + 1),
        .subject = subject,
        .places = 64,
        .steps = regex_first_steps(subject.len),
        .now_ns = clock_monotonic_ns(),
    };

    s.deadline_ns = limit_ns < INT64_MAX - s.now_ns ? s.now_ns + limit_ns : INT64_MAX;
    if (!s.code->code) return REGEX_LIMIT;
    return regex_result(s.matcher, search(&s), spans, count);
}
