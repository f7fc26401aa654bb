"""oauth2_ settings of the websocket plugins: aiohttp gives the tokens, python3-websockets wants
them."""

import asyncio
import base64
import contextlib
import http
import json
import threading
import urllib.parse

import pytest
from aiohttp import web

from lsc import free_port, wait_until
from test_websocket import Forward, Server, certificates, config, message, sending, texts  # noqa: F401
from test_websocket import tls_server
from test_websocket_options import Proxy, config_error

CLIENT, SECRET = "lsc:1", "s e+c/r%et"


class Tokens:
    """A token server, RFC 6749 section 4.4. `lifetime` None: expires_in is not said."""

    def __init__(self, lifetime=3600, tls=None, answer=None):
        self.port = free_port()
        self.lifetime, self.tls, self.answer = lifetime, tls, answer
        self.given = []  # tokens, the last one is valid
        self.forms = []
        self.asked = 0
        self.hold = None  # an Event: answers wait for it
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    async def _token(self, request):
        self.asked += 1
        if self.hold:
            await asyncio.get_running_loop().run_in_executor(None, self.hold.wait, 30)
        if self.answer:
            return self.answer(request)
        user, password = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().split(":")
        if (urllib.parse.unquote_plus(user), urllib.parse.unquote_plus(password)) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client", "you_sent": SECRET}, status=401)
        self.forms.append(list((await request.post()).items()))
        self.given.append(f"token-{len(self.given) + 1}")
        body = {"access_token": self.given[-1], "token_type": "Bearer"}
        if self.lifetime is not None:
            body["expires_in"] = self.lifetime
        return web.json_response(body)

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_post("/token", self._token)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_):
        if self.hold:
            self.hold.set()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def options(self, more="", secret=SECRET):
        scheme = "https" if self.tls else "http"
        return f"""oauth2_client_id => "{CLIENT}" oauth2_client_secret => "{secret}"
                   oauth2_token_url => "{scheme}://127.0.0.1:{self.port}/token" {more} """


class Wants:
    """Refuses every handshake without the last token; keeps what was shown."""

    def __init__(self, tokens):
        self.tokens, self.shown = tokens, []

    async def __call__(self, path, headers):
        self.shown.append(headers.get("Authorization", "").removeprefix("Bearer "))
        if self.shown[-1] not in self.tokens.given[-1:]:
            return http.HTTPStatus.UNAUTHORIZED, [], b"token expired"
        return None


def no_secret(p):
    assert SECRET not in p.stderr and "token-1" not in p.stderr


def test_a_token_is_fetched_once(lsc):
    async def closing(socket):
        await socket.send(message(1))
        await socket.close()

    with Tokens() as tokens, Server(closing, process_request=Wants(tokens)) as server:
        p = lsc.start(config(server.port, tokens.options("""
            oauth2_scopes => ["read", "feed:all"]
            oauth2_endpoint_params => { "audience" => "https://a/?b" "x" => ["1", "2 3"] }""")),
            "--log.level", "debug")  # fmt: skip
        p.wait_events("out", 3)  # of three connections
        p.stop()
        assert tokens.asked == 1
        assert tokens.forms[0] == [("grant_type", "client_credentials"), ("scope", "read feed:all"),
                                   ("audience", "https://a/?b"), ("x", "1"), ("x", "2 3")]  # fmt: skip
        no_secret(p)


@pytest.mark.parametrize("lifetime,buffer,again", [(100, 120, True), (130, 120, False), (None, 120, False), ("130", 3600, True)])
def test_a_token_is_renewed_before_its_end(lsc, lifetime, buffer, again):
    async def closing(socket):
        await socket.send(message(1))
        await socket.close()

    with Tokens(lifetime) as tokens:
        wants = Wants(tokens)
        with Server(closing, process_request=wants) as server:
            p = lsc.start(config(server.port, tokens.options(f"oauth2_token_expiry_buffer => {buffer}")))
            p.wait_events("out", 3)
            p.stop()
        assert wants.shown[:3] == (["token-1", "token-2", "token-3"] if again else ["token-1"] * 3)


def test_a_refused_token_is_renewed(lsc):
    tokens = Tokens()

    async def revoking(socket):
        await socket.send(message(len(tokens.given)))
        if len(tokens.given) == 1:
            tokens.given.append("another")  # from now on token-1 is refused
        await socket.close()

    with tokens:
        wants = Wants(tokens)
        with Server(revoking, process_request=wants) as server:
            p = lsc.start(config(server.port, tokens.options()))
            assert texts(p.wait_events("out", 2))[:2] == [1, 3]
            p.wait_log("request failed .*401.*token expired")
            p.stop()
        assert wants.shown[:3] == ["token-1", "token-1", "token-3"] and tokens.asked == 2


def test_a_wrong_secret(lsc):
    with Tokens() as tokens, Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, tokens.options(secret="wrong")))
        p.wait_log(r'connection failed .*authentication.*the token server answers 401: .*invalid_client', 2)
        p.stop()
        assert server.clients == 0 and "wrong" not in p.stderr


def test_a_token_server_that_repeats_the_secret(lsc):
    answer = lambda _: web.Response(status=400, text=f"bad client {SECRET}: " + "y" * 300)
    with Tokens(answer=answer) as tokens, Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, tokens.options("retry_max_attempts => 1")))
        p.wait_log("gave up")
        assert "bad client ***: yyy" in p.stderr and "y" * 201 not in p.stderr
        no_secret(p)


@pytest.mark.parametrize("answer,says", [
    (lambda _: web.Response(text="<html>"), "is not JSON"),
    (lambda _: web.json_response({"token": "a"}), "has no access_token"),
    (lambda _: web.json_response({"access_token": "a", "token_type": "mac"}), "no Bearer tokens"),
    (lambda _: web.json_response({"access_token": "a\r\nX: y"}), "has a line end"),
    (lambda _: web.Response(text="[" * 300000), "no answer from the token server: the answer is longer than"),
    (lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "answers 302"),
])  # fmt: skip
def test_an_answer_without_a_token(lsc, answer, says):
    with Tokens(answer=answer) as tokens, Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, tokens.options()))
        p.wait_log(f"connection failed .*{says}")
        p.stop()
        assert server.clients == 0


def test_no_token_server(lsc):
    with Server(sending(message(1))) as server, Tokens() as tokens:
        options = tokens.options()
    with Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, options))
        p.wait_log("connection failed .*no answer from the token server: .*Connection refused", 2)
        assert p.stop() == 0


def test_a_token_by_tls(lsc, certificates):  # noqa: F811
    """The ssl_ settings count for the token server, too."""
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    with Tokens(tls=tls_server(certificates)) as tokens:
        with Server(sending(message(1)), process_request=Wants(tokens)) as server:
            p = lsc.start(config(server.port, tokens.options()))
            p.wait_log("no answer from the token server: .*(unable to get local issuer|self-signed) certificate")
            p.stop()
            p = lsc.start(config(server.port, tokens.options(ca)))
            p.wait_events("out", 1)
            p.stop()


@pytest.mark.parametrize("mode,works", [("full", False), ("certificate", True), ("none", True)])
def test_a_token_server_with_another_name(lsc, certificates, mode, works):  # noqa: F811
    options = f'ssl_certificate_authorities => "{certificates}/ca.pem" ssl_verification_mode => {mode}'
    with Tokens(tls=tls_server(certificates)) as tokens:
        with Server(sending(message(1)), process_request=Wants(tokens)) as server:
            with contextlib.closing(Forward("127.0.0.2", tokens.port)) as forward:
                options = tokens.options(options).replace(f"127.0.0.1:{tokens.port}", f"127.0.0.2:{forward.port}")
                p = lsc.start(config(server.port, options))
                if works:
                    p.wait_events("out", 1)
                else:
                    p.wait_log("no answer from the token server: .*127.0.0.2")
                    assert tokens.asked == 0


def test_a_token_by_a_proxy(lsc, certificates):  # noqa: F811
    proxy = Proxy("http", "u:p w")
    options = f"""ssl_certificate_authorities => "{certificates}/ca.pem" proxy_headers => {{ "X-A" => "b" }}
                  proxy => "http://u:p%20w@127.0.0.1:{proxy.port}" """
    with Tokens(tls=tls_server(certificates)) as tokens:
        with Server(sending(message(1)), process_request=Wants(tokens)) as server:
            p = lsc.start(config(server.port, tokens.options(options)))
            p.wait_events("out", 1)
            assert [a.split()[1] for a in proxy.asked] == [f"127.0.0.1:{tokens.port}", f"127.0.0.1:{server.port}"]
            assert all("X-A: b" in a for a in proxy.asked)


def test_a_slow_token_server_holds_nothing_up(lsc):
    """Another websocket of the process answers pings meanwhile, and the end does not wait."""
    ponged = []

    async def pinging(socket):
        for _ in range(3):
            await asyncio.wait_for(await socket.ping(), 20)
            ponged.append(1)
        await socket.send(message(1))

    with Tokens() as tokens:
        tokens.hold = threading.Event()
        with Server(sending(message(2))) as slow, Server(pinging) as quick:
            both = config(slow.port, tokens.options("connect_timeout => 60")) + config(quick.port).replace('"out"', '"copy"')
            p = lsc.start(both)
            wait_until(lambda: tokens.asked, "the request for a token")
            assert texts(p.wait_events("out", 1))[0] == 1
            assert len(ponged) >= 3 and slow.clients == 0
            assert p.stop() == 0  # long before connect_timeout


def test_the_request_has_a_time_limit(lsc):
    with Tokens() as tokens, Server(sending(message(1))) as server:
        tokens.hold = threading.Event()
        p = lsc.start(config(server.port, tokens.options("connect_timeout => 0.1")))
        p.wait_log("no answer from the token server: .*timed out")


def test_a_redirect_to_another_host_gets_no_token(lsc):
    seen = []

    async def record(path, headers):
        seen.append(headers.get("Authorization"))

    with Tokens() as tokens, Server(sending(message(1)), process_request=record) as far:

        async def redirect(path, headers):
            return http.HTTPStatus.FOUND, [("Location", f"ws://127.0.0.1:{far.port}/")], b""

        with Server(sending(), process_request=redirect) as near:
            p = lsc.start(config(near.port, tokens.options("max_redirects => 1")))
            p.wait_events("out", 1)
            assert seen == [None] and tokens.asked == 1


def test_the_output_too(lsc):
    got = []

    async def take(socket):
        got.append(json.loads(await socket.recv())["message"])
        await socket.wait_closed()

    with Tokens() as tokens, Server(take, process_request=Wants(tokens)) as server:
        p = lsc.start(f"""input {{ generator {{ lines => ["hello"] count => 1 }} }}
            output {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" {tokens.options()} }} }}""")
        assert p.wait() == 0
        assert got == ["hello"]


def test_the_output_ends_while_a_token_is_awaited(lsc):
    with Tokens() as tokens, Server(sending()) as server:
        tokens.hold = threading.Event()
        p = lsc.start(f"""input {{ generator {{ count => 1 }} }}
            output {{ websocket {{ url => "ws://127.0.0.1:{server.port}/" drain_timeout => 0.1
                      connect_timeout => 60 {tokens.options()} }} }}""")
        assert p.wait() == 0
        assert "messages were not sent" in p.stderr


COMPLETE = 'oauth2_client_id => "a" oauth2_client_secret => "b" oauth2_token_url => "https://t/"'


@pytest.mark.parametrize("options,pattern", [
    ('oauth2_client_id => "a"', 'needs "oauth2_client_secret" and "oauth2_token_url"'),
    ('oauth2_scopes => ["a"]', '"oauth2_scopes" needs "oauth2_client_id"'),
    (COMPLETE + ' user => "u" password => "p"', "two kinds of authentication: user and oauth2_client_id"),
    (COMPLETE + ' bearer_token => "t"', "two kinds of authentication"),
    (COMPLETE + ' headers => { "Authorization" => "t" }', "two kinds of authentication"),
    (COMPLETE.replace("https://t/", "ws://t/"), "does not begin with https://"),
    (COMPLETE.replace("https://t/", "https://a:b@t/"), "user and password"),
    (COMPLETE + ' oauth2_endpoint_params => { "grant_type" => "password" }', "grant_type"),
])  # fmt: skip
def test_settings_that_do_not_fit(lsc, options, pattern):
    config_error(lsc, options, pattern)


def test_a_token_url_without_tls(lsc):
    options = COMPLETE.replace("https://t/", "http://t/")
    p = lsc.start(f'input {{ websocket {{ url => "ws://h/" {options} }} }} output {{ null {{ }} }}', "-t")
    assert p.wait() == 0
    assert "go over the network unencrypted" in p.stderr + p.stdout


def test_without_its_module(lsc, tmp_path):
    p = lsc.start(f'input {{ websocket {{ url => "ws://h/" {COMPLETE} }} }} output {{ null {{ }} }}', "-t",
                  env={"LSC_MODULES": str(tmp_path)})  # fmt: skip
    assert p.wait() == 1
    assert "libcurl4-openssl-dev" in p.stderr + p.stdout
