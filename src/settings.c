#include "settings.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/option_parts.h"

/* A row such as otel.* stands for all keys below it. */
static bool row_matches(const char *name, struct str key)
{
    struct str row = str_of(name);

    if (str_ends(row, STR(".*"))) return str_starts(key, (struct str){row.data, row.len - 1});
    return str_eq(row, key);
}

const struct setting *settings_row(struct str key)
{
    for (const struct setting *row = settings_rows; row->option.name; row++)
        if (row_matches(row->option.name, key)) return row;
    return NULL;
}

static const char *key_at(const void *flags, int i)
{
    for (const struct setting *row = settings_rows; row->option.name; row++)
        if ((*(const bool *)flags ? row->flag : !row->own) && i-- == 0)
            return *(const bool *)flags && row->long_flag ? row->long_flag : row->option.name;
    return NULL;
}

const char *settings_nearest(struct str key, bool flags)
{
    return nearest(key, key_at, &flags);
}

static bool has_member(const struct setting *row)
{
    return row->option.offset != SIZE_MAX;
}

static void *member_of(const struct setting *row, struct settings *s)
{
    return (char *)s + row->option.offset;
}

void settings_init(struct settings *s, struct plugin_open *cx)
{
    *s = (struct settings){.version = false};
    for (const struct setting *row = settings_rows; row->option.name; row++) {
        const struct ast_value *preset = has_member(row) ? option_preset(&row->option, cx) : NULL;
        if (preset) option_convert(&row->option, preset, member_of(row, s), cx);
    }
}

/* True when the value is what happens anyway. */
static bool is_default(const struct option *o, const struct ast_value *v)
{
    if (v->kind == AST_LIST) return v->len == 0;
    return o->preset && str_is(v->text, o->preset);
}

bool settings_set(struct settings *s, const struct setting *row, const struct ast_value *v,
                  struct plugin_open *cx)
{
    const struct option *o = &row->option;

    if (o->deprecated)
        diag(cx->diags, DIAG_WARNING, v->loc, "\"%s\" is deprecated: %s", o->name, o->deprecated);
    if (o->not_built && !is_default(o, v)) {
        diag(cx->diags, DIAG_ERROR, v->loc, "\"%s\": %s", o->name, o->not_built);
        return false;
    }
    if (o->no_effect && !is_default(o, v))
        diag(cx->diags, DIAG_WARNING, v->loc, "\"%s\" has no effect: %s", o->name, o->no_effect);
    return !has_member(row) || option_convert(o, v, member_of(row, s), cx);
}

/* ---- defaults that depend on the machine ---- */

static int64_t cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? n : 1;
}

static struct str host_name(struct arena *a)
{
    char name[256] = "";

    if (gethostname(name, sizeof(name) - 1) != 0) return STR("unknown");
    return arena_copy(a, str_of(name));
}

/* Where what must be remembered goes: a system's folder for root, else one of the user's. */
static struct str default_data(struct arena *a)
{
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");

    if (geteuid() == 0 || (!data && !home)) return STR(LOCALSTATEDIR "/lib/lsc");
    if (data && *data) return arena_printf(a, "%s/lsc", data);
    return arena_printf(a, "%s/.local/share/lsc", home ? home : "");
}

static bool conflict(struct plugin_open *cx, const char *message)
{
    diag(cx->diags, DIAG_ERROR, (struct loc){0}, "%s", message);
    return false;
}

static bool check_together(const struct settings *s, struct plugin_open *cx)
{
    bool good = true;

    if (s->path_config.data && s->config_string.data)
        good = conflict(cx, "path.config (-f) and config.string (-e) exclude each other");
    if (s->config_string.data && s->config_reload_automatic)
        good = conflict(cx, "config.string (-e) cannot be reloaded: it has no file to watch");
    if (!s->path_config.data && !s->config_string.data)
        good = conflict(cx, "no config: give a file with -f, or its text with -e (lsc reads no "
                            "pipelines.yml yet)");
    if (s->pipeline_ordered == ORDERED_TRUE && s->pipeline_workers > 1)
        good = conflict(cx, "pipeline.ordered true needs one worker: give -w 1");
    if (!s->allow_superuser && geteuid() == 0)
        good = conflict(cx, "lsc must not run as root: allow_superuser is false");
    return settings_check_api(s, cx) && good;
}

bool settings_finish(struct settings *s, struct plugin_open *cx)
{
    if (s->pipeline_workers == 0) s->pipeline_workers = cores();
    if (s->node_name.len == 0) s->node_name = host_name(cx->arena);
    if (s->path_data.len == 0) s->path_data = default_data(cx->arena);
    if (s->verbose) s->log_level = LOG_INFO;
    if (s->debug) s->log_level = LOG_DEBUG;
    if (s->quiet) s->log_level = LOG_ERROR;
    if (s->version || s->help || s->plugin_help || s->docs.data) return true;
    return check_together(s, cx);
}
