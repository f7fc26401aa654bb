"""The filters ruby and aggregate in a running process: stops, restarts, reloads, several workers."""

import signal
import subprocess

import pytest

from lsc import FORCED, program, wait_until

INPUT = "input { stdin { codec => json_lines } }\n"
OUTPUT = "output { file { path => 'out' codec => json_lines } }\n"


@pytest.fixture(autouse=True)
def module():
    listed = subprocess.run([program(), "--plugin-help"], capture_output=True, text=True, check=True)
    if "(missing) " in listed.stdout:
        pytest.skip("lsc was built without Ruby")


def test_endless_loop_ends_with_the_process(lsc):
    code = 'File.write("looping", ""); loop { } if event.get("spin"); event.set("done", true)'
    p = lsc.start(f"{INPUT} filter {{ ruby {{ code => '{code}' }} }} {OUTPUT}", env=FORCED)
    p.write('{"spin":true}\n{"spin":false}\n')
    wait_until((p.dir / "looping").exists, "the loop")
    p.signal(signal.SIGINT)
    p.wait_log("shutting down")
    assert p.alive()
    p.signal(signal.SIGINT)
    assert p.wait() == 1
    assert "lsc is told to stop at once" in p.stderr


def test_exceptions_of_every_event_are_logged_once(lsc):
    p = lsc.start(f"{INPUT} filter {{ ruby {{ code => 'raise \"boom\"' }} }} {OUTPUT}")
    p.write('{"n":1}\n' * 1000)
    events = p.wait_events("out", 1000)
    assert p.stop() == 0
    assert all(e["tags"] == ["_rubyexception"] for e in events)
    assert p.stderr.count("ruby exception occurred") == 1


def test_code_can_start_programs_and_threads(lsc):
    init = "@ticks = Queue.new; Thread.new { loop { @ticks << 1; sleep 0.001 } }"
    code = 'event.set("out", `echo hello`.chomp); event.set("tick", @ticks.pop)'
    p = lsc.start(f"{INPUT} filter {{ ruby {{ init => '{init}' code => '{code}' }} }} {OUTPUT}")
    p.write('{"n":1}\n')
    event = p.wait_events("out", 1)[0]
    assert (event["out"], event["tick"]) == ("hello", 1)
    assert p.stop() == 0


def test_workers_take_turns(lsc):
    code = '@n = (@n || 0) + 1; event.set("seen", @n)'
    p = lsc.start(f"{INPUT} filter {{ ruby {{ code => '{code}' }} }} {OUTPUT}", workers=4)
    p.write('{"n":1}\n' * 5000)
    events = p.wait_events("out", 5000)
    assert p.stop() == 0
    assert sorted(e["seen"] for e in events) == list(range(1, 5001))


AGGREGATE = """filter { aggregate { task_id => "%{id}" aggregate_maps_path => "maps"
    code => 'map["n"] ||= 0; map["n"] += 1; map["at"] ||= event.get("@timestamp")
             event.set("n", map["n"]); event.set("at", map["at"])' } }
"""


def test_maps_outlive_the_process(lsc, tmp_path):
    first = lsc.start(INPUT + AGGREGATE + OUTPUT, folder=tmp_path / "p")
    first.write('{"id":1}\n{"id":1}\n{"id":2}\n')
    at = first.wait_events("out", 3)[0]["at"]
    assert first.stop() == 0
    assert (first.dir / "maps").exists()
    second = lsc.start(INPUT + AGGREGATE + OUTPUT, folder=tmp_path / "p")
    second.write('{"id":1}\n')
    event = second.wait_events("out", 4)[3]
    assert (event["n"], event["at"]) == (3, at)
    assert second.stop() == 0


def test_a_map_becomes_an_event_when_its_time_is_over(lsc):
    config = """filter { aggregate { task_id => "%{id}" inactivity_timeout => 1 timeout => 100
        push_map_as_event_on_timeout => true timeout_task_id_field => "task"
        timeout_tags => ["late", "of %{n}"]
        code => 'map["n"] = (map["n"] || 0) + 1; event.cancel' } }
    """
    p = lsc.start(INPUT + config + OUTPUT)
    p.write('{"id":"a"}\n{"id":"a"}\n')
    event = p.wait_events("out", 1)[0]
    assert (event["n"], event["task"], event["tags"]) == (2, "a", ["late", "of 2"])
    assert p.stop() == 0
