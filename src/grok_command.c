#include "grok_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "event/json.h"
#include "text/grok_compile.h"
#include "text/grok_library.h"
#include "text/grok_stop.h"
#include "text/regex.h"
#include "text/rubytext.h"

enum { SPANS_MAX = 512, NAME_WIDTH = 24 };

static const int64_t LIMIT_NS = 30 * INT64_C(1000000000); /* as timeout_millis of the filter */

struct command {
    struct arena         arena;
    struct grok_patterns patterns;
    struct str           pattern;
    bool                 ecs, times;
    struct regex        *regex;
    struct regex_cache  *cache; /* for grok_find_stop() */
    struct buf           scratch;
    FILE                *out;
    /* of all lines */
    uint64_t lines, matches;
    int64_t  total_ns, slowest_ns;
    uint64_t slowest_line;
};

void grok_command_help(FILE *out)
{
    fputs(
        "usage: lsc grok PATTERN [FLAG …] < lines\n\n"
        "Shows for each line of stdin whether the grok pattern matches, what it captures, where a "
        "match\nstops, and the time that the match takes.\n\n"
        "  --ecs-compatibility MODE\n"
        "          Which set of patterns is used: disabled, v1 or v8.\n"
        "          Default: v8.\n"
        "  --patterns-dir PATH\n"
        "          A file or folder of further patterns, or a glob; may be given several times.\n"
        "  --no-times\n"
        "          Leaves out how long it takes.\n"
        "  --help\n"
        "          Prints this text and ends.\n\n"
        "Exit status: 0 each line matches, 1 one does not, 2 the pattern or a flag is wrong.\n",
        out);
}

/* ---- arguments ---- */

static int refuse(const char *format, struct str what, const char *why)
{
    fprintf(stderr, format, STR_ARG(what), why);
    return 2;
}

/* 0 when good. */
static int load_patterns(struct command *c, const char *path)
{
    struct str culprit;
    int        files = grok_patterns_load_all(&c->patterns, str_of(path), STR("*"), &culprit);

    if (files < 0) return refuse("lsc grok: cannot read \"%.*s\": %s\n", culprit, strerror(errno));
    if (files == 0) return refuse("lsc grok: no pattern files at \"%.*s\"%s\n", str_of(path), "");
    return 0;
}

static int take_mode(struct command *c, const char *mode)
{
    c->ecs = strcmp(mode, "disabled") != 0;
    if (!c->ecs || strcmp(mode, "v1") == 0 || strcmp(mode, "v8") == 0) return 0;
    return refuse("lsc grok: --ecs-compatibility is disabled, v1 or v8, not \"%.*s\"%s\n",
                  str_of(mode), "");
}

/* 0 when good, -1 when there is nothing more to do. */
static int take_arguments(struct command *c, int argc, char *const argv[])
{
    static const struct option flags[] = {
        {"ecs-compatibility", required_argument, NULL, 'e'},
        {"patterns-dir", required_argument, NULL, 'd'},
        {"no-times", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int status = 0;

    optind = 0; /* argv[0] is "grok" */
    for (int flag; status == 0 && (flag = getopt_long(argc, argv, "h", flags, NULL)) != -1;) {
        if (flag == 'e') status = take_mode(c, optarg);
        if (flag == 'd') status = load_patterns(c, optarg);
        if (flag == 't') c->times = false;
        if (flag == 'h') grok_command_help(c->out);
        if (flag == 'h') return -1;
        if (flag == '?') return 2;
    }
    if (status) return status;
    if (optind != argc - 1) return refuse("lsc grok: one pattern is needed%.*s%s\n", STR(""), "");
    c->pattern = str_of(argv[optind]);
    return 0;
}

static int compile(struct command *c)
{
    struct grok_captures_list list = {0};
    struct grok_error         unknown;
    struct regex_error        wrong = {.message = ""};
    struct buf                text = {0};
    struct str                problem;

    c->patterns.base = grok_library(c->ecs, &problem);
    if (!c->patterns.base) return refuse("lsc grok: %.*s%s\n", problem, "");
    if (!grok_expand(&c->patterns, c->pattern, GROK_CAPTURE_NAMED, &list, &text, &unknown))
        snprintf(wrong.message, sizeof(wrong.message), "%.150s", unknown.message);
    else
        c->regex =
            grok_compile(&c->patterns, c->pattern, GROK_CAPTURE_NAMED, buf_view(&text), &wrong);
    buf_release(&text);
    if (!c->regex) return refuse("lsc grok: %.*s: %s\n", c->pattern, wrong.message);
    if (regex_groups(c->regex) < SPANS_MAX) return 0;
    return refuse("lsc grok: %.*s: %s\n", c->pattern, "more than 511 groups");
}

/* ---- lines ---- */

/* Columns are characters, counted from 1. */
static size_t column(struct str line, size_t at)
{
    struct str before = {line.data, at};

    return (utf8_valid(before) ? utf8_count(before) : at) + 1;
}

static void print_capture(struct command *c, struct str group, struct str text)
{
    struct str   field, type;
    struct value v = value_string(text);

    grok_split_group(group, &field, &type);
    if (str_is(type, "int")) v = ruby_to_i(&c->arena, text);
    if (str_is(type, "float")) v = value_float(ruby_to_f(text, &c->scratch));
    buf_clear(&c->scratch);
    json_encode(v, &c->scratch);
    fprintf(c->out, "    %-*.*s %.*s\n", NAME_WIDTH, STR_ARG(field),
            STR_ARG(buf_view(&c->scratch)));
}

/* As the filter does, by default: what is empty or took no part is left out. */
static void print_captures(struct command *c, struct str line, const struct span *spans)
{
    for (uint32_t i = 1; i <= regex_groups(c->regex); i++) {
        struct str name = regex_group_name(c->regex, i);
        if (name.len == 0 || str_starts(name, STR(GROK_SHARED))) continue;
        if (spans[i].start == SIZE_MAX || spans[i].start == spans[i].end) continue;
        print_capture(c, name,
                      (struct str){line.data + spans[i].start, spans[i].end - spans[i].start});
    }
}

static void print_stop(struct command *c, struct str line)
{
    struct grok_stop stop = grok_find_stop(&c->patterns, c->pattern, line, c->cache);
    struct str       piece = str_is(stop.piece, " ") ? STR("a blank") : stop.piece;

    if (stop.end > stop.start)
        fprintf(c->out, "    matches columns %zu to %zu, then not %.*s", column(line, stop.start),
                column(line, stop.end) - 1, STR_ARG(piece));
    else
        fprintf(c->out, "    matches nowhere: not even %.*s", STR_ARG(piece));
    if (stop.within.len) fprintf(c->out, " of %.*s", STR_ARG(stop.within));
    fprintf(c->out, "\n    %.*s\n    %*s^\n", STR_ARG(line), (int)column(line, stop.end) - 1, "");
}

static void print_time(struct command *c, int64_t ns)
{
    c->total_ns += ns;
    if (c->lines == 1 || ns > c->slowest_ns) {
        c->slowest_ns = ns;
        c->slowest_line = c->lines;
    }
    if (c->times) fprintf(c->out, " (%.1f us)", (double)ns / 1000);
    fputc('\n', c->out);
}

static void try_line(struct command *c, struct str line)
{
    struct span spans[SPANS_MAX];
    uint32_t    count = regex_groups(c->regex) + 1;

    if (c->lines++ == 0) regex_test(c->regex, line); /* compiles it, which is not to count */
    int64_t start = clock_monotonic_ns();
    int     found = regex_find_within(c->regex, line, spans, count, LIMIT_NS);
    int64_t took = clock_monotonic_ns() - start;

    fprintf(c->out, "%llu: ", (unsigned long long)c->lines);
    if (found == REGEX_MATCH) {
        c->matches++;
        fprintf(c->out, "match, columns %zu to %zu of %zu", column(line, spans[0].start),
                column(line, spans[0].end) - 1, column(line, line.len) - 1);
    } else {
        fputs(found == REGEX_LIMIT ? "given up after too much work" : "no match", c->out);
    }
    print_time(c, took);
    if (found == REGEX_MATCH) print_captures(c, line, spans);
    if (found == REGEX_NO_MATCH) print_stop(c, line);
}

static void read_lines(struct command *c, FILE *in)
{
    char   *line = NULL;
    size_t  room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, in)) > 0) {
        if (line[len - 1] == '\n') len--;
        if (!utf8_valid((struct str){line, (size_t)len}))
            fprintf(c->out, "%llu: not UTF-8\n", (unsigned long long)++c->lines);
        else
            try_line(c, (struct str){line, (size_t)len});
    }
    free(line);
}

static void print_sum(const struct command *c)
{
    fprintf(c->out, "%llu of %llu lines match", (unsigned long long)c->matches,
            (unsigned long long)c->lines);
    if (c->times && c->lines)
        fprintf(c->out, "; %.1f us a line, at most %.1f us (line %llu)",
                (double)c->total_ns / (double)c->lines / 1000, (double)c->slowest_ns / 1000,
                (unsigned long long)c->slowest_line);
    fputc('\n', c->out);
}

int grok_command(int argc, char *const argv[], FILE *in, FILE *out)
{
    struct command c = {.ecs = true, .times = true, .out = out};

    grok_patterns_init(&c.patterns, &c.arena);
    int status = take_arguments(&c, argc, argv);
    if (status == 0) status = compile(&c);
    if (status == 0) {
        c.cache = regex_cache_new();
        read_lines(&c, in);
        print_sum(&c);
        regex_cache_free(c.cache);
        status = c.matches < c.lines;
    }
    regex_free(c.regex);
    buf_release(&c.scratch);
    arena_release(&c.arena);
    return status < 0 ? 0 : status;
}
