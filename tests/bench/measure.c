/*
 * measure: runs a command and prints what it cost, as one line on stdout:
 *
 *     CPU-SECONDS WALL-SECONDS PEAK-RSS-KIB EXIT-STATUS
 *
 * usage: measure [--until GLOB] COMMAND ARGUMENT…
 *
 * --until: for daemons that do not exit at the end of their input: once the files that match GLOB
 * have not grown for two seconds, they get a SIGTERM; the quiet time does not count as wall time.
 * A small program of its own, because the peak RSS of a process counts that of its parent before
 * the exec.
 */
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUIET_S = 2, POLL_MS = 10 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long long size_of(const char *pattern)
{
    glob_t      g;
    struct stat st;
    long long   sum = 0;

    if (glob(pattern, 0, NULL, &g) != 0) return 0;
    for (size_t i = 0; i < g.gl_pathc; i++)
        if (stat(g.gl_pathv[i], &st) == 0) sum += st.st_size;
    globfree(&g);
    return sum;
}

/* Waits until the output is complete or the command has ended; the time at which it last grew. */
static double wait_until_quiet(pid_t pid, const char *pattern)
{
    long long last = 0;
    double    grew = now();
    siginfo_t ended = {0};

    for (;;) {
        usleep(POLL_MS * 1000);
        if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ended.si_pid == pid)
            return now();
        long long size = size_of(pattern);
        if (size != last) grew = now();
        last = size;
        if (size > 0 && now() - grew > QUIET_S) break;
    }
    kill(pid, SIGTERM);
    return grew;
}

int main(int argc, char **argv)
{
    const char   *until = NULL;
    struct rusage usage;
    int           status;

    (void)argc;
    argv++;
    if (argv[0] && strcmp(argv[0], "--until") == 0) until = argv[1], argv += 2;
    double start = now(), end = 0;
    pid_t  pid = fork();
    if (pid == 0) {
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    if (until) end = wait_until_quiet(pid, until);
    wait4(pid, &status, 0, &usage);
    if (!until) end = now();
    printf("%.6f %.6f %ld %d\n",
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           end - start, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
