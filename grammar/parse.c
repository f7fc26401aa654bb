#include "grammar/parse.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fatal.h"
#include "base/utf8.h"
#include "grammar/logstash.h"
#include "grammar/parser.h"

static const struct loc nowhere;

static bool source_error(const struct source *source, struct diags *d, size_t offset,
                         const char *message)
{
    diag(d, DIAG_ERROR, (struct loc){source, (uint32_t)offset, 1}, "%s", message);
    return false;
}

/* Bytes to skip at the start: a byte order mark. */
static uint32_t mark_length(struct str text)
{
    struct str mark = STR("\xEF\xBB\xBF");

    return str_starts(text, mark) ? (uint32_t)mark.len : 0;
}

bool parse_source(struct arena *a, const struct source *source, const struct parse_options *options,
                  struct ast_config *out, struct diags *d)
{
    size_t valid = utf8_valid_prefix(source->text);
    int    errors = d->errors;

    if (source->text.len > PARSE_SIZE_MAX) {
        diag(d, DIAG_ERROR, nowhere, "%s: a config has at most %d MiB", source->name,
             PARSE_SIZE_MAX >> 20);
        return false;
    }
    if (valid < source->text.len)
        return source_error(source, d, valid, "this is not UTF-8, in which a config is written");

    struct parse *p = xcalloc(1, sizeof(*p));
    *p = (struct parse){.arena = a, .source = source, .options = options, .diags = d, .out = out};
    p->offset = mark_length(source->text);
    p->last_loc = p->before_loc = (struct loc){source, p->offset, 0};
    lexer_open(p);
    bool parsed = lsc_yyparse(p) == 0;
    lexer_close(p);
    free(p);
    return parsed && d->errors == errors;
}

/* ---- files ---- */

static bool file_error(struct diags *d, const char *path, const char *problem)
{
    diag(d, DIAG_ERROR, nowhere, "%s: %s", path, problem);
    return false;
}

/* The whole file, which may be a pipe. Source and text live in the arena. */
static const struct source *read_source(struct arena *a, const char *path, struct diags *d)
{
    struct source *source = arena_alloc(a, sizeof(*source));
    struct buf     text = {0};
    FILE          *f = fopen(path, "rb");
    size_t         n = 1;

    if (!f) {
        file_error(d, path, strerror(errno));
        return NULL;
    }
    while (n > 0 && text.len <= PARSE_SIZE_MAX) {
        n = fread(buf_room(&text, 65536), 1, 65536, f);
        text.len += n;
    }
    bool failed = ferror(f);
    if (failed) file_error(d, path, strerror(errno));
    fclose(f);
    *source = (struct source){arena_cstr(a, str_of(path)), arena_copy(a, buf_view(&text))};
    buf_release(&text);
    return failed ? NULL : source;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* glob() sorts, and leaves out hidden files by itself. */
static bool parse_matches(struct arena *a, const char *pattern, const struct parse_options *options,
                          struct ast_config *out, struct diags *d)
{
    glob_t found;
    bool   ok = true;
    size_t files = 0;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *path = found.gl_pathv[i];
            if (str_ends(str_of(path), STR("~")) || is_directory(path)) continue;
            const struct source *source = read_source(a, path, d);
            ok = source && parse_source(a, source, options, out, d) && ok;
            files++;
        }
        globfree(&found);
    }
    if (files == 0) return file_error(d, pattern, "no config file here");
    return ok;
}

bool parse_path(struct arena *a, struct str path, const struct parse_options *options,
                struct ast_config *out, struct diags *d)
{
    const char *z = arena_cstr(a, path);
    struct stat st;

    if (is_directory(z)) return parse_matches(a, arena_printf(a, "%s/*", z).data, options, out, d);
    if (stat(z, &st) == 0) {
        const struct source *source = read_source(a, z, d);
        return source && parse_source(a, source, options, out, d);
    }
    if (strpbrk(z, "*?[")) return parse_matches(a, z, options, out, d);
    return file_error(d, z, strerror(errno));
}
