"""What TLS accepts and refuses, and that the log says why: lsc as client and as server, of inputs
and outputs. The reasons are OpenSSL's: X509_verify_cert_error_string(3), alerts of RFC 8446."""

import contextlib
import re
import socket
import ssl
import threading

import pytest

import ws_raw
from certs import Authority
from lsc import PATIENCE, free_port
from ws_raw import CLOSE, TEXT, Link, frame

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of old versions of TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """The folder of all certificates of the tables below, by name."""
    d = tmp_path_factory.mktemp("certs")
    ca, other = Authority(d, "ca"), Authority(d, "other")
    ca.issue("good")
    ca.issue("elsewhere", hosts=["elsewhere.example", "192.0.2.1"])
    ca.issue("expired", days=(-20, -1))
    ca.issue("early", days=(1, 20))
    ca.issue("purpose", use="client")
    ca.issue("weak", rsa_bits=1024)
    middle = Authority(d, "middle", ca)
    middle.issue("alone")
    chain = (d / "alone.pem").read_text() + middle.pem.read_text()
    (d / "chain.pem").write_text(chain)
    (d / "chain.key").write_bytes((d / "alone.key").read_bytes())
    ca.issue("client", use="client")
    ca.issue("client_expired", use="client", days=(-20, -1))
    other.issue("client_other", use="client")
    return d


# ---- lsc as the client ----

OLD = {"minimum_version": ssl.TLSVersion.TLSv1}
ONLY = {v: {"minimum_version": getattr(ssl.TLSVersion, v), "maximum_version": getattr(ssl.TLSVersion, v)}
        for v in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")}  # fmt: skip
CA = 'ssl_certificate_authorities => "{d}/ca.pem"'
WRONG_VERSION = "protocol version|unsupported protocol|wrong version number"
SERVERS = {  # certificate, settings of the server's context, lsc's options, reason or None: it works
    "private_ca": ("good", {}, CA, None),
    "unknown_ca": ("good", {}, "", "certificate verify failed: unable to get local issuer certificate"),
    "another_ca": ("good", {}, 'ssl_certificate_authorities => "{d}/other.pem"', "unable to get local issuer certificate"),
    "wrong_host": ("elsewhere", {}, CA, "certificate verify failed: IP address mismatch"),
    "wrong_name": ("good", {}, CA + ' ssl_server_name => "elsewhere.example"', "certificate verify failed: hostname mismatch"),
    "any_host": ("elsewhere", {}, CA + " ssl_verification_mode => certificate", None),
    "asked_name": ("elsewhere", {}, CA + ' ssl_server_name => "elsewhere.example"', None),
    "expired": ("expired", {}, CA, "certificate verify failed: certificate has expired"),
    "expired_certificate_mode": ("expired", {}, CA + " ssl_verification_mode => certificate", "certificate has expired"),
    "expired_unverified": ("expired", {}, "ssl_verification_mode => none", None),
    "early": ("early", {}, CA, "certificate verify failed: certificate is not yet valid"),
    "self_signed": ("other", {}, CA, "certificate verify failed: self-signed certificate"),
    "self_signed_trusted": ("other", {}, 'ssl_certificate_authorities => "{d}/other.pem" ssl_verification_mode => certificate', None),
    "chain": ("chain", {}, CA, None),
    "chain_missing": ("alone", {}, CA, "unable to get local issuer certificate"),
    "purpose": ("purpose", {}, CA, "certificate verify failed: (unsupported|unsuitable) certificate purpose"),
    "weak": ("weak", {"ciphers": "ALL:@SECLEVEL=0"}, CA, "certificate verify failed: EE certificate key too weak"),
    "client_certificate": ("good", {"ask": "ca"}, CA + ' ssl_certificate => "{d}/client.pem" ssl_key => "{d}/client.key"', None),
    "no_client_certificate": ("good", {"ask": "ca"}, CA, "alert certificate required"),
    "no_client_certificate_1_2": ("good", {"ask": "ca", **ONLY["TLSv1_2"]}, CA, "alert handshake failure"),
    "other_client_certificate": ("good", {"ask": "ca"}, CA + ' ssl_certificate => "{d}/client_other.pem" ssl_key => "{d}/client_other.key"',
                                 "alert unknown ca"),
    "expired_client_certificate": ("good", {"ask": "ca"},
                                   CA + ' ssl_certificate => "{d}/client_expired.pem" ssl_key => "{d}/client_expired.key"',
                                   "alert certificate expired"),
    "only_1_2": ("good", ONLY["TLSv1_2"], CA, None),
    "only_1_3": ("good", ONLY["TLSv1_3"], CA, None),
    "only_1_1": ("good", ONLY["TLSv1_1"], CA, WRONG_VERSION),
    "only_1_0": ("good", ONLY["TLSv1"], CA, WRONG_VERSION),
    "we_want_1_3": ("good", ONLY["TLSv1_2"], CA + ' ssl_supported_protocols => ["TLSv1.3"]', WRONG_VERSION),
    "we_want_1_2": ("good", ONLY["TLSv1_3"], CA + ' ssl_supported_protocols => ["TLSv1.2"]', WRONG_VERSION),
}  # fmt: skip


def server_context(d, certificate, ask=None, ciphers=None, **versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers or versions.get("maximum_version") in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context.set_ciphers("ALL:@SECLEVEL=0")
    for setting, version in versions.items():
        setattr(context, setting, version)
    context.load_cert_chain(d / f"{certificate}.pem", d / f"{certificate}.key")
    if ask:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(d / f"{ask}.pem")
    return context


class TlsServer:
    """Shakes hands with whoever comes and sends one message."""

    def __init__(self, context):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context, self.links = context, []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, AssertionError):
                sock.settimeout(20 * PATIENCE)
                link = Link(self.context.wrap_socket(sock, server_side=True), False)
                self.links.append(link)
                request = link.head()
                if not request:
                    continue
                link.send(ws_raw.answer(request) + frame(TEXT, "hello"))
                while (f := link.next()) and f.opcode != CLOSE:
                    pass
                link.send(frame(CLOSE, b"\3\xe8"))
                link.close()

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("plugin", ["input", "output"])
def test_servers(lsc, tls, plugin):
    """One lsc, a plugin for each of the servers."""
    servers = {id: TlsServer(server_context(tls, row[0], **row[1])) for id, row in SERVERS.items()}
    plugins = "\n".join(
        f'websocket {{ id => "{id}" url => "wss://127.0.0.1:{servers[id].port}/" retry_initial => 60 '
        f'{row[2].replace("{d}", str(tls))} codec => plain }}'
        for id, row in SERVERS.items()
    )
    rest = 'output { file { path => "out" codec => json_lines } }' if plugin == "input" else "input { stdin { } }"
    p = lsc.start(f"{plugin} {{ {plugins} }} {rest}")
    for id, (_, _, _, reason) in SERVERS.items():
        here = rf"\[{plugin}\.websocket *\]\[main\]\[{id}\] "
        if reason:
            p.wait_log(here + rf'connection (failed|lost) .*failed=>"TLS", :exception=>".*({reason})')
        else:
            p.wait_log(here + "connected")
    good = [id for id, row in SERVERS.items() if not row[3]]
    if plugin == "input":
        assert len(p.wait_events("out", len(good))) == len(good)
    assert len(re.findall("server's certificate is not verified|not verified", p.stderr)) == 1
    p.stop()
    for s in servers.values():
        s.close()


# ---- lsc as the server ----

ASK = ' ssl_client_authentication => "required" ssl_certificate_authorities => "{d}/ca.pem"'
CLIENTS = {  # options of lsc, the client's certificate, versions, reason or None: it works
    "good": ("", None, {}, None),
    "untrusting": ("", None, {"trust": "other"}, "alert unknown ca"),
    "plain": ("", None, {"plain": True}, "http request"),
    "v1_0": ("", None, ONLY["TLSv1"], "unsupported protocol"),
    "v1_1": ("", None, ONLY["TLSv1_1"], "unsupported protocol"),
    "v1_2": ("", None, ONLY["TLSv1_2"], None),
    "v1_3": ("", None, ONLY["TLSv1_3"], None),
    "want_1_3": (' ssl_supported_protocols => ["TLSv1.3"]', None, ONLY["TLSv1_2"], "unsupported protocol"),
    "want_1_2": (' ssl_supported_protocols => ["TLSv1.2"]', None, ONLY["TLSv1_3"], "unsupported protocol"),
    "certificate": (ASK, "client", {}, None),
    "no_certificate": (ASK, None, {}, "peer did not return a certificate"),
    "other_certificate": (ASK, "client_other", {}, "certificate verify failed: unable to get local issuer certificate"),
    "expired_certificate": (ASK, "client_expired", {}, "certificate verify failed: certificate has expired"),
    "purpose": (ASK, "good", {}, "certificate verify failed: (unsupported|unsuitable) certificate purpose"),
    "self_signed": (ASK, "other", {}, "certificate verify failed: self-signed certificate"),
    "optional_none": (ASK.replace("required", "optional"), None, {}, None),
    "optional_other": (ASK.replace("required", "optional"), "client_other", {}, "unable to get local issuer certificate"),
}  # fmt: skip


def visit(d, port, certificate, trust="ca", plain=False, **versions):
    """Shakes hands as a client. True: lsc let us in."""
    context = ssl.create_default_context(cafile=d / f"{trust}.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    for setting, version in versions.items():
        setattr(context, setting, version)
    if certificate:
        context.load_cert_chain(d / f"{certificate}.pem", d / f"{certificate}.key")
    sock = socket.create_connection(("127.0.0.1", port), timeout=20 * PATIENCE)
    try:
        if not plain:
            sock = context.wrap_socket(sock, server_hostname="localhost")
        link = Link(sock, True)
        link.send(f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {ws_raw.KEY}\r\n"
                  "Sec-WebSocket-Version: 13\r\n\r\n".encode())  # fmt: skip
        return (link.head() or "").startswith("HTTP/1.1 101")
    except OSError:
        return False
    finally:
        sock.close()


@pytest.mark.parametrize("plugin", ["input", "output"])
def test_clients(lsc, tls, plugin):
    """One lsc, a server for each of the clients."""
    ports = {id: free_port() for id in CLIENTS}
    mode = "mode => server" if plugin == "input" else ""
    plugins = "\n".join(
        f'websocket {{ id => "{id}" {mode} host => "127.0.0.1" port => {ports[id]} ssl_certificate => "{tls}/good.pem" '
        f'ssl_key => "{tls}/good.key" {row[0].replace("{d}", str(tls))} }}'
        for id, row in CLIENTS.items()
    )
    p = lsc.start(f"{plugin} {{ {plugins} }} {'output' if plugin == 'input' else 'input'} {{ {'null' if plugin == 'input' else 'stdin'} {{ }} }}")
    p.wait_log("listening", len(CLIENTS))
    for id, (_, certificate, how, reason) in CLIENTS.items():
        assert visit(tls, ports[id], certificate, **how) == (reason is None), id
    for id, (_, _, _, reason) in CLIENTS.items():
        if reason:
            p.wait_log(rf'\[{plugin}\.websocket *\]\[main\]\[{id}\] connection failed .*failed=>"TLS", :exception=>".*({reason})')
    assert p.stderr.count("connection failed") == sum(1 for row in CLIENTS.values() if row[3])
