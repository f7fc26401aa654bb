"""A pattern that takes for ever costs its own event no more than timeout_millis, and the others nothing."""

import os

PATTERN = "^(?:(a+)+x|%{INT:number}) end$"
ENDLESS = "a" * 60 + " end"  # each a doubles the work
OUTPUT = 'output { stdout { codec => line { format => "%{number} %{tags}" } } }'


def cpu_seconds(lsc, lines):
    """Of a run with a limit of 400 ms, from start to end; and what it wrote."""
    p = lsc.start(
        f"input {{ stdin {{ codec => line }} }} filter {{ grok {{ timeout_millis => 400 match => {{ message => '{PATTERN}' }} }} }} {OUTPUT}",
    )
    p.write("".join(lines))
    p.close_stdin()
    _, status, usage = os.wait4(p.pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime, p.stdout.splitlines()


def test_the_limit_is_kept_to_a_tenth(lsc):
    quick, _ = cpu_seconds(lsc, ["1 end\n", "2 end\n"])
    slow, out = cpu_seconds(lsc, ["1 end\n", f"{ENDLESS}\n", "2 end\n"])
    assert out == ["1 %{tags}", "%{number} _groktimeout", "2 %{tags}"]
    assert slow - quick < 0.4 * 1.1 + 0.1  # and what two starts differ in


def test_another_worker_goes_on(lsc):
    p = lsc.start(
        f"input {{ stdin {{ codec => line }} }} filter {{ grok {{ timeout_millis => 600000 match => {{ message => '{PATTERN}' }} }} }} {OUTPUT}",
        "-b", "1",  # what stands with it in a batch has to wait
        workers=2,
    )
    p.write(f"{ENDLESS}\n")
    for i in range(10):
        p.write(f"{i} end\n")
        p.wait_output(f"^{i} ")
    p.popen.kill()
    p.wait()
