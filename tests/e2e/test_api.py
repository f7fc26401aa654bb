"""The monitoring API: every path, errors, authentication, TLS, load, reloads.

Shapes are those that Logstash documents (its OpenAPI description) and that Metricbeat's logstash
module reads.
"""

import base64
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading

import pytest
from lsc import free_port, wait_until

IDLE = "input { heartbeat { interval => 3600 } } output { null { } }"
COUNTED = """
input { generator { id => "gen" count => 1000 message => '{"a": 1}' codec => json }
        heartbeat { interval => 3600 } }
filter { if [a] == 1 { mutate { id => "up" add_field => { "b" => "c" } } }
         else { drop { id => "never" } } }
output { if [b] == "c" { file { id => "out" path => "out" codec => json_lines } }
         else { null { id => "other" } } }
"""


@pytest.fixture(autouse=True)
def with_api(lsc):
    lsc.api = True


class Api:
    """Requests to one lsc."""

    def __init__(self, process, context=None, headers=None):
        process.wait_log("monitoring API started")
        self.address = re.search(r'http_address=>"([^"]+)"', process.stderr).group(1)
        self.context, self.headers = context, headers or {}

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection(self.address, timeout=20, context=self.context)
        return http.client.HTTPConnection(self.address, timeout=20)

    def ask(self, path, method="GET", body=None, headers=None):
        """(status, headers, body as it came)"""
        connection = self.connect()
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def get(self, path, status=200):
        got, headers, body = self.ask(path)
        assert got == status, body
        assert headers["content-type"] == "application/json"
        return json.loads(body)


@pytest.fixture
def start(lsc):
    """Starts lsc with an API on a port of its own; returns (process, Api)."""

    def run(config=IDLE, *args, **more):
        process = lsc.start(config, "--api.http.port", free_port(), *args, **more)
        return process, Api(process)

    return run


def settings(tmp_path, lines):
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "logstash.yml").write_text("\n".join(lines) + "\n")
    return folder


def test_every_reply_begins_alike(start):
    process, api = start(IDLE, "-n", "me", "-b", 7)
    uuid = (process.dir / "data/uuid").read_text()
    ephemeral = set()
    for path in ["/", "/_node", "/_node/stats", "/_node/plugins", "/_health_report",
                 "/_node/logging", "/_node/hot_threads", "/_stats"]:
        reply = api.get(path)
        assert reply["name"] == "me" and reply["id"] == uuid
        assert reply["http_address"] == api.address
        assert reply["status"] == "green" and reply["snapshot"] is False
        assert reply["pipeline"] == {"workers": 1, "batch_size": 7, "batch_delay": 50}
        assert re.match(r"\d+\.\d+\.\d+$", reply["version"])
        ephemeral.add(reply["ephemeral_id"])
    assert len(ephemeral) == 1
    assert process.stop() == 0


def test_node(start):
    process, api = start()
    node = api.get("/_node")
    main = node["pipelines"]["main"]
    assert main["workers"] == 1 and main["batch_size"] == 125 and main["batch_delay"] == 50
    assert main["config_reload_automatic"] is False
    assert main["config_reload_interval"] == 3000000000
    assert main["dead_letter_queue_enabled"] is False
    assert node["os"]["name"] == "Linux" and node["os"]["available_processors"] >= 1
    assert node["jvm"]["pid"] == process.pid
    assert node["jvm"]["mem"]["heap_max_in_bytes"] > 0
    only = api.get("/_node/os,jvm")
    assert "pipelines" not in only and "os" in only and "jvm" in only
    assert api.get("/_node/pipelines/main")["pipelines"]["main"] == main
    plugins = api.get("/_node/plugins")
    assert plugins["total"] == len(plugins["plugins"]) > 20
    assert "logstash-filter-mutate" in {p["name"] for p in plugins["plugins"]}


def test_events_are_counted(start):
    process, api = start(COUNTED)
    process.wait_events("out", 1000)
    wait_until(lambda: api.get("/_node/stats/events")["events"]["out"] == 1000, "counters")
    stats = api.get("/_node/stats")
    for events in (stats["events"], stats["pipelines"]["main"]["events"]):
        # Those that a filter drops are filtered, too; the heartbeat may have come.
        assert 1000 <= events["in"] == events["filtered"] <= 1001 and events["out"] == 1000
        assert events["duration_in_millis"] >= 0
        assert events["queue_push_duration_in_millis"] >= 0
    pipeline = stats["pipelines"]["main"]
    plugins = {p["id"]: p for kind in ("inputs", "filters", "outputs")
               for p in pipeline["plugins"][kind]}
    assert plugins["gen"]["name"] == "generator"
    assert plugins["gen"]["events"]["out"] == 1000
    assert "queue_push_duration_in_millis" in plugins["gen"]["events"]
    assert "lifetime" in plugins["gen"]["flow"]["throughput"]
    assert plugins["up"]["events"]["in"] == plugins["up"]["events"]["out"] == 1000
    assert "worker_millis_per_event" in plugins["up"]["flow"]
    assert plugins["up"]["failures"] == 0
    assert plugins["out"]["events"]["in"] == plugins["out"]["events"]["out"] == 1000
    json_codec = [c for c in pipeline["plugins"]["codecs"] if c["name"] == "json"][0]
    assert json_codec["decode"]["writes_in"] == json_codec["decode"]["out"] == 1000
    lines = [c for c in pipeline["plugins"]["codecs"] if c["name"] == "json_lines"][0]
    assert lines["encode"]["writes_in"] == 1000
    assert pipeline["queue"]["type"] == "memory" and pipeline["queue"]["events_count"] == 0
    assert pipeline["reloads"] == {"successes": 0, "failures": 0, "last_success_timestamp": None,
                                   "last_failure_timestamp": None, "last_error": None}
    for flow in (stats["flow"], pipeline["flow"]):
        for name in ("input_throughput", "filter_throughput", "output_throughput",
                     "queue_backpressure", "worker_concurrency"):
            assert set(flow[name]) >= {"current", "lifetime"}
    assert pipeline["flow"]["input_throughput"]["lifetime"] > 0
    assert "worker_utilization" in pipeline["flow"]


def test_process_and_jvm(start):
    process, api = start()
    stats = api.get("/_node/stats")
    jvm, proc = stats["jvm"], stats["process"]
    assert 0 < jvm["mem"]["heap_used_in_bytes"] // 1024 < 4 * process.rss_kb()
    assert set(jvm["mem"]["pools"]) == {"young", "old", "survivor"}
    assert set(jvm["gc"]["collectors"]) == {"young", "old"}
    assert jvm["threads"]["peak_count"] >= jvm["threads"]["count"] >= 3
    assert jvm["uptime_in_millis"] > 0
    assert proc["peak_open_file_descriptors"] >= proc["open_file_descriptors"] > 3
    assert proc["max_file_descriptors"] > proc["open_file_descriptors"]
    assert proc["mem"]["total_virtual_in_bytes"] > jvm["mem"]["heap_used_in_bytes"]
    assert set(proc["cpu"]) == {"total_in_millis", "percent", "load_average"}
    assert set(proc["cpu"]["load_average"]) == {"1m", "5m", "15m"}
    assert stats["queue"] == {"events_count": 0}
    assert stats["reloads"] == {"successes": 0, "failures": 0}
    assert isinstance(stats["os"], dict)
    assert set(api.get("/_node/stats/jvm,process")) - set(api.get("/")) == {"jvm", "process"}
    assert api.get("/_stats")["jvm"].keys() == jvm.keys()


def test_graph(start):
    process, api = start(COUNTED)
    graph = api.get("/_node/pipelines?graph=true")["pipelines"]["main"]["graph"]["graph"]
    vertices = {v["id"]: v for v in graph["vertices"]}
    edges = {(e["from"], e["to"], e.get("when")) for e in graph["edges"]}
    ifs = {v["condition"]: i for i, v in vertices.items() if v["type"] == "if"}
    first, second = ifs["[a] == 1"], ifs['[b] == "c"']
    assert edges == {
        ("gen", "__QUEUE__", None), ("input_heartbeat_2", "__QUEUE__", None),
        ("__QUEUE__", first, None), (first, "up", True), (first, "never", False),
        ("up", second, None), ("never", second, None),
        (second, "out", True), (second, "other", False),
    }
    assert vertices["gen"]["explicit_id"] and not vertices["input_heartbeat_2"]["explicit_id"]
    assert vertices["gen"]["meta"]["source"]["line"] == 2
    counted = api.get("/_node/stats/pipelines/main?vertices=true")["pipelines"]["main"]["vertices"]
    assert {v["id"] for v in counted} == {"gen", "input_heartbeat_2", "up", "never", "out", "other"}
    assert "graph" not in api.get("/_node/pipelines")["pipelines"]["main"]


def test_pretty_and_human(start):
    _, api = start()
    assert b"\n" not in api.ask("/")[2]
    assert api.ask("/?pretty")[2].startswith(b'{\n  "host": ')
    status, headers, body = api.ask("/_node/hot_threads?human=true&threads=2")
    assert status == 200 and headers["content-type"] == "text/plain"
    assert b"Hot threads at" in body


def test_hot_threads(start):
    _, api = start()
    hot = api.get("/_node/hot_threads?ignore_idle_threads=false")["hot_threads"]
    assert hot["busiest_threads"] == len(hot["threads"]) >= 3
    names = {t["name"] for t in hot["threads"]}
    assert "[main]>worker0" in names
    assert all(set(t) == {"name", "thread_id", "percent_of_cpu_time", "state", "traces"}
               for t in hot["threads"])
    assert len(api.get("/_node/hot_threads?threads=1&ignore_idle_threads=false")
               ["hot_threads"]["threads"]) == 1
    api.get("/_node/hot_threads?threads=none", 400)


def test_errors(start):
    _, api = start()
    for path in ("/nosuch", "/_node/nosuch", "/_node/stats/nosuch", "/_node/pipelines/nosuch",
                 "/_node/stats/pipelines/nosuch", "/_nodestats", "/_node/plugins/x"):
        error = api.get(path, 404)
        assert error == {"path": path, "status": 404, "error": {"message": "Not Found"}}
    for method, path, allow in (("POST", "/_node", "GET, HEAD"), ("DELETE", "/", "GET, HEAD"),
                                ("PUT", "/_node/stats", "GET, HEAD"),
                                ("GET", "/_node/logging/reset", "PUT")):
        status, headers, body = api.ask(path, method)
        assert status == 405 and headers["allow"] == allow
        assert json.loads(body)["error"] == {"message": "Method Not Allowed"}
    status, headers, body = api.ask("/_node", "HEAD")
    assert status == 200 and body == b"" and int(headers["content-length"]) > 100


def test_wait_for_status(start):
    _, api = start()
    assert api.get("/?wait_for_status=green&timeout=1s")["status"] == "green"
    for query in ("wait_for_status=blue", "wait_for_status=green&timeout=soon", "timeout=1s",
                  "wait_for_status=green&timeout=1h"):
        api.get("/?" + query, 400)


def test_wait_for_a_status_that_does_not_come(lsc):
    process = lsc.start("input { generator { count => 1 } } output { null { } }",
                        "--api.http.port", free_port(), "-r")
    api = Api(process)
    wait_until(lambda: api.get("/")["status"] == "yellow", "the end of the pipeline")
    assert api.get("/?wait_for_status=green&timeout=300ms", 408)["status"] == 408
    assert api.get("/?wait_for_status=yellow&timeout=1s")["status"] == "yellow"
    health = api.get("/_health_report")["indicators"]["pipelines"]["indicators"]["main"]
    assert health["details"]["status"]["state"] == "FINISHED"
    assert health["diagnosis"][0]["id"] == "logstash:health:pipeline:status:diagnosis:finished"
    # While one waits for what a reload brings, others are answered.
    waited = []
    thread = threading.Thread(target=lambda: waited.append(
        api.get("/?wait_for_status=green&timeout=60s")["status"]))
    thread.start()
    api.get("/_node")
    (process.dir / "pipeline.conf").write_text(IDLE)
    process.signal(1)
    thread.join(60)
    assert waited == ["green"]
    # What was counted stays.
    assert api.get("/_node/stats")["events"]["out"] >= 1


def test_health(start):
    _, api = start()
    report = api.get("/_health_report")
    assert report["status"] == "green"
    pipelines = report["indicators"]["pipelines"]
    assert pipelines["status"] == "green"
    assert pipelines["indicators"]["main"]["details"]["status"] == {"state": "RUNNING"}


def test_log_levels(start):
    process, api = start()
    assert api.get("/_node/logging")["loggers"] == {"": "INFO"}
    put = lambda body: api.ask("/_node/logging", "PUT", body)
    status, _, body = put('{"logger.net": "DEBUG", "logger.": "WARN"}')
    assert status == 200 and json.loads(body)["acknowledged"] is True
    assert api.get("/_node/logging")["loggers"] == {"": "WARN", "net": "DEBUG"}
    for bad, message in (('{"logger.a": "LOUD"}', "invalid level[LOUD] for logger[a]"),
                         ('{"a": "INFO"}', "unrecognized option [a]"),
                         ("nonsense", "the body must be a JSON object"),
                         ("", "the body must be a JSON object")):
        status, _, body = put(bad)
        assert status == 400 and json.loads(body)["error"] == message
    status, _, body = api.ask("/_node/logging/reset", "PUT")
    assert status == 200 and json.loads(body)["acknowledged"] is True
    assert api.get("/_node/logging")["loggers"] == {"": "INFO"}


def test_authentication(lsc, tmp_path):
    folder = settings(tmp_path, ["api.auth.type: basic", "api.auth.basic.username: logstash",
                                 "api.auth.basic.password: s3cret-Password"])
    process = lsc.start(IDLE, "--path.settings", folder, "--api.http.port", free_port())
    api = Api(process)
    right = {"Authorization": "Basic " + base64.b64encode(b"logstash:s3cret-Password").decode()}
    wrong = {"Authorization": "Basic " + base64.b64encode(b"logstash:s3cret-password").decode()}
    for headers in ({}, wrong, {"Authorization": "Basic"}, {"Authorization": "x" * 3000}):
        for path in ("/", "/nosuch", "/_node/logging"):
            status, got, body = api.ask(path, headers=headers)
            assert status == 401 and got["www-authenticate"].startswith("Basic realm=")
            assert json.loads(body)["error"] == {"message": "Unauthorized"}
    assert api.ask("/_node/logging", "PUT", '{"logger.x":"DEBUG"}')[0] == 401
    api.headers = right
    assert "x" not in api.get("/_node/logging")["loggers"]
    for path in ("/", "/_node", "/_node/stats", "/_node/pipelines?graph=true"):
        assert b"s3cret" not in api.ask(path)[2]
    assert "s3cret" not in process.stderr


def test_a_weak_password(lsc, tmp_path):
    lines = ["api.auth.type: basic", "api.auth.basic.username: u",
             "api.auth.basic.password: weak"]
    process = lsc.start(IDLE, "--path.settings", settings(tmp_path, lines))
    Api(process)
    assert "must hold a digit" in process.stderr and "weak" not in process.stderr
    (tmp_path / "settings/logstash.yml").write_text(
        "\n".join(lines + ["api.auth.basic.password_policy.mode: ERROR"]))
    process = lsc.start(IDLE, "--path.settings", tmp_path / "settings")
    assert process.wait() == 1
    assert "must hold a digit" in process.stderr


@pytest.fixture
def keystore(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    key, cert, store = (tmp_path / n for n in ("key.pem", "cert.pem", "store.p12"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", cert, "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-days", "2"], check=True, capture_output=True)
    subprocess.run(["openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", store,
                    "-passout", "pass:changeit"], check=True, capture_output=True)
    return store, cert


def test_tls(lsc, tmp_path, keystore):
    store, cert = keystore
    folder = settings(tmp_path, ["api.ssl.enabled: true", f"api.ssl.keystore.path: {store}",
                                 "api.ssl.keystore.password: changeit",
                                 "api.ssl.supported_protocols: [TLSv1.3]"])
    process = lsc.start(IDLE, "--path.settings", folder, "--api.http.port", free_port())
    api = Api(process, ssl.create_default_context(cafile=cert))
    assert api.get("/")["status"] == "green"
    assert len(json.dumps(api.get("/_node/plugins"))) > 1000
    assert api.address.startswith("127.0.0.1:")
    # Older versions, plain HTTP and unknown certificates are not served.
    old = ssl.create_default_context(cafile=cert)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        Api(process, old).get("/")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        Api(process).get("/")
    assert api.get("/")["status"] == "green"


def test_a_keystore_that_cannot_be_used(lsc, tmp_path, keystore):
    folder = settings(tmp_path, ["api.ssl.enabled: true", f"api.ssl.keystore.path: {keystore[0]}",
                                 "api.ssl.keystore.password: wrong"])
    process = lsc.start(IDLE, "--path.settings", folder)
    assert process.wait() == 1
    assert "the keystore of the API cannot be used" in process.stderr


def test_a_port_that_is_taken(lsc):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = lsc.start(IDLE, "--api.http.port", port)
        assert process.wait() == 1
        assert "Address already in use" in process.stderr
        assert "pipeline started" not in process.stderr
        process = lsc.start(IDLE, "--api.http.port", f"{port}-{port + 20}")
        assert port < int(Api(process).address.split(":")[1]) <= port + 20
    assert lsc.start(IDLE, "--api.http.port", "none").wait() == 1
    assert lsc.start(IDLE, "--api.http.host", "192.0.2.1").wait() == 1


def test_two_take_the_next_port_of_the_default_range(lsc):
    ports = {int(Api(lsc.start(IDLE)).address.split(":")[1]) for _ in range(3)}
    assert len(ports) == 3 and all(9600 <= p <= 9700 for p in ports)


def test_api_switched_off(lsc):
    process = lsc.start(IDLE, "--api.enabled", "false")
    process.wait_log("pipeline started")
    assert process.stop() == 0
    assert "monitoring API" not in process.stderr


def test_requests_have_limits(start):
    process, api = start()
    host, port = api.address.split(":")

    def raw(data):
        with socket.create_connection((host, int(port)), 20) as s:
            try:
                s.sendall(data)
                reply = b""
                while part := s.recv(4096):
                    reply += part
                    if b"\r\n\r\n" in reply:
                        break
                return reply
            except ConnectionError:
                return b""

    for data in (b"GET / HTTP/1.1\r\nX: " + b"x" * 100000 + b"\r\n\r\n",
                 b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500 + b"\r\n\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                 b"PUT /_node/logging HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
                 b"PUT /_node/logging HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                 b"GET /?" + b"a=b&" * 200 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"):
        reply = raw(data)
        assert b" 101 " not in reply and b" 200 " not in reply, data[:60]
        assert api.get("/")["status"] == "green"
    status, _, _ = api.ask("/_node/logging", "PUT", "x" * 100000)
    assert status == 413
    assert process.alive()


def test_a_refused_body_is_no_request(start):
    _, api = start()
    host, port = api.address.split(":")
    hidden = b"PUT /_node/logging/reset HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((host, int(port)), 20) as s:
        s.sendall(b"POST /_node HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden)
                  + hidden)
        reply = b""
        try:
            while part := s.recv(4096):
                reply += part
        except ConnectionError:
            pass
    assert b" 405 " in reply and b"acknowledged" not in reply


def test_many_connections_wait_their_turn(start):
    process, api = start()
    host, port = api.address.split(":")
    before = process.open_files()
    idle = [socket.create_connection((host, int(port))) for _ in range(31)]
    assert api.get("/")["status"] == "green"
    idle += [socket.create_connection((host, int(port))) for _ in range(20)]
    wait_until(lambda: process.open_files() >= before + 32, "32 connections to be taken")
    assert process.open_files() == before + 32
    late = []
    thread = threading.Thread(target=lambda: late.append(api.get("/")["status"]))
    thread.start()
    for s in idle:
        s.close()
    thread.join(30)
    assert late == ["green"]
    wait_until(lambda: process.open_files() <= before, "connections to end")


def test_one_connection_serves_many_requests(start):
    _, api = start()
    connection = api.connect()
    for i in range(300):
        connection.request("GET", ("/", "/_node/stats", "/nosuch", "/_node/logging")[i % 4])
        reply = connection.getresponse()
        assert reply.status == (404 if i % 4 == 2 else 200)
        json.loads(reply.read())
    connection.request("PUT", "/_node/logging", '{"logger.a": "DEBUG"}')
    assert b"acknowledged" in connection.getresponse().read()
    connection.close()


def test_a_peer_that_reads_slowly_holds_up_nobody(start):
    _, api = start()
    host, port = api.address.split(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect((host, int(port)))
    slow.sendall(b"GET /_node/plugins?pretty HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    for _ in range(20):
        assert api.get("/_node/plugins")["total"] > 0
    slow.close()


BUSY = """
input {{ generator {{ count => 0 message => "{word}" }} }}
filter {{ mutate {{ id => "{word}" add_field => {{ "b" => "c" }} }} }}
output {{ null {{ }} }}
"""


def test_under_load_and_during_reloads(start):
    process, api = start(BUSY.format(word="w0"), workers=2)
    ended, problems, seen = threading.Event(), [], set()

    def ask(paths):
        while not ended.is_set():
            for path in paths:
                try:
                    reply = api.get(path)
                except Exception as e:  # noqa: a thread's problem is the test's
                    problems.append((path, repr(e)))
                    return
                for p in reply.get("pipelines", {}).values():
                    seen.update(f["id"] for f in p.get("plugins", {}).get("filters", []))

    threads = [threading.Thread(target=ask, args=(paths,)) for paths in
               (["/_node/stats", "/_health_report"], ["/_node/pipelines?graph=true", "/_stats"])]
    for t in threads:
        t.start()
    totals = []
    for i in range(1, 9):
        (process.dir / "pipeline.conf").write_text(BUSY.format(word=f"w{i}"))
        process.signal(1)
        process.wait_log("config reloaded", i)
        totals.append(api.get("/_node/stats")["events"]["in"])
    (process.dir / "pipeline.conf").write_text("filter { nosuch { } }")
    process.signal(1)
    process.wait_log("the new config has errors")
    wait_until(lambda: api.get("/_node/stats")["reloads"]["failures"] == 1, "the failed reload")
    ended.set()
    for t in threads:
        t.join()
    assert not problems
    assert totals == sorted(totals) and totals[0] > 0  # what ended pipelines counted stays
    reloads = api.get("/_node/stats/pipelines/main")["pipelines"]["main"]["reloads"]
    assert reloads["successes"] == 8 and reloads["failures"] == 1
    assert reloads["last_error"]["message"].startswith("the new config has errors")
    assert reloads["last_success_timestamp"] and reloads["last_failure_timestamp"]
    assert seen <= {f"w{i}" for i in range(9)}
    filters = api.get("/_node/stats")["pipelines"]["main"]["plugins"]["filters"]
    assert [f["id"] for f in filters] == ["w8"]
    assert process.stop() == 0


def test_blocked_workers_are_seen(start):
    process, api = start('input { generator { count => 1 } heartbeat { interval => 3600 } } '
                         'filter { sleep { time => 3600 } } output { null { } }')
    wait_until(lambda: api.get("/_node/stats")["events"]["duration_in_millis"] >= 300,
               "the time that passes")
    flow = api.get("/_node/stats/flow")["flow"]
    assert flow["worker_concurrency"]["lifetime"] > 0


def test_memory_is_flat_and_nothing_leaks(start):
    process, api = start()
    for _ in range(200):
        api.get("/_node/stats")
    files, memory = process.open_files(), process.rss_kb()
    for _ in range(1500):
        api.get("/_node/stats")
        api.ask("/nosuch")
    assert process.open_files() <= files + 2
    if "LSC_TEST_PATIENCE" not in os.environ:  # sanitizers keep freed memory
        assert process.rss_kb() <= memory + 1024
