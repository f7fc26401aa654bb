"""The table that `make bench` prints: each job with its programs, and whether its target is met."""
import statistics

# CPU µs per event, of one worker.
TARGETS = {"j1": 1.3, "j2g": 1.2, "j3": 1.5, "j4": 1.2, "j5": 0.35, "j6": 75, "ws": 2.0}
# Measured as those of `run`: floors that need a library which is not Debian's, peers that need more packages.
RECORDED_MORE = {"j1": {"floor: yyjson": 0.85}, "j6": {"floor: yyjson": 50}, "j2g": {"syslog-ng 3.38": 10.9}}
WIDTHS = "{:<5}{:<22}{:>12}{:>9}{:>12}{:>9}  {}"


def first_lines(jobs):
    lines = [f"{job.upper()}: {what}" for job, (_, _, what) in jobs.items()]
    return "\n".join([*lines, "", WIDTHS.format("job", "program", "CPU us/ev.", "x lsc", "events/s", "RSS MB", "outcome")])


class Table:
    def __init__(self, jobs, recorded):
        self.recorded = {job: {**RECORDED_MORE.get(job, {}), **recorded.get(job, {})} for job in jobs}
        self.outcomes = {}
        print(first_lines(jobs), flush=True)

    def outcome(self, job, name, cpu, verified):
        """Of lsc's row: whether the target is met, too."""
        if name.startswith("floor"):
            return ""
        good = "verified" if verified == "yes" else verified
        if name != "lsc" or job not in TARGETS:
            return good
        self.outcomes[job] = cpu <= TARGETS[job] and verified == "yes"
        return f"{good}; target {TARGETS[job]:g} {'met' if self.outcomes[job] else 'NOT MET'}"

    def __call__(self, job, events, rows):
        base = statistics.median(r[0] for r in rows["lsc"][0]) / events * 1e6
        first = job.upper()
        for name, (results, verified) in rows.items():
            cpu = statistics.median(r[0] for r in results) / events * 1e6
            wall = statistics.median(r[1] for r in results)
            rss = max(r[2] for r in results)
            print(WIDTHS.format(first, name, f"{cpu:.2f}", f"{cpu / base:.1f}", f"{events / wall:,.0f}", f"{rss:.1f}",
                                self.outcome(job, name, cpu, verified)).rstrip())
            first = ""
        for name, cpu in self.recorded.get(job, {}).items():
            print(WIDTHS.format("", name, f"{cpu:.2f}", f"{cpu / base:.1f}", "", "", "recorded"), flush=True)

    def end(self):
        print("\nx lsc: CPU time as a multiple of lsc's. recorded: measured in November 2026 on the same kind of\n"
              "machine, doing the same job on the same input (docs/performance.md), not in this run.")
        met = sum(self.outcomes.values())
        if self.outcomes:
            print(f"{met} of {len(self.outcomes)} targets met.")
