/*
 * file: reads lines from files, by following them (tail) or once each (read).
 *
 * Positions are kept in a sincedb. They count lines handed to the pipeline, so a normal stop
 * neither loses nor repeats anything. After kill -9 or a loss of power up to
 * sincedb_write_interval of lines is read again, and what was in the pipeline when a position was
 * written is lost.
 *
 * Source: logstash-input-file, lib/logstash/inputs/file.rb, lib/filewatch/.
 * Threads: one, which owns all that file.h names.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "inputs/file.h"

static const char *const completed_actions[] = {"delete", "log", "log_and_delete", NULL};
static const char *const sort_keys[] = {"last_modified", "path", NULL};
static const char *const sort_directions[] = {"asc", "desc", NULL};
static const char *const modes[] = {"tail", "read", NULL};
static const char *const start_positions[] = {"beginning", "end", NULL};

static const struct option file_options[] = {
    OPT(struct file_input, OPT_BOOL, check_archive_validity, .preset = "false",
        .doc = "In read mode, an archive is unpacked twice: once to see that it is whole, then to "
               "read it. A damaged one then gives no events at all. The default is false."),
    OPT(struct file_input, OPT_SECONDS, close_older, .preset = "1 hour",
        .doc = "In tail mode, a file that was not read for this long is closed. It is opened again "
               "when it changes. The default is one hour."),
    OPT(struct file_input, OPT_STRING, delimiter, .preset = "\n",
        .doc = "The text between two lines. The default is a newline. In an archive a carriage "
               "return before it goes as well, unless this is set."),
    OPT(struct file_input, OPT_INT, discover_interval, .preset = "15", .min = 1, .max = INT32_MAX,
        .doc = "New files are looked for once in so many stat_intervals, and at once in "
               "directories of files that are known. The default is 15."),
    OPT(struct file_input, OPT_ECS, ecs_compatibility,
        .doc = "Field names. With disabled the path goes to [path] and the host to [host]; with v1 "
               "and v8 to [log][file][path] and [host][name]. An event that has these fields keeps "
               "its own. [@metadata][path] and [@metadata][host] are always set. The default is "
               "pipeline.ecs_compatibility."),
    OPT(struct file_input, OPT_STRINGS, exclude,
        .doc = "Patterns of file names, without directories, that are not read."),
    OPT(struct file_input, OPT_BOOL, exit_after_read, .preset = "false",
        .doc = "In read mode, the input ends when the files found at the start have been read. The "
               "default is false."),
    OPT(struct file_input, OPT_INT, file_chunk_count, .preset = "4611686018427387903", .min = 1,
        .max = INT64_MAX,
        .doc = "How many blocks of file_chunk_size are read from a file before it is the turn of "
               "the next. By default each file is read to its end."),
    OPT(struct file_input, OPT_BYTES, file_chunk_size, .preset = "32768", .min = 1,
        .max = INT64_C(1) << 30,
        .doc = "The size in bytes of the blocks that file_chunk_count counts. One read takes as "
               "much of a turn as fits into 256 KiB. The default is 32768."),
    OPT(struct file_input, OPT_ENUM, file_completed_action, .preset = "delete",
        .choices = completed_actions,
        .doc = "What happens in read mode to a file that has been read: delete, the default, log "
               "(its path is appended to file_completed_log_path) or log_and_delete."),
    OPT(struct file_input, OPT_STRING, file_completed_log_path,
        .doc = "The file that gets the paths of files that have been read, one a line."),
    OPT(struct file_input, OPT_ENUM, file_sort_by, .preset = "last_modified", .choices = sort_keys,
        .doc = "The order in which files are read: last_modified, the default, or path."),
    OPT(struct file_input, OPT_ENUM, file_sort_direction, .preset = "asc",
        .choices = sort_directions,
        .doc = "The direction of that order: asc, the default, or desc."),
    OPT(struct file_input, OPT_SECONDS, ignore_older,
        .doc = "A file that was last modified longer ago than this when it is discovered is not "
               "read. In tail mode, what is appended later is read. Not set by default."),
    OPT(struct file_input, OPT_INT, max_open_files, .preset = "4095", .min = 1, .max = INT32_MAX,
        .doc = "How many files are open at once. When more are to be read, one that has been read "
               "to its end is closed; while there is none, the others wait. The default is 4095."),
    OPT(struct file_input, OPT_ENUM, mode, .preset = "tail", .choices = modes,
        .doc = "With tail, the default, files are followed as they grow; a line counts when its "
               "delimiter has come. With read each file is read once to its end, which ends the "
               "last line too; files named .gz and .gzip are unpacked."),
    OPT(struct file_input, OPT_STRINGS, path, .required = true,
        .doc = "Absolute paths of the files. They may have * ? [a-z] {a,b} and, for directories "
               "of any depth, **."),
    OPT(struct file_input, OPT_STRING, sincedb_clean_after, .preset = "2 weeks",
        .doc = "The record of a file that is neither watched nor changed for this long is removed "
               "from the sincedb. A bare number counts days. The default is two weeks."),
    OPT(struct file_input, OPT_STRING, sincedb_path,
        .doc = "The file that keeps the positions. Each input needs one of its own. With /dev/null "
               "nothing is kept. The default is "
               "PATH.DATA/plugins/inputs/file/.sincedb_MD5, where MD5 is made from the paths."),
    OPT(struct file_input, OPT_SECONDS, sincedb_write_interval, .preset = "15 seconds",
        .doc = "How often changed positions are written, besides at the end. They count the lines "
               "handed to the pipeline, so a normal stop neither loses nor repeats a line. After a "
               "kill -9 or a loss of power the lines since the last writing are read again, and "
               "those that were still in the pipeline at that time are lost. An archive counts "
               "only when it was read to its end. The default is 15 seconds."),
    OPT(struct file_input, OPT_ENUM, start_position, .preset = "end", .choices = start_positions,
        .doc = "In tail mode, where to start with files that are there at the start and not in the "
               "sincedb: end, the default, or beginning. Files that come later are always read "
               "from their beginning, and so are all files in read mode."),
    OPT(struct file_input, OPT_SECONDS, stat_interval, .preset = "1 second",
        .doc = "How long to wait between two looks at the files, at least one millisecond. Where "
               "the kernel tells of a change (inotify) it is read at once. The default is one "
               "second."),
    OPT_END,
};

/* A bare number means days here, unlike in the other durations. */
static bool parse_clean_after(struct file_input *in, struct plugin_open *cx)
{
    struct duration d;
    double          days;

    if (option_float(in->sincedb_clean_after, &days))
        in->clean_after_s = days * 86400;
    else if (option_duration(in->sincedb_clean_after, &d))
        in->clean_after_s = (double)d.ns / 1e9;
    else
        return plugin_error(cx, "sincedb_clean_after", "\"sincedb_clean_after\" takes a duration");
    return true;
}

/* Logstash's name for it: the paths as given, joined by commas. */
static const char *default_sincedb(const struct file_input *in, struct plugin_open *cx)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int  len = 0;
    struct buf    text = {0}, path = {0};

    for (uint32_t i = 0; i < in->path.len; i++) {
        if (i > 0) buf_char(&text, ',');
        buf_str(&text, in->path.at[i]);
    }
    struct str joined = buf_view(&text);
    if (!EVP_Digest(joined.data, joined.len, digest, &len, EVP_md5(), NULL)) len = 0;
    buf_str(&path, cx->path_data);
    buf_printf(&path, "/plugins/inputs/file/.sincedb_");
    for (unsigned int i = 0; i < len; i++)
        buf_printf(&path, "%02x", digest[i]);
    const char *result = arena_cstr(cx->arena, buf_view(&path));
    buf_release(&text);
    buf_release(&path);
    return result;
}

static bool check_sincedb(struct file_input *in, struct plugin_open *cx)
{
    struct stat st;

    if (!in->sincedb_path.data) {
        if (cx->path_data.len > 0) in->sincedb_file = default_sincedb(in, cx);
        return true;
    }
    in->sincedb_file = arena_cstr(cx->arena, in->sincedb_path);
    if (stat(in->sincedb_file, &st) == 0 && S_ISDIR(st.st_mode))
        return plugin_error(cx, "sincedb_path", "\"%s\" is a directory; a file is needed",
                            in->sincedb_file);
    return true;
}

static void parse_fields(struct file_input *in, struct plugin_open *cx)
{
    bool          ecs = in->ecs_compatibility != ECS_DISABLED;
    struct arena *a = cx->arena;

    in->host_field = field_parse(a, ecs ? STR("[host][name]") : STR("host"), NULL, NULL);
    in->path_field = field_parse(a, ecs ? STR("[log][file][path]") : STR("path"), NULL, NULL);
    in->meta_host_field = field_parse(a, STR("[@metadata][host]"), NULL, NULL);
    in->meta_path_field = field_parse(a, STR("[@metadata][path]"), NULL, NULL);
}

static bool file_open(void *self, struct plugin_open *cx)
{
    struct file_input *in = self;
    bool               ok = true;

    for (uint32_t i = 0; i < in->path.len; i++)
        if (in->path.at[i].len == 0 || *in->path.at[i].data != '/')
            ok = plugin_error(cx, "path", "paths must be absolute: \"%.*s\"",
                              STR_ARG(in->path.at[i]));
    if (in->delimiter.len == 0)
        ok = plugin_error(cx, "delimiter", "\"delimiter\" must not be empty");
    if (in->mode == FILE_READ && in->file_completed_action != COMPLETED_DELETE &&
        in->file_completed_log_path.len == 0)
        ok = plugin_error(cx, "file_completed_action",
                          "this action needs the setting \"file_completed_log_path\"");
    if (in->exit_after_read && in->mode != FILE_READ)
        ok = plugin_error(cx, "exit_after_read", "\"exit_after_read\" needs mode => \"read\"");
    ok = parse_clean_after(in, cx) && ok;
    ok = check_sincedb(in, cx) && ok;
    if (in->stat_interval.ns < 1000000) in->stat_interval.ns = 1000000;
    in->has_ignore_older = plugin_setting(cx, "ignore_older") != NULL;
    if (in->file_completed_log_path.data)
        in->file_completed_log_path =
            str_of(arena_cstr(cx->arena, in->file_completed_log_path)); /* for open(2) */
    parse_fields(in, cx);
    return ok;
}

/* Makes the directories above `path`; failing shows when the file is written. */
static void make_directories(const char *path)
{
    char *copy = xstrndup(path, strlen(path));

    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0750) < 0 && errno != EEXIST) break;
        *slash = '/';
    }
    free(copy);
}

/* Discovery is due; saturates, because the interval may be absurd. */
static int64_t next_discovery(const struct file_input *in, int64_t now)
{
    double ns = (double)in->stat_interval.ns * (double)in->discover_interval;
    return ns > 1e18 ? INT64_MAX : now + (int64_t)ns;
}

static void discover_if_due(struct file_run *run, int64_t *due)
{
    int64_t now = clock_monotonic_ns();

    if (!run->first && (run->in->exit_after_read || (now < *due && !run->appeared))) return;
    *due = next_discovery(run->in, now);
    run->appeared = false;
    watch_discover(run);
}

/* Rounds until the stop, or until all is read when exit_after_read says so. */
static void loop(struct file_run *run)
{
    const struct file_input *in = run->in;
    int64_t                  discovery = 0;

    while (!stop_requested(run->stop)) {
        int64_t began = clock_monotonic_ns();
        discover_if_due(run, &discovery);
        run->more = false;
        if (in->mode == FILE_READ)
            read_round(run);
        else
            tail_round(run);
        lines_tick(run);
        lines_save(run, false);
        if (in->exit_after_read && read_finished(run)) return;
        if (run->more) continue;
        intake_flush(run->to);
        if (wake_wait(run, clock_monotonic_ns() - began)) return;
    }
}

static bool file_run(void *self, struct intake *to, struct stop *stop)
{
    const struct file_input *in = self;
    struct file_run          run = {
                 .in = in,
                 .to = to,
                 .stop = stop,
                 .db = {.path = in->sincedb_file, .clean_after_s = in->clean_after_s},
                 .first = true,
                 .block_size = (size_t)256 * 1024,
    };

    if (in->sincedb_file) make_directories(in->sincedb_file);
    if (!sincedb_load(&run.db)) {
        sincedb_release(&run.db);
        return false;
    }
    run.db.written_ns = clock_monotonic_ns();
    run.block = xmalloc(run.block_size);
    wake_open(&run);
    loop(&run);
    wake_close(&run);
    for (struct followed *f = run.files; f; f = f->next) {
        buf_clear(&f->partial); /* read again at the next start */
        lines_end(&run, f);
    }
    lines_save(&run, true);
    watch_release(&run);
    sincedb_release(&run.db);
    free(run.block);
    return true;
}

const struct plugin input_file = {
    .kind = PLUGIN_INPUT,
    .name = "file",
    .summary = "Reads lines from files, by following them or once each.",
    .size = sizeof(struct file_input),
    .options = file_options,
    .open = file_open,
    .codec = "plain",
    .input = {.run = file_run, .whole_messages = true},
};
