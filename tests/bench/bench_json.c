/*
 * How long json_decode and json_encode take per event, without the rest of lsc.
 *
 * usage: bench_json FILE.ndjson [ROUNDS]
 *
 * Reads the file, then decodes every line ROUNDS times (default 20), makes events, and encodes
 * them; prints nanoseconds of CPU time per event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "event/json.h"

enum { BATCH = 125 };

struct bench {
    struct buf    text;
    struct str   *lines;
    size_t        len;
    struct arena  arena;
    struct buf    out;
    struct value  values[BATCH];
    struct event *events[BATCH];
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void read_lines(struct bench *b, const char *path)
{
    FILE  *f = fopen(path, "rb");
    size_t n;

    if (!f) {
        perror(path);
        exit(1);
    }
    while ((n = fread(buf_room(&b->text, 1 << 20), 1, 1 << 20, f)) > 0)
        b->text.len += n;
    fclose(f);
    for (size_t i = 0; i < b->text.len; i++)
        b->len += b->text.data[i] == '\n';
    b->lines = calloc(b->len + 1, sizeof(*b->lines));
    if (!b->lines) exit(1);
    char *p = b->text.data;
    for (size_t i = 0; i < b->len; i++) {
        char *end = memchr(p, '\n', b->text.len);
        b->lines[i] = (struct str){p, (size_t)(end - p)};
        p = end + 1;
    }
}

/* Times of one batch: decoding, making events, encoding. */
static void run_batch(struct bench *b, size_t from, size_t n, double ns[3])
{
    struct json_error error;
    struct timestamp  t = {.sec = 1772323200};
    double            start = now_ns();

    for (size_t i = 0; i < n; i++) {
        if (json_decode(&b->arena, b->lines[from + i], NULL, &b->values[i], &error)) continue;
        fprintf(stderr, "line %zu: %s at %zu\n", from + i + 1, error.message, error.offset);
        exit(1);
    }
    double decoded = now_ns();
    for (size_t i = 0; i < n; i++)
        b->events[i] = event_from_map(&b->arena, b->values[i].as.map, t);
    double made = now_ns();
    buf_clear(&b->out);
    for (size_t i = 0; i < n; i++)
        json_encode_event(b->events[i], &b->out);
    double encoded = now_ns();
    arena_reset(&b->arena);
    ns[0] += decoded - start;
    ns[1] += made - decoded;
    ns[2] += encoded - made;
}

int main(int argc, char **argv)
{
    static struct bench b;
    double              best[3] = {1e300, 1e300, 1e300};
    int                 rounds = argc > 2 ? atoi(argv[2]) : 20;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_json FILE.ndjson [ROUNDS]\n");
        return 1;
    }
    event_names_init();
    read_lines(&b, argv[1]);
    for (int round = 0; round < rounds; round++) {
        double ns[3] = {0, 0, 0};
        for (size_t i = 0; i < b.len; i += BATCH)
            run_batch(&b, i, b.len - i < BATCH ? b.len - i : BATCH, ns);
        for (int i = 0; i < 3; i++)
            if (ns[i] < best[i]) best[i] = ns[i];
    }
    printf("%zu events of %zu bytes; best of %d rounds, ns per event: decode %.0f, event %.0f, "
           "encode %.0f\n",
           b.len, b.text.len / (b.len ? b.len : 1), rounds, best[0] / (double)b.len,
           best[1] / (double)b.len, best[2] / (double)b.len);
    return 0;
}
