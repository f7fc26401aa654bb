/*
 * Tail mode.
 *
 * Source: logstash-input-file, lib/filewatch/tail_mode/. Unlike there, a file that was renamed is
 * read on for a while under its old name, an unfinished line is handed over when its file is
 * deleted or truncated, and a record of a deleted file goes, because its inode will be given away.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "inputs/file.h"

/* How long a file that was renamed away is still read: its writer may not have noticed yet, and its
   new name, if that is watched too, must be discovered in that time. */
static int64_t detached_ns(const struct file_input *in)
{
    static const double least = 30e9, most = 1e18;
    double              ns = 2.0 * (double)in->stat_interval.ns * (double)in->discover_interval;

    return (int64_t)(ns < least ? least : ns > most ? most : ns);
}

/* The file got shorter than what was read: it begins anew. */
static bool truncated(struct file_run *run, struct followed *f)
{
    log_info("input.file", "file was truncated, reading it from its start",
             LOG_CSTR("path", f->path));
    if (!lines_end(run, f)) return false;
    sincedb_advance(&run->db, f->record, 0);
    return true;
}

/* Reads what is new in the file of `size` bytes. False: stop. */
static bool catch_up(struct file_run *run, struct followed *f, int64_t size)
{
    if (size < lines_offset(f) && !truncated(run, f)) return false;
    if (size > lines_offset(f)) return !watch_open(run, f) || lines_read(run, f);

    const struct duration older = run->in->close_older;
    if (f->owner && clock_monotonic_ns() - f->active_ns > older.ns) watch_close(run, f);
    return true;
}

/* A file that no watched path leads to: read while it grows, then let go. */
static bool follow_detached(struct file_run *run, struct followed *f)
{
    int64_t     idle = clock_monotonic_ns() - f->active_ns;
    struct stat st;
    bool        deleted = false;

    if (f->fd >= 0 && fstat(f->fd, &st) == 0) {
        if (st.st_size != lines_offset(f)) return catch_up(run, f, st.st_size);
        deleted = st.st_nlink == 0;
    }
    if (!deleted && idle < detached_ns(run->in)) return true;
    if (!lines_end(run, f)) return false;
    struct sincedb_record *r = f->record;
    watch_drop(run, f);
    if (deleted) sincedb_remove(&run->db, r);
    return true;
}

/* By ignore_older; decided when the path is discovered, until its file changes. */
static bool stays_ignored(const struct file_run *run, struct entry *e, const struct stat *st)
{
    const struct file_input *in = run->in;

    if (!in->has_ignore_older || e->file) return false;
    if (!e->ignored) {
        struct timestamp now = clock_now();
        int64_t          age = now.sec - st->st_mtim.tv_sec;
        if (age <= in->ignore_older.ns / 1000000000) return false;
        e->ignored = true;
        e->seen = *st;
    }
    return st->st_size == e->seen.st_size && file_id_eq(file_id_of(st), file_id_of(&e->seen));
}

static bool visit(struct file_run *run, struct entry *e)
{
    struct stat st;

    if (stat(e->path, &st) < 0) {
        if (errno != ENOENT && errno != ENOTDIR) return true;
        if (e->missed++ == 0) return true; /* in the middle of a rotation: look again */
        watch_detach(e);
        return true;
    }
    e->missed = 0;
    if (!S_ISREG(st.st_mode) || stays_ignored(run, e, &st)) return true;
    if (!e->file || !file_id_eq(e->file->record->id, file_id_of(&st))) {
        if (!watch_take(run, e, &st)) return true;
        watch_open(run, e->file); /* so that it stays readable when it is renamed */
    }
    return catch_up(run, e->file, st.st_size);
}

void tail_round(struct file_run *run)
{
    for (uint32_t i = 0; i < run->len; i++)
        if (!visit(run, run->entries[i])) return;
    for (struct followed *f = run->files, *next; f; f = next) {
        next = f->next;
        if (!f->owner && !follow_detached(run, f)) return;
    }
    watch_forget_missing(run);
}
