"""nginx between lsc and the other side: as the end of TLS and as a reverse proxy, both ways."""

import asyncio
import os
import subprocess

import pytest
import websockets

from lsc import free_port, wait_until
from test_websocket import Server, certificates, config, message, sending, texts  # noqa: F401
from test_websocket_output import LINES, Client, Sink, dial
from test_websocket_output import serve as serve_output
from test_websocket_server import client_context, make_client, run
from test_websocket_server import serve as serve_input

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ }}
http {{
    access_log {dir}/access.log;
    client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
    uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
    server {{
        listen 127.0.0.1:{port} ssl; server_name localhost;
        ssl_certificate {certs}/cert.pem; ssl_certificate_key {certs}/key.pem;
        {tls}
        location / {{
            proxy_pass http://127.0.0.1:{to}; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
            proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
            {more}
        }}
        location /moved {{ return 307 https://localhost:{port}/feed; }}
    }}
}}
"""


class Nginx:
    """nginx with TLS on a port of its own, in front of the port `to`."""

    def __init__(self, folder, certs, to, tls="", more="", port=None):
        self.dir, self.port = folder, port or free_port()
        text = CONFIG.format(dir=folder, certs=certs, port=self.port, to=to, tls=tls, more=more)
        (folder / "nginx.conf").write_text(text)
        # nginx says "/var/log/nginx" at its start whatever the config says; -e keeps it quiet.
        self.process = subprocess.Popen(
            ["nginx", "-e", folder / "start.log", "-p", folder, "-c", folder / "nginx.conf"],
            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"},
        )

    def __enter__(self):
        wait_until(lambda: (self.dir / "pid").exists() and (self.dir / "pid").read_text(), "nginx")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def log(self):
        return (self.dir / "access.log").read_text()


def through(lsc, nginx, certs, options="", path="/feed", **retry):
    ca = f'ssl_certificate_authorities => "{certs}/ca.pem"'
    return lsc.start(config(nginx.port, f"{ca} {options}", "wss", **retry).replace("/feed", path))


def test_reading_through_nginx(lsc, certificates, tmp_path):  # noqa: F811
    """Messages of every size, fragments, compression and credentials pass."""
    seen = []

    async def look(path, headers):
        seen.append((path, headers["Authorization"], headers["X-Forwarded-For"]))

    big = " ".join(map(str, range(300_000)))
    with Server(sending(message(1), message(big), ['{"message":', '"parts"}']), process_request=look) as server:
        with Nginx(tmp_path, certificates, server.port) as nginx:
            p = through(lsc, nginx, certificates, 'bearer_token => "t" compression => "permessage-deflate"', "/feed?a=b")
            assert texts(p.wait_events("out", 3)) == [1, big, "parts"]
            assert p.stop() == 0
            wait_until(lambda: server.closed, "the close frame")
    assert server.closed == [(1001, "")]
    assert seen == [("/feed?a=b", "Bearer t", "127.0.0.1")]


def test_what_nginx_says_when_nobody_is_behind_it(lsc, certificates, tmp_path):  # noqa: F811
    to = free_port()
    with Nginx(tmp_path, certificates, to) as nginx:
        p = through(lsc, nginx, certificates)
        p.wait_log(r'request failed .*status=>502, .*body=>"<html>.*502 Bad Gateway')
        with Server(sending(message(1)), to):
            p.wait_events("out", 1)


def test_pings_keep_nginx_from_hanging_up(lsc, certificates, tmp_path):  # noqa: F811
    """nginx drops a quiet connection after proxy_read_timeout, without a close frame."""

    async def late(socket):
        await asyncio.sleep(0.7)
        await socket.send(message("late"))

    with Server(sending(then=late)) as server:
        with Nginx(tmp_path, certificates, server.port, more="proxy_read_timeout 400ms;") as nginx:
            p = through(lsc, nginx, certificates, "ping_interval => 0.1")
            assert texts(p.wait_events("out", 1)) == ["late"] and server.clients == 1
            p.stop()
            q = through(lsc, nginx, certificates, "ping_interval => 0")
            q.wait_log("connection lost .*the server closed the connection without a close frame")
            wait_until(lambda: server.clients >= 3, "another connection")


def test_a_redirect_of_nginx(lsc, certificates, tmp_path):  # noqa: F811
    with Server(sending(message(1))) as server, Nginx(tmp_path, certificates, server.port) as nginx:
        p = through(lsc, nginx, certificates, path="/moved")
        p.wait_log("request failed .*status=>307")
        q = through(lsc, nginx, certificates, "max_redirects => 1", path="/moved")
        assert texts(q.wait_events("out", 1)) == [1]


@pytest.mark.parametrize("version,works", [("TLSv1.2", True), ("TLSv1.3", True), ("TLSv1.1", False)])
def test_versions_of_tls_at_nginx(lsc, certificates, tmp_path, version, works):  # noqa: F811
    tls = f'ssl_protocols {version}; ssl_ciphers "ALL:@SECLEVEL=0";'
    with Server(sending(message(1))) as server, Nginx(tmp_path, certificates, server.port, tls) as nginx:
        p = through(lsc, nginx, certificates)
        if works:
            p.wait_events("out", 1)
        else:
            p.wait_log(r"connection failed .*failed=>\"TLS\", :exception=>\".*(protocol version|unsupported protocol)")


def test_a_client_certificate_at_nginx(lsc, certificates, tmp_path):  # noqa: F811
    cert, key = make_client(certificates, tmp_path)
    tls = f"ssl_verify_client on; ssl_client_certificate {certificates}/ca.pem;"
    more = "proxy_set_header X-Client $ssl_client_s_dn;"
    seen = []

    async def look(path, headers):
        seen.append(headers["X-Client"])

    with Server(sending(message(1)), process_request=look) as server:
        with Nginx(tmp_path, certificates, server.port, tls, more) as nginx:
            through(lsc, nginx, certificates, f'ssl_certificate => "{cert}" ssl_key => "{key}"').wait_events("out", 1)
            assert seen == ["CN=c"]
            p = through(lsc, nginx, certificates)
            p.wait_log(r'request failed .*status=>400, .*body=>"<html>.*No required SSL certificate was sent')


def test_clients_of_an_input_behind_nginx(lsc, certificates, tmp_path):  # noqa: F811
    p = serve_input(lsc, 'path => "/in" request_headers_target_field => "req" bearer_token => "sesame" ack_message => "ok"')
    context = client_context(certificates)

    async def client(url, token):
        async with websockets.connect(url, ssl=context, extra_headers={"Authorization": f"Bearer {token}"}) as s:
            await s.send('{"message":"text"}')
            await s.send(['{"mess', 'age":"parts"}'])
            await s.send(message("x" * 1_000_000))
            return [await s.recv() for _ in range(3)]

    with Nginx(tmp_path, certificates, p.port) as nginx:
        assert run(client(f"wss://localhost:{nginx.port}/in", "sesame")) == ["ok"] * 3
        with pytest.raises(websockets.InvalidStatusCode) as e:
            run(client(f"wss://localhost:{nginx.port}/in", "wrong"))
        assert e.value.status_code == 401
    events = p.wait_events("out", 3)
    assert texts(events) == ["text", "parts", "x" * 1_000_000]
    assert events[0]["req"]["x_forwarded_for"] == "127.0.0.1" and events[0]["req"]["http_host"] == "localhost"


def test_clients_of_an_output_behind_nginx(lsc, certificates, tmp_path):  # noqa: F811
    p = serve_output(lsc, f'{LINES} compression => "permessage-deflate"')
    with Nginx(tmp_path, certificates, p.port) as nginx:
        clients = [Client(f"wss://localhost:{nginx.port}/", ssl=client_context(certificates)) for _ in range(3)]
        p.write("".join(f"{n}\n" for n in range(500)))
        for c in clients:
            assert c.wait(500) == [str(n) for n in range(500)]
        assert p.stop() == 0
        assert [c.end() for c in clients] == [1001] * 3


def test_sending_through_nginx(lsc, certificates, tmp_path):  # noqa: F811
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    with Sink() as server, Nginx(tmp_path, certificates, server.port) as nginx:
        p = dial(lsc, nginx.port, ca, scheme="wss")
        p.write("".join(f"{n}\n" for n in range(3000)))
        assert server.wait(3000) == [str(n) for n in range(3000)]
        assert p.stop() == 0
        wait_until(lambda: server.closed, "the close frame")
    assert server.closed == [(1001, "")]


def test_nginx_goes_away_and_comes_back(lsc, certificates, tmp_path):  # noqa: F811
    """What was not with the kernel when nginx went is sent to the next one."""
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir(), second.mkdir()
    with Sink() as server:
        with Nginx(first, certificates, server.port) as nginx:
            p = dial(lsc, nginx.port, ca, scheme="wss")
            p.write("1\n")
            server.wait(1)
        p.wait_log("connection (lost|closed)")
        p.wait_log("connection failed .*Connection refused")
        p.write("2\n3\n")
        with Nginx(second, certificates, server.port, port=nginx.port):
            assert server.wait(3) == ["1", "2", "3"]
