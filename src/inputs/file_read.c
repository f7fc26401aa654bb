/*
 * Read mode: a file is read to its end once, then logged, deleted or both.
 *
 * Source: logstash-input-file, lib/filewatch/read_mode/, lib/logstash/inputs/file.rb. Archives are
 * all or nothing: the position of one is 0 until its end. As there, a line of an archive ends at a
 * newline with or without a carriage return when the delimiter is not changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "inputs/file.h"

static bool is_archive(const char *path)
{
    struct str p = str_of(path);
    return str_ends(p, STR(".gz")) || str_ends(p, STR(".gzip"));
}

/* ---- when a file has been read ---- */

static void note_completed(const struct file_input *in, const char *path)
{
    struct buf line = {0};
    struct str log = in->file_completed_log_path;
    int        fd = open(log.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    buf_printf(&line, "%s\n", path);
    if (fd < 0 || write(fd, line.data, line.len) != (ssize_t)line.len)
        log_error("input.file", "file_completed_log_path cannot be written", LOG_STR("path", log),
                  LOG_CSTR("completed", path), LOG_CSTR("error", strerror(errno)));
    if (fd >= 0) close(fd);
    buf_release(&line);
}

/* Deletes the file that was read, unless another one has come to its path. */
static bool delete_completed(const struct followed *f)
{
    struct stat st;

    if (stat(f->path, &st) < 0 || !file_id_eq(file_id_of(&st), f->record->id)) return false;
    if (unlink(f->path) == 0) return true;
    log_error("input.file", "file that was read cannot be deleted", LOG_CSTR("path", f->path),
              LOG_CSTR("error", strerror(errno)));
    return false;
}

static void finish(struct file_run *run, struct entry *e)
{
    e->done = true;
    e->done_id = e->file->record->id;
    watch_drop(run, e->file);
}

static void completed(struct file_run *run, struct entry *e)
{
    const struct file_input *in = run->in;
    struct sincedb_record   *r = e->file->record;
    bool                     deleted = false;

    if (in->file_completed_action != COMPLETED_DELETE) note_completed(in, e->path);
    if (in->file_completed_action != COMPLETED_LOG) deleted = delete_completed(e->file);
    finish(run, e);
    if (deleted) {
        sincedb_remove(&run->db, r);  /* its inode will be given to another file */
        e->missed = ENTRY_MISSED_MAX; /* a file that comes to this path is a new one */
    }
}

/* ---- archives ---- */

/* Takes a piece of an archive. False: stop. */
typedef bool take_piece(struct file_run *run, struct followed *f, struct str bytes);

enum archive { ARCHIVE_WHOLE, ARCHIVE_BAD, ARCHIVE_STOPPED };

static enum archive unpack(struct file_run *run, struct followed *f, take_piece *take)
{
    int          fd = lseek(f->fd, 0, SEEK_SET) == 0 ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1;
    gzFile       gz = fd >= 0 ? gzdopen(fd, "rb") : NULL;
    enum archive result = ARCHIVE_WHOLE;
    int          n = 0;

    if (!gz) {
        if (fd >= 0) close(fd);
        return ARCHIVE_BAD;
    }
    gzbuffer(gz, 128 * 1024);
    if (gzdirect(gz)) result = ARCHIVE_BAD; /* zlib would pass other files through as they are */
    while (result == ARCHIVE_WHOLE) {
        n = stop_requested(run->stop) ? 0 : gzread(gz, run->block, (unsigned)run->block_size);
        if (stop_requested(run->stop)) result = ARCHIVE_STOPPED;
        if (n <= 0) break;
        if (!take(run, f, (struct str){run->block, (size_t)n})) result = ARCHIVE_STOPPED;
    }
    if (n < 0) result = ARCHIVE_BAD;
    if (gzclose_r(gz) != Z_OK && result == ARCHIVE_WHOLE) result = ARCHIVE_BAD;
    return result;
}

static bool take_nothing(struct file_run *run, struct followed *f, struct str bytes)
{
    (void)run, (void)f, (void)bytes;
    return true;
}

static bool archive_line(struct file_run *run, struct followed *f, struct str line)
{
    if (str_is(run->in->delimiter, "\n") && str_ends(line, STR("\r"))) line.len--;
    return lines_deliver(run, f, line);
}

/* Lines of an archive. A border of pieces may cut a delimiter of several bytes, so what is not
   delivered stays in front of the next piece. */
static bool take_lines(struct file_run *run, struct followed *f, struct str bytes)
{
    struct str  d = run->in->delimiter;
    struct buf *b = &f->partial;

    buf_str(b, bytes);
    struct str rest = buf_view(b);
    /* Only the new bytes and the last few before them can hold a delimiter. */
    size_t known = b->len - bytes.len, from = known >= d.len ? known - d.len + 1 : 0;
    for (;;) {
        ptrdiff_t at = str_find(str_from(rest, from), d);
        if (at < 0) break;
        size_t len = from + (size_t)at;
        if (!archive_line(run, f, (struct str){rest.data, len})) return false;
        rest = str_from(rest, len + d.len);
        from = 0;
    }
    if (rest.len >= FILE_LINE_MAX) {
        if (!lines_deliver(run, f, rest)) return false;
        rest.len = 0;
    }
    memmove(b->data, rest.data, rest.len);
    b->len = rest.len;
    return true;
}

/* The end of an archive: its last line may have no delimiter. */
static bool end_lines(struct file_run *run, struct followed *f)
{
    struct str rest = buf_view(&f->partial);

    if (rest.len > 0 && !archive_line(run, f, rest)) return false;
    buf_clear(&f->partial);
    return lines_end(run, f);
}

static bool read_archive(struct file_run *run, struct entry *e, int64_t size)
{
    struct followed *f = e->file;
    enum archive     result = ARCHIVE_WHOLE;

    if (run->in->check_archive_validity) result = unpack(run, f, take_nothing);
    if (result == ARCHIVE_WHOLE) result = unpack(run, f, take_lines);
    if (result == ARCHIVE_STOPPED) return false;
    if (result == ARCHIVE_BAD) {
        log_error("input.file", "archive is damaged or no gzip file", LOG_CSTR("path", e->path));
        bool taken = end_lines(run, f);
        finish(run, e);
        return taken;
    }
    if (!end_lines(run, f)) return false;
    sincedb_advance(&run->db, f->record, size);
    completed(run, e);
    return true;
}

/* ---- rounds ---- */

static bool too_old(const struct file_input *in, const struct stat *st)
{
    return in->has_ignore_older &&
           clock_now().sec - st->st_mtim.tv_sec > in->ignore_older.ns / 1000000000;
}

/* Reads a file for one turn; at its end completes it. False: stop. */
static bool read_file(struct file_run *run, struct entry *e)
{
    struct followed *f = e->file;
    struct stat      st;

    if (!lines_read(run, f)) return false;
    if (fstat(f->fd, &st) < 0 || st.st_size > lines_offset(f)) return true;
    if (!lines_end(run, f)) return false;
    completed(run, e);
    return true;
}

/* Nothing of this file is left to be read, or can be. */
static void skip(struct entry *e, const struct stat *st)
{
    e->done = true;
    e->done_id = file_id_of(st);
}

static bool visit(struct file_run *run, struct entry *e)
{
    struct stat st;

    if (stat(e->path, &st) < 0) {
        e->missed++;
        e->done = true;
        if (e->missed > 1 && e->file) watch_drop(run, e->file);
        return true;
    }
    e->missed = 0;
    if (e->done && file_id_eq(e->done_id, file_id_of(&st))) return true;
    e->done = false;
    if (!S_ISREG(st.st_mode) || too_old(run->in, &st)) {
        e->done = run->in->exit_after_read;
        return true;
    }
    if (!e->file || !file_id_eq(e->file->record->id, file_id_of(&st))) {
        if (!watch_take(run, e, &st)) {
            skip(e, &st);
            return true;
        }
        if (e->file->record->position >= st.st_size && st.st_size > 0) { /* in an earlier run */
            finish(run, e);
            return true;
        }
    }
    if (!watch_open(run, e->file)) {
        if (run->in->exit_after_read && run->open_files < run->in->max_open_files) finish(run, e);
        return true;
    }
    return is_archive(e->path) ? read_archive(run, e, st.st_size) : read_file(run, e);
}

/* A file that was renamed while it was read. Its new name, if that is watched, may already have
   taken it over; else it is read to its end now. False: stop. */
static bool read_detached(struct file_run *run, struct followed *f)
{
    struct stat st;

    while (f->fd >= 0 && !is_archive(f->path)) {
        int64_t before = lines_offset(f);
        if (!lines_read(run, f)) return false;
        if (fstat(f->fd, &st) == 0 && st.st_size > lines_offset(f) && lines_offset(f) > before)
            continue;
        if (!lines_end(run, f)) return false;
        break;
    }
    watch_drop(run, f);
    return true;
}

void read_round(struct file_run *run)
{
    for (uint32_t i = 0; i < run->len; i++)
        if (!visit(run, run->entries[i])) return;
    for (struct followed *f = run->files, *next; f; f = next) {
        next = f->next;
        if (!f->owner && !read_detached(run, f)) return;
    }
    watch_forget_missing(run);
}

bool read_finished(const struct file_run *run)
{
    for (uint32_t i = 0; i < run->len; i++)
        if (!run->entries[i]->done) return false;
    return true;
}
