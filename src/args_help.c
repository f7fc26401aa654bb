#include "args.h"

#include "plugin/option_parts.h"

/* --version and --help, from the same rows that are parsed. */

void args_version(FILE *out)
{
    fputs("lsc " PACKAGE_VERSION "\nruns pipelines of Logstash 8 and 9, checked against 8.9.2\n",
          out);
}

/* Words of `text` in lines up to column 100, each after `indent` blanks. */
static void print_doc(const char *text, int indent, FILE *out)
{
    int column = indent;

    fprintf(out, "%*s", indent, "");
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > indent && column + 1 + len > 100) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%s%.*s", column > indent ? " " : "", len, text);
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_flag(const struct setting *row, FILE *out)
{
    const struct option *o = &row->option;
    const char          *name = row->long_flag ? row->long_flag : o->name;

    if (row->letter)
        fprintf(out, "  -%c, --%s", row->letter, name);
    else
        fprintf(out, "      --%s", name);
    if (row->argument) fprintf(out, " %s", row->argument);
    fputc('\n', out);
    print_doc(o->doc, 10, out);
    if (o->choices) {
        fputs("          One of:", out);
        for (int i = 0; o->choices[i]; i++)
            fprintf(out, "%s %s", i ? "," : "", o->choices[i]);
        fputs(".\n", out);
    }
    if (o->preset && o->offset != SIZE_MAX && row->argument)
        fprintf(out, "          Default: %s.\n", o->preset);
}

void args_help(FILE *out)
{
    fputs("usage: lsc -f CONFIG [FLAG …]\n"
          "       lsc -e 'filter { … }' [FLAG …]\n"
          "       lsc grok PATTERN [FLAG …] < lines (see lsc grok --help)\n\n"
          "Runs pipelines of Logstash: reads events from inputs, changes them by filters, writes "
          "them to outputs.\n\n",
          out);
    for (const struct setting *row = settings_rows; row->option.name; row++)
        if (row->flag) print_flag(row, out);
    fputs("  -S, --setting KEY=VALUE\n"
          "          Sets any key of logstash.yml; may be given several times.\n\n"
          "Flags win over logstash.yml. Exit status: 0 done, 1 wrong config or flags, or no start, "
          "255 ended by force.\n",
          out);
}
