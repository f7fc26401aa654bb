"""The examples of WebSocket against servers and clients that verify what lsc sends.

examples/websocket-relay.conf and examples/websocket-server.conf have their tests beside the others
of the same mode.
"""

import asyncio
import http
import json
import re
import ssl
import subprocess

import jwt
import pytest
import websockets
from oauthlib import oauth1

from lsc import ROOT, free_port, wait_until
from test_websocket import Server, sending

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    d = tmp_path_factory.mktemp("certs")
    subprocess.run([EXAMPLES / "make-certs", d], check=True, capture_output=True)
    return d


@pytest.fixture
def run(lsc):
    """Starts lsc with an example as it is; the variables are all that a test says."""

    def start(name, **variables):
        return lsc.start((EXAMPLES / name).read_text(), env={k: str(v) for k, v in variables.items()})

    return start


def context(certs, purpose, own):
    """TLS with a certificate of the authority, and only with those who have one, too."""
    tls = ssl.create_default_context(purpose, cafile=certs / "ca.pem")
    tls.load_cert_chain(*(certs / name for name in own))
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def server_context(certs):
    return context(certs, ssl.Purpose.CLIENT_AUTH, ("cert.pem", "key.pem"))


def client_context(certs):
    return context(certs, ssl.Purpose.SERVER_AUTH, ("client.pem", "client.key"))


def subject(socket):
    """Who the peer's certificate says it is."""
    found = socket.transport.get_extra_info("peercert")["subject"]
    return dict(pair for names in found for pair in names)["commonName"]


def test_a_public_feed(run, tmp_path):
    """examples/websocket-feed.conf: subscribes as the exchange documents it, on every connect."""
    asked = []

    async def exchange(socket):
        asked.append(json.loads(await socket.recv()))
        channel = asked[-1]["data"]["channel"]
        await socket.send(json.dumps({"event": "bts:subscription_succeeded", "channel": channel, "data": {}}))
        for n, kind in enumerate((0, 1)):
            trade = {"id": n, "timestamp": "1505558814", "amount": 0.25, "price": 4000, "type": kind}
            await socket.send(json.dumps({"event": "trade", "channel": channel, "data": trade}))
        await socket.send('{"event":"bts:request_reconnect","channel":"","data":""}')
        await (socket.close() if len(asked) == 1 else socket.wait_closed())

    with Server(exchange) as server:
        p = run("websocket-feed.conf", FEED_URL=f"ws://127.0.0.1:{server.port}/", CHANNEL="live_trades_ethusd",
                EVENTS_FILE="out")  # fmt: skip
        events = p.wait_events("out", 4)
        assert p.stop() == 0
    assert asked == [{"event": "bts:subscribe", "data": {"channel": "live_trades_ethusd"}}] * 2
    assert [(e["trade"]["side"], e["@timestamp"]) for e in events] == [
        ("buy", "2017-09-16T10:46:54.000Z"),
        ("sell", "2017-09-16T10:46:54.000Z"),
    ] * 2
    assert p.stdout.splitlines()[:2] == ["10:46:54 buy 0.25 at 4000", "10:46:54 sell 0.25 at 4000"]
    assert not any("tags" in e for e in events)


def test_a_private_authority_and_a_client_certificate(run, certs):
    """examples/websocket-private-ca.conf"""
    seen = []

    async def handler(socket):
        seen.append(subject(socket))
        await socket.send('{"message":"hello"}')
        await socket.wait_closed()

    with Server(handler, tls=server_context(certs)) as server:
        p = run("websocket-private-ca.conf", FEED_URL=f"wss://127.0.0.1:{server.port}/", CERTS=certs)
        p.wait_output('"message" => "hello"')
        assert seen == ["client"]
        assert p.stop() == 0


class Validator(oauth1.RequestValidator):
    """What a server of OAuth 1 knows of one client and one user."""

    enforce_ssl = False
    client_key_length = access_token_length = (3, 30)
    nonce_length = (16, 64)
    dummy_client = dummy_access_token = "nobody"

    def validate_client_key(self, key, request):
        return key == "lsc"

    def validate_access_token(self, key, token, request):
        return token == "kim"

    def validate_timestamp_and_nonce(self, key, timestamp, nonce, request, **_):
        return True

    def validate_realms(self, key, token, request, **_):
        return True

    def get_client_secret(self, key, request):
        return "first secret/1"

    def get_access_token_secret(self, key, token, request):
        return "second&secret=2"


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize("secret, welcome", [("second&secret=2", True), ("wrong", False)])
def test_oauth1(run, method, secret, welcome):
    """examples/websocket-oauth1.conf; oauthlib verifies the signature."""
    endpoint = oauth1.ResourceEndpoint(Validator())
    port = free_port()

    async def authorize(path, headers):
        good, _ = endpoint.validate_protected_resource_request(
            f"http://127.0.0.1:{port}{path}", "GET", None, {"Authorization": headers["Authorization"]}
        )
        return None if good else (http.HTTPStatus.UNAUTHORIZED, [], b"no")

    with Server(sending('{"message":"hello"}'), port=port, process_request=authorize):
        p = run("websocket-oauth1.conf", FEED_URL=f"ws://127.0.0.1:{port}/feed?room=a%20b&n=1",
                CONSUMER_SECRET="first secret/1", TOKEN_SECRET=secret, SIGNATURE_METHOD=method)  # fmt: skip
        if welcome:
            p.wait_output('"message" => "hello"')
        else:
            p.wait_log("request failed .*status=>401")
        assert p.stop() == 0
    assert "secret" not in p.stderr


def test_jwt(run, tmp_path):
    """examples/websocket-jwt.conf; PyJWT verifies the token, and each connection has its own."""
    key, public = tmp_path / "jwt.pem", tmp_path / "public.pem"
    recipe = re.findall(r"^# +(openssl .*?)(?: +#.*)?$", (EXAMPLES / "websocket-jwt.conf").read_text(), re.M)
    made, shown = (command.replace("jwt.pem", str(key)) for command in recipe)
    subprocess.run(made, shell=True, check=True, capture_output=True)
    public = subprocess.run(shown, shell=True, check=True, capture_output=True, text=True).stdout
    tokens = []

    async def authorize(path, headers):
        scheme, token = headers["Authorization"].split()
        claims = jwt.decode(token, public, algorithms=["RS256"], audience="trades", issuer="lsc",
                            options={"require": ["exp", "iat", "nbf", "jti"]})  # fmt: skip
        assert (scheme, claims["scope"], claims["exp"] - claims["iat"]) == ("Bearer", ["read"], 300)
        tokens.append((jwt.get_unverified_header(token)["kid"], claims["jti"]))

    async def handler(socket):
        await socket.send('{"message":"hello"}')
        await socket.close()

    with Server(handler, process_request=authorize) as server:
        p = run("websocket-jwt.conf", FEED_URL=f"ws://127.0.0.1:{server.port}/", JWT_KEY=key, AUDIENCE="trades",
                KEY_ID="k7")  # fmt: skip
        p.wait_output('"message" => "hello"', 2)
        assert p.stop() == 0
    assert {kid for kid, _ in tokens} == {"k7"} and len({jti for _, jti in tokens}) == len(tokens) >= 2


def test_publish(run, certs):
    """examples/websocket-publish.conf"""
    port = free_port()
    p = run("websocket-publish.conf", CERTS=certs, LISTEN_PORT=port)
    p.wait_log("listening")

    async def listen(tls):
        async with websockets.connect(f"wss://127.0.0.1:{port}/", ssl=tls) as socket:
            return json.loads(await asyncio.wait_for(socket.recv(), 20))["message"]

    assert asyncio.run(listen(client_context(certs))) == "still here"
    with pytest.raises((ssl.SSLError, ConnectionError, websockets.InvalidMessage)):
        asyncio.run(listen(ssl.create_default_context(cafile=certs / "ca.pem")))
    assert p.stop() == 0


def test_send(run, certs):
    """examples/websocket-send.conf"""
    got = []

    async def handler(socket):
        async for message in socket:
            got.append((subject(socket), json.loads(message)["message"]))

    with Server(handler, tls=server_context(certs)) as server:
        p = run("websocket-send.conf", SERVER_URL=f"wss://127.0.0.1:{server.port}/logs", CERTS=certs)
        p.write("one\ntwo\n")
        p.close_stdin()
        assert p.wait() == 0
        wait_until(lambda: len(got) == 2, "two messages")
    assert got == [("client", "one"), ("client", "two")]


def test_send_to_the_server_of_the_examples(run, certs):
    """examples/websocket-send.conf to examples/websocket-server.conf: lsc to lsc"""
    port = free_port()
    server = run("websocket-server.conf", CERTS=certs, LISTEN_PORT=port, LISTEN_HOST="127.0.0.1", EVENTS_FILE="out")
    server.wait_log("listening")
    p = run("websocket-send.conf", SERVER_URL=f"wss://127.0.0.1:{port}/logs", CERTS=certs)
    p.write("".join(f"{n}\n" for n in range(1000)))
    p.close_stdin()
    assert p.wait() == 0
    assert [int(e["message"]) for e in server.wait_events("out", 1000)] == list(range(1000))
    assert server.stop() == 0
