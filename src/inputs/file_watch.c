#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/hash.h"
#include "base/log.h"
#include "inputs/file.h"

enum { BUCKETS_MIN = 64 };
enum { SORT_LAST_MODIFIED, SORT_PATH };

/* ---- entries ---- */

static struct entry **bucket(const struct file_run *run, const char *path)
{
    return &run->buckets[hash_keyed(path, strlen(path)) & (run->bucket_count - 1)];
}

static struct entry *find(const struct file_run *run, const char *path)
{
    struct entry *e = run->bucket_count ? *bucket(run, path) : NULL;

    while (e && strcmp(e->path, path) != 0)
        e = e->next;
    return e;
}

/* Makes the table of paths anew, from the list. */
static void rehash(struct file_run *run)
{
    uint32_t count = BUCKETS_MIN;

    while (count < run->len)
        count *= 2;
    free(run->buckets);
    run->buckets = xcalloc(count, sizeof(struct entry *));
    run->bucket_count = count;
    for (uint32_t i = 0; i < run->len; i++) {
        struct entry **b = bucket(run, run->entries[i]->path);
        run->entries[i]->next = *b;
        *b = run->entries[i];
    }
}

static bool excluded(const struct file_input *in, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str  name = str_of(slash ? slash + 1 : path);

    for (uint32_t i = 0; i < in->exclude.len; i++)
        if (glob_match(in->exclude.at[i], name)) return true;
    return false;
}

static void discovered(void *ctx, const char *path)
{
    struct file_run *run = ctx;
    struct stat      st;

    if (excluded(run->in, path) || find(run, path)) return;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return;
    if (run->len == run->cap) {
        run->cap = run->cap ? run->cap * 2 : BUCKETS_MIN;
        run->entries = xrealloc(run->entries, run->cap * sizeof(struct entry *));
    }
    struct entry *e = xcalloc(1, sizeof(*e));
    *e = (struct entry){
        .path = xstrndup(path, strlen(path)),
        .seen = st,
        .initial = run->first,
    };
    run->entries[run->len++] = e;
    wake_watch(run, path);
    if (run->len > run->bucket_count) {
        rehash(run);
    } else {
        struct entry **b = bucket(run, path);
        e->next = *b;
        *b = e;
    }
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct file_input *in = ((const struct file_run *)ctx)->in;
    const struct entry      *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    int                      order = 0;

    if (in->file_sort_by == SORT_LAST_MODIFIED) {
        struct timespec s = x->seen.st_mtim, t = y->seen.st_mtim;
        order = (s.tv_sec > t.tv_sec) - (s.tv_sec < t.tv_sec);
        if (order == 0) order = (s.tv_nsec > t.tv_nsec) - (s.tv_nsec < t.tv_nsec);
    }
    if (order == 0) order = strcmp(x->path, y->path);
    return in->file_sort_direction ? -order : order;
}

void watch_discover(struct file_run *run)
{
    uint32_t before = run->len;

    for (uint32_t i = 0; i < run->in->path.len; i++)
        glob_expand(run->in->path.at[i], discovered, run);
    run->first = false;
    if (run->len > before) qsort_r(run->entries, run->len, sizeof(struct entry *), compare, run);
}

static void free_entry(struct entry *e)
{
    free(e->path);
    free(e);
}

void watch_forget_missing(struct file_run *run)
{
    uint32_t kept = 0, before = run->len;

    for (uint32_t i = 0; i < before; i++) {
        struct entry *e = run->entries[i];
        if (e->missed < ENTRY_MISSED_MAX)
            run->entries[kept++] = e;
        else
            free_entry(e);
    }
    run->len = kept;
    if (kept < before) rehash(run);
}

/* ---- followed files ---- */

static struct followed *follow(struct file_run *run, struct entry *e, struct sincedb_record *r)
{
    struct followed *f = xcalloc(1, sizeof(*f));

    *f = (struct followed){.record = r, .owner = e, .fd = -1, .next = run->files};
    f->stream = stream_open(run->to, true);
    f->path = xstrndup(e->path, strlen(e->path));
    f->active_ns = clock_monotonic_ns();
    if (run->files) run->files->prev = f;
    run->files = f;
    r->followed = f;
    e->file = f;
    return f;
}

/* Where to begin in a file of which nothing is known. */
static int64_t start(const struct file_run *run, const struct entry *e, const struct stat *st)
{
    const struct file_input *in = run->in;

    if (e->ignored) return e->seen.st_size;
    return e->initial && in->mode == FILE_TAIL && in->start_position ? st->st_size : 0;
}

/* When the file was made, in seconds since 1970; 0 when its file system does not say. */
static double birth(const char *path)
{
    struct statx sx;

    if (statx(AT_FDCWD, path, 0, STATX_BTIME, &sx) < 0 || !(sx.stx_mask & STATX_BTIME)) return 0;
    return (double)sx.stx_btime.tv_sec + sx.stx_btime.tv_nsec / 1e9;
}

/*
 * Is the record about the file at this path, or about one that had its inode before? A file that
 * was made after the last change of the record is another one; else, with another path, it was
 * renamed while nobody looked. Where the time is not known the paths decide, as in Logstash.
 */
static bool is_about(const struct sincedb_record *r, const struct entry *e)
{
    static const double rounding = 1; /* second; of clocks and of times as text */
    bool                same_path = !r->path || strcmp(r->path, e->path) == 0;
    double              born = birth(e->path);

    if (born == 0) return same_path;
    return same_path ? born <= r->last_active + rounding : born < r->last_active;
}

/* True when the path of `other` leads to the same file: two names, not a renaming. */
static bool same_file(const struct entry *other, struct file_id id)
{
    struct stat st;
    return other && stat(other->path, &st) == 0 && file_id_eq(file_id_of(&st), id);
}

/* `e` takes over a file that was renamed to its path. */
static void take_over(struct entry *e, struct followed *f)
{
    if (f->owner) f->owner->file = NULL;
    f->owner = e;
    e->file = f;
    free(f->path);
    f->path = xstrndup(e->path, strlen(e->path));
    f->origin = NULL;
}

bool watch_take(struct file_run *run, struct entry *e, const struct stat *st)
{
    struct file_id         id = file_id_of(st);
    struct sincedb_record *r = sincedb_find(&run->db, id);

    if (r && r->followed && same_file(r->followed->owner, id)) return false;
    if (e->file) watch_detach(e);
    if (r && r->followed) {
        take_over(e, r->followed);
    } else {
        bool known = r && is_about(r, e);
        r = sincedb_add(&run->db, id);
        if (!known) sincedb_advance(&run->db, r, start(run, e, st));
        follow(run, e, r);
    }
    sincedb_set_path(r, e->path);
    run->db.changed = true;
    e->initial = e->ignored = false;
    return true;
}

void watch_detach(struct entry *e)
{
    if (!e->file) return;
    e->file->owner = NULL;
    e->file->active_ns = clock_monotonic_ns();
    e->file = NULL;
}

/* Closes the open file that has been idle longest, to make room for another. */
static bool close_idle(struct file_run *run)
{
    struct followed *idle = NULL;
    struct stat      st;

    for (struct followed *f = run->files; f; f = f->next) {
        if (f->fd < 0 || !f->owner || (idle && f->active_ns >= idle->active_ns)) continue;
        if (fstat(f->fd, &st) == 0 && st.st_size <= lines_offset(f)) idle = f;
    }
    if (idle) watch_close(run, idle);
    return idle != NULL;
}

bool watch_open(struct file_run *run, struct followed *f)
{
    static struct log_limit limit;
    uint64_t                missed;
    struct stat             st;

    if (f->fd >= 0) return true;
    if (run->open_files >= run->in->max_open_files && !close_idle(run)) {
        if (log_limit_pass(&limit, &missed))
            log_warn("input.file", "max_open_files are open, others have to wait",
                     LOG_INT("max_open_files", run->in->max_open_files));
        return false;
    }
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        if (log_limit_pass(&limit, &missed))
            log_warn("input.file", "file cannot be opened", LOG_CSTR("path", f->path),
                     LOG_CSTR("error", strerror(errno)), LOG_INT("not_shown", (int64_t)missed));
        return false;
    }
    /* Another file may have come to this path since it was looked at: the next round sees it. */
    if (fstat(fd, &st) < 0 || !file_id_eq(file_id_of(&st), f->record->id)) {
        close(fd);
        return false;
    }
    f->fd = fd;
    run->open_files++;
    return true;
}

void watch_close(struct file_run *run, struct followed *f)
{
    if (f->fd < 0) return;
    close(f->fd);
    f->fd = -1;
    run->open_files--;
    buf_release(&f->partial);
}

void watch_drop(struct file_run *run, struct followed *f)
{
    watch_close(run, f);
    if (f->owner) f->owner->file = NULL;
    if (f->prev)
        f->prev->next = f->next;
    else
        run->files = f->next;
    if (f->next) f->next->prev = f->prev;
    assert(run->files != f);
    f->record->followed = NULL;
    stream_free(f->stream);
    buf_release(&f->partial);
    free(f->path);
    free(f);
}

void watch_release(struct file_run *run)
{
    while (run->files)
        watch_drop(run, run->files);
    for (uint32_t i = 0; i < run->len; i++)
        free_entry(run->entries[i]);
    free(run->entries);
    free(run->buckets);
}
