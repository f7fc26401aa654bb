"""Nothing in a filter or codec allocates per event once warm, except where a library does.

Each example of a plugin runs twice with different numbers of events, with the calls of the
allocator counted (malloc_count.c); what the longer run has more of is divided by its events. With
`pytest -s` the figure of each plugin is shown.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from lsc import ROOT, program, sanitized

EXAMPLES = ROOT / "examples/plugins"
FEW, MANY = 600, 1600  # messages; both fill every batch of the round
LIBRARIES = {
    "filter-aggregate": "Ruby's objects",
    "filter-anonymize": "OpenSSL's HMAC",
    "filter-fingerprint": "OpenSSL's digests",
    "filter-ruby": "Ruby's objects",
    "filter-xml": "libxml2's tree",
}


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    """The library that counts."""
    library = tmp_path_factory.mktemp("counter") / "malloc_count.so"
    source = pathlib.Path(__file__).with_name("malloc_count.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def calls(example, messages, counter, folder):
    """How often a run with so many messages asks for memory."""
    work = folder / str(messages)
    shutil.copytree(example, work)
    argv = [program(), "-f", "config.conf", "-w", "1", "-b", "10", "--api.enabled", "false",
            "--log.level", "error", "--path.data", str(work / "data")]
    env = {**os.environ, "LD_PRELOAD": str(counter), "MALLOC_COUNT": str(work / "count"),
           "TZ": "UTC", "LANG": "C.UTF-8", "PWD": str(work)}
    data = (work / "input").read_bytes()
    subprocess.run(argv, cwd=work, env=env, input=data * (messages // lines(data)), check=True,
                   stdout=subprocess.DEVNULL)
    return int((work / "count").read_text())


def lines(data):
    return max(1, data.count(b"\n"))


@pytest.mark.skipif(sanitized(), reason="a sanitizer has an allocator of its own")
def test_no_allocation_per_event(counter, tmp_path):
    too_many = []
    for example in sorted(EXAMPLES.iterdir()):
        if not (example / "input").exists() or (example / "args").exists():
            continue
        few, many = (calls(example, n, counter, tmp_path / example.name) for n in (FEW, MANY))
        each = (many - few) / (MANY - FEW)
        print(f"{example.name:24} {each:8.3f}  {LIBRARIES.get(example.name, '')}")
        if each > 0.05 and example.name not in LIBRARIES:
            too_many.append((example.name, each))
    assert not too_many


@pytest.mark.skipif(sanitized(), reason="a sanitizer has an allocator of its own")
def test_a_message_of_many_events_is_kept_once(tmp_path):
    """[event][original] of each is the whole array: 5,000 times 100 kB if it were copied."""
    (tmp_path / "in").write_text("[" + ",".join(['{"text":"hello"}'] * 5000) + "]\n")
    argv = [program(), "-e", "input { stdin { codec => json } } output { null { } }", "--api.enabled",
            "false", "--path.data", str(tmp_path / "data")]
    # A process begins with the memory of the one that starts it, so that must be a small one.
    measure = "import os, subprocess, sys; p = subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL); \
               _, status, usage = os.wait4(p.pid, 0); print(status, usage.ru_maxrss)"
    with open(tmp_path / "in", "rb") as stdin:
        out = subprocess.run([sys.executable, "-c", measure, *argv], stdin=stdin, capture_output=True, check=True).stdout
    status, kb = map(int, out.split())
    assert status == 0 and kb < 100 * 1024
