#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "args.h"
#include "base/log.h"
#include "data_dir.h"
#include "event/event.h"
#include "event/time.h"
#include "grok_command.h"
#include "plugin/help.h"

static int refuse(const char *message)
{
    fprintf(stderr, "lsc: %s\n", message);
    return 1;
}

/* What only prints and ends. False: there is nothing of that kind to do. */
static bool print_only(const struct settings *s, int *status)
{
    *status = 0;
    if (s->help)
        args_help(stdout);
    else if (s->version)
        args_version(stdout);
    else if (s->docs.data)
        *status = help_write_docs(s->docs) ? 0 : 1;
    else if (s->plugin_help && s->plugin_help_name.len)
        *status = help_plugin(s->plugin_help_name, stdout) ? 0 : 1;
    else if (s->plugin_help)
        help_list(stdout);
    else
        return false;
    return true;
}

static bool fix_clock(struct str text)
{
    struct timestamp t;

    if (text.len == 0) return true;
    if (!time_parse(text, &t)) return false;
    clock_fix(t);
    return true;
}

static int run(const struct settings *s)
{
    char error[512];

    if (!fix_clock(s->test_clock)) return refuse("--test-clock takes an ISO 8601 time");
    field_set_escape((enum field_escape)s->config_escape_style);
    event_names_init();
    log_set_level(NULL, (enum log_level)s->log_level);
    if (s->config_test_and_exit || s->dump != DUMP_NONE) return agent_check(s);
    if (!log_setup((enum log_format)s->log_format, 2, s->path_logs, error, sizeof(error)))
        return refuse(error);
    if (!data_dir_open(s->path_data, error, sizeof(error))) return refuse(error);
    int status = agent_run(s);
    log_close();
    return status;
}

int main(int argc, char *argv[])
{
    struct arena    arena = {0};
    struct settings settings;
    struct diags    diags = {0};
    int             status = 1;

    if (argc > 1 && strcmp(argv[1], "grok") == 0)
        return grok_command(argc - 1, argv + 1, stdin, stdout);
    if (args_parse(argc, argv, &arena, &settings, &diags) && !print_only(&settings, &status))
        status = run(&settings);
    arena_release(&arena);
    return status;
}
