/*
 * What /_node/stats tells of the process and the machine. The parts that only a JVM has are there
 * because their readers count on them: docs/monitoring.md says what stands in them.
 *
 * Source: Logstash's api/commands/stats.rb, monitoring of processes and cgroups.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/proc.h"
#include "api/reply.h"

static json_t *pool(int64_t used)
{
    return json_pack("{s:I, s:i, s:I, s:i, s:I}", "used_in_bytes", (json_int_t)used, "max_in_bytes",
                     0, "peak_used_in_bytes", (json_int_t)used, "peak_max_in_bytes", 0,
                     "committed_in_bytes", (json_int_t)used);
}

static json_t *collector(void)
{
    return json_pack("{s:i, s:i}", "collection_count", 0, "collection_time_in_millis", 0);
}

/* The memory in use counts as heap. */
static json_t *memory(void)
{
    int64_t used = proc_number("/proc/self/status", "VmRSS", 0) * 1024;
    int64_t most = proc_memory_limit();

    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i, s:{s:o, s:o, s:o}}", "heap_used_percent",
                     (json_int_t)(most ? used * 100 / most : 0), "heap_committed_in_bytes",
                     (json_int_t)used, "heap_max_in_bytes", (json_int_t)most, "heap_used_in_bytes",
                     (json_int_t)used, "non_heap_used_in_bytes", 0, "non_heap_committed_in_bytes",
                     0, "pools", "young", pool(0), "old", pool(used), "survivor", pool(0));
}

static int peak(int *peak, int now)
{
    if (now > *peak) *peak = now;
    return *peak;
}

json_t *report_jvm(struct state *s)
{
    int threads = proc_count("/proc/self/task");

    return json_pack("{s:{s:i, s:i}, s:o, s:{s:{s:o, s:o}}, s:o}", "threads", "count", threads,
                     "peak_count", peak(&s->peak_threads, threads), "mem", memory(), "gc",
                     "collectors", "young", collector(), "old", collector(), "uptime_in_millis",
                     reply_ms((uint64_t)(clock_monotonic_ns() - s->start_ns)));
}

static int64_t cpu_ns(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

json_t *report_process(struct state *s)
{
    struct rlimit files = {0};
    double        load[3] = {0};
    int           open = proc_count("/proc/self/fd");
    int64_t       uptime = clock_monotonic_ns() - s->start_ns, cpu = cpu_ns();
    int64_t       cpus = sysconf(_SC_NPROCESSORS_ONLN);

    getrlimit(RLIMIT_NOFILE, &files);
    if (getloadavg(load, 3) < 0) load[0] = load[1] = load[2] = 0;
    int64_t percent = uptime > 0 && cpus > 0 ? cpu * 100 / (uptime * cpus) : 0;
    return json_pack("{s:i, s:i, s:I, s:{s:I}, s:{s:I, s:I, s:{s:f, s:f, s:f}}}",
                     "open_file_descriptors", open, "peak_open_file_descriptors",
                     peak(&s->peak_files, open), "max_file_descriptors", (json_int_t)files.rlim_cur,
                     "mem", "total_virtual_in_bytes",
                     (json_int_t)proc_number("/proc/self/status", "VmSize", 0) * 1024, "cpu",
                     "total_in_millis", (json_int_t)(cpu / 1000000), "percent", (json_int_t)percent,
                     "load_average", "1m", load[0], "5m", load[1], "15m", load[2]);
}

/* ---- the cgroup, version 2 ---- */

static const char CPU_STAT[] = "/sys/fs/cgroup/cpu.stat";

/* "max 100000" or "50000 100000": quota and period in microseconds; no quota is -1. */
static void read_quota(int64_t *quota, int64_t *period)
{
    struct buf text = {0};
    char      *end;

    *quota = -1;
    *period = 100000;
    if (proc_read("/sys/fs/cgroup/cpu.max", &text) && text.data[0]) {
        int64_t given = strtoll(text.data, &end, 10);
        if (end != text.data) *quota = given;
        const char *second = strchr(text.data, ' ');
        if (second) *period = strtoll(second, NULL, 10);
    }
    buf_release(&text);
}

/* The path behind "0::" of /proc/self/cgroup. */
static json_t *control_group(void)
{
    struct buf  text = {0};
    const char *path = "/", *at;
    size_t      len = 1;

    if (proc_read("/proc/self/cgroup", &text) && (at = strstr(text.data, "0::"))) {
        path = at + 3;
        len = strcspn(path, "\n");
    }
    json_t *out = reply_str((struct str){path, len});
    buf_release(&text);
    return out;
}

json_t *report_os(struct state *s)
{
    int64_t usage = proc_number(CPU_STAT, "usage_usec", -1), quota, period;

    (void)s;
    if (usage < 0) return json_object();
    read_quota(&quota, &period);
    return json_pack(
        "{s:{s:{s:o, s:I}, s:{s:o, s:I, s:I, s:{s:I, s:I, s:I}}}}", "cgroup", "cpuacct",
        "control_group", control_group(), "usage_nanos", (json_int_t)usage * 1000, "cpu",
        "control_group", control_group(), "cfs_period_micros", (json_int_t)period,
        "cfs_quota_micros", (json_int_t)quota, "stat", "number_of_elapsed_periods",
        (json_int_t)proc_number(CPU_STAT, "nr_periods", 0), "number_of_times_throttled",
        (json_int_t)proc_number(CPU_STAT, "nr_throttled", 0), "time_throttled_nanos",
        (json_int_t)proc_number(CPU_STAT, "throttled_usec", 0) * 1000);
}

json_t *report_geoip(struct state *s)
{
    (void)s;
    return json_object();
}
