"""input { websocket { mode => server } } with clients that nobody here wrote, and with raw bytes."""

import asyncio
import base64
import json
import os
import re
import socket
import ssl
import struct
import subprocess

import aiohttp
import pytest
import websockets

from lsc import PATIENCE, ROOT, free_port, sanitized, wait_until
from test_websocket import certificates, texts  # noqa: F401
from ws_raw import CLOSE, PING, TEXT, frame

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x37\xfa\x21\x3d"


def server_config(port, options="", filters=""):
    return f"""
        input {{ websocket {{ mode => server host => "127.0.0.1" port => {port} {options} }} }}
        filter {{ {filters} }}
        output {{ file {{ path => "out" codec => json_lines }} }}
    """


def serve(lsc, options="", filters="", args=(), **kwargs):
    """An lsc that listens; its process has the port."""
    port = free_port()
    p = lsc.start(server_config(port, options, filters), *args, **kwargs)
    p.port = port
    p.wait_log("listening")
    return p


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20 * PATIENCE))


def request(path="/", key=KEY, headers=(), **changes):
    """The text of a good request, or of one with other lines; None leaves a line out."""
    lines = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    text = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items() if v is not None), *headers]
    return "\r\n".join(text).encode() + b"\r\n\r\n"


class Raw:
    """A client that sends what it is told."""

    def __init__(self, port, data=b"", tls=None, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=20 * PATIENCE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.received = b""
        self.send(data)

    def send(self, data):
        self.socket.sendall(data)

    def read_until(self, what):
        while what not in self.received:
            data = self.socket.recv(65536)
            assert data, f"the end came before {what!r}: {self.received!r}"
            self.received += data

    def open(self, **changes):
        self.send(request(**changes))
        self.read_until(b"\r\n\r\n")
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101"), head
        return head.decode()

    def rest(self):
        """Everything up to the end."""
        try:
            while data := self.socket.recv(65536):
                self.received += data
        except ConnectionResetError:
            pass
        return self.received

    def frames(self):
        """The frames of a server that were received until its end; none may be masked."""
        found, at, data = [], 0, self.rest()
        while at < len(data):
            assert data[at] & 0x80 and not data[at + 1] & 0x80
            size, head = data[at + 1], 2
            if size == 126:
                size, head = struct.unpack(">H", data[at + 2 : at + 4])[0], 4
            found.append((data[at] & 15, data[at + head : at + head + size]))
            at += head + size
        return found

    def close_code(self):
        payload = next(p for op, p in self.frames() if op == CLOSE)
        return struct.unpack(">H", payload[:2])[0] if payload else None

    def status(self):
        return int(re.match(rb"HTTP/1.1 (\d+)", self.rest()).group(1))


def masked(opcode, payload=b"", **options):
    return frame(opcode, payload, mask=MASK, **options)


# ---- messages ----


def test_text_binary_and_where_they_came_from(lsc):
    options = 'path => "/in" remote_host_target_field => "[client][ip]" request_headers_target_field => "req"'
    p = serve(lsc, options, 'mutate { copy => { "[@metadata][input][websocket]" => "meta" } }')

    async def client():
        headers = {"X-Shop-Id": "7", "Authorization": "Bearer secret"}
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/in?a=b", extra_headers=headers) as s:
            await s.send('{"message":"text"}')
            await s.send(b'{"message":"binary"}')
            return s.local_address

    host, port = run(client())
    events = p.wait_events("out", 2)
    assert texts(events) == ["text", "binary"]
    assert [e["client"]["ip"] for e in events] == [host, host]
    assert [e["meta"] for e in events] == [
        {"opcode": kind, "url": "/in?a=b", "remote": f"{host}:{port}"} for kind in ("text", "binary")
    ]
    req = events[0]["req"]
    assert req["request_method"] == "GET" and req["request_path"] == "/in?a=b"
    assert req["http_version"] == "HTTP/1.1" and req["http_host"] == f"127.0.0.1:{p.port}"
    assert req["x_shop_id"] == "7" and "python" in req["http_user_agent"].lower()
    assert "secret" not in json.dumps(events)


def test_ten_megabytes_and_fragments(lsc):
    p = serve(lsc, "codec => plain")
    big = "ä" * 5_000_000

    async def client():
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/", compression=None, max_size=None) as s:
            await s.send(big)
            await s.send([big[:3], "", big[3:70000]])
            await s.send("z")

    run(client())
    got = texts(p.wait_events("out", 3))
    assert got == [big, big[:70000], "z"]


def test_compressed_messages(lsc):
    p = serve(lsc, 'codec => plain compression => "permessage-deflate"')
    sent = ["a", "hello " * 10000, json.dumps(list(range(5000))), "hello " * 10000]

    async def client():
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/") as s:
            assert [type(e).__name__ for e in s.extensions] == ["PerMessageDeflate"]
            for text in sent:
                await s.send(text)

    run(client())
    assert texts(p.wait_events("out", len(sent))) == sent


def test_a_compression_bomb_closes_with_1009(lsc):
    p = serve(lsc, 'codec => plain compression => "permessage-deflate"')

    async def client():
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/") as s:
            await s.send("\0" * 20_000_000)
            await s.wait_closed()
            return s.close_code

    assert run(client()) == 1009


def test_each_connection_has_its_own_stream(lsc):
    p = serve(lsc, 'codec => multiline { pattern => "^ " what => previous }')

    async def client():
        url = f"ws://127.0.0.1:{p.port}/"
        async with websockets.connect(url) as a, websockets.connect(url) as b:
            await a.send("a1")
            await b.send("b1")
            await a.send(" a2")
            await b.send(" b2")

    run(client())
    assert sorted(texts(p.wait_events("out", 2))) == ["a1\n a2", "b1\n b2"]


def test_aiohttp_and_node_as_clients(lsc, tmp_path):
    p = serve(lsc, 'ack_message => "taken" subprotocols => ["logs.v2", "logs.v1"]')

    async def client():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(
                f"http://127.0.0.1:{p.port}/", protocols=("x", "logs.v1"), heartbeat=5
            ) as s:
                assert s.protocol == "logs.v1"
                await s.send_str('{"message":"aiohttp"}')
                assert (await s.receive()).data == "taken"
                await s.ping()
                assert await s.close()

    run(client())
    script = tmp_path / "client.js"
    script.write_text(
        f"""
        const {{ WebSocket }} = require("ws");
        const s = new WebSocket("ws://127.0.0.1:{p.port}/", ["logs.v2"]);
        let acks = 0;
        s.on("open", () => {{
            for (let n = 0; n < 1000; n++) s.send(JSON.stringify({{ message: n }}));
            s.send('{{"mess', {{ fin: false }}); s.ping("x"); s.send('age":1000}}', {{ fin: true }});
        }});
        s.on("message", (m) => {{ if (m == "taken" && ++acks == 1001) s.close(4000, "done"); }});
        s.on("close", (code) => console.log(s.protocol, acks, code));
        """
    )
    node = subprocess.run(
        ["node", script], capture_output=True, text=True, timeout=60 * PATIENCE,
        env={**os.environ, "NODE_PATH": "/usr/share/nodejs"},
    )  # fmt: skip
    assert node.stdout == "logs.v2 1001 4000\n", node.stderr
    assert texts(p.wait_events("out", 1002)) == ["aiohttp", *range(1001)]


def test_the_stop_closes_with_1001_and_keeps_what_came(lsc):
    p = serve(lsc)

    async def client():
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/") as s:
            for n in range(100):
                await s.send(json.dumps({"message": n}))
            await asyncio.get_running_loop().run_in_executor(None, p.wait_events, "out", 100)
            p.signal(15)
            await s.wait_closed()
            return s.close_code

    assert run(client()) == 1001
    assert p.wait() == 0
    assert texts(p.events()) == list(range(100))


# ---- frames ----


def test_the_handshake_of_the_rfc(lsc):
    p = serve(lsc)
    head = Raw(p.port).open()
    assert "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455, section 1.3


def test_who_breaks_the_protocol_is_closed_and_others_are_served(lsc):
    p = serve(lsc, "codec => plain")
    c, d = Raw(p.port), Raw(p.port)
    c.open(), d.open()
    c.send(frame(TEXT, "not masked"))
    assert c.close_code() == 1002
    c.socket.close()
    p.wait_log("client lost .*not masked")
    assert p.count_lines() == 0
    d.send(masked(TEXT, "fine"))
    assert texts(p.wait_events("out", 1)) == ["fine"]


# ---- who may come ----


@pytest.mark.parametrize(
    "changes,status",
    [
        ({"path": "/other"}, 404),
        ({"Host": None}, 400),
        ({"Upgrade": None}, 426),
        ({"Connection": "close"}, 426),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": KEY[:-2] + "xx"}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"headers": ["Host: twice"]}, 400),
        ({"headers": [" folded"]}, 400),
    ],
)
def test_bad_requests(lsc, changes, status):
    p = serve(lsc)
    assert Raw(p.port, request(**changes)).status() == status
    p.wait_log(r"client refused|connection failed")


@pytest.mark.parametrize(
    "data,status",
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x20", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40000, 431),
    ],
)
def test_no_requests_at_all(lsc, data, status):
    p = serve(lsc)
    assert Raw(p.port, data).status() == status


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "options,good,bad",
    [
        ('user => "u" password => "p:w"', [basic("u", "p:w")],
         [None, basic("u", "p"), basic("", ""), "Basic", "Bearer p:w", "Basic *"]),
        ('bearer_token => "tok.en"', ["Bearer tok.en", "bearer tok.en"],
         [None, "Bearer tok.e", "Bearer tok.en2", "tok.en", basic("tok.en", ""), "Bearer "]),
    ],
)  # fmt: skip
def test_authentication(lsc, options, good, bad):
    p = serve(lsc, options)
    for text in bad:
        c = Raw(p.port, request(Authorization=text))
        assert c.status() == 401
        assert b"WWW-Authenticate: B" in c.received
    for text in good:
        Raw(p.port).open(Authorization=text)
    assert "tok.en" not in p.stderr and "p:w" not in p.stderr


def test_allowed_origins(lsc):
    p = serve(lsc, 'allowed_origins => ["https://shop.example", "http://localhost:3000"]')
    for origin in (None, "https://evil.example", "https://shop.example.evil", "null"):
        assert Raw(p.port, request(Origin=origin)).status() == 403
    for origin in ("https://shop.example", "HTTPS://Shop.example", "http://localhost:3000"):
        Raw(p.port).open(Origin=origin)
    p = serve(lsc, 'allowed_origins => ["https://shop.example", ""]')
    Raw(p.port).open(Origin=None)


def test_max_connections(lsc):
    p = serve(lsc, "max_connections => 2")
    first, second = Raw(p.port), Raw(p.port)
    first.open(), second.open()
    assert Raw(p.port, request()).status() == 503
    first.socket.close()

    def free():
        c = Raw(p.port, request())
        c.read_until(b"\r\n\r\n")
        return b" 101 " in c.received

    wait_until(free, "a place for one more")


def test_response_headers(lsc):
    p = serve(lsc, 'response_headers => { "X-Served-By" => "lsc" }')
    assert "\r\nX-Served-By: lsc" in Raw(p.port).open()
    assert b"\r\nX-Served-By: lsc" in Raw(p.port, request(path="/no")).rest()


def test_a_slow_handshake_is_given_up(lsc):
    p = serve(lsc, "connect_timeout => 0.3")
    c = Raw(p.port, b"GET / HTTP/1.1\r\nHost:")
    assert c.rest() == b""
    p.wait_log("no request came in time")


def test_a_client_that_does_not_answer_pings(lsc):
    p = serve(lsc, "ping_interval => 0.1 ping_timeout => 0.2")
    c = Raw(p.port)
    c.open()
    frames = c.frames()
    assert frames[0] == (PING, b"") and frames[-1][0] == CLOSE
    p.wait_log("no answer to a ping")


def test_an_idle_client_is_closed(lsc):
    p = serve(lsc, "idle_timeout => 0.2")
    c = Raw(p.port)
    c.open()
    assert c.close_code() == 1001


@pytest.mark.parametrize(
    "header,remote",
    [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50", "192.0.2.7"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50\x04\x00\x00",
         "192.0.2.7"),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", "127.0.0.1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [1, 1000])
def test_proxy_protocol(lsc, header, remote, chunk):
    p = serve(lsc, 'codec => plain proxy_protocol => true remote_host_target_field => "from"')
    c = Raw(p.port)
    c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(header), chunk):
        c.send(header[at : at + chunk])
    c.open()
    c.send(masked(TEXT, "x"))
    assert p.wait_events("out", 1)[0]["from"] == remote


def test_no_proxy_protocol_where_it_has_to_be(lsc):
    p = serve(lsc, "proxy_protocol => true")
    assert Raw(p.port, request()).rest() == b""
    p.wait_log("no PROXY protocol header")


def test_ipv6_and_every_address(lsc):
    port = free_port()
    p = lsc.start(server_config(port, 'codec => plain remote_host_target_field => "from"').replace("127.0.0.1", "::"))
    p.wait_log(r"listening .*\[::\]")
    for host in ("::1", "127.0.0.1"):
        c = Raw(port, host=host)
        c.open()
        c.send(masked(TEXT, host))
        c.socket.close()
    events = p.wait_events("out", 2)
    assert {(e["message"], e["from"]) for e in events} == {("::1", "::1"), ("127.0.0.1", "127.0.0.1")}


def test_a_port_that_is_taken(lsc):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        p = lsc.start(server_config(port))
        p.wait_log("cannot listen .*Address already in use")
    p.wait_log("listening")
    Raw(port).open()


# ---- TLS ----


def client_context(d, certificate=None, **versions):
    context = ssl.create_default_context(cafile=d / "ca.pem")
    if certificate:
        context.load_cert_chain(*certificate)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def make_client(d, folder, ca="ca"):
    """A client's certificate and key, of the CA in `d`."""

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=folder, check=True, capture_output=True)

    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "csr", "-subj", "/CN=c")
    openssl("x509", "-req", "-in", "csr", "-CA", d / f"{ca}.pem", "-CAkey", d / f"{ca}.key",
            "-CAcreateserial", "-days", "2", "-out", "cert")  # fmt: skip
    return folder / "cert", folder / "key"


def tls_options(d, extra=""):
    return f'codec => plain ssl_certificate => "{d}/cert.pem" ssl_key => "{d}/key.pem" {extra}'


def talks(port, context):
    try:
        c = Raw(port, tls=context)
        c.open()
        c.send(masked(TEXT, "x"))
        c.send(masked(CLOSE, struct.pack(">H", 1000)))
        return c.close_code() == 1000
    except (ssl.SSLError, ConnectionError, AssertionError):
        return False


def test_tls(lsc, certificates):  # noqa: F811
    p = serve(lsc, tls_options(certificates))
    assert talks(p.port, client_context(certificates))
    assert not talks(p.port, ssl.create_default_context())  # does not trust the private CA
    Raw(p.port, request()).rest()  # plain text on the port of TLS
    p.wait_log("connection failed .*TLS")
    p.wait_events("out", 1)


def test_an_encrypted_key(lsc, certificates, tmp_path):  # noqa: F811
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", certificates / "key.pem", "-passout", "pass:pw",
                    "-out", tmp_path / "enc"], check=True, capture_output=True)  # fmt: skip
    options = f'ssl_certificate => "{certificates}/cert.pem" ssl_key => "{tmp_path}/enc" ssl_key_passphrase => "pw"'
    p = serve(lsc, "codec => plain " + options)
    assert talks(p.port, client_context(certificates))


def test_a_tls_handshake_that_never_comes(lsc, certificates):  # noqa: F811
    p = serve(lsc, tls_options(certificates, "ssl_handshake_timeout => 300"))
    assert Raw(p.port).rest() == b""
    p.wait_log("no answer to the TLS handshake")


# ---- configuration ----


@pytest.mark.parametrize(
    "options,problem",
    [
        ('port => 1 url => "ws://h/"', '"url" belongs to mode client'),
        ("port => 1 retry_max => 1", '"retry_max" belongs to mode client'),
        ("", '"port" is required in mode server'),
        ('port => 1 path => "x"', '"path" begins with a slash'),
        ("port => 1 ssl_enabled => true", "needs .*ssl_certificate"),
        ('port => 1 ssl_client_authentication => "required"', "needs TLS"),
        ('port => 1 response_headers => { "Upgrade" => "x" }', "belongs to the handshake"),
        ('port => 1 host => "no.such.host.invalid"', "cannot listen on"),
    ],
)
def test_settings_that_do_not_fit(lsc, options, problem):
    p = lsc.start(f"input {{ websocket {{ mode => server {options} }} }}", "-t")
    assert p.wait() == 1
    assert re.search(problem, p.stderr + p.stdout)


def test_settings_of_servers_in_mode_client(lsc):
    p = lsc.start('input { websocket { url => "ws://h/" port => 1 ack_message => "x" } }', "-t")
    assert p.wait() == 1
    assert p.stderr.count("belongs to mode server") + p.stdout.count("belongs to mode server") == 2


# ---- load ----


def test_a_thousand_connections_leak_nothing(lsc):
    p = serve(lsc, "max_connections => 50")

    async def visit(n):
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/", compression=None) as s:
            await s.send(json.dumps({"message": n}))

    async def visits(first, count):
        for at in range(first, first + count, 20):
            await asyncio.gather(*(visit(n) for n in range(at, at + 20)))

    asyncio.run(visits(0, 200))
    p.wait_events("out", 200)
    wait_until(lambda: p.open_sockets() == 1, "the ends of all connections")
    files, memory = p.open_files(), p.rss_kb()
    asyncio.run(visits(200, 1000))
    events = p.wait_events("out", 1200)
    wait_until(lambda: p.open_sockets() == 1, "the ends of all connections")
    assert sorted(texts(events)) == list(range(1200))
    assert p.open_files() == files
    assert sanitized() or p.rss_kb() - memory < 1500
    assert p.stop() == 0


def test_many_clients_and_a_slow_output(lsc):
    """The pipeline is full again and again: every client's messages come, in its order."""
    p = serve(lsc, "", "sleep { time => 0.0005 every => 1 }")

    async def client(c):
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/", compression=None) as s:
            for n in range(500):
                await s.send(json.dumps({"c": c, "n": n, "pad": "x" * 3000}))

    async def clients():
        await asyncio.gather(*(client(c) for c in range(10)))

    asyncio.run(asyncio.wait_for(clients(), 60 * PATIENCE))
    events = p.wait_events("out", 5000, timeout=60)
    for c in range(10):
        assert [e["n"] for e in events if e["c"] == c] == list(range(500))
    assert p.stop() == 0


def test_the_example(lsc, certificates, tmp_path):  # noqa: F811
    """examples/websocket-server.conf"""
    port = free_port()
    env = {"CERTS": str(certificates), "LISTEN_PORT": str(port), "EVENTS_FILE": "out"}
    p = lsc.start((ROOT / "examples/websocket-server.conf").read_text(), env=env)
    p.wait_log("listening")

    async def client():
        context = client_context(certificates, make_client(certificates, tmp_path))
        async with websockets.connect(f"wss://127.0.0.1:{port}/logs", ssl=context) as s:
            await s.send('{"message":"a"}')
            return await s.recv()

    assert run(client()) == "ok"
    assert p.wait_events("out", 1)[0]["client"]["ip"] == "127.0.0.1"


@pytest.mark.parametrize("wanted", [True, False])
def test_tcp_keep_alive(lsc, wanted):
    """The kernel has a timer for it: the second kind in proc_net_tcp.txt."""
    p = serve(lsc, f"tcp_keep_alive => {str(wanted).lower()}")

    async def look():
        async with websockets.connect(f"ws://127.0.0.1:{p.port}/") as client:
            await client.ping()
            ours = f"0100007F:{p.port:04X}", f"0100007F:{client.local_address[1]:04X}"

            def timer():
                with open("/proc/net/tcp", encoding="ascii") as file:
                    rows = [line.split() for line in file]
                return [row[5][:2] for row in rows if (row[1], row[2]) == ours]

            # A timer of a packet that is not acknowledged yet may come first.
            wait_until(lambda: timer() == (["02"] if wanted else ["00"]), "the timer")

    run(look())
