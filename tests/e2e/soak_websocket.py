#!/usr/bin/python3
"""Breaks WebSocket connections under load for as long as wanted and looks at what comes out of lsc.

usage: soak_websocket.py [--seconds 60] [--rounds N] [--seed N] [--tls] [--valgrind] [KIND ...]

KIND (all three, one after the other, --seconds each):
    source   lsc reads from a server that refuses, resets, sends halves, closes, and is killed
    clients  lsc is the server of clients that do the same, and is stopped and started itself
    sink     lsc writes to a server that does the same

The seed is printed and makes the same connections again. Asserted are the promises of
docs/websocket.md, and that after a first round lsc has as many descriptors and threads, and as much
memory, as at the end. With --valgrind lsc runs under memcheck and must end without an error, a leak or
an open descriptor. The peers are in soak_peers.py. LSC names the program.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

from lsc import PATIENCE, Starter, free_port, sanitized, wait_until
from soak_peers import REQUEST, TEXT, frame, padding, PADDING

HERE = pathlib.Path(__file__).resolve().parent
SLACK_KB = 4096  # of memory: buffers that had not been needed before
WARM_ROUNDS = 2
EVENT_SIZE = 250  # at least, of those that lsc writes
KERNEL_BUFFERS = 16 << 20  # what the two kernels may hold of a connection
VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--track-fds=yes", "--fair-sched=yes"]  # fmt: skip


class Peer:
    """A process of soak_peers.py; its lines come one by one."""

    def __init__(self, kind, **options):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "soak_peers.py", kind, json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.pending = b""

    def lines(self):
        """[kind, connection, ...] until it dies."""
        out = self.process.stdout.fileno()
        while True:
            assert select.select([out], [], [], 60 * PATIENCE)[0], "the peer has gone quiet"
            data = os.read(out, 65536)
            if not data:
                break
            *lines, self.pending = (self.pending + data).split(b"\n")
            for line in lines:
                kind, c, *more = line.decode().split(" ", 2)
                yield kind, int(c), more[0] if more else ""
        code = self.process.wait()
        assert code in (0, -9), f"the peer ended with {code}"

    def command(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Resources:
    """What lsc holds, looked at whenever it should hold the same."""

    def __init__(self):
        self.seen = []

    def look(self, p):
        threads = len(os.listdir(f"/proc/{p.pid}/task"))
        self.seen.append((p.open_files(), threads, p.rss_kb()))

    def forget(self):
        self.seen = []

    def check(self, memory):
        if len(self.seen) <= WARM_ROUNDS:
            return "too few rounds to compare"
        first, last = self.seen[WARM_ROUNDS - 1], self.seen[-1]
        text = f"descriptors {first[0]}-{last[0]}, threads {first[1]}-{last[1]}, RSS {first[2]}-{last[2]} KiB"
        assert first[:2] == last[:2], f"lsc does not hold what it held: {text}"
        assert not memory or last[2] <= first[2] + SLACK_KB, f"memory grows: {text}"
        return text


class Soak:
    """One kind. `more(n)` says after n rounds whether there is to be another."""

    def __init__(self, lsc, seed, more, folder, tls=None, valgrind=False, round_size=25):
        self.lsc, self.seed, self.more, self.tls, self.valgrind = lsc, seed, more, tls, valgrind
        self.folder, self.port, self.round_size = pathlib.Path(folder), free_port(), round_size
        self.resources, self.rounds, self.connections, self.messages = Resources(), 0, 0, 0
        self.planned, self.complete, self.acked = {}, set(), {}
        self.taken = collections.Counter()  # messages of each connection that came out
        if valgrind:
            lsc.wrapper = [*VALGRIND, "--log-file=valgrind.log"]

    def start(self, config):
        p = self.lsc.start(config, "-b", 20, folder=self.folder)
        # Under valgrind it takes its time.
        p.wait_log("pipeline started", timeout=60)
        return p

    def peer(self, kind, **options):
        tls = str(self.tls) if self.tls else None
        return Peer(kind, port=self.port, tls=tls, seed=self.seed, round=self.round_size, **options)

    def stop(self, p):
        assert p.stop(timeout=120) == 0, f"lsc failed:\n{p.stderr[-3000:]}"
        if self.valgrind:
            log = (p.dir / "valgrind.log").read_text()
            assert "ERROR SUMMARY: 0 errors" in log, log[-6000:]
            left = re.findall(r" Open .*", log)  # the lock ends with the process
            assert not [x for x in left if not x.endswith(("data/.lock", "valgrind.log"))], left

    def note(self, kind, c, text):
        """A line that a peer has said."""
        assert kind != "bad", f"connection {c}: {text}"
        if kind == "plan":
            self.connections += c not in self.planned
            self.planned[c] = int(text)
        elif kind == "all":
            self.complete.add(c)
        elif kind == "acked":
            self.acked[c] = int(text)

    # ---- what came out of lsc as an input ----

    def output(self, p):
        """Looks at the messages that came out and forgets them. lsc must be quiet."""
        path = p.dir / "out"
        for line in path.read_bytes().splitlines():
            e = json.loads(line)
            c, n = e["c"], e["n"]
            assert n == self.taken[c], f"connection {c}: message {n} where {self.taken[c]} is next"
            assert n < self.planned[c], f"connection {c}: message {n} of {self.planned[c]}"
            assert e["p"] == PADDING[: padding(c, n)], f"connection {c}: message {n} is damaged"
            self.taken[c] += 1
            self.messages += 1
        os.truncate(path, 0)
        for c in self.complete:
            assert self.taken[c] == self.planned[c], (
                f"connection {c}: {self.taken[c]} of {self.planned[c]} messages, though it ended well"
            )
        for c, acked in self.acked.items():
            assert self.taken[c] >= acked, f"connection {c}: {acked} were acked, {self.taken[c]} came out"

    @staticmethod
    def wait_message(p, c):
        """The last of all: a message of connection c."""
        path, marker = p.dir / "out", b'"c":%d,' % c

        def there():
            return path.exists() and marker in path.read_bytes()[-1000:]

        wait_until(there, f"the message of connection {c}", 60)

    def report(self):
        return f"{self.rounds} rounds, {self.connections} connections, {self.messages} messages"


def tls_options(folder):
    return f'ssl_certificate_authorities => "{folder}/ca.pem"'


class Source(Soak):
    """lsc connects again and again to a server that fails in all ways."""

    def config(self):
        scheme, more = ("wss", tls_options(self.tls)) if self.tls else ("ws", "")
        return f"""
            input {{ websocket {{ url => "{scheme}://127.0.0.1:{self.port}/" {more}
                                  retry_initial => 0.005 retry_max => 0.02 }} }}
            filter {{ sleep {{ time => "0.003" every => 50 }} }} # so that reading is held back now and then
            output {{ file {{ path => "out" codec => json_lines }} }}
        """

    def quiet(self, p, c):
        """Connection c stands; its only message comes behind all others."""
        self.wait_message(p, c)
        self.output(p)
        self.resources.look(p)

    def run(self):
        p = self.start(self.config())
        first = 0
        while first is not None:
            peer = self.peer("source", first=first)
            with contextlib.closing(peer):
                first = self.listen_to(p, peer, first)
        self.stop(p)
        self.output(p)
        return f"{self.report()}; {self.resources.check(not sanitized() and not self.valgrind)}"

    def listen_to(self, p, peer, first):
        """The number of the next connection when the peer has been killed; None: it is over."""
        for kind, c, text in peer.lines():
            self.note(kind, c, text)
            first = c + 1
            if kind == "idle":
                self.quiet(p, c)
                self.rounds += 1
                if not self.more(self.rounds):
                    return None
                peer.command("go")
        return first


class Clients(Soak):
    """Clients that fail in all ways, a few at a time. In every third round lsc is stopped amid them."""

    def config(self):
        more = f'ssl_certificate => "{self.tls}/cert.pem" ssl_key => "{self.tls}/key.pem"' if self.tls else ""
        return f"""
            input {{ websocket {{ mode => server host => "127.0.0.1" port => {self.port} ack_message => "k" {more} }} }}
            filter {{ sleep {{ time => "0.003" every => 50 }} }}
            output {{ file {{ path => "out" codec => json_lines }} }}
        """

    def start(self, config):
        p = super().start(config)
        p.wait_log("listening", timeout=60)
        return p

    def quiet(self, p, c):
        """All clients are gone; what one more sends comes behind everything else."""
        wait_until(lambda: p.open_sockets() == self.listening, "the end of all connections", 60)
        self.planned[c] = 1
        with self.connect() as s:
            s.sendall(REQUEST + frame(TEXT, b'{"c":%d,"n":0,"p":"%s"}' % (c, PADDING[: padding(c, 0)].encode()), mask=b"soak"))
            self.wait_message(p, c)
        wait_until(lambda: p.open_sockets() == self.listening, "the end of the last connection", 60)
        self.output(p)
        self.resources.look(p)

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=60 * PATIENCE)
        if not self.tls:
            return s
        import ssl

        return ssl.create_default_context(cafile=f"{self.tls}/ca.pem").wrap_socket(s, server_hostname="localhost")

    def run(self):
        p, c, more = self.start(self.config()), 0, True
        self.listening = p.open_sockets()
        while more:
            stopped = self.rounds % 3 == 0 and self.rounds < 9
            with contextlib.closing(self.peer("clients", first=c, at_a_time=6, sure=not stopped)) as peer:
                when = random.Random(f"{self.seed}/{self.rounds}").randrange(c, c + self.round_size)
                for kind, n, text in peer.lines():
                    self.note(kind, n, text)
                    if stopped and kind == "acked" and n >= when:
                        stopped = False
                        self.stop(p)
                        p = self.start(self.config())
                        self.resources.forget()
            self.quiet(p, c + self.round_size)
            c += self.round_size + 1
            self.rounds += 1
            more = self.more(self.rounds)
        self.stop(p)
        self.output(p)
        return f"{self.report()}; {self.resources.check(not sanitized() and not self.valgrind)}"


class Sink(Soak):
    """lsc writes numbered events to a server that fails in all ways."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.next, self.torn, self.lost = 0, 0, 0

    def config(self):
        scheme, more = ("wss", tls_options(self.tls)) if self.tls else ("ws", "")
        return f"""
            input {{ generator {{ message => "{PADDING[:250]}" ecs_compatibility => disabled }} }}
            output {{
                file {{ path => "sent" codec => line {{ format => "%{{sequence}}" }} }}
                websocket {{ url => "{scheme}://127.0.0.1:{self.port}/" {more} retry_initial => 0.005 retry_max => 0.02 }}
            }}
        """

    def note(self, kind, c, text):
        super().note(kind, c, text)
        self.torn += kind == "torn"
        if kind == "got":
            first, last = map(int, text.split())
            assert first >= self.next, f"connection {c}: event {first} again, {self.next} is next"
            lost = first - self.next
            assert lost * EVENT_SIZE <= self.torn * KERNEL_BUFFERS, (
                f"connection {c}: event {first} where {self.next} is next, after {self.torn} broken connections"
            )
            self.lost += lost
            self.messages += last + 1 - first
            self.next, self.torn = last + 1, 0

    def run(self):
        p, first = self.start(self.config()), 0
        while first is not None:
            with contextlib.closing(self.peer("sink", first=first)) as peer:
                first = self.listen_to(p, peer, first)
        written = (p.dir / "sent").read_bytes().split()
        assert self.next == len(written), f"{len(written)} events were written, the last that came is {self.next - 1}"
        return (f"{self.report()}, {self.lost} lost with connections that broke; "
                f"{self.resources.check(not sanitized() and not self.valgrind)}")  # fmt: skip

    def listen_to(self, p, peer, first):
        over = False
        for kind, c, text in peer.lines():
            self.note(kind, c, text)
            first = c + 1
            if kind == "idle":
                self.resources.look(p)
                self.rounds += 1
                over = not self.more(self.rounds)
                peer.command("end" if over else "go")
                if over:
                    self.stop(p)
        return None if over else first


KINDS = {"source": Source, "clients": Clients, "sink": Sink}


def certificates(folder):
    """A private CA and a certificate of it for 127.0.0.1 and localhost."""

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=private CA", "-days", "2")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "csr", "-subj", "/CN=server")
    openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", "ext", "-days", "2", "-out", "cert.pem")  # fmt: skip
    return folder


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", default=str(random.randrange(1 << 32)))
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=list(KINDS))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lsc-soak-") as work:
        work = pathlib.Path(work)
        tls = certificates(work) if args.tls else None
        for kind in args.kinds:
            deadline = time.monotonic() + args.seconds
            more = (lambda n: n < args.rounds) if args.rounds else (lambda n, end=deadline: time.monotonic() < end)
            with contextlib.closing(Starter(work)) as lsc:
                soak = KINDS[kind](lsc, args.seed, more, work / kind, tls, args.valgrind)
                print(f"{kind}: {soak.run()}", flush=True)


if __name__ == "__main__":
    main()
