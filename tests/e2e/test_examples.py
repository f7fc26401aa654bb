"""The examples that need a server: run as their first lines say."""

import pathlib
import re
import subprocess

import pytest

from lsc import ROOT, program

COUNT = 500


@pytest.fixture
def feed():
    """lsc-feed, which closes the connection after COUNT events; its URL."""
    argv = [program("tools/lsc-feed"), "--port", "0", "--count", str(COUNT)]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    yield server.stdout.readline().removeprefix("listening on ").strip()
    server.terminate()
    server.wait()
    server.stdout.close()


def test_websocket(lsc, feed, tmp_path):
    kept = tmp_path / "events.jsonl"
    example = ROOT / "examples/websocket.conf"
    env = {"FEED_URL": feed, "EVENTS_FILE": str(kept)}
    text = example.read_text().replace("websocket {", "websocket { retry_max_attempts => 0", 1)
    p = lsc.start(text, env=env)
    assert p.wait() == 0  # with the feed's end
    events = p.events(kept)
    numbers = [int(e["seq"]) for e in events]
    assert numbers == sorted(set(numbers)) and 0.5 * COUNT < len(numbers) < 0.9 * COUNT
    assert {e["level"] for e in events} == {"INFO", "WARN", "ERROR"}  # debug was dropped
    for e in events:
        assert e["type"] == "shop" and "@metadata" not in e
        tags = ["server_error"] if e["status"] >= 500 else ["slow"] if e["duration_ms"] > 300 else []
        assert e["tags"] == ["feed", *tags]
        assert ("alert" in e) == (e["status"] >= 500)
        assert e.get("alert", f"{e['host']['name']}: {e['message']}") == f"{e['host']['name']}: {e['message']}"
        assert e["service"]["name"] == ("api" if e["path"].startswith("/api/") else "shop")
    printed = [int(n) for n in re.findall(r'^ *"seq" => "(\d+)"', p.stdout, re.M)]
    assert printed == numbers


def test_every_example_is_in_the_index():
    index = (ROOT / "examples/README.md").read_text()
    examples = [p for p in (ROOT / "examples").iterdir() if p.is_dir() or p.suffix == ".conf"]
    assert not [p.name for p in examples if f"]({p.name}" not in index]


def test_every_example_is_run_by_a_test():
    configs = {p.relative_to(ROOT / "examples") for p in (ROOT / "examples").rglob("*.conf")}
    tests = "".join(p.read_text() for p in pathlib.Path(__file__).parent.glob("test_*.py"))
    untested = [c for c in configs if c.name != "config.conf" and f"examples/{c}" not in tests]
    assert not untested
