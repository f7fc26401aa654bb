"""Starts lsc for a test and looks at what it does.

    def test_it(lsc):
        p = lsc.start('input { stdin { } } output { file { path => "out" codec => json_lines } }')
        p.write("hello\\n")                     # its stdin
        p.wait_log("pipeline started")         # a regex in stderr; AssertionError after 20 s
        p.wait_events("out", 1)                # a file of JSON lines, relative to p.dir
        assert p.stop() == 0                   # SIGTERM and wait: the exit status
        assert p.events("out")[0]["message"] == "hello"

Each process gets a folder of its own (p.dir), which is its working directory and --path.data.
stdout and stderr go to files (p.stdout, p.stderr are their text so far), so that nothing blocks.
No test sleeps: everything waits for something that can be seen, with a deadline. The environment
variable LSC names the program, LSC_TEST_PATIENCE multiplies deadlines (sanitizers, valgrind).
"""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("LSC_TEST_PATIENCE", "1"))


def program(name="lsc"):
    """The path of a program of the build: lsc or tools/lsc-feed."""
    given = os.environ.get("LSC")
    folders = [pathlib.Path(given).parent] if given else [ROOT / "build/src", ROOT / "src"]
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return str((folder / name).resolve())
    raise AssertionError(f"{name} is not built; LSC can name the program")

# The environment of a process that is forced to quit: it joins no thread, which is no leak.
FORCED = {"TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"}


def sanitized():
    """True when lsc is built with a sanitizer, which keeps freed memory for a while."""
    return re.search(rb"__[at]san_init", pathlib.Path(program()).read_bytes()) is not None


def _ports():
    """Ports below those that the system gives to connections, others for each worker of xdist; one
    comes again only after thousands of others."""
    first = 10_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8 * 2_700
    start = random.randrange(2_700)
    while True:
        for n in range(2_700):
            yield first + (start + n) % 2_700


_next_port = _ports()


def free_port():
    """A TCP port of 127.0.0.1 that nobody uses, and that no other call in this run gives."""
    for port in _next_port:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, what, timeout=20):
    """Returns the first true value of condition(); fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout * PATIENCE} s for {what}"
        time.sleep(0.01)


class Process:
    """A running lsc."""

    def __init__(self, argv, folder, env):
        self.dir = pathlib.Path(folder)
        self._out = open(self.dir / ".stdout", "wb")
        self._err = open(self.dir / ".stderr", "wb")
        self.popen = subprocess.Popen(
            argv, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=self._out, stderr=self._err
        )
        self.pid = self.popen.pid

    @property
    def stdout(self):
        return (self.dir / ".stdout").read_text("utf-8", "replace")

    @property
    def stderr(self):
        return (self.dir / ".stderr").read_text("utf-8", "replace")

    def write(self, text):
        """Writes to lsc's stdin."""
        self.popen.stdin.write(text.encode() if isinstance(text, str) else text)
        self.popen.stdin.flush()

    def close_stdin(self):
        self.popen.stdin.close()

    def alive(self):
        return self.popen.poll() is None

    def _wait_text(self, stream, pattern, count, timeout):
        text = lambda: getattr(self, stream)

        def found():
            return len(re.findall(pattern, text(), re.M)) >= count or not self.alive()

        try:
            wait_until(found, f"{count} x {pattern!r} in {stream}", timeout)
        except AssertionError as e:
            raise AssertionError(f"{e}; stderr:\n{self.stderr[-4000:]}") from None
        assert len(re.findall(pattern, text(), re.M)) >= count, (
            f"lsc ended ({self.popen.returncode}) without {pattern!r} in {stream}; "
            f"stderr:\n{self.stderr[-4000:]}"
        )

    def wait_log(self, pattern, count=1, timeout=20):
        """Waits for the `count`-th match of a regex in the log (stderr)."""
        self._wait_text("stderr", pattern, count, timeout)

    def wait_output(self, pattern, count=1, timeout=20):
        """Waits for the `count`-th match of a regex in stdout."""
        self._wait_text("stdout", pattern, count, timeout)

    def events(self, name="out"):
        """The events in a file of JSON lines, relative to p.dir; an unfinished line not."""
        path = self.dir / name
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def count_lines(self, name="out"):
        path = self.dir / name
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def wait_events(self, name="out", count=1, timeout=20):
        """Waits until the file has at least `count` lines; returns all events in it."""
        try:
            wait_until(
                lambda: self.count_lines(name) >= count or not self.alive(),
                f"{count} events in {name}",
                timeout,
            )
        except AssertionError as e:
            raise AssertionError(
                f"{e}, there are {self.count_lines(name)}; stderr:\n{self.stderr[-4000:]}"
            ) from None
        events = self.events(name)
        assert len(events) >= count, (
            f"lsc ended ({self.popen.returncode}) with {len(events)} of {count} events; "
            f"stderr:\n{self.stderr[-4000:]}"
        )
        return events

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=20):
        """Waits for the end; returns the exit status (negative: killed by that signal)."""
        try:
            return self.popen.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"lsc does not end; stderr:\n{self.stderr[-4000:]}") from None

    def stop(self, timeout=20):
        """SIGTERM, then wait()."""
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def rss_kb(self):
        """Memory in use, as the kernel counts it."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def cpu_s(self):
        """Seconds of CPU used until now, all threads, user and system."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self):
        """Number of open file descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def open_sockets(self):
        """Number of open sockets, whatever their state."""
        number = 0
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                number += os.readlink(f"/proc/{self.pid}/fd/{fd}").startswith("socket:")
        return number

    def close(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait()
        for f in (self.popen.stdin, self._out, self._err):
            try:
                f.close()
            except OSError:
                pass


class Starter:
    """What the fixture `lsc` gives: starts processes and ends them after the test."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._processes = []
        self.wrapper = []  # a command that runs lsc, such as valgrind
        self.api = False  # only tests of the API want it: its socket and log lines confuse others

    def start(self, config=None, *args, folder=None, env=None, workers=1):
        """Runs lsc with the text of a config (None: only `args`). `folder`: its working
        directory; given again, a second process finds the files and sincedbs of the first."""
        if folder is None:
            folder = self._folder / f"lsc{len(self._processes)}"
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        argv = [*self.wrapper, program()]
        if config is not None:
            (folder / "pipeline.conf").write_text(config)
            argv += ["-f", "pipeline.conf", "-w", str(workers)]
            argv += ["--path.data", str(folder / "data"), "--log.level", "info"]
            argv += [] if self.api else ["--api.enabled", "false"]
        argv += [str(a) for a in args]
        p = Process(argv, folder, {**os.environ, **(env or {})})
        self._processes.append(p)
        return p

    def close(self):
        for p in self._processes:
            p.close()
