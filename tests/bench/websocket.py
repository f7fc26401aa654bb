"""The WebSocket jobs of `run`: as a client of a fast feed, beside node's ws and Python's websockets, and as
a server of few and many clients."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-websockets
# Lines of the feed, which then begins again; lines that the server's clients send.
DIFFERENT = {"ws": 100_000, "wsl": 2_000}
CLIENTS = [1, 100, 5000]


def lines_file(bench, job, kind, name):
    """The first lines of a job's input, each a message; and what each must become."""
    source = bench.make_input(kind, name)
    path = bench.work / f"{job}-{source.name}"
    with open(source, "rb") as f:
        lines = [line for line, _ in zip(f, range(DIFFERENT[job]))]
    path.write_bytes(b"".join(lines))
    return path, [{**json.loads(x), "env": "bench", "via": "websocket"} for x in lines]


def verified(path, wanted, events):
    """yes when the lines of `path` are those events, in order and again from the first on."""
    n = 0
    with open(path, "rb") as f:
        for n, line in enumerate(f, 1):
            event = json.loads(line)
            event.pop("@timestamp", None)
            event.pop("@version", None)
            if event != wanted[(n - 1) % len(wanted)]:
                return f"NO: event {n} differs"
    return "yes" if n == events else f"NO: {n} events"


def lsc_command(bench, conf, *more):
    data = bench.work / "lsc-data"
    shutil.rmtree(data, ignore_errors=True)
    return [bench.args.lsc, "-f", conf, "-w", "1", "--path.data", data, "--path.settings", bench.work,
            "--api.enabled", "false", "--log.level", "error", "--pipeline.ecs_compatibility", "disabled", *more]  # fmt: skip


def client_job(bench, job, kind, name, most):
    """(events, rows of the table): everyone reads the same feed."""
    events = int(most * bench.args.scale)
    source, wanted = lines_file(bench, job, kind, name)
    out = bench.out / f"ws-{job}.out"

    def commands(url):
        conf = bench.config("jobs/ws.conf", URL=url, OUT=out.with_suffix(""))
        yield "lsc", lsc_command(bench, conf)
        if shutil.which("node") and os.path.exists("/usr/share/nodejs/ws"):
            yield "node, package ws", ["node", HERE / "peers/ws.js", url, out]
        if subprocess.run([PYTHON, "-c", "import websockets"], capture_output=True, check=False).returncode == 0:
            yield "Python, package websockets", [PYTHON, HERE / "peers/ws.py", url, out]

    with subprocess.Popen([bench.args.feed, "--port", "0", "--count", str(events), "--file", source],
                          stdout=subprocess.PIPE, text=True) as feed:  # fmt: skip
        url = feed.stdout.readline().split()[-1]  # listening on ws://127.0.0.1:PORT/
        rows = {}
        for who, command in commands(url):
            results = []
            for _ in range(bench.args.rounds if who == "lsc" else max(1, bench.args.rounds // 2)):
                out.unlink(missing_ok=True)
                results.append(bench.run(command))
            rows[who] = (results, verified(out, wanted, events))
        feed.terminate()
    out.unlink(missing_ok=True)
    return events, rows


# ---- as a server ----


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_lines(path, count):
    """Until the file has so many; returns its lines. False when it stops growing."""
    size, grew = -1, time.monotonic()
    while time.monotonic() - grew < 20:
        now = path.stat().st_size if path.exists() else 0
        if now != size:
            size, grew = now, time.monotonic()
        elif now and subprocess.run(["wc", "-l", path], capture_output=True, check=True).stdout.split()[0] == b"%d" % count:
            return
        time.sleep(0.05)


def wait_port(port):
    while True:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)


def each_once(path, wanted, sent):
    """yes when every event came as often as it was sent, whole."""
    left = dict(sent)
    with open(path, "rb") as f:
        for line in f:
            event = json.loads(line)
            for name in ("@timestamp", "@version"):
                event.pop(name, None)
            n = event["seq"]
            if event != wanted[n]:
                return f"NO: an event with seq {n} differs"
            left[n] = left.get(n, 0) - 1
    return "yes" if not any(left.values()) else f"NO: {sum(v for v in left.values() if v > 0)} events are missing"


def sent_by(clients, events, lines):
    """How often ws_clients sends each line."""
    sent = {}
    for i in range(clients):
        first, share = i * 7919 % lines, events // clients + (i < events % clients)
        for k in range(share):
            n = (first + k) % lines
            sent[n] = sent.get(n, 0) + 1
    return sent


def clients_of(bench, port, clients, events, source):
    """The load generator, all its clients connected; "go" on its stdin makes it send."""
    feed = subprocess.Popen([bench.build("ws_clients"), str(port), str(clients), str(events), source],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert feed.stdout.readline() == b"open\n"
    return feed


def serve(bench, clients, events, source):
    """One round: CPU seconds, wall seconds, RSS in KiB idle, with all connected, at most."""
    out = bench.out / "ws-server.out"
    out.unlink(missing_ok=True)
    port = free_port()
    conf = bench.config("jobs/ws-server.conf", PORT=port, OUT=out.with_suffix(""), CLIENTS=clients)
    lsc = subprocess.Popen(lsc_command(bench, conf), stderr=subprocess.DEVNULL)
    wait_port(port)
    with clients_of(bench, port, 1, 0, source) as first:  # what the first one needs, is not its own
        first.communicate(b"go\n")
    idle = rss_kib(lsc.pid)
    with clients_of(bench, port, clients, events, source) as feed:
        connected = rss_kib(lsc.pid)
        began = time.monotonic()
        feed.communicate(b"go\n")
    wait_for_lines(out, events)
    wall = time.monotonic() - began
    most = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{lsc.pid}/status").read_text()).group(1))
    lsc.send_signal(signal.SIGTERM)
    _, _, usage = os.wait4(lsc.pid, 0)
    lsc.returncode = 0
    return usage.ru_utime + usage.ru_stime, wall, idle, connected, most


def server_job(bench):
    """Prints its own table. True when all events came."""
    events = int(1_000_000 * bench.args.scale)
    source, wanted = lines_file(bench, "ws", "json", "json.ndjson")
    good = True
    print(f"\nWSS: lsc as a WebSocket server, the messages of WS ({events:,} events)")
    print(f"  {'clients':>8}{'events/s':>12}{'CPU us/event':>14}{'KiB/connection':>16}{'peak RSS MB':>13}  verified")
    for clients in CLIENTS:
        rounds = [serve(bench, clients, events, source) for _ in range(bench.args.rounds)]
        cpu, wall, idle, connected, most = (statistics.median(r[i] for r in rounds) for i in range(5))
        right = each_once(bench.out / "ws-server.out", wanted, sent_by(clients, events, len(wanted)))
        good = good and right == "yes"
        print(f"  {clients:8,}{events / wall:12,.0f}{cpu / events * 1e6:14.2f}{(connected - idle) / clients:16.1f}"
              f"{most / 1024:13.1f}  {right}")  # fmt: skip
    return good


if __name__ == "__main__":
    sys.exit("this is a part of tests/bench/run")
