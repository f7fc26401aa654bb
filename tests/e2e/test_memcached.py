"""The filter memcached with Debian's memcached; Dalli, the client of Logstash, is the other side."""

import json
import shutil
import socket
import subprocess

import pytest

from lsc import ROOT, free_port, program, wait_until

INPUT = "input { stdin { codec => json_lines } }\n"
OUTPUT = "output { file { path => 'out' codec => json_lines } }\n"


@pytest.fixture(autouse=True)
def module():
    listed = subprocess.run([program(), "--plugin-help"], capture_output=True, text=True, check=True)
    if "filter memcached (missing) " in " ".join(listed.stdout.split()):
        pytest.skip("lsc was built without libmemcached")


class Server:
    def __init__(self, port=None):
        self.port = port or free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.start()

    def start(self):
        args = ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody", "-t", "1"]
        self.popen = subprocess.Popen([shutil.which("memcached"), *args])
        wait_until(self.answers, "memcached")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.popen.kill()
        self.popen.wait()

    def command(self, text):
        """What the server says to a command of the text protocol."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.sendall(text.encode())
            s.shutdown(socket.SHUT_WR)
            return s.makefile("rb").read().decode()


@pytest.fixture
def server():
    """Starts memcached servers."""
    servers = []

    def start(port=None):
        servers.append(Server(port))
        return servers[-1]

    yield start
    for s in servers:
        s.stop()


def dalli(hosts, code):
    """Runs Ruby code with `c`, a client of Dalli, as Logstash makes one; returns what it gives."""
    script = f"require 'dalli'; require 'json'; c = Dalli::Client.new({hosts!r}); puts (({code})).to_json"
    run = subprocess.run(["ruby", "-e", script], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def flow(lsc, options, *events, **more):
    """The events behind the filter, without the fields of lsc's own."""
    p = lsc.start(f"{INPUT} filter {{ memcached {{ {options} }} }} {OUTPUT}", **more)
    p.write("".join(json.dumps(e) + "\n" for e in events))
    p.close_stdin()
    assert p.wait() == 0
    got = p.events("out")
    for e in got:
        for name in ("@timestamp", "@version", "event", "host"):
            e.pop(name, None)
    return p, got


def test_values_of_logstash_are_read(lsc, server):
    s = server()
    text = "long " * 2000
    dalli(s.host, f"""
        c.set("t:str", "caf\\u00e9"); c.set("t:int", 42); c.set("t:float", 1.5)
        c.set("t:deep key", {{"a" => [1, nil, {{"b" => "c"}}]}}); c.set("t:long", {text!r})
        c.set("t:raw", "plain", 0, raw: true); c.set("t:time", Time.at(0)); true""")
    get = '"%{k}" => "[found][value]"'
    keys = ["str", "int", "float", "deep key", "long", "raw", "none", "time", "str"]
    p, got = flow(
        lsc,
        f'hosts => ["{s.host}"] namespace => "t" get => {{ {get} }} add_tag => "hit"',
        *[{"k": k} for k in keys],
    )
    values = ["café", 42, 1.5, {"a": [1, None, {"b": "c"}]}, text, "plain", None, None, "café"]
    for event, key, value in zip(got, keys, values, strict=True):
        wanted = {"k": key}
        if value is not None:
            wanted |= {"found": {"value": value}, "tags": ["hit"]}
        if key == "time":
            wanted["tags"] = ["_memcached_failure"]
        assert event == wanted
    assert "an object of a class that events do not have" in p.stderr
    # All keys of the batch went in one request for each of them, one round trip.
    assert "STAT get_hits 7\r\n" in s.command("stats\r\n")


def test_values_are_stored_as_logstash_does(lsc, server):
    s = server()
    event = {"k": "a b", "v": "é" * 5000, "n": 7, "m": {"x": [1.5, "y"]}, "none": None}
    _, got = flow(
        lsc,
        f'''hosts => "{s.host}" add_tag => "stored" ttl => 3000000 set => {{ "v" => "str:%{{k}}"
            "[n]" => "int" "m" => "map" "missing" => "missing" "none" => "none" }}''',
        event,
        {"k": "nothing to store"},
    )
    assert got[0]["tags"] == ["stored"] and "tags" not in got[1]
    keys = ["str:a b", "int", "map", "missing", "none"]
    assert dalli(s.host, f"{json.dumps(keys)}.map {{ |k| c.get(k) }}") == [
        event["v"], 7, event["m"], None, None
    ]
    # More than 30 days is a time to servers: it must not be long ago. Their clock may be late.
    assert 2999000 < int(s.command("mg int t\r\n").strip().removeprefix("HD t")) <= 3000002


def test_an_event_sees_what_those_before_it_stored(lsc, server):
    s = server()
    options = f'hosts => "{s.host}" set => {{ "v" => "last" }} get => {{ "last" => "seen" }}'
    _, got = flow(lsc, options, {"n": 1}, {"v": "x"}, {"n": 2}, {"v": "y"}, {"n": 3})
    assert [e.get("seen") for e in got] == [None, "x", "x", "y", "y"]


def test_servers_are_those_of_logstash(lsc, server):
    servers = [server() for _ in range(3)]
    hosts = ",".join(s.host for s in servers)
    dalli(hosts.split(","), "200.times { |i| c.set(i.to_s, i) }")
    get = f'hosts => {json.dumps(hosts.split(","))} get => {{ "%{{k}}" => "v" }}'
    _, got = flow(lsc, get, *[{"k": k} for k in range(200)], workers=2)
    assert all(e["v"] == e["k"] for e in got)
    # Those of a server that is gone are asked for elsewhere, and are not there: no failures.
    servers[1].stop()
    _, got = flow(lsc, get, *[{"k": k} for k in range(200)])
    assert 0 < sum("v" in e for e in got) < 200 and not any("tags" in e for e in got)


def test_a_server_goes_and_comes_back(lsc, server):
    s = server()
    s.command("set k 0 0 1\r\n1\r\n")
    config = f'hosts => "{s.host}" get => {{ "k" => "v" }} tag_on_failure => "down"'
    p = lsc.start(f"{INPUT} filter {{ memcached {{ {config} }} }} {OUTPUT}")
    p.write("{}\n")
    assert p.wait_events("out", 1)[0]["v"] == "1"
    s.stop()
    p.write("{}\n" * 100)
    got = p.wait_events("out", 101)
    assert all(e["tags"] == ["down"] and "v" not in e for e in got[1:])
    assert p.stderr.count("no server answers") == 1
    s.start()
    s.command("set k 0 0 1\r\n2\r\n")
    n = p.count_lines()

    def back():
        nonlocal n
        n += 1
        p.write("{}\n")
        return p.wait_events("out", n)[-1].get("v") == "2"

    wait_until(back, "the server")
    # A connection that the server has closed is no failure.
    s.stop()
    s.start()
    s.command("set k 0 0 1\r\n3\r\n")
    p.write("{}\n")
    assert p.wait_events("out", n + 1)[-1]["v"] == "3"
    assert p.stop() == 0


def test_a_silent_server_does_not_hold_up_the_stop(lsc):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        _, got = flow(lsc, f'hosts => "127.0.0.1:{port}" get => {{ "k" => "v" }}', *[{}] * 500)
    assert all(e["tags"] == ["_memcached_failure"] for e in got)


def test_example(lsc, server):
    s = server()
    s.command("set threats:192.0.2.7 0 0 6\r\nbotnet\r\n")
    example = (ROOT / "examples/plugins/filter-memcached/config.conf").read_text()
    p = lsc.start(example, env={"MEMCACHED": s.host})
    p.write('{"source":{"ip":"192.0.2.7"}}\n{"source":{"ip":"192.0.2.8"}}\n')
    p.close_stdin()
    assert p.wait() == 0
    bad, good = [json.loads(line) for line in p.stdout.splitlines()]
    assert bad["threat"]["kind"] == "botnet" and bad["tags"] == ["threat"]
    assert "tags" not in good
    seen = dalli(s.host, 'c.get("last-seen:192.0.2.7")')
    assert seen == bad["@timestamp"]
