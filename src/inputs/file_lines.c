#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "inputs/file.h"

int64_t lines_offset(const struct followed *f)
{
    return f->record->position + (int64_t)f->partial.len;
}

/* What is added to the events of the file, made anew for each batch, in its memory. */
static const struct origin *origin_of(struct file_run *run, struct followed *f)
{
    const struct file_input *in = run->in;

    if (f->origin && f->generation == intake_generation(run->to)) return f->origin;
    struct origin *o = intake_origin(run->to, 4);
    struct value   path = value_string(arena_copy(intake_arena(run->to), str_of(f->path)));
    struct value   host = value_string(intake_host(run->to));

    o->fields[0] = (struct origin_field){in->meta_path_field, path, .always = true};
    o->fields[1] = (struct origin_field){in->path_field, path, .always = false};
    o->fields[2] = (struct origin_field){in->meta_host_field, host, .always = true};
    o->fields[3] = (struct origin_field){in->host_field, host, .always = false};
    f->origin = o;
    f->generation = intake_generation(run->to);
    return o;
}

bool lines_deliver(struct file_run *run, struct followed *f, struct str line)
{
    return stream_feed(f->stream, line, origin_of(run, f));
}

/* Bytes of `bytes` up to and with its first delimiter; SIZE_MAX when there is none. */
static size_t line_end(struct str d, struct str bytes)
{
    const char *hit = d.len == 1 ? memchr(bytes.data, *d.data, bytes.len)
                                 : memmem(bytes.data, bytes.len, d.data, d.len);
    return hit ? (size_t)(hit - bytes.data) + d.len : SIZE_MAX;
}

/* The same behind the unfinished line `before`, whose end may hold the start of the delimiter. */
static size_t line_end_behind(struct str d, struct str before, struct str bytes)
{
    for (size_t k = before.len < d.len ? before.len : d.len - 1; k > 0; k--) {
        struct str head = {d.data, k}, tail = str_from(d, k);
        if (str_ends(before, head) && str_starts(bytes, tail)) return tail.len;
    }
    return line_end(d, bytes);
}

/* Hands over the unfinished line; its last `ignore` bytes are the delimiter. */
static bool deliver_partial(struct file_run *run, struct followed *f, size_t ignore)
{
    struct str line = {buf_view(&f->partial).data, f->partial.len - ignore};

    if (!lines_deliver(run, f, line)) return false;
    sincedb_advance(&run->db, f->record, lines_offset(f));
    buf_clear(&f->partial);
    return true;
}

bool lines_feed(struct file_run *run, struct followed *f, struct str bytes)
{
    struct str d = run->in->delimiter;
    int64_t    position = f->record->position;
    bool       taken = true;

    if (f->partial.len > 0) {
        size_t used = line_end_behind(d, buf_view(&f->partial), bytes);
        if (used != SIZE_MAX) {
            buf_put(&f->partial, bytes.data, used);
            if (!deliver_partial(run, f, d.len)) return false;
            bytes = str_from(bytes, used);
            position = f->record->position;
        }
    }
    while (f->partial.len == 0 && bytes.len > 0) {
        size_t used = line_end(d, bytes);
        if (used == SIZE_MAX) break;
        taken = lines_deliver(run, f, (struct str){bytes.data, used - d.len});
        if (!taken) break;
        position += (int64_t)used;
        bytes = str_from(bytes, used);
    }
    if (position != f->record->position) sincedb_advance(&run->db, f->record, position);
    if (!taken) return false;
    buf_str(&f->partial, bytes);
    return f->partial.len < FILE_LINE_MAX || deliver_partial(run, f, 0);
}

bool lines_end(struct file_run *run, struct followed *f)
{
    if (f->partial.len > 0 && !deliver_partial(run, f, 0)) return false;
    stream_flush(f->stream, origin_of(run, f));
    return true;
}

/* file_chunk_size * file_chunk_count, without overflow. */
static int64_t turn_bytes(const struct file_input *in)
{
    if (in->file_chunk_count > INT64_MAX / in->file_chunk_size) return INT64_MAX;
    return in->file_chunk_count * in->file_chunk_size;
}

static void warn_unreadable(const struct followed *f, int error)
{
    static struct log_limit limit;
    uint64_t                missed;

    if (log_limit_pass(&limit, &missed))
        log_error("input.file", "file cannot be read, will be tried again",
                  LOG_CSTR("path", f->path), LOG_CSTR("error", strerror(error)),
                  LOG_INT("not_shown", (int64_t)missed));
}

bool lines_read(struct file_run *run, struct followed *f)
{
    int64_t budget = turn_bytes(run->in);
    ssize_t n = 0;

    while (budget > 0) {
        if (stop_requested(run->stop)) return false;
        size_t want = budget < (int64_t)run->block_size ? (size_t)budget : run->block_size;
        n = pread(f->fd, run->block, want, lines_offset(f));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        if (!lines_feed(run, f, (struct str){run->block, (size_t)n})) return false;
        budget -= n;
        lines_save(run, false);
    }
    if (n < 0) warn_unreadable(f, errno);
    if (n > 0) run->more = true;
    f->active_ns = clock_monotonic_ns();
    return true;
}

void lines_tick(struct file_run *run)
{
    int64_t now = clock_monotonic_ns();

    for (struct followed *f = run->files; f; f = f->next)
        if (stream_deadline(f->stream) <= now) stream_tick(f->stream, origin_of(run, f));
}

void lines_save(struct file_run *run, bool now)
{
    int64_t due = run->db.written_ns + run->in->sincedb_write_interval.ns;

    if (!run->db.changed || (!now && clock_monotonic_ns() < due)) return;
    intake_flush(run->to); /* a position may only be on disk when its lines are in the queue */
    sincedb_save(&run->db);
}
