"""What docs/websocket.md promises of WebSocket connections, whatever the other side does: order and
completeness, back-pressure, and what the handshake gives away and says."""

import asyncio
import contextlib
import http
import json
import socket
import struct
import subprocess
import threading
import time

import pytest

from lsc import PATIENCE, free_port, sanitized
from test_websocket import Server, certificates, config, message, sending, texts, tls_server  # noqa: F401
from test_websocket_options import Recorder, redirecting
from test_websocket_output import LINES
from test_websocket_server import serve as serve_input
from ws_raw import CLOSE, MASK, PING, PONG, TEXT, accept, connect, frame

SLOW = "sleep { time => 0.008 every => 1 }"


def reset(sock):
    """Ends a connection at once, without what an orderly end would still deliver."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# ---- order and completeness ----


def send_and_wait_for_the_pong(link, count, first=0):
    """When the pong is there lsc has read all that came before the ping."""
    mask = MASK if link.masks else None
    link.send(b"".join(frame(TEXT, message(n), mask=mask) for n in range(first, first + count)))
    link.send(frame(PING, "read?", mask=mask))
    while (f := link.next()).opcode != PONG:
        pass
    assert f.payload == b"read?"


def test_what_was_read_survives_a_reset_while_the_pipeline_is_full(lsc):
    """Twice: lsc has read the messages and not yet given them on when the connection breaks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        p = lsc.start(config(listener.getsockname()[1]) + f"filter {{ {SLOW} }}", "-b", "5")
        for n in range(2):
            link = accept(listener)
            send_and_wait_for_the_pong(link, 150, n * 150)
            assert p.count_lines() < (n + 1) * 150, "the pipeline was not full"
            reset(link.socket)
        assert texts(p.wait_events("out", 300)) == list(range(300))


def test_what_clients_sent_survives_their_reset_while_the_pipeline_is_full(lsc):
    p = serve_input(lsc, filters=SLOW, workers=1)
    links = [connect(p.port) for _ in range(3)]
    for n, link in enumerate(links):
        send_and_wait_for_the_pong(link, 100, n * 1000)
    assert p.count_lines() < 300, "the pipeline was not full"
    for link in links:
        reset(link.socket)
    got = texts(p.wait_events("out", 300))
    for n in range(3):
        assert [m for m in got if m // 1000 == n] == list(range(n * 1000, n * 1000 + 100))


def test_messages_behind_our_close_frame_still_count(lsc):
    """The stop: what the server sends until it has seen our close frame is read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        p = lsc.start(config(listener.getsockname()[1]))
        link = accept(listener)
        link.send(frame(TEXT, message(0)))
        p.wait_events("out", 1)
        p.signal(15)
        assert link.next().opcode == CLOSE
        link.send(b"".join(frame(TEXT, message(n)) for n in range(1, 500)) + frame(CLOSE, b"\3\xe9"))
        assert p.wait() == 0
        assert texts(p.events("out")) == list(range(500))


# ---- back-pressure ----


STANDSTILL = "sleep { time => 3600 }"
PAD = message("x" * 2000)


def stand_still(lsc, mode, stack):
    """An lsc whose filter never ends, and a link to it: what it takes is seven batches of ten."""
    if mode == "server":
        p = serve_input(lsc, "max_connections => 10", STANDSTILL, args=["-b", "10"])
        return p, connect(p.port)
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    p = lsc.start(config(listener.getsockname()[1]) + f"filter {{ {STANDSTILL} }}", "-b", "10")
    return p, accept(listener)


def pong_takes(link):
    """Seconds until a ping's pong is there."""
    start = time.monotonic()
    link.send(frame(PING, str(start), mask=MASK if link.masks else None))
    while (f := link.next()).opcode != PONG or f.payload != str(start).encode():
        assert f.opcode in (PING, PONG)
    return time.monotonic() - start


@pytest.mark.parametrize("mode", ["client", "server"])
def test_a_full_pipeline_answers_pings_and_keeps_its_memory(lsc, mode):
    with contextlib.ExitStack() as stack:
        p, link = stand_still(lsc, mode, stack)
        data = frame(TEXT, PAD, mask=MASK if link.masks else None)
        for _ in range(20):  # 600 KB: more than the batches take, less than is read ahead
            link.send(data * 15)
            assert pong_takes(link) < 5 * PATIENCE
        memory = p.rss_kb()
        flood = threading.Thread(target=link.send, args=(data * 50_000,), daemon=True)
        flood.start()  # 100 MB
        flood.join(1)
        assert flood.is_alive(), "lsc reads on although nothing moves"
        assert p.rss_kb() - memory < (50_000 if sanitized() else 6_000)
        p.popen.kill()
        link.close()


def test_a_slow_client_of_an_output_holds_a_fast_feed_back(lsc):
    """From a server that never pauses to a client that takes 400 KB/s: memory is bounded, nothing
    is lost, and the feed's pings are answered."""
    taken, waits = [], []

    async def feed(s):
        pad = "x" * 2000
        for n in range(2000):
            await s.send(json.dumps({"message": f"{n} {pad}"}))
            taken.append(n)
            if n % 50 == 0:
                start = time.monotonic()
                await (await s.ping())
                waits.append(time.monotonic() - start)
        await s.wait_closed()

    port = free_port()
    output = f'websocket {{ host => "127.0.0.1" port => {port} {LINES} queue_size => 20 slow_client => "block" }}'
    started = threading.Event()

    async def first(s):
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        await feed(s)

    with Server(first) as server:
        p = lsc.start(f'input {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" }} }} output {{ {output} }}', "-b", "10")
        p.wait_log("listening")
        link = connect(port)
        started.set()
        got, memory = [], []
        while len(got) < 2000:
            f = link.next()
            if f.opcode == TEXT:
                got.append(int(f.payload.split()[0]))
                if len(got) % 100 == 0:
                    time.sleep(0.01)  # the slow client
                    memory.append(p.rss_kb())
        assert got == list(range(2000))
    assert max(waits) < 10 * PATIENCE
    assert sanitized() or max(memory[5:]) - memory[4] < 6_000, memory
    link.close()


# ---- the handshake ----


def sends_nothing_of(headers):
    return "Authorization" not in headers and "X-Key" not in headers and "Cookie" not in headers


@pytest.fixture(scope="module")
def rsa_key(tmp_path_factory):
    key = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", key], check=True, capture_output=True)
    return key


KINDS = {
    "userinfo": ("u:p@", ""),
    "basic": ("", 'user => "u" password => "p"'),
    "bearer": ("", 'bearer_token => "t"'),
    "jwt": ("", 'jwt_private_key_file => "{key}"'),
    "hs": ("", 'jwt_secret => "s" jwt_signing_method => HS256'),
    "oauth1": ("", 'oauth1_consumer_key => "k" oauth1_consumer_secret => "s"'),
    "headers": ("", 'headers => { "Authorization" => "own" "X-Key" => "k" "Cookie" => "c=d" }'),
}


def test_no_kind_of_credentials_follows_a_redirect_to_another_host(lsc, rsa_key):
    """Each kind: a redirect within the server keeps them, one to another port drops them."""
    here, there = Recorder(), Recorder()
    with Server(sending(message(1)), process_request=there) as other:
        away = f"ws://127.0.0.1:{other.port}"

        async def redirect(path, headers):
            await here(path, headers)
            kind = path.rsplit("/", 1)[1]
            if path.startswith("/first/"):
                return http.HTTPStatus(307), [("Location", f"/second/{kind}")], b""
            return http.HTTPStatus(302), [("Location", f"{away}/there/{kind}")], b""

        with Server(sending(), process_request=redirect) as server:
            inputs = "".join(
                f'websocket {{ url => "ws://{user}127.0.0.1:{server.port}/first/{kind}" max_redirects => 2 '
                f'retry_initial => 60 {options.replace("{key}", str(rsa_key))} }}'
                for kind, (user, options) in KINDS.items()
            )
            p = lsc.start(f"input {{ {inputs} }} output {{ file {{ path => 'out' codec => json_lines }} }}")
            p.wait_events("out", len(KINDS))
    for kind in KINDS:
        for step in ("first", "second"):
            headers = next(h for path, h in here.seen if path == f"/{step}/{kind}")
            assert headers["Authorization"], (step, kind)
        headers = next(h for path, h in there.seen if path == f"/there/{kind}")
        assert sends_nothing_of(headers), kind
        assert headers["Host"] == f"127.0.0.1:{other.port}"


def test_no_redirect_from_tls_to_plain_text(lsc, certificates):  # noqa: F811
    with Server(sending(message(1))) as plain:
        down = redirecting(f"ws://127.0.0.1:{plain.port}/", 308)
        with Server(sending(), process_request=down, tls=tls_server(certificates)) as server:
            ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
            p = lsc.start(config(server.port, f"{ca} max_redirects => 5", "wss"))
            p.wait_log("request failed .*status=>308")
            assert plain.clients == 0


def refusal(listener, answer, keep):
    """Answers one request and keeps the connection, or hangs up."""

    def run():
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.sendall(answer)
        keep.append(sock)

    threading.Thread(target=run, daemon=True).start()


@pytest.mark.parametrize(
    "head,body,shown",
    [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n", b"no access", "no access"),
        ("HTTP/1.1 503 Busy\r\n", b"y" * 500, "y" * 200),
        ("HTTP/1.1 401 No\r\n", b"partly", "partly"),  # the rest never comes
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n", b"", ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", b"hello", "hello"),
        ("HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n", "hello, world"),
    ],
)
def test_what_a_server_says_when_it_refuses(lsc, head, body, shown):
    status, keep = int(head.split()[1]), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusal(listener, head.encode() + b"\r\n" + body, keep)
        p = lsc.start(config(listener.getsockname()[1], retry="retry_initial => 60"))
        p.wait_log(rf'request failed {{:status=>{status}, .*:body=>"{shown}"')
    keep[0].close()


def test_the_name_that_tls_is_asked_for(lsc, certificates):  # noqa: F811
    """SNI: the host of the URL or ssl_server_name, and none for an address (RFC 6066, section 3)."""
    asked = []
    context = tls_server(certificates)
    context.sni_callback = lambda sock, name, _: asked.append(name)
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    for host, options, name in [("localhost", "", "localhost"), ("127.0.0.1", "", None),
                                ("127.0.0.1", 'ssl_server_name => "localhost"', "localhost")]:  # fmt: skip
        with Server(sending(message(1)), tls=context) as server:
            asked.clear()
            lsc.start(config(server.port, f"{ca} {options}", "wss").replace("127.0.0.1", host)).wait_events("out", 1)
            assert asked == [name]
