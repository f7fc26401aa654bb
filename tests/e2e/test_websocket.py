"""input { websocket } against servers that nobody here wrote: python3-websockets and node's ws."""

import asyncio
import contextlib
import http
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time

import pytest
import websockets

from lsc import PATIENCE, free_port, sanitized, wait_until

HERE = pathlib.Path(__file__).parent


class Server:
    """A python3-websockets server on a thread of its own. `handler(socket)` serves one client."""

    def __init__(self, handler, port=None, tls=None, **options):
        self.port = port or free_port()
        self.handler = handler
        self.options = {"max_size": None, "ping_interval": None, "ssl": tls, **options}
        self.clients = 0
        self.closed = []  # (code, reason) of each client's end as the server saw it
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    async def _serve(self, socket, path=None):
        self.clients += 1
        try:
            await self.handler(socket)
        except websockets.ConnectionClosed:
            pass
        finally:
            await socket.wait_closed()
            self.closed.append((socket.close_code, socket.close_reason))

    async def _main(self):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with websockets.serve(self._serve, "127.0.0.1", self.port, **self.options):
            self._ready.set()
            await self._stop.wait()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(20), "the server does not start"
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(20)


def sending(*messages, then=None):
    """A handler that sends messages (str, bytes, or a list: its parts are fragments)."""

    async def handler(socket):
        for message in messages:
            await socket.send(message)
        if then:
            await then(socket)
        await socket.wait_closed()

    return handler


QUICK = "retry_initial => 0.05 retry_max => 0.2"


def config(port, options="", scheme="ws", retry=QUICK):
    return f"""
        input {{ websocket {{ url => "{scheme}://127.0.0.1:{port}/feed" {retry} {options} }} }}
        output {{ file {{ path => "out" codec => json_lines }} }}
    """


def texts(events):
    return [e["message"] for e in events]


def message(n):
    return json.dumps({"message": n})


# ---- messages ----


def test_text_and_binary(lsc):
    with Server(sending('{"message":"text"}', b'{"message":"binary"}')) as server:
        p = lsc.start(config(server.port))
        assert texts(p.wait_events("out", 2)) == ["text", "binary"]
        assert p.stop() == 0
    assert server.closed == [(1001, "")]


def test_fragments_are_joined(lsc):
    parts = ['{"mess', "", 'age":"ä', '€ one"}']
    with Server(sending(parts, ['{"message":', '"two"}'])) as server:
        p = lsc.start(config(server.port))
        assert texts(p.wait_events("out", 2)) == ["ä€ one", "two"]


def test_one_byte_and_ten_megabytes(lsc):
    big = "x" * 10_000_000
    with Server(sending("a", big, [big[:5_000_000], big[5_000_000:]], "", "z")) as server:
        p = lsc.start(config(server.port, "codec => plain"))
        got = texts(p.wait_events("out", 5))
        assert [len(m) for m in got] == [1, 10_000_000, 10_000_000, 0, 1]
        assert got[0] == "a" and got[-1] == "z" and got[1] == big


def test_a_message_over_the_limit_closes_with_1009(lsc):
    with Server(sending("x" * (33 * 1024 * 1024))) as server:
        p = lsc.start(config(server.port, "codec => plain"))
        p.wait_log("message too big")
        wait_until(lambda: server.closed, "the close frame")
        assert server.closed[0][0] == 1009


def test_an_array_is_one_event_per_item(lsc):
    with Server(sending('[{"message":"a"},{"message":"b"}]')) as server:
        p = lsc.start(config(server.port))
        assert texts(p.wait_events("out", 2)) == ["a", "b"]


def test_bad_json_is_tagged_and_kept(lsc):
    with Server(sending("{nonsense", message("next"))) as server:
        p = lsc.start(config(server.port))
        first, second = p.wait_events("out", 2)
        assert first["message"] == "{nonsense" and first["tags"] == ["_jsonparsefailure"]
        assert second["message"] == "next"


def test_lines_in_a_message_and_a_last_one_without_an_end(lsc):
    with Server(sending('{"message":"a"}\n{"message":"b"}', '{"message":"c"}\n')) as server:
        p = lsc.start(config(server.port, "codec => json_lines"))
        assert texts(p.wait_events("out", 3)) == ["a", "b", "c"]


def test_more_lines_in_a_message_than_batches_hold(lsc):
    """The lines lie in many batches; the one loop, which the output needs too, waits for none."""
    show = """filter { mutate { add_field => { "from" => "%%{[@metadata][input][websocket][opcode]}" } } }
              output { websocket { host => "127.0.0.1" port => %d } }"""
    lines = "\n".join(map(message, range(20000)))
    with Server(sending(lines, lines.encode())) as server:
        p = lsc.start(config(server.port, "codec => json_lines") + show % free_port(), "-b", "10")
        events = p.wait_events("out", 40000)
    assert texts(events) == [*range(20000), *range(20000)]
    assert [e["from"] for e in events] == ["text"] * 20000 + ["binary"] * 20000


def test_what_a_codec_holds_back_comes_at_the_close(lsc):
    async def close(socket):
        await socket.close()

    codec = 'codec => multiline { pattern => "^ " what => "previous" }'
    with Server(sending("first", " more", then=close)) as server:
        p = lsc.start(config(server.port, codec, retry="retry_initial => 60"))
        assert texts(p.wait_events("out", 1)) == ["first\n more"]


def test_common_options(lsc):
    options = 'type => "t" tags => ["a"] add_field => { "f" => "%{message}!" }'
    with Server(sending(message("m"))) as server:
        p = lsc.start(config(server.port, options))
        (event,) = p.wait_events("out", 1)
        assert (event["type"], event["tags"], event["f"]) == ("t", ["a"], "m!")


# ---- connections ----


def test_pings_are_answered(lsc):
    async def ping(socket):
        for payload in (b"", b"p", b"x" * 125):
            await asyncio.wait_for(await socket.ping(payload), 20)
        await socket.send(message("pongs came"))

    with Server(sending(then=ping)) as server:
        p = lsc.start(config(server.port))
        assert texts(p.wait_events("out", 1)) == ["pongs came"]


def test_the_server_comes_back(lsc):
    port = free_port()
    with Server(sending(message(1)), port):
        p = lsc.start(config(port))
        p.wait_events("out", 1)
    with Server(sending(message(2)), port):
        assert texts(p.wait_events("out", 2)) == [1, 2]
    assert "connection closed by the server" in p.stderr
    p.wait_log(r"connection failed .*TCP.*Connection refused")


def test_the_server_is_not_there_yet(lsc):
    port = free_port()
    p = lsc.start(config(port))
    p.wait_log(r"connection failed .*TCP.*Connection refused", count=3)
    with Server(sending(message(1)), port):
        p.wait_events("out", 1)


@pytest.mark.parametrize("code,reason", [(1000, "bye"), (1001, ""), (1011, "broke"), (4000, "ä")])
def test_close_codes(lsc, code, reason):
    async def close(socket):
        await socket.close(code, reason)

    with Server(sending(message(1), then=close)) as server:
        p = lsc.start(config(server.port))
        p.wait_log(rf"connection closed by the server .*code=>{code}, :reason=>\"{reason}\"")
        wait_until(lambda: server.closed, "the client's answer")
        assert server.closed[0][0] == code


def test_a_close_frame_behind_messages_that_wait(lsc):
    """The queue is full when the server closes and hangs up: its messages and reason still count."""

    async def close(socket):
        await socket.close(4321, "later")

    with Server(sending(*map(message, range(300)), then=close)) as server:
        p = lsc.start(
            config(server.port, retry="retry_initial => 60")
            + "filter { sleep { time => 0.05 every => 10 } }",
            "-b", "10",
        )  # fmt: skip
        assert texts(p.wait_events("out", 300)) == list(range(300))
        p.wait_log(r"connection closed by the server .*code=>4321, :reason=>\"later\"")


def refusing(status, body):
    async def process_request(path, headers):
        return http.HTTPStatus(status), [], body

    return process_request


def test_a_refused_handshake_is_logged(lsc):
    body = b"no such feed: " + b"y" * 1000
    with Server(sending(), process_request=refusing(404, body)) as server:
        p = lsc.start(config(server.port))
        p.wait_log(r"WARN.*request failed .*status=>404", count=2)
        shown = re.search(r"no such feed: y+", p.stderr).group(0)
        assert len(shown) == 200


@pytest.mark.parametrize("setting", ["404", '[503, "404"]'])
def test_debug_status_makes_it_quiet(lsc, setting):
    with Server(sending(), process_request=refusing(404, b"")) as server:
        p = lsc.start(config(server.port, f"debug_status => {setting}"), "--log.level", "debug")
        p.wait_log(r"DEBUG.*request failed .*status=>404")
        assert not re.search(r"WARN.*request failed", p.stderr)


def test_userinfo_is_sent_and_masked(lsc):
    seen = []

    async def remember(path, headers):
        seen.append(headers.get("Authorization"))

    with Server(sending(message(1)), process_request=remember) as server:
        url = config(server.port).replace("://", "://us%40er:s3cret@")
        p = lsc.start(url, "--log.level", "debug")
        p.wait_events("out", 1)
        assert seen == ["Basic dXNAZXI6czNjcmV0"]  # us@er:s3cret
        p.stop()
        assert "s3cret" not in p.stderr and "***:***@" in p.stderr


def test_a_name_that_does_not_exist(lsc):
    p = lsc.start('input { websocket { url => "ws://no-such-host.invalid/" } } output { null {} }')
    p.wait_log(r"connection failed .*DNS")
    assert p.stop() == 0


def test_a_server_that_is_not_http(lsc):
    with Listener(b"220 mail ready\r\n") as port:
        p = lsc.start(config(port))
        p.wait_log("the answer is not HTTP")


class Listener:
    """A plain TCP server that says one thing to each client and keeps the connection."""

    def __init__(self, text):
        import socket

        self.text = text
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.kept = []

    def __enter__(self):
        threading.Thread(target=self._run, daemon=True).start()
        return self.socket.getsockname()[1]

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                self.kept.append(client)
                client.sendall(self.text)

    def __exit__(self, *_):
        self.socket.close()


# ---- TLS ----


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A private CA and a certificate of it for 127.0.0.1 and localhost."""
    d = tmp_path_factory.mktemp("tls")

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=d, check=True, capture_output=True)

    (d / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=private CA", "-days", "2")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "csr",
            "-subj", "/CN=server")  # fmt: skip
    openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", "ext", "-days", "2", "-out", "cert.pem")  # fmt: skip
    return d


def tls_server(d):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(d / "cert.pem", d / "key.pem")
    return context


def test_a_private_ca_is_refused(lsc, certificates):
    with Server(sending(message(1)), tls=tls_server(certificates)) as server:
        p = lsc.start(config(server.port, scheme="wss"))
        p.wait_log(r"connection failed .*TLS.*certificate verify failed: "
                   r"(unable to get local issuer certificate|self-signed certificate)")  # fmt: skip
        assert p.count_lines("out") == 0


@pytest.mark.parametrize("scheme,host", [("wss", "127.0.0.1"), ("https", "localhost")])
def test_wss_with_a_trusted_ca(lsc, certificates, scheme, host):
    big = "y" * 3_000_000
    with Server(sending(message(1), message(big)), tls=tls_server(certificates)) as server:
        text = config(server.port, scheme=scheme).replace("127.0.0.1", host)
        p = lsc.start(text, env={"SSL_CERT_FILE": str(certificates / "ca.pem")})
        assert texts(p.wait_events("out", 2)) == [1, big]


def test_a_certificate_for_another_name(lsc, certificates):
    with Server(sending(message(1)), tls=tls_server(certificates)) as server:
        text = config(server.port, scheme="wss").replace("127.0.0.1", "127.0.0.2")
        with contextlib.closing(Forward("127.0.0.2", server.port)) as forward:
            text = text.replace(f":{server.port}", f":{forward.port}")
            p = lsc.start(text, env={"SSL_CERT_FILE": str(certificates / "ca.pem")})
            p.wait_log(r"certificate verify failed: IP address mismatch")


class Forward:
    """Forwards a port of another local address to 127.0.0.1."""

    def __init__(self, host, to):
        import socket

        self.socket = socket.create_server((host, 0))
        self.port = self.socket.getsockname()[1]
        self.to = to
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        import socket

        with contextlib.suppress(OSError):
            while True:
                a, _ = self.socket.accept()
                b = socket.create_connection(("127.0.0.1", self.to))
                for x, y in ((a, b), (b, a)):
                    threading.Thread(target=self._copy, args=(x, y), daemon=True).start()

    @staticmethod
    def _copy(x, y):
        with contextlib.suppress(OSError):
            while data := x.recv(65536):
                y.sendall(data)
            y.close()

    def close(self):
        self.socket.close()


def test_plain_text_on_a_tls_port(lsc):
    with Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, scheme="wss"))
        p.wait_log(r"connection failed .*TLS")


# ---- load ----


def test_sigterm_under_load_loses_nothing_that_was_read(lsc):
    sent = []

    async def handler(socket):
        n = 0
        while True:
            await socket.send(message(n))
            sent.append(n)
            n += 1
            await asyncio.sleep(0)  # send() alone never lets the server read

    with Server(handler) as server:
        p = lsc.start(config(server.port))
        p.wait_events("out", 5000)
        assert p.stop() == 0
        got = texts(p.events("out"))
    assert got == list(range(len(got))), "each message once and in order"
    # The close handshake was kept, so everything sent before its end has been read.
    assert server.closed == [(1001, "")]
    assert len(got) >= len(sent) - 1


def test_a_slow_output_slows_the_input_and_memory_stays_flat(lsc):
    taken = []

    async def handler(socket):
        pad = "x" * 10_000
        for n in range(10**9):
            await socket.send(f'{{"n":{n},"pad":"{pad}"}}')
            taken.append(n)

    with Server(handler) as server:
        p = lsc.start(
            f"""input {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" }} }}
                filter {{ sleep {{ time => 0.002 }} }}
                output {{ file {{ path => "out" codec => line {{ format => "%{{n}}" }} }} }}"""
        )
        wait_until(lambda: p.count_lines("out") >= 500, "500 events")
        before, taken_before, out_before = p.rss_kb(), len(taken), p.count_lines("out")
        wait_until(lambda: p.count_lines("out") >= 2500, "2500 events", 60)
        grown, read = p.rss_kb() - before, len(taken) - taken_before
        written = p.count_lines("out") - out_before
        # The server could send 100 times as much; it is held at the pace of the output.
        assert read < 2 * written + 2000
        assert sanitized() or grown < 8000, f"{grown} KB more for {written} events"


def test_pings_are_answered_while_the_queue_is_full(lsc):
    answered = threading.Event()

    async def handler(socket):
        await socket.send(message("x" * 1000) * 1)
        for n in range(600):
            await socket.send(message(n))
        await asyncio.wait_for(await socket.ping(b"still there?"), 15 * PATIENCE)
        answered.set()
        await socket.wait_closed()

    with Server(handler) as server:
        p = lsc.start(
            f"""input {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" }} }}
                filter {{ sleep {{ time => 0.5 }} }}
                output {{ file {{ path => "out" codec => json_lines }} }}""",
            "-b", "10",
        )  # fmt: skip
        p.wait_log("connected")
        wait_until(answered.is_set, "the pong")
        assert p.count_lines("out") < 600, "the queue was not full"
        p.popen.kill()


def test_a_thousand_reconnects_leak_nothing(lsc):
    async def handler(socket):
        await socket.send(message(1))
        await socket.close()

    with Server(handler) as server:
        p = lsc.start(config(server.port, retry="retry_initial => 0 retry_max => 0"))
        wait_until(lambda: server.clients >= 100, "100 connections", 60)
        files, memory = p.open_files(), p.rss_kb()
        wait_until(lambda: server.clients >= 1100, "1,000 more", 120)
        assert p.open_files() <= files + 1  # one connection may be open in either count
        assert sanitized() or p.rss_kb() - memory < 1500
        assert p.stop() == 0


# ---- node's ws ----


def test_messages_of_nodes_ws(lsc, tmp_path):
    script = tmp_path / "server.js"
    script.write_text(
        """
        const { WebSocketServer } = require("ws");
        const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () =>
            console.log(server.address().port));
        server.on("connection", (socket) => {
            for (let n = 0; n < 1000; n++) socket.send(JSON.stringify({ message: n }));
            socket.send('{"mess', { fin: false });
            socket.ping("between");
            socket.send('age":1000}', { fin: true });
            socket.on("pong", (p) => {
                socket.send(Buffer.from(JSON.stringify({ message: "pong " + p })));
                socket.close(4001, "done");
            });
        });
        """
    )
    node = subprocess.Popen(
        ["node", script], stdout=subprocess.PIPE, env={**os.environ, "NODE_PATH": "/usr/share/nodejs"}
    )
    try:
        port = int(node.stdout.readline())
        p = lsc.start(config(port, retry="retry_initial => 60"))
        p.wait_log("code=>4001")
        assert texts(p.wait_events("out", 1002)) == [*range(1001), "pong between"]
    finally:
        node.kill()
        node.wait()
        node.stdout.close()
