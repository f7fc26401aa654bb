"""output { websocket }: as a server and as a client, with peers that nobody here wrote."""

import asyncio
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading

import aiohttp
import pytest
import websockets

from lsc import FORCED, PATIENCE, ROOT, free_port, wait_until
from test_websocket import QUICK, Server, certificates, tls_server  # noqa: F401
from test_websocket_server import Raw, client_context, make_client, request

LINES = "codec => plain { format => '%{message}' }"


def start(lsc, options, **kwargs):
    """An lsc that sends the lines of its stdin as they are."""
    return lsc.start(f"input {{ stdin {{ }} }} output {{ websocket {{ {options} }} }}", **kwargs)


def serve(lsc, options="", host="127.0.0.1", **kwargs):
    port = free_port()
    p = start(lsc, f'host => "{host}" port => {port} {options}', **kwargs)
    p.port = port
    p.wait_log("listening")
    return p


def lines(first, count):
    return "".join(f"{n}\n" for n in range(first, first + count))


class Client:
    """A python3-websockets client on a thread of its own that keeps what it is sent."""

    def __init__(self, url, **options):
        self.url, self.options = url, {"max_size": None, **options}
        self.got, self.code = [], None
        self.open = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self.thread.start()
        assert self.open.wait(20 * PATIENCE), "the client does not connect"

    async def _main(self):
        async with websockets.connect(self.url, **self.options) as s:
            self.extensions = s.extensions
            self.open.set()
            try:
                while True:
                    self.got.append(await s.recv())
            except websockets.ConnectionClosed:
                self.code = s.close_code

    def wait(self, count, timeout=20):
        wait_until(lambda: len(self.got) >= count, f"{count} messages, there are {len(self.got)}", timeout)
        return self.got

    def end(self):
        self.thread.join(20 * PATIENCE)
        return self.code


# ---- mode server ----


def test_every_client_gets_every_message_in_order(lsc):
    p = serve(lsc, LINES + " queue_size => 10000")
    clients = [Client(f"ws://127.0.0.1:{p.port}/") for _ in range(5)]
    p.write(lines(0, 3000))
    for c in clients:
        assert c.wait(3000) == [str(n) for n in range(3000)]
    assert p.stop() == 0
    assert [c.end() for c in clients] == [1001] * 5


def test_the_default_codec_is_json(lsc):
    p = serve(lsc)
    c = Client(f"ws://127.0.0.1:{p.port}/")
    p.write("hello\n")
    assert json.loads(c.wait(1)[0])["message"] == "hello"


def test_aiohttp_and_node_as_clients(lsc, tmp_path):
    p = serve(lsc, LINES + " buffer_when_no_client => 10")
    script = tmp_path / "client.js"
    script.write_text(
        f"""
        const {{ WebSocket }} = require("ws");
        const s = new WebSocket("ws://127.0.0.1:{p.port}/");
        s.on("open", () => console.log("open"));
        s.on("message", (m, binary) => console.log(binary + ":" + m));
        s.on("close", (code) => console.log(code));
        """
    )
    node = subprocess.Popen(["node", script], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})  # fmt: skip
    assert node.stdout.readline() == "open\n"

    async def client():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"http://127.0.0.1:{p.port}/") as s:
                p.write("one\ntwo\n")
                first = [(await s.receive()).data for _ in range(2)]
                p.signal(15)
                last = await s.receive()
                return first, last.type, last.data

    assert asyncio.run(client()) == (["one", "two"], aiohttp.WSMsgType.CLOSE, 1001)
    assert p.wait() == 0
    assert node.stdout.read() == "false:one\nfalse:two\n1001\n"
    node.wait()
    node.stdout.close()


def test_binary_messages_and_text_that_is_not_utf8(lsc):
    config = 'input {{ stdin {{ codec => plain {{ charset => "BINARY" }} }} }} output {{ websocket {{ {} }} }}'
    for kind, expected in (("text", str), ("binary", bytes)):
        port = free_port()
        p = lsc.start(config.format(f'host => "127.0.0.1" port => {port} message_type => "{kind}" {LINES}'))
        p.wait_log("listening")
        c = Client(f"ws://127.0.0.1:{port}/")
        p.write(b"a\xffb\n")
        assert type(c.wait(1)[0]) is expected


def test_what_is_kept_while_nobody_is_there(lsc):
    p = serve(lsc, LINES + " buffer_when_no_client => 10")
    p.write(lines(0, 100))
    p.wait_log("no client is connected")
    p.write("last\n")
    c = Client(f"ws://127.0.0.1:{p.port}/")
    wait_until(lambda: c.got and c.got[-1] == "last", "the last line")
    assert c.got[-10:] == [*map(str, range(91, 100)), "last"]


def stalled(p):
    """A client that has shaken hands and then reads nothing."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", p.port))
    s.sendall(request())
    s.recv(4096)
    return s


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_client"])
def test_a_slow_client_does_not_hold_others_up(lsc, policy):
    p = serve(lsc, f'{LINES} queue_size => 200 slow_client => "{policy}" close_timeout => 0.5')
    slow = stalled(p)
    fast = Client(f"ws://127.0.0.1:{p.port}/")
    pad = "x" * 20000
    for at in range(0, 1000, 50):  # 20 MB, more than the kernel takes for the slow one
        p.write("".join(f"{n} {pad}\n" for n in range(at, at + 50)))
        fast.wait(at + 50)
    p.wait_log("messages dropped: a client is too slow")
    assert [m.split()[0] for m in fast.got] == [str(n) for n in range(1000)]
    if policy == "drop_client":
        assert p.rss_kb() < 200_000
        slow.settimeout(20 * PATIENCE)
        try:
            while slow.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
    slow.close()


def test_a_slow_client_that_all_wait_for(lsc):
    p = serve(lsc, LINES + ' queue_size => 10 slow_client => "block"')
    slow, fast = Raw(p.port), Client(f"ws://127.0.0.1:{p.port}/")
    slow.open()
    pad = "x" * 20000
    writer = threading.Thread(
        target=p.write, args=("".join(f"{n} {pad}\n" for n in range(2000)),), daemon=True
    )
    writer.start()
    fast.wait(1)
    writer.join(0.5)
    assert writer.is_alive(), "40 MB went through although a client reads nothing"
    while b"1999 x" not in slow.received[-65536:]:
        slow.received += slow.socket.recv(1 << 20)
    fast.wait(2000)
    assert [int(n) for n in re.findall(rb"(\d+) x", slow.received)] == list(range(2000))


def test_the_stop_waits_for_a_slow_client_but_not_for_ever(lsc):
    p = serve(lsc, LINES + " queue_size => 10000 drain_timeout => 0.5 close_timeout => 0.5")
    s = stalled(p)
    pad = "x" * 20000
    p.write("".join(f"{n} {pad}\n" for n in range(1000)))
    p.close_stdin()
    p.wait_log("messages were not sent .*lost")
    assert p.wait() == 0
    s.close()


def test_compression(lsc):
    p = serve(lsc, LINES + ' compression => "permessage-deflate" buffer_when_no_client => 10')
    with_it = Client(f"ws://127.0.0.1:{p.port}/")
    without = Client(f"ws://127.0.0.1:{p.port}/", compression=None)
    sent = ["hello " * 1000, "x", json.dumps(list(range(3000)))]
    p.write("\n".join(sent) + "\n")
    assert [type(e).__name__ for e in with_it.extensions] == ["PerMessageDeflate"]
    assert with_it.wait(3) == sent and without.wait(3) == sent


def test_authentication_and_tls(lsc, certificates, tmp_path):  # noqa: F811
    d = certificates
    p = serve(
        lsc,
        f'{LINES} user => "u" password => "p" path => "/live" ssl_certificate => "{d}/cert.pem" '
        f'ssl_key => "{d}/key.pem" ssl_client_authentication => "required" '
        f'ssl_certificate_authorities => "{d}/ca.pem"',
    )
    context = client_context(d, make_client(d, tmp_path))
    for url, status in ((f"wss://127.0.0.1:{p.port}/live", 401), (f"wss://u:p@127.0.0.1:{p.port}/", 404)):
        with pytest.raises(websockets.InvalidStatusCode) as e:
            asyncio.run(once(url, context))
        assert e.value.status_code == status
    c = Client(f"wss://u:p@127.0.0.1:{p.port}/live", ssl=context)
    p.write("in\n")
    assert c.wait(1) == ["in"]


async def once(url, context):
    async with websockets.connect(url, ssl=context):
        pass


# ---- mode client ----


class Sink(Server):
    """A server that keeps what it is sent."""

    def __init__(self, **options):
        self.got = []
        super().__init__(self._keep, **options)

    async def _keep(self, s):
        async for message in s:
            self.got.append(message)

    def wait(self, count, timeout=20):
        wait_until(lambda: len(self.got) >= count, f"{count} messages", timeout)
        return self.got


def dial(lsc, port, options="", scheme="ws", **kwargs):
    return start(lsc, f'url => "{scheme}://127.0.0.1:{port}/in" {LINES} {QUICK} {options}', **kwargs)


def test_to_a_server(lsc):
    with Sink() as server:
        p = dial(lsc, server.port)
        p.write(lines(0, 3000))
        assert server.wait(3000) == [str(n) for n in range(3000)]
        assert p.stop() == 0
        wait_until(lambda: server.closed, "the close frame")
    assert server.closed == [(1001, "")]


def test_binary_compressed_to_a_server_with_tls_and_a_token(lsc, certificates):  # noqa: F811
    seen = []

    async def look(path, headers):
        seen.append(headers["Authorization"])

    with Sink(tls=tls_server(certificates), process_request=look) as server:
        p = dial(
            lsc, server.port,
            f'message_type => "binary" compression => "permessage-deflate" bearer_token => "t" '
            f'ssl_certificate_authorities => "{certificates}/ca.pem"', scheme="wss",
        )  # fmt: skip
        p.write("a" * 50000 + "\nb\n")
        assert server.wait(2) == [b"a" * 50000, b"b"]
    assert seen == ["Bearer t"]


def test_the_server_comes_late_and_everything_waits(lsc):
    port = free_port()
    p = dial(lsc, port, "queue_size => 10")
    writer = threading.Thread(target=lambda: (p.write(lines(0, 50000)), p.close_stdin()), daemon=True)
    writer.start()
    p.wait_log("connection failed", 2)
    with Sink(port=port) as server:
        assert server.wait(50000, 60) == [str(n) for n in range(50000)]
        assert p.wait() == 0


def test_the_server_comes_back(lsc):
    with Sink() as server:
        p = dial(lsc, server.port)
        p.write("1\n")
        server.wait(1)
    p.wait_log("connection closed by the server")
    p.write("2\n3\n")
    with Sink(port=server.port) as server:
        assert server.wait(2) == ["2", "3"]


def test_a_message_that_was_not_fully_written_is_sent_again(lsc):
    big = "x" * 20_000_000
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        p = dial(lsc, port)
        client, _ = listener.accept()
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", client.recv(65536)).group(1)
        from test_websocket_frames import Peer

        client.sendall(Peer._answer(b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"))
        p.write(f"before\n{big}\nafter\n")
        got = b""
        while len(got) < 1_000_000:
            got += client.recv(65536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset in the middle of the big one
    with Sink(port=port) as server:
        assert [m if len(m) < 10 else len(m) for m in server.wait(2)] == [len(big), "after"]


def test_the_end_without_a_server_says_what_was_lost(lsc):
    p = dial(lsc, free_port(), "drain_timeout => 0.5")
    p.write("1\n2\n3\n")
    p.close_stdin()
    assert p.wait() == 0
    assert re.search("messages were not sent .*lost=>3", p.stderr)


def test_forced_to_end_while_the_pipeline_waits(lsc):
    p = dial(lsc, free_port(), "queue_size => 1", env=FORCED)
    threading.Thread(target=p.write, args=(lines(0, 5000),), daemon=True).start()
    p.wait_log("connection failed", 2)
    p.signal(signal.SIGINT)
    p.wait_log("SIGINT received, shutting down")
    p.signal(signal.SIGINT)
    assert p.wait() == 1
    assert "messages were not sent" in p.stderr


# ---- both ----


@pytest.mark.parametrize(
    "options,problem",
    [
        ('url => "ws://h/" port => 1', '"port" belongs to mode server'),
        ('url => "ws://h/" slow_client => "block"', '"slow_client" belongs to mode server'),
        ("retry_max => 1", '"retry_max" belongs to mode client'),
        ("mode => client", '"url" is required in mode client'),
    ],
)
def test_settings_that_do_not_fit(lsc, options, problem):
    p = lsc.start(f"output {{ websocket {{ {options} }} }}", "-t")
    assert p.wait() == 1
    assert re.search(problem, p.stderr + p.stdout)


def test_the_relay_of_the_examples(lsc):
    """examples/websocket-relay.conf: a feed in, filtered, out to anyone who listens."""
    text = (ROOT / "examples/websocket-relay.conf").read_text()
    port = free_port()

    async def feed(s):
        for level in ("info", "debug", "error"):
            await s.send(json.dumps({"level": level, "message": level}))
        await s.wait_closed()

    with Server(feed) as server:
        p = lsc.start(text, env={"FEED_URL": f"ws://127.0.0.1:{server.port}/", "RELAY_PORT": str(port),
                                 "RELAY_TOKEN": "sesame"})  # fmt: skip
        p.wait_log("listening")
        c = Client(f"ws://127.0.0.1:{port}/live", extra_headers={"Authorization": "Bearer sesame"})
        assert [json.loads(m)["message"] for m in c.wait(2)] == ["info", "error"]
        assert p.stop() == 0
        assert c.end() == 1001
