/*
 * How much faster the user agents' regexes are with the screen than tried one after the other.
 *
 * usage: bench_useragent REGEXES.yaml TEXTS [ROUNDS]
 *
 * TEXTS has one user agent a line. Prints microseconds of CPU time per text, both ways, without the
 * filter's cache, and the ratio.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text/regex.h"
#include "text/uap.h"
#include "text/yaml.h"

enum { LISTS = 3, REGEXES_MAX = 4096 };

/* The regexes of one list of regexes.yaml in their order. */
struct list_of {
    uint32_t      len;
    struct regex *at[REGEXES_MAX];
};

static struct arena arena;

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct str read_all(const char *path)
{
    struct buf b = {0};
    FILE      *f = fopen(path, "rb");
    size_t     n;

    if (!f) {
        perror(path);
        exit(1);
    }
    while ((n = fread(buf_room(&b, 1 << 20), 1, 1 << 20, f)) > 0)
        b.len += n;
    fclose(f);
    return buf_view(&b);
}

static const struct value *member(const struct value *v, const char *name)
{
    return map_get(v->as.map, key_make(str_of(name)));
}

static void compile(const struct value *root, const char *name, struct list_of *out)
{
    const struct list *l = member(root, name)->as.list;
    struct regex_error error;

    for (uint32_t i = 0; i < l->len && out->len < REGEXES_MAX; i++) {
        unsigned   flags = REGEX_JAVA | (member(&l->items[i], "regex_flag") ? REGEX_CASELESS : 0u);
        struct str pattern = value_str(*member(&l->items[i], "regex"));
        out->at[out->len] = regex_compile(&arena, pattern, flags, &error);
        if (!out->at[out->len++]) exit(1);
    }
}

/* As the specification has it: of each list the first that matches. */
static void try_all(const struct list_of *lists, struct str text)
{
    struct span spans[10];

    for (int k = 0; k < LISTS; k++)
        for (uint32_t i = 0; i < lists[k].len; i++)
            if (regex_find(lists[k].at[i], text, 0, spans, 10) == REGEX_MATCH) break;
}

static double per_text(const struct uap *u, const struct list_of *lists, struct str texts,
                       int rounds)
{
    struct str   parts[UAP_PARTS];
    struct arena scratch = {0};
    double       start = 0;
    size_t       count = 0;

    for (int round = -1; round < rounds; round++) { /* the first one compiles */
        if (round == 0) start = now_us();
        for (struct str rest = texts; rest.len;) {
            const char *end = memchr(rest.data, '\n', rest.len);
            struct str  text = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
            rest = str_from(rest, text.len + 1);
            if (lists)
                try_all(lists, text);
            else
                uap_look(u, text, &scratch, parts);
            arena_reset(&scratch);
            count += round >= 0;
        }
    }
    return (now_us() - start) / (double)count;
}

int main(int argc, char **argv)
{
    static struct list_of    lists[LISTS];
    static const char *const list_names[] = {"user_agent_parsers", "os_parsers", "device_parsers"};
    char                     error[200];
    struct yaml_problem      problem;
    struct value             root;

    if (argc < 3) return 2;
    struct str  yaml = read_all(argv[1]), texts = read_all(argv[2]);
    int         rounds = argc > 3 ? atoi(argv[3]) : 3;
    struct uap *u = uap_read(yaml, error, sizeof(error));
    if (!u || !yaml_read(&arena, yaml, &root, &problem)) return 1;
    for (int k = 0; k < LISTS; k++)
        compile(&root, list_names[k], &lists[k]);

    double screened = per_text(u, NULL, texts, rounds);
    double in_turn = per_text(NULL, lists, texts, rounds);
    printf("screened %.1f us, in turn %.1f us, ratio %.1f\n", screened, in_turn,
           in_turn / screened);
    return 0;
}
