"""The options of input { websocket }: each verified by the server, not by what lsc says."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import http
import json
import os
import random
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import jwt
import pytest
import websockets

from lsc import ROOT, free_port, wait_until
from test_websocket import Forward, Server, config, message, sending, texts, tls_server  # noqa: F401
from test_websocket import certificates  # noqa: F401  (a fixture)


class Recorder:
    """Keeps the headers of each handshake."""

    def __init__(self):
        self.seen = []

    async def __call__(self, path, headers):
        self.seen.append((path, headers))


def request_of(lsc, options, url_path="/feed", **server_options):
    recorder = Recorder()
    with Server(sending(message(1)), process_request=recorder, **server_options) as server:
        p = lsc.start(config(server.port, options).replace("/feed", url_path), "--log.level", "debug")
        p.wait_events("out", 1)
        p.stop()
    return recorder.seen[0][1], server.port, p


def config_error(lsc, options, pattern, url="ws://h/"):
    p = lsc.start(f'input {{ websocket {{ url => "{url}" {options} }} }} output {{ null {{ }} }}', "-t")
    assert p.wait() == 1
    assert re.search(pattern, p.stderr + p.stdout), p.stderr + p.stdout


# ---- headers ----


def test_headers_origin_and_host(lsc):
    options = """headers => { "X-Key" => "${KEY:k 1}" "Host" => "feed.example" "x-n" => 5 }
                 origin => "https://app.example" """
    headers, _, _ = request_of(lsc, options)
    assert headers["X-Key"] == "k 1" and headers["X-N"] == "5"
    assert headers.get_all("Host") == ["feed.example"]
    assert headers["Origin"] == "https://app.example"


def test_one_origin(lsc):
    config_error(lsc, 'origin => "a" headers => { "origin" => "b" }', "has an Origin already")


def test_auto_replay_nacks_has_no_effect(lsc):
    with Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, "auto_replay_nacks => false"))
        p.wait_events("out", 1)
        assert "auto_replay_nacks" in p.stderr


@pytest.mark.parametrize("name", ["Upgrade", "connection", "Sec-WebSocket-Key"])
def test_headers_of_the_handshake_are_refused(lsc, name):
    config_error(lsc, f'headers => {{ "{name}" => "x" }}', "belongs to the handshake")


def test_subprotocols(lsc):
    options = 'subprotocols => ["v2.feed", "v1.feed"]'
    headers, _, _ = request_of(lsc, options, subprotocols=["v1.feed"])
    assert headers["Sec-WebSocket-Protocol"] == "v2.feed, v1.feed"


def test_a_server_that_speaks_no_offered_subprotocol(lsc):
    with Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, 'subprotocols => ["v2.feed"]'))
        p.wait_log("answer without one of the subprotocols")


# ---- authentication ----


def test_user_and_password(lsc):
    headers, _, p = request_of(lsc, 'user => "ada" password => "pässwörd"')
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == "ada:pässwörd".encode()
    assert "pässwörd" not in p.stderr


def test_bearer_token(lsc):
    headers, _, p = request_of(lsc, 'bearer_token => "t0ken"')
    assert headers["Authorization"] == "Bearer t0ken"
    assert "t0ken" not in p.stderr


def test_a_token_file_is_read_again(lsc, tmp_path):
    token = tmp_path / "token"
    token.write_text("first\n")
    recorder = Recorder()

    async def close(socket):
        token.write_text("second")
        await socket.close()

    with Server(sending(then=close), process_request=recorder) as server:
        lsc.start(config(server.port, f'bearer_token_file => "{token}"'))
        wait_until(lambda: len(recorder.seen) >= 2, "two connections")
    assert [h["Authorization"] for _, h in recorder.seen[:2]] == ["Bearer first", "Bearer second"]


def test_a_file_of_headers_is_read_again(lsc, tmp_path):
    lines = tmp_path / "headers"
    lines.write_text("# keys\r\nX-Api-Key: first \r\n\r\nX-Site:7\n")
    recorder = Recorder()

    async def close(socket):
        lines.write_text("X-Api-Key: second: and more")
        await socket.close()

    with Server(sending(then=close), process_request=recorder) as server:
        lsc.start(config(server.port, f'headers_file => "{lines}" headers => {{ "X-Fixed" => "1" }}'))
        wait_until(lambda: len(recorder.seen) >= 2, "two connections")
    seen = [h for _, h in recorder.seen[:2]]
    assert [h["X-Api-Key"] for h in seen] == ["first", "second: and more"]
    assert [h.get("X-Site") for h in seen] == ["7", None]
    assert [h["X-Fixed"] for h in seen] == ["1", "1"]


@pytest.mark.parametrize(
    "line,problem",
    [
        ("s3cret", "is no header line"),
        ("X-A: 1\nX B: s3cret", "line 2, is no header line"),
        ("Upgrade: s3cret", "belongs to the handshake"),
        ("Host: s3cret", "belongs into .*headers"),
        ("authorization: s3cret", "is a second kind of authentication"),
        ("X-Long: " + "s3cret" * 20_000, "File too large"),
    ],
)
def test_a_file_of_headers_that_is_wrong(lsc, tmp_path, line, problem):
    lines = tmp_path / "headers"
    lines.write_text(line)
    with Server(sending()) as server:
        p = lsc.start(config(server.port, f'headers_file => "{lines}" user => "a" password => "b"'))
        p.wait_log(problem)
    assert "s3cret" not in p.stderr


@pytest.mark.parametrize(
    "options,url",
    [
        ('user => "a" password => "b" bearer_token => "c"', "ws://h/"),
        ('bearer_token => "c"', "ws://u:p@h/"),
        ('oauth1_consumer_key => "k" oauth1_consumer_secret => "s"', "ws://u:p@h/"),
        ('jwt_secret => "s" jwt_signing_method => HS256 headers => { "authorization" => "x" }', "ws://h/"),
    ],
)
def test_two_kinds_of_authentication_are_an_error(lsc, options, url):
    config_error(lsc, options, "two kinds of authentication", url)


def rfc3986(text):
    return urllib.parse.quote(text, safe="-._~")


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
def test_oauth1(lsc, method):
    """The server recomputes the signature as RFC 5849, section 3.4, says."""
    options = f"""oauth1_consumer_key => "ck&1" oauth1_consumer_secret => "cs/2"
                  oauth1_access_token => "at 3" oauth1_access_token_secret => "as=4"
                  oauth1_signature_method => "{method}" """
    headers, port, p = request_of(lsc, options, "/feed?b=2%20x&a=%C3%A4&a=1+1&c")
    scheme, _, rest = headers["Authorization"].partition(" ")
    assert scheme == "OAuth"
    got = {k: urllib.parse.unquote(v) for k, v in re.findall(r'(\w+)="([^"]*)"', rest)}
    signature = got.pop("oauth_signature")
    assert got["oauth_consumer_key"] == "ck&1" and got["oauth_token"] == "at 3"
    assert abs(int(got["oauth_timestamp"]) - time.time()) < 60 and len(got["oauth_nonce"]) >= 16
    query = [("b", "2 x"), ("a", "ä"), ("a", "1 1"), ("c", "")]
    pairs = sorted((rfc3986(k), rfc3986(v)) for k, v in [*got.items(), *query])
    normal = "&".join(f"{k}={v}" for k, v in pairs)
    base = "&".join(map(rfc3986, ["GET", f"http://127.0.0.1:{port}/feed", normal]))
    key = f"{rfc3986('cs/2')}&{rfc3986('as=4')}"
    if method == "PLAINTEXT":
        assert signature == key
    else:
        digest = hashlib.sha1 if method == "HMAC-SHA1" else hashlib.sha256
        mac = hmac.new(key.encode(), base.encode(), digest).digest()
        assert signature == base64.b64encode(mac).decode()
    assert "cs/2" not in p.stderr and "as=4" not in p.stderr


def test_oauth1_as_benthos_signs(lsc):
    """What config_http.go of Benthos sends: its own base string, no scheme, sorted by name."""
    options = """oauth1_consumer_key => "c k" oauth1_consumer_secret => "cs"
                 oauth1_access_token => "at" oauth1_access_token_secret => "as" oauth1_style => benthos"""
    headers, port, _ = request_of(lsc, options, "/feed?x=1")
    quote = urllib.parse.quote_plus
    found = re.fullmatch(
        r'oauth_consumer_key="c\+k", oauth_nonce="(\d+)", oauth_signature="([^"]+)", '
        r'oauth_signature_method="HMAC-SHA1", oauth_timestamp="(\d+)", oauth_token="at", '
        r'oauth_version="1.0"',
        headers["Authorization"],
    )
    nonce, signature, timestamp = found.groups()
    params = (
        f"oauth_consumer_key=c+k&oauth_nonce={nonce}&oauth_signature_method=HMAC-SHA1"
        f"&oauth_timestamp={timestamp}&oauth_token=at&oauth_version=1.0"
    )
    base = f"&{quote(f'ws://127.0.0.1:{port}/feed?x=1')}&{quote(params)}"
    mac = hmac.new(b"cs&as", base.encode(), hashlib.sha1).digest()
    assert signature == quote(base64.b64encode(mac).decode())


def make_key(folder, *args):
    key, public = folder / "key.pem", folder / "public.pem"
    subprocess.run(["openssl", "genpkey", *args, "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    return key, public.read_text()


RSA = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
KEYS = {
    **{a: RSA for a in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
    "ES256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "ES384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "ES512": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "EdDSA": ("-algorithm", "ED25519"),
}


@pytest.mark.parametrize("algorithm", [*KEYS, "HS256", "HS384", "HS512"])
def test_jwt(lsc, tmp_path, algorithm):
    """PyJWT verifies what lsc sent."""
    if algorithm in KEYS:
        key, public = make_key(tmp_path, *KEYS[algorithm])
        options = f'jwt_private_key_file => "{key}"'
    else:
        options, public = 'jwt_secret => "s3cret"', "s3cret"
    options += f""" jwt_signing_method => {algorithm} jwt_lifetime => "5 minutes"
        jwt_claims => {{ "sub" => "lsc" "n" => 5 "admin" => true "nested" => {{ "a" => ["b", 1] }} }}
        jwt_headers => {{ "kid" => "k1" }}"""
    headers, _, p = request_of(lsc, options)
    token = headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, public, algorithms=[algorithm])
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert claims["exp"] - claims["iat"] == 300 and claims["nbf"] == claims["iat"] and claims["jti"]
    assert {k: claims[k] for k in ("sub", "n", "admin", "nested")} == {
        "sub": "lsc", "n": 5, "admin": True, "nested": {"a": ["b", 1]},
    }  # fmt: skip
    assert token not in p.stderr


def test_jwt_that_node_verifies(lsc, tmp_path):
    """A server of node's ws lets in who shows a token that the library jose finds good."""
    keys, inputs = {}, ""
    algorithms = [*KEYS, "HS256", "HS384", "HS512"]
    for i, algorithm in enumerate(algorithms):
        folder = tmp_path / algorithm
        folder.mkdir()
        if algorithm in KEYS:
            key, keys[algorithm] = make_key(folder, *KEYS[algorithm])
            secret = f'jwt_private_key_file => "{key}"'
        else:
            keys[algorithm] = f"secret of {algorithm}"
            secret = f'jwt_secret => "{keys[algorithm]}"'
        inputs += f"""websocket {{ url => "ws://127.0.0.1:PORT/{algorithm}" {secret} jwt_lifetime => 60
            jwt_signing_method => {algorithm} retry_initial => 60 jwt_headers => {{ "kid" => "k{i}" }}
            jwt_claims => {{ "iss" => "lsc" "aud" => "feed" "n" => {i} "in" => {{ "a" => ["b"] }} }} }}\n"""
    inputs += """websocket { url => "ws://127.0.0.1:PORT/HS256" jwt_secret => "another" jwt_signing_method => HS256
                 jwt_claims => { "iss" => "lsc" "aud" => "feed" } jwt_lifetime => 60 retry_initial => 60 }"""
    (tmp_path / "keys").write_text(json.dumps(keys))
    node = subprocess.Popen(["node", ROOT / "tests/e2e/jwt_peer.js", tmp_path / "keys"], stdout=subprocess.PIPE,
                            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})  # fmt: skip
    try:
        inputs = inputs.replace("PORT", node.stdout.readline().decode().strip())
        p = lsc.start(f"input {{ {inputs} }} output {{ file {{ path => 'out' codec => json_lines }} }}")
        events = p.wait_events("out", len(algorithms))
        p.wait_log('request failed .*status=>401, .*body=>"ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
    finally:
        node.kill()
        node.wait()
        node.stdout.close()
    events.sort(key=lambda e: e["claims"]["n"])
    assert [e["header"] for e in events] == [{"alg": a, "typ": "JWT", "kid": f"k{i}"} for i, a in enumerate(algorithms)]
    assert all(e["claims"]["in"] == {"a": ["b"]} for e in events)


def test_an_encrypted_jwt_key_in_the_old_form(lsc, tmp_path):
    key, public = make_key(tmp_path, *RSA)
    old = tmp_path / "old.pem"
    subprocess.run(["openssl", "rsa", "-in", key, "-traditional", "-aes128", "-passout", "pass:pw",
                    "-out", old], check=True, capture_output=True)  # fmt: skip
    assert "BEGIN RSA PRIVATE KEY" in old.read_text()
    headers, _, _ = request_of(
        lsc, f'jwt_private_key_file => "{old}" jwt_private_key_passphrase => "pw"'
    )
    jwt.decode(headers["Authorization"].removeprefix("Bearer "), public, algorithms=["RS256"])


def test_a_key_of_the_wrong_kind(lsc, tmp_path):
    key, _ = make_key(tmp_path, *RSA)
    config_error(lsc, f'jwt_private_key_file => "{key}" jwt_signing_method => ES256',
                 "not one for ES256")  # fmt: skip


# ---- TLS ----


def test_a_given_ca_as_file_and_inline(lsc, certificates):  # noqa: F811
    pem = (certificates / "ca.pem").read_text()
    for ca in (certificates / "ca.pem", pem):
        with Server(sending(message(1)), tls=tls_server(certificates)) as server:
            p = lsc.start(config(server.port, f'ssl_certificate_authorities => "{ca}"', "wss"))
            p.wait_events("out", 1)


def test_verification_modes(lsc, certificates):  # noqa: F811
    ca = f'ssl_certificate_authorities => "{certificates / "ca.pem"}"'
    wrong = 'ssl_server_name => "other.example"'
    for options, problem in [
        (f"{ca} {wrong}", "hostname mismatch"),
        (f"{ca} {wrong} ssl_verification_mode => certificate", None),
        ("ssl_verification_mode => certificate", "unable to get local issuer|self-signed"),
        ("ssl_verification_mode => none", None),
    ]:
        with Server(sending(message(1)), tls=tls_server(certificates)) as server:
            p = lsc.start(config(server.port, options, "wss"))
            if problem:
                p.wait_log(f"certificate verify failed: ({problem})")
            else:
                p.wait_events("out", 1)
            assert ("not verified" in p.stderr) == ("none" in options)


def test_the_server_is_told_which_name_is_meant(lsc, certificates):  # noqa: F811
    """SNI: the host's name, or ssl_server_name; no address, and also without verification."""
    names = []
    context = tls_server(certificates)
    context.sni_callback = lambda _, name, __: names.append(name)
    with Server(sending(message(1)), tls=context) as server:
        for host, options in [("localhost", ""), ("127.0.0.1", 'ssl_server_name => "other.example"'), ("127.0.0.1", "")]:
            text = config(server.port, f"ssl_verification_mode => none {options}", "wss").replace("127.0.0.1", host)
            p = lsc.start(text)
            p.wait_events("out", 1)
            p.stop()
    assert names == ["localhost", "other.example", None]


def test_a_pinned_certificate(lsc, certificates):  # noqa: F811
    der = ssl.PEM_cert_to_DER_cert((certificates / "cert.pem").read_text())
    good = hashlib.sha256(der).hexdigest()
    for digest, trusted in ((good, True), (good.upper(), True), ("0" * 64, False)):
        with Server(sending(message(1)), tls=tls_server(certificates)) as server:
            p = lsc.start(config(server.port, f'ca_trusted_fingerprint => "{digest}"', "wss"))
            if trusted:
                p.wait_events("out", 1)
            else:
                p.wait_log("certificate verify failed")


@pytest.mark.parametrize("form", ["pkcs8", "pkcs8-encrypted", "pkcs1", "pkcs1-encrypted", "sec1", "sec1-encrypted",
                                  "inline"])  # fmt: skip
def test_a_client_certificate(lsc, certificates, tmp_path, form):  # noqa: F811
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if form.startswith("sec1") else ["-newkey", "rsa:2048"]

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=tmp_path, check=True, capture_output=True)

    openssl("req", *kind, "-nodes", "-keyout", "p8", "-out", "csr", "-subj", "/CN=client")
    openssl("x509", "-req", "-in", "csr", "-CA", certificates / "ca.pem", "-CAkey",
            certificates / "ca.key", "-CAcreateserial", "-days", "2", "-out", "cert")  # fmt: skip
    key = tmp_path / "p8"
    encrypt = ["-aes128", "-passout", "pass:pw"] if form.endswith("encrypted") else []
    extra = 'ssl_key_passphrase => "pw"' if encrypt else ""
    if form == "pkcs8-encrypted":
        openssl("pkcs8", "-topk8", "-in", "p8", "-passout", "pass:pw", "-out", "enc")
        key = tmp_path / "enc"
    elif form.startswith("pkcs1"):
        openssl("rsa", "-in", "p8", "-traditional", "-out", "p1", *encrypt)
        key = tmp_path / "p1"
    elif form.startswith("sec1"):
        openssl("ec", "-in", "p8", "-out", "sec1", *encrypt)
        key = tmp_path / "sec1"
    cert = tmp_path / "cert"
    if form == "inline":
        key, cert = key.read_text(), cert.read_text()

    context = tls_server(certificates)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates / "ca.pem")
    names = []

    async def who(socket):
        names.append(socket.transport.get_extra_info("peercert")["subject"])

    if encrypt:
        old = key.read_text()
        begin = {"pkcs8": "ENCRYPTED PRIVATE KEY", "pkcs1": "RSA PRIVATE KEY", "sec1": "EC PRIVATE KEY"}
        assert begin[form.split("-")[0]] in old and ("DEK-Info" in old or form.startswith("pkcs8"))
        pair = f'ssl_certificate => "{cert}" ssl_key => "{key}"'
        config_error(lsc, pair, "holds no private key that can be read", "wss://h/")
        config_error(lsc, f'{pair} ssl_key_passphrase => "wr0ng"', "holds no private key that can be read", "wss://h/")
    ca = f'ssl_certificate_authorities => "{certificates / "ca.pem"}"'
    with Server(sending(message(1), then=who), tls=context) as server:
        p = lsc.start(
            config(server.port, f'{ca} ssl_certificate => "{cert}" ssl_key => "{key}" {extra}', "wss")
        )
        p.wait_events("out", 1)
        wait_until(lambda: names, "the server's look at the certificate")
        assert names[0] == ((("commonName", "client"),),)
        q = lsc.start(config(server.port, ca, "wss"))
        q.wait_log("TLS|certificate required|connection lost")


def authority(folder, name):
    """A private CA called `name` and a client's certificate of it, as the files name.pem, name.key
    and name-client.pem, name-client.key."""

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", "-days", "2")
    openssl("req", *ec, "-keyout", f"{name}-client.key", "-out", "csr", "-subj", f"/CN=client of {name}")
    openssl("x509", "-req", "-in", "csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key", "-CAcreateserial",
            "-days", "2", "-out", f"{name}-client.pem")  # fmt: skip


NODE = """
    const https = require("https"), fs = require("fs"), { WebSocketServer } = require("ws");
    const read = (name) => fs.readFileSync(process.argv[2] + "/" + name);
    for (const version of ["TLSv1.2", "TLSv1.3"])
        for (const name of ["first", "second", "third"]) {
            const server = https.createServer({
                cert: read("cert.pem"), key: read("key.pem"), ca: read(name + ".pem"),
                requestCert: true, rejectUnauthorized: false, minVersion: version, maxVersion: version,
            });
            new WebSocketServer({ server }).on("connection", (socket, request) => {
                const subject = request.socket.getPeerCertificate().subject;
                socket.send(JSON.stringify({ message: `${version} ${name}: ${subject?.CN}` }));
            });
            server.listen(0, "127.0.0.1", () => console.log(server.address().port));
        }
"""


def test_the_client_certificate_that_the_server_asks_for(lsc, certificates, tmp_path):  # noqa: F811
    """node's servers name the authorities that they trust, Python's do not."""
    for name in ("first", "second", "third"):
        authority(tmp_path, name)
    for file in ("cert.pem", "key.pem"):
        (tmp_path / file).write_text((certificates / file).read_text())
    (tmp_path / "server.js").write_text(NODE)
    pairs = [[f'"{tmp_path}/{name}-client.{kind}"' for name in ("first", "second")] for kind in ("pem", "key")]
    options = f"""ssl_certificate_authorities => "{certificates}/ca.pem"
                  ssl_certificate => [{", ".join(pairs[0])}] ssl_key => [{", ".join(pairs[1])}]"""
    node = subprocess.Popen(["node", tmp_path / "server.js", tmp_path], stdout=subprocess.PIPE,
                            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})  # fmt: skip
    try:
        ports = [int(node.stdout.readline()) for _ in range(6)]
        inputs = [f'input {{ websocket {{ url => "wss://127.0.0.1:{port}/" {options} }} }}' for port in ports]
        p = lsc.start("\n".join(inputs) + 'output { file { path => "out" codec => json_lines } }')
        assert sorted(texts(p.wait_events("out", 6))) == [
            f"{version} {name}: {subject}"
            for version in ("TLSv1.2", "TLSv1.3")
            for name, subject in (("first", "client of first"), ("second", "client of second"), ("third", "undefined"))
        ]
    finally:
        node.kill()
        node.wait()
        node.stdout.close()


def test_pkcs12_stores(lsc, certificates, tmp_path):  # noqa: F811
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=tmp_path, check=True, capture_output=True)

    openssl("pkcs12", "-export", "-in", certificates / "cert.pem", "-inkey", certificates / "key.pem",
            "-passout", "pass:pw", "-out", "keys.p12")  # fmt: skip
    openssl("pkcs12", "-export", "-in", certificates / "ca.pem", "-nokeys", "-passout", "pass:pw",
            "-out", "trust.p12")  # fmt: skip
    context = tls_server(certificates)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates / "ca.pem")
    options = f"""ssl_keystore_path => "{tmp_path}/keys.p12" ssl_keystore_password => "pw"
                  ssl_truststore_path => "{tmp_path}/trust.p12" ssl_truststore_password => "pw" """
    with Server(sending(message(1)), tls=context) as server:
        types = 'ssl_keystore_type => "pkcs12" ssl_truststore_type => "pkcs12"'
        lsc.start(config(server.port, options + types, "wss")).wait_events("out", 1)
    config_error(lsc, options.replace("pw", "no"), "cannot be opened with this password")
    config_error(lsc, 'ssl_keystore_type => "jks"', "keytool -importkeystore", "wss://h/")
    config_error(lsc, 'ssl_truststore_type => "jks"', "keytool -importkeystore", "wss://h/")
    (tmp_path / "trust.p12").write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    config_error(lsc, options, "keytool -importkeystore", "wss://h/")


def test_the_tls_handshake_has_a_time_limit(lsc):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        p = lsc.start(config(listener.getsockname()[1], "ssl_handshake_timeout => 200", "wss"))
        p.wait_log("connection failed .*time-out.*no answer to the TLS handshake")


@pytest.mark.parametrize("version,option,suite", [
    ("TLSv1_2", 'ssl_cipher_suites => ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]', "ECDHE-RSA-AES256-GCM-SHA384"),
    ("TLSv1_3", 'ssl_ciphersuites => ["TLS_AES_128_GCM_SHA256"]', "TLS_AES_128_GCM_SHA256"),
])  # fmt: skip
def test_cipher_suites(lsc, certificates, version, option, suite):  # noqa: F811
    context = tls_server(certificates)
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    used = []

    async def look(socket):
        used.append(socket.transport.get_extra_info("cipher")[0])

    ca = f'ssl_certificate_authorities => "{certificates / "ca.pem"}"'
    with Server(sending(message(1), then=look), tls=context) as server:
        lsc.start(config(server.port, f"{ca} {option}", "wss")).wait_events("out", 1)
        wait_until(lambda: used, "the server's look at the cipher")
    assert used == [suite]


@pytest.mark.parametrize("allowed", [True, False])
def test_renegotiation(lsc, certificates, allowed):  # noqa: F811
    """openssl s_server speaks TLS; what it is told at its stdin it does or sends."""
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-tls1_2", "-accept", f"127.0.0.1:{port}", "-cert", "cert.pem",
                               "-key", "key.pem"], cwd=certificates, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)  # fmt: skip
    said = b""

    def wait_for(text):
        nonlocal said
        while text not in said:
            more = os.read(server.stdout.fileno(), 4096)
            assert more, said
            said += more

    try:
        wait_for(b"ACCEPT")
        p = lsc.start(config(port, f"""ssl_certificate_authorities => "{certificates}/ca.pem"
                                       ssl_renegotiation => {str(allowed).lower()} retry_max_attempts => 0""", "wss"))
        wait_for(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", said)[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest())
        server.stdin.write(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")  # fmt: skip
        p.wait_log("connected")
        server.stdin.write(b"r\n")  # renegotiate
        wait_for(b"SSL_do_handshake")
        if allowed:
            server.stdin.write(b'\x81\x0d{"message":1}')
            assert texts(p.wait_events("out", 1)) == [1]
        else:
            p.wait_log("connection lost")
            wait_for(b"no renegotiation")
    finally:
        server.kill()
        server.communicate()


def test_settings_of_tls_that_contradict(lsc, certificates):  # noqa: F811
    config_error(lsc, "ssl_enabled => true", "contradicts")
    config_error(lsc, f'ssl_key => "{certificates / "key.pem"}"', "belong together")
    config_error(lsc, 'ssl_supported_protocols => "TLSv1.1"', "TLSv1.2, TLSv1.3")
    config_error(lsc, 'ssl_ciphersuites => "TLS_AES_128_GCM_SHA256" ssl_cipher_suites => "x"', "another name")
    config_error(lsc, 'ssl_ciphersuites => "TLS_AES"', "not all of the cipher suites for TLS 1.3", "wss://h/")
    config_error(lsc, f'ssl_certificate => "{certificates / "ca.pem"}" ssl_key => "{certificates / "key.pem"}"',
                 "does not belong to the certificate")  # fmt: skip


# ---- messages that lsc sends ----


def test_open_messages_on_every_connect(lsc):
    got = []

    async def handler(socket):
        got.append([await socket.recv() for _ in range(3)])
        await socket.send(message(len(got)))
        await socket.close()

    with Server(handler) as server:
        lsc.start(config(server.port, 'open_message => "subscribe" open_messages => ["a", "ä"]'))
        wait_until(lambda: len(got) >= 2, "two connections")
    assert got[:2] == [["subscribe", "a", "ä"]] * 2


def test_open_messages_may_be_binary(lsc):
    got = []

    async def handler(socket):
        got.append(await socket.recv())

    with Server(handler) as server:
        lsc.start(config(server.port, 'open_message => "x" open_message_type => binary'))
        wait_until(lambda: got, "the message")
    assert got == [b"x"]


def test_the_expected_answer_is_no_event(lsc):
    with Server(sending(message(0), '{"subscribed":true}', message(1))) as server:
        p = lsc.start(config(server.port, 'open_message => "s" open_message_expect => "subscribed"'))
        assert texts(p.wait_events("out", 2)) == [0, 1]


def test_no_expected_answer_means_another_connection(lsc):
    with Server(sending()) as server:
        p = lsc.start(config(server.port, 'open_message_expect => "x" open_message_timeout => 0.1'))
        p.wait_log("no answer to the open message", count=2)
        wait_until(lambda: server.clients >= 2, "a second connection")


def test_polling(lsc):
    async def handler(socket):
        async for asked in socket:
            await socket.send(message(asked))

    with Server(handler) as server:
        p = lsc.start(config(server.port, 'poll_message => "more" poll_interval => 0.05'))
        assert texts(p.wait_events("out", 3))[:3] == ["more"] * 3


# ---- signs of life ----


def test_pings_keep_a_quiet_connection(lsc):
    with Server(sending()) as server:
        p = lsc.start(config(server.port, "ping_interval => 0.05 ping_timeout => 5"))
        p.wait_log("connected")
        time.sleep(0.5)  # ten pings: nothing to wait for, as nothing may happen
        assert server.clients == 1 and "lost" not in p.stderr


@pytest.mark.parametrize("setting", ["ping_interval", "keepalive"])
def test_a_server_that_does_not_answer_is_left(lsc, setting):
    async def silent(socket):
        socket.transport.pause_reading()  # the server's pongs stop
        await asyncio.sleep(2)

    with Server(silent, close_timeout=0.1) as server:
        p = lsc.start(config(server.port, f"{setting} => 0.1 ping_timeout => 0.2"))
        p.wait_log("connection lost .*no answer to a ping", count=2)


def test_keepalive_is_another_name(lsc):
    config_error(lsc, "keepalive => 5 ping_interval => 5", '"keepalive" is another name of "ping_interval"')


def test_pings_as_messages(lsc):
    async def handler(socket):
        for _ in range(3):
            assert await socket.recv() == "ping!"
            await socket.send("pong!")
        await socket.send(message("done"))
        await socket.wait_closed()

    with Server(handler) as server:
        p = lsc.start(config(server.port, 'ping_interval => 0.05 ping_message => "ping!" pong_message => "pong!"'))
        assert texts(p.wait_events("out", 1)) == ["done"]


def test_idle_timeout(lsc):
    with Server(sending(message(1))) as server:
        p = lsc.start(config(server.port, "idle_timeout => 0.2"))
        p.wait_log("no message for idle_timeout", count=2)


def test_connect_timeout(lsc):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        p = lsc.start(config(listener.getsockname()[1], "connect_timeout => 0.2"))
        p.wait_log("connection failed .*time-out.*no answer to the WebSocket handshake")


# ---- sizes and compression ----


@pytest.mark.parametrize("size,works", [(1000, True), (1001, False)])
def test_max_message_size(lsc, size, works):
    with Server(sending("x" * size, ["x" * 500, "x" * (size - 500)])) as server:
        p = lsc.start(config(server.port, "codec => plain max_message_size => 1000"))
        if works:
            p.wait_events("out", 2)
        else:
            wait_until(lambda: server.closed, "the end")
            assert server.closed[0][0] == 1009


LONG = "ä" + random.Random(1).randbytes(300_000).hex()


@pytest.mark.parametrize("compression", ["none", "permessage-deflate"])
def test_compression(lsc, compression):
    messages = [message(n) for n in range(100)] + ["", message(LONG), [message("frag")[:4], message("frag")[4:]]]
    recorder = Recorder()
    with Server(sending(*messages), process_request=recorder, compression="deflate") as server:
        p = lsc.start(config(server.port, f'compression => "{compression}"'))
        events = p.wait_events("out", 102)
        got = [e["message"] for e in events if e.get("message") not in (None, "")]
        assert got == [*range(100), LONG, "frag"]
    offered = recorder.seen[0][1].get("Sec-WebSocket-Extensions", "")
    assert ("permessage-deflate" in offered) == (compression != "none")


def test_a_compression_bomb(lsc):
    with Server(sending("x" * 20_000_000), compression="deflate") as server:
        p = lsc.start(config(server.port, 'codec => plain compression => "permessage-deflate"'))
        p.wait_log("message too big when decompressed")
        wait_until(lambda: server.closed, "the end")
        assert server.closed[0][0] == 1009


@pytest.mark.parametrize("ratio,works", [(2000, True), (10, False)])
def test_the_limit_of_compression(lsc, ratio, works):
    with Server(sending("x" * 200_000), compression="deflate") as server:  # about 1000 times its size
        p = lsc.start(config(server.port, f"""codec => plain compression => "permessage-deflate"
                                              compression_max_ratio => {ratio}"""))
        if works:
            p.wait_events("out", 1)
        else:
            p.wait_log("message too big when decompressed")


# ---- proxies ----


class Proxy:
    """An HTTP CONNECT or SOCKS 5 proxy, after RFC 9110 and RFC 1928/1929; notes what is asked."""

    def __init__(self, kind, password=None, tls=None):
        self.kind, self.password, self.tls, self.asked = kind, password, tls, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError, AssertionError):
            if self.kind == "https":
                client = self.tls.wrap_socket(client, server_side=True)
            target = self._socks(client) if self.kind.startswith("socks") else self._http(client)
            if target:
                other = socket.create_connection(target)
                pump(client, other)

    def _http(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode())
        wanted = base64.b64encode(self.password.encode()) if self.password else b""
        if wanted not in head:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return client.close()
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        host, port = head.split()[1].decode().rsplit(":", 1)
        return host, int(port)

    def _socks(self, client):
        file = client.makefile("rb")
        methods = file.read(file.read(2)[1])
        method = 2 if self.password else 0
        assert method in methods
        client.sendall(bytes([5, method]))
        if self.password:
            file.read(1)
            user = file.read(file.read(1)[0])
            right = user + b":" + file.read(file.read(1)[0]) == self.password.encode()
            client.sendall(bytes([1, 0 if right else 1]))
            assert right
        kind = file.read(4)[3]
        host = socket.inet_ntoa(file.read(4)) if kind == 1 else file.read(file.read(1)[0]).decode()
        port = int.from_bytes(file.read(2), "big")
        self.asked.append((kind, host, port))
        client.sendall(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        return host, port


def pump(a, b):
    def copy(x, y):
        with contextlib.suppress(OSError):
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_WR)

    threading.Thread(target=copy, args=(a, b), daemon=True).start()
    copy(b, a)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("kind,password", [("http", None), ("http", "u:p w"), ("https", "u:p w"),
                                           ("socks5", None), ("socks5h", "u:p w")])  # fmt: skip
def test_a_proxy(lsc, certificates, kind, password, scheme):  # noqa: F811
    proxy = Proxy(kind, password, tls_server(certificates))
    credentials = "u:p%20w@" if password else ""
    options = f"""proxy => "{kind}://{credentials}127.0.0.1:{proxy.port}" proxy_headers => {{ "X-A" => "b" }}
                  ssl_certificate_authorities => "{certificates / 'ca.pem'}" """
    tls = tls_server(certificates) if scheme == "wss" else None
    with Server(sending(message(1)), tls=tls) as server:
        text = config(server.port, options, scheme).replace(f"127.0.0.1:{server.port}", f"localhost:{server.port}")
        p = lsc.start(text, "--log.level", "debug")
        p.wait_events("out", 1)
        assert "p w" not in p.stderr and "p%20w" not in p.stderr
        if kind.startswith("http"):
            assert proxy.asked[0].startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n")
            assert "\r\nX-A: b\r\n" in proxy.asked[0]
        else:
            assert proxy.asked[0] == (3, "localhost", server.port)


def test_a_proxy_that_refuses(lsc):
    p = lsc.start(config(free_port(), f'proxy => "http://127.0.0.1:{Proxy("http", "u:p").port}"'))
    p.wait_log(r"connection failed .*proxy.*the proxy answers 407 Proxy Authentication Required")
    q = lsc.start(config(free_port(), f'proxy => "socks5://a:b@127.0.0.1:{Proxy("socks5", "u:p").port}"'))
    q.wait_log(r"connection failed .*proxy.*user or password is wrong")


def test_the_proxy_of_the_environment(lsc):
    proxy = Proxy("http")
    url = 'input { websocket { url => "ws://feed.example:81/" %s } } output { null { } }'
    env = {"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "other.example"}
    lsc.start(url % "", env=env)
    wait_until(lambda: proxy.asked, "the proxy to be asked")
    assert proxy.asked[0].startswith("CONNECT feed.example:81 ")
    for options, environment in (("proxy => false", env), ("", {**env, "no_proxy": "x,.example"})):
        proxy.asked.clear()
        p = lsc.start(url % options, env=environment)
        p.wait_log("connection failed .*DNS")
        assert not proxy.asked


def test_a_proxy_as_a_hash(lsc):
    proxy = Proxy("http", "u:p")
    options = f'proxy => {{ host => "127.0.0.1" port => {proxy.port} user => "u" password => "p" }}'
    with Server(sending(message(1))) as server:
        lsc.start(config(server.port, options)).wait_events("out", 1)
    config_error(lsc, 'proxy => "ws://h"', "a proxy begins with http://")


def test_tls_with_a_proxy_is_verified(lsc, certificates):  # noqa: F811
    """By its own name, not by that of the server; and its handshake has a limit."""
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    proxy = Proxy("https", None, tls_server(certificates))
    with Server(sending(message(1)), tls=tls_server(certificates)) as server:
        options = f'{ca} ssl_server_name => "localhost" proxy => "https://%s:{proxy.port}"'
        lsc.start(config(server.port, options % "127.0.0.1", "wss")).wait_events("out", 1)
        with contextlib.closing(Forward("127.0.0.2", proxy.port)) as forward:
            options = options.replace(str(proxy.port), str(forward.port))
            p = lsc.start(config(server.port, options % "127.0.0.2", "wss"))
            p.wait_log(r"connection failed .*proxy.*certificate verify failed: IP address mismatch")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent = f'proxy => "https://127.0.0.1:{silent.getsockname()[1]}" ssl_handshake_timeout => 100'
        p = lsc.start(config(free_port(), silent))
        p.wait_log("connection failed .*time-out.*no answer to the TLS handshake")


def test_large_messages_by_an_https_proxy(lsc, certificates):  # noqa: F811
    """TLS in TLS: records of one lie across those of the other."""
    ca = f'ssl_certificate_authorities => "{certificates}/ca.pem"'
    proxy = Proxy("https", None, tls_server(certificates))
    messages = [message("x" * n) for n in (1, 16384, 16385, 3_000_000)] * 5
    with Server(sending(*messages), tls=tls_server(certificates)) as server:
        p = lsc.start(config(server.port, f'{ca} proxy => "https://127.0.0.1:{proxy.port}"', "wss"))
        got = texts(p.wait_events("out", len(messages)))
        assert [len(m) for m in got] == [1, 16384, 16385, 3_000_000] * 5


def test_no_proxy_password_is_shown(lsc):
    url = "http://someone:hush@127.0.0.1:1"
    text = config(free_port(), f'proxy => "{url}"')
    p = lsc.start(text, "--log.level", "trace", env={"https_proxy": url})
    p.wait_log("connection failed .*proxy|connection failed .*TCP")
    p.stop()
    q = lsc.start(text, "--dump=ast")
    q.wait()
    r = lsc.start(config(free_port(), f'proxy => "ht!tp://someone:hush@h"'))
    r.wait()
    for shown in (p, q, r):
        assert "hush" not in shown.stdout + shown.stderr, shown.stdout + shown.stderr
    assert "***" in q.stdout


# ---- several servers, attempts ----


def test_the_next_server_of_a_list(lsc):
    dead = free_port()
    with Server(sending(message(1))) as server:
        text = config(server.port, retry="retry_initial => 60").replace(
            f'"ws://127.0.0.1:{server.port}/feed"',
            f'["ws://127.0.0.1:{dead}/", "ws://127.0.0.1:{server.port}/feed"]',
        )
        lsc.start(text).wait_events("out", 1)


@pytest.mark.parametrize("reset,pauses", [(1, [0.05, 0.1, 0.2, 0.4, 0.05, 0.1]), (0, [0.05, 0.1, 0.2, 0.05, 0.05, 0.1])])
def test_pauses_between_attempts(lsc, reset, pauses):
    """The rule of Logstash's plugin 4.0.5: doubled, unless more than retry_reset messages came."""
    times = []

    async def some(socket):
        times.append(time.monotonic())
        for n in range({3: 1, 4: 2}.get(len(times), 0)):
            await socket.send(message(n))
        await socket.close()

    with Server(some) as server:
        retry = f"retry_initial => 0.05 retry_max => 0.4 retry_reset => {reset} retry_jitter => 0"
        p = lsc.start(config(server.port, retry=retry))
        p.wait_log("retry=>", count=6)
        p.stop()
        assert [float(r) for r in re.findall(r"retry=>([\d.]+)", p.stderr)][:6] == pauses
        for n, pause in enumerate(pauses[:5]):
            assert times[n + 1] - times[n] >= pause


def test_retries_that_cannot_be(lsc):
    config_error(lsc, "retry_jitter => 1.1", "between 0.0 and 1.0")
    config_error(lsc, "retry_initial => -1", "not negative")


def test_attempts_come_to_an_end(lsc):
    p = lsc.start(config(free_port(), "retry_max_attempts => 2"))
    assert p.wait() == 0
    assert len(re.findall("connection failed", p.stderr)) == 3


# ---- redirects, metadata ----


def redirecting(location, status=302):
    async def process_request(path, headers):
        if path == "/feed":
            return http.HTTPStatus(status), [("Location", location)], b""

    return process_request


def test_redirects_are_followed_only_when_allowed(lsc):
    with Server(sending(message(1)), process_request=redirecting("/other")) as server:
        p = lsc.start(config(server.port))
        p.wait_log("request failed .*status=>302")
        lsc.start(config(server.port, "max_redirects => 1")).wait_events("out", 1)


def test_a_redirect_to_another_host_carries_no_credentials(lsc):
    recorder = Recorder()
    with Server(sending(message(1)), process_request=recorder) as other:
        there = redirecting(f"ws://127.0.0.1:{other.port}/there", 307)
        with Server(sending(), process_request=there) as server:
            options = 'max_redirects => 2 bearer_token => "t" headers => { "X-Key" => "k" }'
            lsc.start(config(server.port, options)).wait_events("out", 1)
    path, headers = recorder.seen[0]
    assert path == "/there" and "Authorization" not in headers and "X-Key" not in headers


def test_redirects_in_a_circle_end(lsc):
    with Server(sending(), process_request=redirecting("/feed")) as server:
        p = lsc.start(config(server.port, "max_redirects => 3 retry_max_attempts => 0"))
        assert p.wait() == 0
        assert len(re.findall("request failed", p.stderr)) == 1


def test_metadata(lsc):
    show = '''filter { mutate { add_field => { "where" => "%{[@metadata][input][websocket]}" } } }'''
    with Server(sending(message(1), b'{"message":2}'), subprotocols=["v1"]) as server:
        text = config(server.port, 'subprotocols => "v1"').replace("ws://", "ws://u:secret@")
        p = lsc.start(text + show)
        first, second = (json.loads(e["where"]) for e in p.wait_events("out", 2))
        remote = f"127.0.0.1:{server.port}"
        assert first == {
            "opcode": "text", "url": f"ws://***:***@{remote}/feed",
            "remote": remote, "subprotocol": "v1",
        }  # fmt: skip
        assert second == {**first, "opcode": "binary"}
        q = lsc.start(config(server.port, 'metadata => false subprotocols => "v1"') + show)
        assert q.wait_events("out", 1)[0]["where"] == "%{[@metadata][input][websocket]}"
