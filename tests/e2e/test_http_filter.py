"""The filter http with aiohttp as the server."""

import asyncio
import json
import signal
import ssl
import subprocess

import pytest
from aiohttp import web

from http_peer import Peer, flow
from lsc import FORCED, free_port, wait_until

OLD = "ecs_compatibility => disabled"


async def echo(request):
    body = await request.text()
    return web.json_response(
        {"method": request.method, "path": request.raw_path, "body": body},
        headers={"X-Two": "1", "Server": "peer"},
    )


def test_requests_say_what_events_say(lsc):
    with Peer(echo) as peer:
        _, got = flow(
            lsc,
            f'''http {{ {OLD} url => "{peer.url}/%{{[a][b]}}/x?z=1" verb => POST body_format => json
                headers => {{ "X-%{{n}}" => "v %{{n}}" }} user => "u" password => "p:w" add_tag => "done"
                query => {{ "q %{{n}}" => "a&b=%{{n}}" "l" => ["1", "%{{n}}"] }}
                body => {{ "%{{n}}" => ["%{{[a][b]}}", 2, {{ "k" => "é%{{n}}" }}] }} }}''',
            {"a": {"b": "deep-é"}, "n": "N"},
        )
    event, sent = got[0], peer.requests[0]
    assert event["body"]["method"] == "POST" and event["tags"] == ["done"]
    path, query = sent.path.split("?")
    assert path == "/deep-%C3%A9/x"
    assert sorted(query.split("&")) == ["l=1", "l=N", "q+N=a%26b%3DN", "z=1"]
    assert json.loads(sent.body) == {"N": ["deep-é", 2, {"k": "éN"}]}
    assert sent.headers["X-N"] == "v N" and sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Authorization"] == "Basic dTpwOnc="
    assert event["headers"]["content-type"] == "application/json; charset=utf-8"
    assert event["headers"]["server"] == "peer" and event["headers"]["x-two"] == "1"


def test_verbs(lsc):
    verbs = ["GET", "HEAD", "PATCH", "DELETE", "POST", "PUT"]
    with Peer(echo) as peer:
        filters = [f'http {{ url => "{peer.url}" verb => {v} body => "t %{{n}}" target_body => {v.lower()} }}' for v in verbs]
        _, got = flow(lsc, " ".join(filters), {"n": 1})
    assert [r.method for r in peer.requests] == verbs
    assert {r.headers["Content-Type"] for r in peer.requests} == {"text/plain"}
    for verb in verbs:
        body = {"method": verb, "path": "/", "body": "t 1"}
        assert got[0][verb.lower()] == (body if verb != "HEAD" else None)
    assert "tags" not in got[0]


def test_answers(lsc):
    answers = {
        "text": web.Response(text="  Bom dia\n"),
        "json": web.Response(body=b'{"id": 10}', content_type="application/json"),
        "number": web.Response(body=b"17", content_type="application/json"),
        "empty": web.Response(content_type="application/json"),
        "broken": web.Response(body=b'{"id": ', content_type="application/json"),
        "twice": web.Response(text="x", headers=[("X-A", "1"), ("x-a", "2")]),
        "latin": web.Response(body=b"caf\xe9"),
        "404": web.Response(status=404, text="no"),
        "500": web.Response(status=500, text="no"),
        "204": web.Response(status=204),
    }

    async def handler(request):
        return answers[request.path[1:]]

    with Peer(handler) as peer:
        p, got = flow(
            lsc,
            f'''http {{ url => "{peer.url}/%{{k}}" target_body => "[r][body]"
                target_headers => "[r][headers]" }}''',
            *[{"k": k} for k in answers],
        )
    found = {e["k"]: e for e in got}
    bodies = {k: e.get("r", {}).get("body") for k, e in found.items()}
    assert bodies == {
        "text": "Bom dia", "json": {"id": 10}, "number": 17, "empty": None, "broken": None,
        "twice": "x", "latin": "caf\ufffd", "404": None, "500": None, "204": "",
    }
    assert found["twice"]["r"]["headers"]["x-a"] == ["1", "2"]
    assert {k: e.get("tags") for k, e in found.items() if "tags" in e} == {
        "broken": ["_jsonparsefailure"], "404": ["_httprequestfailure"], "500": ["_httprequestfailure"],
    }
    assert "r" not in found["404"] and "headers" in found["broken"]["r"]
    # The same kind of failure is logged once in ten seconds.
    assert "404 from http://127.0.0.1" in p.stderr and "500 from" not in p.stderr


def test_ecs_defaults(lsc):
    with Peer(echo) as peer:
        _, got = flow(
            lsc,
            f'''http {{ url => "{peer.url}" target_body => "rest" }}
                mutate {{ copy => {{ "[@metadata][filter][http][response][headers]" => "kept" }} }}''',
            {},
        )
    assert got[0]["rest"]["path"] == "/" and got[0]["kept"]["server"] == "peer"
    assert "headers" not in got[0]


def test_urls_that_are_none_and_servers_that_are_not_there(lsc):
    with Peer(echo) as peer:
        p, got = flow(
            lsc,
            f'http {{ {OLD} url => "%{{u}}" headers => {{ "X" => "%{{h}}" }} connect_timeout => 5 }}',
            {"u": f"{peer.url}/a b", "h": "x"},
            {"u": f"{peer.url}/a#b", "h": "x"},
            {"u": "ftp://127.0.0.1/", "h": "x"},
            {"u": peer.url, "h": "two\nlines"},
            {"u": f"http://127.0.0.1:{free_port()}/", "h": "x"},
            {"u": "http://user:secret@no-such-host.invalid/", "h": "x"},
            {"h": "x"},
        )
    assert [e.get("tags") for e in got] == [None if i == 1 else ["_httprequestfailure"] for i in range(7)]
    assert [r.path for r in peer.requests] == ["/a"]
    assert "secret" not in p.stderr


def test_requests_of_a_batch_go_side_by_side(lsc):
    async def slow(request):
        await asyncio.sleep(0.05)
        return web.Response(text=request.path[1:])

    with Peer(slow) as peer:
        _, got = flow(
            lsc,
            f'http {{ {OLD} url => "{peer.url}/%{{n}}" pool_max_per_route => 8 }}',
            *[{"n": i} for i in range(64)],
        )
    assert [e["body"] for e in got] == [str(i) for i in range(64)]
    assert peer.most_busy == 8 and peer.connections <= 8 + 2


def test_workers_and_conditions(lsc):
    with Peer(echo) as peer:
        config = f'''if [n] != 7 {{ http {{ url => "{peer.url}/%{{n}}" target_body => "r" }} }}
            else {{ mutate {{ add_field => {{ "r" => "none" }} }} }}'''
        _, got = flow(lsc, config, *[{"n": n % 10} for n in range(1000)], workers=4)
    assert len(got) == 1000
    for e in got:
        assert e["r"] == "none" if e["n"] == 7 else e["r"]["path"] == f"/{e['n']}"


def test_cookies_and_redirects(lsc):
    async def handler(request):
        if request.path == "/from":
            raise web.HTTPFound("/to", headers={"Set-Cookie": "a=1"})
        return web.Response(text=request.headers.get("Cookie", "none"))

    for more, first, second in [("", "a=1", "a=1"), ("cookies => false", "none", "none")]:
        with Peer(handler) as peer:
            config = f'http {{ {OLD} url => "{peer.url}/%{{p}}" pool_max => 1 {more} }}'
            _, got = flow(lsc, config, {"p": "from"}, {"p": "to"})
        assert [e["body"] for e in got] == [first, second]
    with Peer(handler) as peer:
        _, got = flow(lsc, f'http {{ {OLD} url => "{peer.url}/from" follow_redirects => false }}', {})
    assert got[0]["tags"] == ["_httprequestfailure"]


def test_broken_connections_are_tried_again(lsc):
    seen = set()

    async def broken(request):
        if request.path not in seen:
            seen.add(request.path)
            request.transport.close()
        return web.Response(text="there")

    settings = {"a": "", "b": "automatic_retries => 0", "c": "verb => POST",
                "d": "verb => POST retry_non_idempotent => true"}
    with Peer(broken) as peer:
        filters = [f'http {{ url => "{peer.url}/{k}" target_body => "[r][{k}]" {v} }}' for k, v in settings.items()]
        _, got = flow(lsc, " ".join(filters), {})
    assert got[0]["r"] == {"a": "there", "d": "there"}


def test_keepalive(lsc):
    with Peer(echo) as peer:
        flow(lsc, f'http {{ {OLD} url => "{peer.url}" pool_max => 1 }}', *[{}] * 5)
    assert peer.connections == 1
    with Peer(echo) as peer:
        flow(lsc, f'http {{ {OLD} url => "{peer.url}" pool_max => 1 keepalive => false }}', *[{}] * 5)
    assert peer.connections == 5


def test_timeouts(lsc):
    async def never(request):
        await asyncio.sleep(60)

    with Peer(never) as peer:
        p, got = flow(lsc, f'http {{ {OLD} url => "{peer.url}" request_timeout => 0.1 }}', {})
    assert got[0]["tags"] == ["_httprequestfailure"] and "timed out" in p.stderr.lower()


def test_a_forced_stop_ends_requests(lsc):
    async def never(request):
        await asyncio.sleep(60)

    with Peer(never) as peer:
        config = f'filter {{ http {{ {OLD} url => "{peer.url}" }} }}'
        p = lsc.start(f"input {{ stdin {{ }} }} {config} output {{ stdout {{ }} }}", env=FORCED)
        p.write("x\n")
        wait_until(lambda: peer.requests, "the request")
        p.signal(signal.SIGINT)
        p.wait_log("shutting down")
        p.signal(signal.SIGINT)
        assert p.wait() == 1


@pytest.fixture
def certificate(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tmp_path / "key.pem",
         "-out", tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return tmp_path


def test_tls(lsc, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Peer(echo, ssl=context) as peer:
        for more, good in [
            ("", False),
            (f'ssl_certificate_authorities => "{certificate}/cert.pem"', True),
            (f'cacert => "{certificate}/cert.pem"', True),
            ("ssl_verification_mode => none", True),
        ]:
            p, got = flow(lsc, f'http {{ {OLD} url => "{peer.url}" {more} }}', {})
            assert ("body" in got[0]) == good, more
            if "cacert" in more:
                assert "use ssl_certificate_authorities" in p.stderr


def test_proxy(lsc):
    async def proxy(request):
        return web.Response(text=f"{request.raw_path} {request.headers['Proxy-Authorization']}")

    with Peer(proxy) as peer:
        _, got = flow(
            lsc,
            f'''http {{ {OLD} url => "http://far.example/x" proxy => {{ host => "127.0.0.1"
                port => {peer.port} user => "u" password => "p" }} }}''',
            {},
        )
    assert got[0]["body"] == "http://far.example/x Basic dTpw"
