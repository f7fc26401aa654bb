/*
 * Below the root that the config gives, every component of a path is opened by itself and without
 * following symbolic links, so that neither a value of an event nor a link that someone has planted
 * leads to anywhere else.
 */
#include "outputs/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/hash.h"
#include "base/log.h"

enum { GZIP_FORMAT = 15 + 16, DEFLATE_ROOM = 64 * 1024 };

struct out_file {
    char            *path;
    struct str       key;
    int              fd;
    dev_t            device;
    ino_t            inode;
    bool             regular;
    z_stream        *gzip;    /* NULL: plain */
    struct buf       pending; /* compressed, not written yet */
    bool             unflushed;
    int64_t          used_ns;
    struct out_file *prev, *next, *bucket_next;
};

/* ---- paths ---- */

/* Takes the last component off. */
static void pop(struct buf *out)
{
    while (out->len > 0 && out->data[--out->len] != '/')
        continue;
}

bool store_normalize(struct str path, struct buf *out)
{
    int depth = 0;

    buf_clear(out);
    if (path.len >= STORE_PATH_MAX || memchr(path.data, '\0', path.len)) return false;
    while (path.len > 0) {
        const char *slash = memchr(path.data, '/', path.len);
        struct str  name = {path.data, slash ? (size_t)(slash - path.data) : path.len};
        path = str_from(path, name.len + 1);
        if (name.len == 0 || str_is(name, ".")) continue;
        if (str_is(name, "..")) {
            pop(out);
            continue;
        }
        if (++depth > STORE_DEPTH_MAX) return false;
        buf_char(out, '/');
        buf_str(out, name);
    }
    return out->len > 0;
}

bool store_inside(const struct file_store *s, struct str path)
{
    return str_starts(path, s->root) && path.len > s->root.len + 1 && path.data[s->root.len] == '/';
}

/* ---- the table ---- */

static struct out_file **bucket(struct file_store *s, struct str path)
{
    size_t count = sizeof(s->buckets) / sizeof(s->buckets[0]);
    return &s->buckets[hash_keyed(path.data, path.len) & (count - 1)];
}

static void unlink_used(struct file_store *s, struct out_file *f)
{
    *(f->prev ? &f->prev->next : &s->newest) = f->next;
    *(f->next ? &f->next->prev : &s->oldest) = f->prev;
    f->prev = f->next = NULL;
}

static void link_newest(struct file_store *s, struct out_file *f)
{
    f->next = s->newest;
    *(s->newest ? &s->newest->prev : &s->oldest) = f;
    s->newest = f;
}

static struct out_file *find(struct file_store *s, struct str path)
{
    struct out_file *f = *bucket(s, path);

    while (f && !str_eq(f->key, path))
        f = f->bucket_next;
    return f;
}

/* ---- writing ---- */

/* Writes what it can. Returns 0 or an errno. */
static int write_bytes(int fd, struct str bytes, size_t *written)
{
    *written = 0;
    while (*written < bytes.len) {
        ssize_t n = write(fd, bytes.data + *written, bytes.len - *written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        *written += (size_t)n;
    }
    return 0;
}

static int write_pending(struct out_file *f)
{
    size_t written;
    int    error = write_bytes(f->fd, buf_view(&f->pending), &written);

    memmove(f->pending.data, f->pending.data + written, f->pending.len - written);
    f->pending.len -= written;
    return error;
}

/* Compresses `bytes` into f->pending. */
static void compress_bytes(struct out_file *f, struct str bytes, int flush)
{
    f->gzip->next_in = (const Bytef *)bytes.data;
    f->gzip->avail_in = (uInt)bytes.len;
    do {
        f->gzip->next_out = (Bytef *)buf_room(&f->pending, DEFLATE_ROOM);
        f->gzip->avail_out = DEFLATE_ROOM;
        deflate(f->gzip, flush);
        f->pending.len += DEFLATE_ROOM - f->gzip->avail_out;
    } while (f->gzip->avail_out == 0);
    f->unflushed = flush == Z_NO_FLUSH;
}

/* What is compressed is taken: it is in memory until the disk takes it. */
static int write_gzip(struct out_file *f, struct str bytes, size_t *written)
{
    int error = f->pending.len ? write_pending(f) : 0;

    *written = 0;
    while (error == 0 && *written < bytes.len) {
        struct str piece = str_from(bytes, *written);
        if (piece.len > 1 << 30) piece.len = 1 << 30;
        compress_bytes(f, piece, Z_NO_FLUSH);
        *written += piece.len;
        error = write_pending(f);
    }
    /* All of it is held: the rest goes out before the next bytes. */
    return *written == bytes.len ? 0 : error;
}

/* A whole new archive; what the file had is gone. */
static int overwrite_gzip(struct out_file *f, struct str bytes, size_t *written)
{
    buf_clear(&f->pending);
    compress_bytes(f, bytes, Z_FINISH);
    deflateReset(f->gzip);
    f->unflushed = false;
    int error = write_pending(f);
    *written = error ? 0 : bytes.len;
    return error;
}

static z_stream *start_gzip(void)
{
    z_stream *z = xcalloc(1, sizeof(*z));

    if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_FORMAT, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        fatal_memory();
    return z;
}

/* ---- closing ---- */

static void end_gzip(struct out_file *f)
{
    int error = 0;

    if (f->gzip->total_in > 0) compress_bytes(f, (struct str){"", 0}, Z_FINISH);
    error = write_pending(f);
    deflateEnd(f->gzip);
    free(f->gzip);
    if (error)
        log_error("output.file", "end of compressed data cannot be written, events are lost",
                  LOG_CSTR("path", f->path), LOG_CSTR("error", strerror(error)));
}

static void close_file(struct file_store *s, struct out_file *f)
{
    struct out_file **link = bucket(s, f->key);

    while (*link != f)
        link = &(*link)->bucket_next;
    *link = f->bucket_next;
    unlink_used(s, f);
    assert(s->oldest != f);
    s->open--;
    if (f->gzip) end_gzip(f);
    close(f->fd);
    buf_release(&f->pending);
    free(f->path);
    free(f);
}

void store_close_unused(struct file_store *s, int64_t before_ns)
{
    while (s->oldest && s->oldest->used_ns < before_ns)
        close_file(s, s->oldest);
}

void store_close(struct file_store *s)
{
    while (s->oldest)
        close_file(s, s->oldest);
}

void store_flush(struct file_store *s)
{
    for (struct out_file *f = s->newest; f; f = f->next) {
        if (!f->gzip) continue;
        if (f->unflushed) compress_bytes(f, (struct str){"", 0}, Z_SYNC_FLUSH);
        if (f->pending.len) write_pending(f);
    }
}

/* ---- opening ---- */

/* Makes a directory in `parent`; one that is there is fine. The mode is exact, as in Logstash. */
static int make_directory(const struct file_store *s, int parent, const char *name)
{
    if (mkdirat(parent, name, s->dir_mode < 0 ? 0777 : (mode_t)s->dir_mode) < 0)
        return errno == EEXIST ? 0 : errno;
    if (s->dir_mode >= 0 && fchmodat(parent, name, (mode_t)s->dir_mode, 0) < 0) return errno;
    return 0;
}

/* Opens the directory `name` in `parent`, which is closed; makes it if need be. Negative: errno. */
static int enter(const struct file_store *s, int parent, const char *name, bool follow)
{
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    int fd = openat(parent, name, flags), error = 0;

    if (fd < 0 && errno == ENOENT) {
        error = make_directory(s, parent, name);
        if (!error) fd = openat(parent, name, flags);
    }
    if (fd < 0 && !error) error = errno;
    close(parent);
    return fd < 0 ? -error : fd;
}

/* Opens the directory of `path` (which is changed, and put right again). `*name` gets the last
   component. */
static int enter_directory_of(const struct file_store *s, char *path, const char **name)
{
    int   dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *component = path + 1;

    for (char *slash; dir >= 0 && (slash = strchr(component, '/')); component = slash + 1) {
        bool follow = !s->below_root || (size_t)(slash - path) <= s->root.len;
        *slash = '\0';
        dir = enter(s, dir, component, follow);
        *slash = '/';
    }
    *name = component;
    return dir;
}

/* Opens or creates the file. Negative: errno. A FIFO without a reader is ENXIO, not a wait. */
static int open_path(const struct file_store *s, char *path)
{
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | (s->below_root ? O_NOFOLLOW : 0);
    const char *name;
    int         dir = enter_directory_of(s, path, &name);
    if (dir < 0) return dir;

    int fd = openat(dir, name, flags);
    if (fd < 0 && errno == ENOENT) {
        fd = openat(dir, name, flags | O_CREAT, s->file_mode < 0 ? 0666 : (mode_t)s->file_mode);
        if (fd >= 0 && s->file_mode >= 0 && fchmod(fd, (mode_t)s->file_mode) < 0) errno = 0;
    }
    int error = errno;
    close(dir);
    return fd < 0 ? -error : fd;
}

static struct out_file *add(struct file_store *s, struct str path, int fd, const struct stat *st)
{
    struct out_file *f = xcalloc(1, sizeof(*f));

    f->path = xstrndup(path.data, path.len);
    f->key = (struct str){f->path, path.len};
    f->fd = fd;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    f->regular = S_ISREG(st->st_mode);
    if (s->gzip) f->gzip = start_gzip();
    struct out_file **b = bucket(s, f->key);
    f->bucket_next = *b;
    *b = f;
    link_newest(s, f);
    s->open++;
    return f;
}

static int open_new(struct file_store *s, struct str path, struct out_file **out)
{
    struct stat st;

    if (s->open >= STORE_OPEN_MAX) close_file(s, s->oldest);
    char *copy = xstrndup(path.data, path.len);
    int   fd = open_path(s, copy);
    while (fd == -EMFILE && s->oldest) { /* the process has other files, too */
        close_file(s, s->oldest);
        fd = open_path(s, copy);
    }
    free(copy);
    if (fd < 0) return -fd;
    if (fstat(fd, &st) < 0) {
        int error = errno;
        close(fd);
        return error;
    }
    if (!S_ISREG(st.st_mode)) fcntl(fd, F_SETFL, O_APPEND); /* a slow reader is waited for */
    log_info("output.file", "opened", LOG_STR("path", path));
    *out = add(s, path, fd, &st);
    return 0;
}

/* True when the path no longer leads to the open file: it was deleted, or renamed by a log
   rotation. */
static bool gone(const struct file_store *s, const struct out_file *f)
{
    struct stat st;

    if (fstatat(AT_FDCWD, f->path, &st, s->below_root ? AT_SYMLINK_NOFOLLOW : 0) < 0)
        return s->create && (errno == ENOENT || errno == ENOTDIR);
    return st.st_dev != f->device || st.st_ino != f->inode;
}

static int open_file(struct file_store *s, struct str path, struct out_file **out)
{
    struct out_file *f = find(s, path);

    if (f && gone(s, f)) {
        close_file(s, f);
        f = NULL;
    }
    if (!f) {
        int error = open_new(s, path, &f);
        if (error) return error;
    }
    f->used_ns = clock_monotonic_ns();
    unlink_used(s, f);
    link_newest(s, f);
    *out = f;
    return 0;
}

int store_write(struct file_store *s, struct str path, struct str bytes, size_t *written)
{
    struct out_file *f;
    int              error = open_file(s, path, &f);

    *written = 0;
    if (error) return error;
    if (s->overwrite && f->regular && ftruncate(f->fd, 0) < 0) return errno;
    if (s->overwrite && f->gzip) return overwrite_gzip(f, bytes, written);
    return f->gzip ? write_gzip(f, bytes, written) : write_bytes(f->fd, bytes, written);
}

bool store_exists(const struct file_store *s, struct str path)
{
    struct stat st;
    char       *copy = xstrndup(path.data, path.len);
    bool        there = fstatat(AT_FDCWD, copy, &st, s->below_root ? AT_SYMLINK_NOFOLLOW : 0) == 0;

    free(copy);
    return there;
}
