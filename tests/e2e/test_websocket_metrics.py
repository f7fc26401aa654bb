"""What the monitoring API tells of WebSocket connections."""

import asyncio
import contextlib
import datetime
import socket
import struct
import threading

import pytest
import websockets

from lsc import free_port, wait_until
from test_api import Api
from test_websocket_frames import BINARY, CLOSE, PING, PONG, TEXT, Peer, frame
from test_websocket_output import Client, stalled

LINES = "codec => plain { format => '%{message}' }"
NEVER = {"dns": 0, "tcp": 0, "proxy": 0, "tls": 0, "timeout": 0, "broken": 0, "protocol": 0,
         "authentication": 0, "limit": 0, "http_status": {}}  # fmt: skip
STANDING = {"peer_closed": {}, "closed": {}, "broken": 0, "ping_timeout": 0, "idle": 0, "protocol": 0,
            "invalid_data": 0, "too_big": 0}  # fmt: skip


@pytest.fixture
def start(lsc):
    """Starts lsc with an API; returns (process, a function that gives the metrics of the plugin)."""
    lsc.api = True

    def run(kind, config):
        p = lsc.start(config, "--api.http.port", free_port())
        api = Api(p)

        def metrics():
            plugins = api.get("/_node/stats/pipelines")["pipelines"]["main"]["plugins"]
            return next(one for one in plugins[kind] if one["name"] == "websocket")

        return p, metrics

    return run


def ended(m):
    return sum(sum(n.values()) if isinstance(n, dict) else n for n in m["disconnects"].values())


class Scripts:
    """A TCP server that plays one script to each client, one after the other: bytes are the whole
    answer, a list of frames comes behind a good handshake, and an empty one at its end hangs up. The
    last script is for all who come later; it answers whatever it hears with a pong."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            client, _ = self.socket.accept()
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            threading.Thread(target=self._play, args=(client, script), daemon=True).start()

    def _play(self, client, script):
        with contextlib.suppress(OSError), client:
            request = b""
            while b"\r\n\r\n" not in request and not request.startswith(b"\x16"):  # of TLS
                request += client.recv(4096)
            if isinstance(script, bytes):
                client.sendall(script)
                return
            client.sendall(Peer._answer(request) + b"".join(script))
            if script and script[-1] == b"":
                return
            while client.recv(65536):
                if script is self.scripts[-1]:
                    client.sendall(frame(PONG))


def test_every_way_a_connection_ends(start):
    server = Scripts(
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nsecret",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"",
        b"220 mail.example ESMTP\r\n\r\n",
        [frame(TEXT, "a"), frame(CLOSE, struct.pack(">H", 1000))],
        [frame(CLOSE)],
        [frame(TEXT, "x", mask=b"abcd")],
        [frame(TEXT, b"\xff")],
        [frame(TEXT, "x" * 2000)],
        [frame(TEXT, "a"), b""],
        [],  # answers no ping
        [frame(CLOSE, struct.pack(">H", 4000) + b"go away")],
        [frame(TEXT, "b"), frame(BINARY, "c"), frame(PING, "?"), frame(PING)],
    )
    p, metrics = start(
        "inputs",
        f"""input {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" codec => plain
                retry_initial => 0.02 retry_max => 0.02 max_message_size => 1000
                ping_interval => 0.2 ping_timeout => 1 close_timeout => 0.2 }} }}
            output {{ file {{ path => "out" codec => json_lines }} }}""",
    )
    p.wait_events("out", 4)
    wait_until(lambda: metrics()["pongs"]["out"] == 2 and metrics()["pongs"]["in"] > 5, "the pongs")
    m = metrics()
    assert m["failed_connects"] == {**NEVER, "broken": 1, "protocol": 1, "http_status": {"401": 1, "503": 1}}
    assert m["disconnects"] == {**STANDING, "peer_closed": {"1000": 1, "1005": 1, "4000": 1}, "broken": 1,
                                "ping_timeout": 1, "protocol": 1, "invalid_data": 1, "too_big": 1}  # fmt: skip
    assert (m["connects"], m["current_connections"], m["peak_connections"]) == (9, 1, 1)
    assert m["messages"] == {"in": 4, "out": 0} and m["pings"]["in"] == 2
    assert m["pings"]["out"] > 1
    assert m["last_error"]["message"] == "close 4000: go away"
    at = [datetime.datetime.fromisoformat(t[:26]) for t in (m["last_error"]["timestamp"], m["connected_since"])]
    assert at[0] < at[1] <= datetime.datetime.utcnow()
    assert p.stop() == 0


@pytest.mark.parametrize(
    "url, why, message",
    [
        ("ws://nothing.invalid/", "dns", "DNS: "),
        ("ws://127.0.0.1:{free}/", "tcp", "TCP: Connection refused"),
        ("wss://127.0.0.1:{nonsense}/", "tls", "TLS: "),
        ("ws://user:sesame@127.0.0.1:{silent}/", "timeout", "time-out: no answer"),
    ],
)
def test_why_there_is_no_connection(start, url, why, message):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = url.format(free=free_port(), nonsense=Scripts(b"no").port, silent=silent.getsockname()[1])
        limit = 0.2 if why == "timeout" else 20
        _, metrics = start(
            "inputs",
            f"""input {{ websocket {{ url => "{url}" retry_initial => 60 connect_timeout => {limit} }} }}
                output {{ null {{ }} }}""",
        )
        wait_until(lambda: metrics()["failed_connects"][why] == 1, why)
    m = metrics()
    assert m["failed_connects"] == {**NEVER, why: 1} and m["last_error"]["message"].startswith(message)
    assert (m["connects"], m["current_connections"], m["connected_since"]) == (0, 0, None)
    assert m["disconnects"] == STANDING and "sesame" not in str(m)


def test_clients_of_the_input_fit_together_at_any_moment(start):
    port = free_port()
    p, metrics = start(
        "inputs",
        f"""input {{ websocket {{ mode => server host => "127.0.0.1" port => {port} path => "/logs"
                ack_message => "ok" codec => plain }} }}
            output {{ null {{ }} }}""",
    )
    p.wait_log("listening")
    seen, done = [], threading.Event()

    def watch():
        while not done.is_set():
            seen.append(metrics())

    async def visit(path="/logs", code=1000):
        async with websockets.connect(f"ws://127.0.0.1:{port}{path}") as s:
            await s.send("hello")
            assert await s.recv() == "ok"
            await (await s.ping())
            await s.close(code)

    async def visits():
        for _ in range(10):
            await asyncio.gather(*(visit() for _ in range(10)))
        for _ in range(3):
            with pytest.raises(websockets.InvalidStatusCode):
                await visit("/elsewhere")
        await visit(code=3001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        asyncio.run(visits())
        wait_until(lambda: metrics()["current_connections"] == 0, "the last good-bye")
    finally:
        done.set()
        watcher.join()
    for m in [*seen, metrics()]:
        assert m["connects"] - ended(m) == m["current_connections"] <= m["peak_connections"] <= m["connects"]
        assert (m["connected_since"] is None) == (m["current_connections"] == 0)
    assert m["connects"] == 101 and m["disconnects"]["peer_closed"] == {"1000": 100, "3001": 1}
    assert m["failed_connects"] == {**NEVER, "http_status": {"404": 3}}
    assert m["messages"] == {"in": 101, "out": 101}
    assert m["pings"]["in"] == m["pongs"]["out"] == 101
    assert m["bytes"]["in"] > 101 * 200 and m["bytes"]["out"] > 101 * 100
    assert m["last_error"]["message"] == "close 3001"
    assert p.stop() == 0


def test_messages_that_slow_and_absent_clients_miss(start):
    port = free_port()
    p, metrics = start(
        "outputs",
        f"""input {{ stdin {{ }} }} output {{ websocket {{ host => "127.0.0.1" port => {port} {LINES}
                queue_size => 20 slow_client => drop_client close_timeout => 0.2 }} }}""",
    )
    p.wait_log("listening")
    p.write("a\nb\nc\n")
    wait_until(lambda: metrics()["dropped"] == {"slow_client": 0, "no_client": 3}, "three that nobody heard")
    p.port = port
    slow, fast = stalled(p), Client(f"ws://127.0.0.1:{port}/")
    pad = "x" * 20000
    for at in range(0, 1000, 10):
        p.write("".join(f"{n} {pad}\n" for n in range(at, at + 10)))
        fast.wait(at + 10)
    wait_until(lambda: metrics()["disconnects"]["closed"] == {"1008": 1}, "the slow one's end")
    wait_until(lambda: metrics()["messages"]["out"] >= 1000, "all for the fast one")
    m = metrics()
    assert m["dropped"]["no_client"] == 3 and m["dropped"]["slow_client"] >= 20
    assert (m["connects"], m["current_connections"], m["peak_connections"]) == (2, 1, 2)
    assert m["bytes"]["out"] > 1000 * 20000
    assert m["last_error"] == {"message": None, "timestamp": None}
    slow.close()


def test_output_to_a_server(start):
    got = []

    async def serve(socket_, path=None):
        async for message in socket_:
            got.append(message)

    async def run():
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            p, metrics = start(
                "outputs",
                f"""input {{ stdin {{ }} }}
                    output {{ websocket {{ url => "ws://127.0.0.1:{port}/" {LINES} }}
                             websocket {{ url => "ws://127.0.0.1:{port}/" enable_metric => false }} }}""",
            )
            p.write("one\ntwo\n")
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, wait_until, lambda: metrics()["messages"]["out"] == 2, "two messages")
            m = await loop.run_in_executor(None, metrics)
            assert (m["connects"], m["current_connections"]) == (1, 1) and m["connected_since"]
            stats = await loop.run_in_executor(None, Api(p).get, "/_node/stats/pipelines/main")
            plain = stats["pipelines"]["main"]["plugins"]["outputs"][1]
            assert "events" in plain and "connects" not in plain  # enable_metric => false
            p.popen.stdin.close()
            assert await loop.run_in_executor(None, p.wait) == 0

    asyncio.run(run())
    assert {"one", "two"} <= set(got)
