#include "plugin/help.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "plugin/option_parts.h"

/* ---- on the terminal ---- */

void help_list(FILE *out)
{
    const struct plugin *p;
    enum plugin_kind     kind;
    const char          *name;

    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++)
        fprintf(out, "%-6s  %-14s  %s\n", plugin_kind_name(p->kind), p->name, p->summary);
    for (uint32_t i = 0; plugin_missing_at(i, &kind, &name); i++)
        fprintf(out, "%-6s  %-14s  (missing) %s\n", plugin_kind_name(kind), name,
                plugin_problem(kind, str_of(name)));
}

/* Words of `text` in lines of at most `width` columns, each after `indent` blanks. */
static void print_wrapped(FILE *out, const char *text, int indent, int width)
{
    int column = 0;

    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > 0 && indent + column + 1 + len > width) {
            fputc('\n', out);
            column = 0;
        }
        column += column == 0 ? fprintf(out, "%*s", indent, "") - indent : fprintf(out, " ");
        column += fprintf(out, "%.*s", len, text);
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* A default as it would be written: control characters would break the page. */
static void put_preset(const char *text, struct buf *out)
{
    if (!*text) buf_str(out, STR("empty"));
    for (; *text; text++) {
        if (*text == '\n')
            buf_str(out, STR("\\n"));
        else if (*text == '\t')
            buf_str(out, STR("\\t"));
        else
            buf_char(out, *text);
    }
}

/* What stands beside a setting's name: "a whole number, required". */
static void describe_row(const struct option *o, struct buf *out)
{
    buf_clear(out);
    if (o->obsolete) {
        buf_str(out, STR("gone"));
        return;
    }
    if (o->not_built) {
        buf_str(out, STR("not built yet"));
        return;
    }
    option_describe(o, out);
    if (o->required) buf_str(out, STR("; required"));
    if (o->preset) {
        buf_str(out, STR("; default "));
        put_preset(o->preset, out);
    }
    if (o->deprecated) buf_str(out, STR("; deprecated"));
    if (o->no_effect) buf_str(out, STR("; no effect in lsc"));
}

static bool hidden(const struct option *common, const struct plugin *p)
{
    for (const struct option *own = p->options; own && own->name; own++)
        if (strcmp(own->name, common->name) == 0) return true;
    return false;
}

/* A common row as it stands for this plugin: the default codec is the plugin's. */
static struct option common_row(const struct option *o, const struct plugin *p)
{
    struct option row = *o;

    if (o->type == OPT_CODEC) row.preset = p->codec ? p->codec : "plain";
    return row;
}

static void print_row(const struct option *o, FILE *out)
{
    struct buf b = {0};

    describe_row(o, &b);
    fprintf(out, "\n  %s: %s\n", o->name, buf_cstr(&b));
    print_wrapped(out, o->obsolete ? o->obsolete : o->doc, 6, 80);
    buf_release(&b);
}

/* A plugin without its module: what is missing. */
static bool explain_missing(struct str kind, struct str word)
{
    enum plugin_kind k;
    const char      *name;

    for (uint32_t i = 0; plugin_missing_at(i, &k, &name); i++) {
        if (!str_is(word, name) || (kind.len && !str_is(kind, plugin_kind_name(k)))) continue;
        fprintf(stderr, "lsc: no help on the %s \"%s\": %s\n", plugin_kind_name(k), name,
                plugin_problem(k, word));
        return true;
    }
    return false;
}

static void print_plugin(const struct plugin *p, FILE *out)
{
    fprintf(out, "%s %s: %s\n", plugin_kind_name(p->kind), p->name, p->summary);
    for (const struct option *o = p->options; o && o->name; o++)
        print_row(o, out);
    fprintf(out, "\nSettings of every %s:\n", plugin_kind_name(p->kind));
    for (const struct option *o = plugin_common_options(p->kind); o->name; o++) {
        struct option row = common_row(o, p);
        if (!hidden(o, p)) print_row(&row, out);
    }
    if (p->metrics.rows) fputs("\nMetrics of its own in the monitoring API:\n", out);
    for (const struct metric_row *m = p->metrics.rows; m && m->name; m++) {
        fprintf(out, "\n  %s: %s\n", m->name, metric_type_name(m->type));
        print_wrapped(out, m->doc, 6, 80);
    }
}

bool help_plugin(struct str name, FILE *out)
{
    ptrdiff_t            slash = str_find(name, STR("/"));
    struct str           kind = {name.data, slash > 0 ? (size_t)slash : 0};
    struct str           word = slash > 0 ? str_from(name, (size_t)slash + 1) : name;
    const struct plugin *p;
    const char          *near = NULL;
    int                  found = 0;

    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++) {
        if (kind.len && !str_is(kind, plugin_kind_name(p->kind))) continue;
        if (!near) near = plugin_nearest(p->kind, word);
        if (!str_is(word, p->name)) continue;
        if (found++) fputc('\n', out);
        print_plugin(p, out);
    }
    if (!found && !explain_missing(kind, word))
        fprintf(stderr, "lsc: no plugin is called \"%.*s\"%s%s%s\n", STR_ARG(name),
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return found > 0;
}

/* ---- Markdown ---- */

static void write_row(const struct option *o, FILE *out)
{
    struct buf b = {0};

    fprintf(out, "\n### `%s`\n\n", o->name);
    if (o->obsolete) {
        fprintf(out, "- Gone: %s\n", o->obsolete);
    } else if (o->not_built) {
        fprintf(out, "- Not built yet: %s\n", o->not_built);
    } else {
        option_describe(o, &b);
        fprintf(out, "- Takes %s.\n", buf_cstr(&b));
        if (o->required) fputs("- Required.\n", out);
    }
    if (o->preset && !o->obsolete && !o->not_built) {
        buf_clear(&b);
        put_preset(o->preset, &b);
        fprintf(out, *o->preset ? "- Default: `%s`.\n" : "- Default: %s.\n", buf_cstr(&b));
    }
    if (o->deprecated) fprintf(out, "- Deprecated: %s\n", o->deprecated);
    if (o->no_effect) fprintf(out, "- No effect in lsc: %s\n", o->no_effect);
    if (o->doc && !o->obsolete) fprintf(out, "\n%s\n", o->doc);
    buf_release(&b);
}

static void write_metrics(const struct metric_row *m, FILE *out)
{
    fputs("\n## Metrics\n\nIn the plugin's entry of `/_node/stats` (docs/monitoring.md), behind "
          "those "
          "of every plugin. Names with a dot are members of a group.\n\n| name | | "
          "|\n|---|---|---|\n",
          out);
    for (; m->name; m++)
        fprintf(out, "| `%s` | %s | %s |\n", m->name, metric_type_name(m->type), m->doc);
}

static void write_page(const struct plugin *p, FILE *out)
{
    const char *kind = plugin_kind_name(p->kind);

    fprintf(out, "# %s %s\n\n%s\n", kind, p->name, p->summary);
    fputs("\nWritten by `lsc --docs` from the table of the plugin: do not edit.\n", out);
    if (p->options && p->options->name) fputs("\n## Settings\n", out);
    for (const struct option *o = p->options; o && o->name; o++)
        write_row(o, out);
    fprintf(out, "\n## Settings of every %s\n", kind);
    for (const struct option *o = plugin_common_options(p->kind); o->name; o++) {
        struct option row = common_row(o, p);
        if (!hidden(o, p)) write_row(&row, out);
    }
    if (p->metrics.rows) write_metrics(p->metrics.rows, out);
}

static void write_index(FILE *out)
{
    const struct plugin *p;
    int                  kind = -1;

    fputs("# Plugins\n\nWritten by `lsc --docs`: do not edit.\n", out);
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++) {
        if ((int)p->kind != kind) {
            kind = (int)p->kind;
            fprintf(out, "\n## %ss\n\n", plugin_kind_name(p->kind));
        }
        fprintf(out, "- [%s](%s-%s.md): %s\n", p->name, plugin_kind_name(p->kind), p->name,
                p->summary);
    }
}

static FILE *create(struct str dir, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.*s/%s", STR_ARG(dir), name);
    FILE *f = fopen(path, "we");
    if (!f) fprintf(stderr, "lsc: cannot write %s: %s\n", path, strerror(errno));
    return f;
}

static bool finish(FILE *f)
{
    bool failed = ferror(f) != 0;

    failed |= fclose(f) != 0;
    if (failed) fprintf(stderr, "lsc: cannot write the docs: %s\n", strerror(errno));
    return !failed;
}

bool help_write_docs(struct str dir)
{
    char                 path[PATH_MAX], name[NAME_MAX];
    const struct plugin *p;
    FILE                *f;

    snprintf(path, sizeof(path), "%.*s", STR_ARG(dir));
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        fprintf(stderr, "lsc: cannot make %s: %s\n", path, strerror(errno));
        return false;
    }
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++) {
        snprintf(name, sizeof(name), "%s-%s.md", plugin_kind_name(p->kind), p->name);
        if (!(f = create(dir, name))) return false;
        write_page(p, f);
        if (!finish(f)) return false;
    }
    if (!(f = create(dir, "README.md"))) return false;
    write_index(f);
    return finish(f);
}
