/*
 * What /_node tells: settings of pipelines, the machine, the process, the plugins.
 *
 * Source: Logstash's api/commands/node.rb, system/plugins_command.rb.
 */
#include <sys/utsname.h>
#include <unistd.h>

#include "api/proc.h"
#include "api/reply.h"

json_t *report_node_pipelines(struct state *s, bool graph)
{
    const struct settings *set = s->settings;
    json_t                *all = json_object();
    char                   hash[17];

    if (!s->pipeline) return all;
    snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)s->config_hash);
    json_t *one = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:b}", "ephemeral_id", s->pipeline_ephemeral_id,
        "hash", hash, "workers", (json_int_t)set->pipeline_workers, "batch_size",
        (json_int_t)set->pipeline_batch_size, "batch_delay", (json_int_t)set->pipeline_batch_delay,
        "config_reload_automatic", set->config_reload_automatic, "config_reload_interval",
        (json_int_t)set->config_reload_interval.ns, "dead_letter_queue_enabled", 0);
    if (graph) json_object_set_new(one, "graph", report_graph(pipeline_plan(s->pipeline)));
    json_object_setn_new(all, set->pipeline_id.data, set->pipeline_id.len, one);
    return all;
}

json_t *report_node_os(struct state *s)
{
    struct utsname name = {.sysname = "Linux"};

    (void)s;
    uname(&name);
    return json_pack("{s:s, s:s, s:s, s:I}", "name", name.sysname, "arch", name.machine, "version",
                     name.release, "available_processors",
                     (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
}

json_t *report_node_jvm(struct state *s)
{
    json_int_t start = (json_int_t)s->start.sec * 1000 + s->start.nsec / 1000000;

    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:{s:i, s:I, s:i, s:i}, s:[]}", "pid",
                     (int)getpid(), "version", PACKAGE_VERSION, "vm_version", PACKAGE_VERSION,
                     "vm_vendor", "lsc", "vm_name", "none: lsc is native code",
                     "start_time_in_millis", start, "mem", "heap_init_in_bytes", 0,
                     "heap_max_in_bytes", (json_int_t)proc_memory_limit(), "non_heap_init_in_bytes",
                     0, "non_heap_max_in_bytes", 0, "gc_collectors");
}

/* "logstash-filter-mutate", as Logstash calls the package of a plugin. */
json_t *report_plugins(struct state *s)
{
    json_t *all = json_array();

    (void)s;
    for (uint32_t i = 0; plugin_at(i); i++) {
        const struct plugin *p = plugin_at(i);
        char                 name[100];
        snprintf(name, sizeof(name), "logstash-%s-%s", plugin_kind_name(p->kind), p->name);
        json_array_append_new(all,
                              json_pack("{s:s, s:s}", "name", name, "version", PACKAGE_VERSION));
    }
    return all;
}
