#ifndef LSC_INPUTS_FILE_H
#define LSC_INPUTS_FILE_H

#include <sys/stat.h>

#include "plugin/intake.h"
#include "plugin/plugin.h"

/*
 * The parts of the file input; nobody else includes this. One thread per input does everything:
 *
 *     file_glob.c     patterns to paths
 *     file_sincedb.c  what is known of a file between two runs: its position
 *     file_watch.c    paths that match (entries) and files that are followed (followed)
 *     file_lines.c    bytes of a followed file to lines, lines to the pipeline
 *     file_read.c     read mode: each file once, gzip too
 *     file_tail.c     tail mode: rotation, truncation, deletion
 *     file_wake.c     waiting for the next round
 *     file.c          options and the loop
 *
 * A path and the file behind it are two things: at a rotation the path gets another file, and the
 * file another path or none. So an entry is a path, and owns the file that it leads to now; a
 * followed file without an owner was renamed to where nobody watches, and is read for a while
 * longer.
 */

/* ---- patterns ---- */

/* True when `name` matches `pattern` (* ? [a-z] [^a] and \ before any of them), as Ruby's
   File.fnmatch says without flags: a leading dot must be written. */
bool glob_match(struct str pattern, struct str name);

/* Calls found(ctx, path) for each path that matches the absolute `pattern`, which may also have
   {a,b} and the directory pattern "**", which stands for directories of any depth (symbolic links
   and those whose name begins with a dot are not entered). Order is by name in each directory. */
void glob_expand(struct str pattern, void (*found)(void *ctx, const char *path), void *ctx);

/* ---- the sincedb ---- */

struct followed;

struct file_id {
    uint64_t inode;
    uint32_t major, minor; /* of the device */
};

static inline bool file_id_eq(struct file_id a, struct file_id b)
{
    return a.inode == b.inode && a.major == b.major && a.minor == b.minor;
}

struct file_id file_id_of(const struct stat *st);

struct sincedb_record {
    struct file_id         id;
    int64_t                position;    /* bytes of lines handed to the pipeline */
    double                 last_active; /* seconds since 1970 */
    char                  *path;        /* NULL: an old record without one */
    struct followed       *followed;    /* NULL: nobody reads it now */
    struct sincedb_record *next;        /* in its bucket */
};

/* Records by file, kept in Logstash's format: a line "inode major minor position last_active path"
   each. */
struct sincedb {
    struct sincedb_record **buckets;
    uint32_t                bucket_count, len;
    const char             *path;          /* NULL: kept nowhere */
    double                  clean_after_s; /* unused records older than that go */
    bool                    changed;
    int64_t                 written_ns; /* monotonic */
};

/* One line without its line end. `*path` becomes a view into it, empty when there is none. */
bool sincedb_parse(struct str line, struct sincedb_record *out, struct str *path);
void sincedb_print(const struct sincedb_record *r, struct buf *out);

/* Reads what is there; lines that make no sense are logged and skipped. False after logging why
   the file cannot be read; one that does not exist is no error. */
bool sincedb_load(struct sincedb *db);
/* Replaces the file whole, by rename. False after logging why; then it is still `changed`. */
bool sincedb_save(struct sincedb *db);
void sincedb_release(struct sincedb *db);

struct sincedb_record *sincedb_find(const struct sincedb *db, struct file_id id);
struct sincedb_record *sincedb_add(struct sincedb *db, struct file_id id);
void                   sincedb_remove(struct sincedb *db, struct sincedb_record *r);
void                   sincedb_set_path(struct sincedb_record *r, const char *path);
void sincedb_advance(struct sincedb *db, struct sincedb_record *r, int64_t position);

/* ---- the input ---- */

enum file_mode { FILE_TAIL, FILE_READ };
enum file_completed { COMPLETED_DELETE, COMPLETED_LOG, COMPLETED_LOG_AND_DELETE };

/* A longer line is handed over in pieces of about this size. */
enum { FILE_LINE_MAX = 64 * 1024 * 1024 };

struct file_input {
    bool            check_archive_validity;
    struct duration close_older;
    struct str      delimiter;
    int64_t         discover_interval;
    int             ecs_compatibility;
    struct strings  exclude;
    bool            exit_after_read;
    int64_t         file_chunk_count;
    int64_t         file_chunk_size;
    int             file_completed_action;
    struct str      file_completed_log_path;
    int             file_sort_by;
    int             file_sort_direction;
    struct duration ignore_older;
    int64_t         max_open_files;
    int             mode;
    struct strings  path;
    struct str      sincedb_clean_after;
    struct str      sincedb_path;
    struct duration sincedb_write_interval;
    int             start_position;
    struct duration stat_interval;

    bool                has_ignore_older;
    double              clean_after_s;
    const char         *sincedb_file; /* where it is */
    const struct field *host_field, *path_field, *meta_host_field, *meta_path_field;
};

/* An entry whose path was missing so often in a row is dropped. */
enum { ENTRY_MISSED_MAX = 2 };

/* A path that matches. */
struct entry {
    char            *path;
    struct followed *file;    /* that it leads to now, or NULL */
    struct stat      seen;    /* when it was discovered */
    bool             initial; /* found at the start: start_position counts */
    bool             ignored; /* by ignore_older, until it changes */
    bool             done;    /* read mode: read, or cannot be; until another file is there */
    struct file_id   done_id;
    int              missed; /* times in a row that the path was not there */
    struct entry    *next;   /* in its bucket */
};

/* A file that is being read. */
struct followed {
    struct sincedb_record *record;
    struct entry          *owner;   /* NULL: renamed away */
    char                  *path;    /* for events, also without an owner */
    int                    fd;      /* -1: closed until there is something to read */
    struct buf             partial; /* read, but the line has no end yet */
    struct stream         *stream;
    const struct origin   *origin; /* in the batch number `generation` */
    uint64_t               generation;
    int64_t                active_ns; /* monotonic time of the last read */
    struct followed       *prev, *next;
};

struct file_run {
    const struct file_input *in;
    struct intake           *to;
    const struct stop       *stop;
    struct sincedb           db;
    struct entry           **entries; /* in the order in which they are read */
    struct entry           **buckets;
    uint32_t                 len, cap, bucket_count;
    bool                     first;    /* nothing discovered yet */
    bool                     more;     /* something is left to be read at once */
    bool                     appeared; /* a new name was seen: look for new files */
    int                      wake_fd;  /* of inotify, or -1 */
    struct followed         *files;
    int64_t                  open_files;
    char                    *block;
    size_t                   block_size;
};

/* Expands the patterns; new paths become entries. */
void watch_discover(struct file_run *run);
/* Drops entries whose path has been missing twice. */
void watch_forget_missing(struct file_run *run);
/* Makes `e` own the file `st` that its path leads to. False: another entry leads to it as well. */
bool watch_take(struct file_run *run, struct entry *e, const struct stat *st);
/* `e` no longer leads to its file, which stays open for a while. */
void watch_detach(struct entry *e);
/* Opens the file if it is closed. False after logging why. */
bool watch_open(struct file_run *run, struct followed *f);
/* Closes it; the unfinished line will be read again. */
void watch_close(struct file_run *run, struct followed *f);
/* Ends following: closes and frees; the record stays. */
void watch_drop(struct file_run *run, struct followed *f);
void watch_release(struct file_run *run);

/* Where to read next. */
int64_t lines_offset(const struct followed *f);
/* Hands over the lines of `bytes`, which lie at lines_offset(). False: the pipeline takes nothing
   more; then the position is behind the last line taken. */
bool lines_feed(struct file_run *run, struct followed *f, struct str bytes);
/* One line that is not counted in the position (of an archive). */
bool lines_deliver(struct file_run *run, struct followed *f, struct str line);
/* Hands over the unfinished line and what the codec holds back. */
bool lines_end(struct file_run *run, struct followed *f);
/* Reads on for one turn (file_chunk_count blocks), sets run->more when there may be more. False:
   stop. */
bool lines_read(struct file_run *run, struct followed *f);
/* Lets codecs that wait for time do so. */
void lines_tick(struct file_run *run);
/* Saves the positions if it is time; `now`: at once. */
void lines_save(struct file_run *run, bool now);

/* Waiting: until stat_interval is over, or something changes beside a path given to wake_watch().
   `round_ns`: how long the last round took. True when the stop came. */
void wake_open(struct file_run *run);
void wake_watch(struct file_run *run, const char *path);
bool wake_wait(struct file_run *run, int64_t round_ns);
void wake_close(struct file_run *run);

/* One round over all entries. */
void tail_round(struct file_run *run);
void read_round(struct file_run *run);
/* Read mode: everything found has been read. */
bool read_finished(const struct file_run *run);

#endif
