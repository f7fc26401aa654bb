"""Every filter and codec in one pipeline of four workers: no event lost, counters exact.

It is there for the sanitizers: what one plugin does to the memory of another, or two workers to the
state of a filter, shows here. LSC_TEST_EVENTS gives the number of events.
"""

import collections
import json
import os
import re
import subprocess

from lsc import ROOT, program, sanitized

EXAMPLES = ROOT / "examples/plugins"
# How often each codec's example is read.
REPEATS = 20
DELIMITER = "@@end of message@@"
CLOCK = ("--test-clock", "2024-03-05T06:07:08Z")

WEB = (r'192.0.2.7 - kim [05/Mar/2024:06:07:08 +0000] \"GET /shop/cart?a=1&b=caf%C3%A9 HTTP/1.1\" '
       r'404 512 \"-\" \"curl/8.5.0\"')
LINES = [
    '{"kind":"begin","ms":1}',
    '{"kind":"web","ms":7,"ip":"10.1.2.3","size":"2 kb","line":"' + WEB + '"}',
    '{"kind":"debug","ms":2}',
    '{"kind":"web","ms":70,"ip":"192.0.2.7","size":"1b","line":"' + WEB + '"}',
    r'{"kind":"table","ms":3,"row":"17,x 4 y 2.5,three","doc":"{\"n\":[1,2]}","a.b":1,"city":"Besançon",'
    r'"xml":"<r><i k=\"1\">u</i></r>"}',
    '{"kind":"end","ms":4}',
]
# From each line come so many events.
GIVES = {"begin": 1, "web": 1, "debug": 0, "table": 4, "end": 1}


def count():
    return int(os.environ.get("LSC_TEST_EVENTS", 4000 if sanitized() else 20000))


def plugins(kind):
    """All but those that need a network: their examples are only checked."""
    text = subprocess.run([program(), "--plugin-help"], capture_output=True, text=True, check=True).stdout
    names = [line.split()[1] for line in text.splitlines() if line.startswith(kind)]
    return [name for name in names if not (EXAMPLES / f"{kind}-{name}" / "args").exists()]


def codec_inputs(folder):
    """A file input for each codec that reads: its example, many times."""
    inputs = []
    for example in sorted(EXAMPLES.glob("codec-*")):
        name = example.name.removeprefix("codec-")
        config = (example / "config.conf").read_text()
        before = re.split("\n(filter|output)", config)[0]
        found = re.search(rf"codec +=> ({name}\b( \{{[^{{}}]*\}})?)", before)
        if not found or not (example / "input").exists():
            continue
        codec = re.sub(r'schema_uri => "', f'schema_uri => "{example}/', found[1])
        message = (example / "input").read_bytes() + DELIMITER.encode()
        (folder / f"of.{name}").write_bytes(message * REPEATS)
        inputs.append(f'file {{ path => "{folder}/of.{name}" mode => "read" exit_after_read => true '
                      f'sincedb_path => "/dev/null" file_completed_action => "log" '
                      f'file_completed_log_path => "{folder}/read" delimiter => "{DELIMITER}" '
                      f'ecs_compatibility => disabled type => "{name}" codec => {codec} }}')
    return inputs


def config_of(folder, rounds):
    """The config, and the names of the codecs that read."""
    inputs = codec_inputs(folder)
    (folder / "schema").write_text(
        '{"type":"record","name":"made","fields":[{"name":"kind","type":"string"}]}')
    (folder / "dictionary.yml").write_text('"404": not found\n')
    (folder / "networks").write_text("192.0.2.0/24\n198.51.100.0/24\n")
    (folder / "hosts").write_text("192.0.2.7 www.shop.example.co.uk\n")
    given = {
        "rounds": str(rounds), "allowed": str(rounds // 2), "dir": str(folder),
        "lines": ", ".join(f"'{line}'" for line in LINES),
        "files": "\n  ".join(inputs), "city": str(ROOT / "tests/golden/filter-geoip/city.mmdb"),
        "hosts": str(folder / "hosts"), "networks": str(folder / "networks"),
        "dictionary": str(folder / "dictionary.yml"),
        "schema": str(folder / "schema"),
    }
    text = (ROOT / "tests/e2e/all_plugins.conf").read_text()
    return re.sub(r"<(\w+)>", lambda m: given[m[1]], text), re.findall(r'type => "(\w+)"', "".join(inputs))


def check_web(event):
    assert event["user"] == {"name": "kim"} and event["http"]["response"]["status_code"] == 404
    assert event["@timestamp"] == "2024-03-05T06:07:08.000Z"
    assert event["q"] == {"a": "1", "b": "café"} and (event["area"], event["page"]) == ("shop", "cart")
    assert event["source"]["address"] == "www.shop.example.co.uk"
    assert event["source"]["geo"]["city_name"] == "Paris" and event["name"]["domain"] == "example.co.uk"
    assert event["user_agent"]["name"] == "curl" and event["user_agent"]["version"] == "8.5.0"
    assert event["meaning"] in ("not found", "lost")
    quick = event["ms"] == 7
    assert ("inside" in event["tags"]) == quick == ("quick" in event["tags"])
    assert ("listed" in event["tags"]) != quick
    assert event["size_bytes"] == (2048 if quick else 1)
    assert re.fullmatch("[0-9a-f]{64}", event["who"])


def check_table(event):
    assert (event["a"], event["b"], event["c"], event["a_b"]) == (17, "x 4 y 2.5", "th", 1)
    assert event["doc"] == {"n": [1, 2]} and event["text"] == "[1,2]" and event["item"] in (1, 2)
    assert event["x"] == {"i": {"k": "1", "content": "u"}} and event["keys"] == "1"
    assert event["city"] == event["secret"] == "Besancon"
    assert (event["int1"], event["float1"]) == (4, 2.5)


def check_counters(events, rounds):
    """Of the events that were made, which had to pass filters with shared state."""
    made = [e for e in events if "made" in e.get("tags", [])]
    originals = [e for e in made if "copy" not in e["tags"]]
    kinds = collections.Counter(e["kind"] for e in made)
    assert kinds == {k: rounds * GIVES[k] * (2 if k == "web" else 1) for k in kinds}
    seen = {e["seen"] for e in originals}
    assert seen < set(range(1, rounds * len(LINES) + 1))  # the others have gone with their events
    assert len(seen) == rounds * (len(LINES) - 1)
    for kind, times in {"begin": 1, "web": 2, "table": 1, "end": 1}.items():
        nth = {e["nth"] for e in originals if e["kind"] == kind}
        assert nth == set(range(1, rounds * times + 1))
        throttled = {e["seen"] for e in originals if e["kind"] == kind and "throttled" in e["tags"]}
        assert len(throttled) == rounds * times - rounds // 2
    ends = [e for e in made if e["kind"] == "end"]  # two workers may have the begin and the end
    matched = [e for e in ends if "elapsed_match" in e["tags"]]
    assert len(matched) > rounds // 2 and all(e["elapsed_time"] == 0 for e in matched)
    assert len(matched) + sum("elapsed_end_without_start" in e["tags"] for e in ends) == rounds
    assert len({e["id"] for e in made if e["kind"] == "web"}) == 2 * rounds


def check_files(folder, made):
    """What the codecs wrote: each event once."""
    def text(name):
        return (folder / name).read_bytes()

    kinds = collections.Counter(e["kind"] for e in made)
    assert text("dots") == b"." * len(made)
    assert collections.Counter(text("line").decode().split()) == kinds
    assert collections.Counter(text("plain").decode().rstrip(";").split(";")) == kinds
    assert collections.Counter(line.split(b",")[0].decode() for line in text("csv").splitlines()) == kinds
    assert collections.Counter(line.split(b" ")[0].decode().removeprefix("made.")
                               for line in text("graphite").splitlines()) == kinds
    assert text("cef").count(b"CEF:0|") == len(made) == text("edn_lines").count(b"\n")
    assert text("rubydebug").count(b"\n}\n") == len(made)
    for name in ("avro", "edn", "fluent", "json", "msgpack"):
        assert len(text(name)) > 5 * len(made)


def written(folder):
    return [json.loads(line) for line in (folder / "out").read_bytes().splitlines()]


def test_all_plugins_in_order(lsc, tmp_path):
    """One worker keeps the order, which aggregate and elapsed go by."""
    rounds = 50
    p = lsc.start(config_of(tmp_path, rounds)[0], *CLOCK, "--pipeline.ordered", "true", env={"TZ": "UTC"})
    assert p.wait(60) == 0, p.stderr[-4000:]
    made = [e for e in written(tmp_path) if "made" in e.get("tags", []) and "copy" not in e["tags"]]
    assert [e["seen"] for e in made] == sorted(e["seen"] for e in made)
    assert all("elapsed_match" in e["tags"] for e in made if e["kind"] == "end")
    for kind in GIVES:
        nth = [e["nth"] for e in made if e["kind"] == kind]
        assert nth == sorted(nth)
    check_counters(written(tmp_path), rounds)


def test_all_plugins_at_once(lsc, tmp_path):
    rounds = count() // len(LINES)
    config, codecs = config_of(tmp_path, rounds)
    for name in plugins("filter"):
        assert re.search(rf"\b{name} \{{", config), f"the filter {name} is missing"
    for name in plugins("codec"):
        assert re.search(rf"\b{name}\b", config), f"the codec {name} is missing"
    p = lsc.start(config, *CLOCK, workers=4, env={"TZ": "UTC"})
    p.wait_log("pipeline started")
    (tmp_path / "new").write_text('"404": lost\n')
    os.replace(tmp_path / "new", tmp_path / "dictionary.yml")  # while it runs
    assert p.wait(120) == 0, p.stderr[-4000:]
    events = written(tmp_path)
    figures = [e for e in events if "figures" in e.get("tags", [])]
    assert max(e["requests"]["count"] for e in figures) == rounds * len(LINES)
    made = [e for e in events if "made" in e.get("tags", [])]
    for event in made:
        if event["kind"] == "web":
            check_web(event)
        elif event["kind"] == "table" and "copy" not in event["tags"]:
            check_table(event)
    check_counters(made, rounds)
    check_files(tmp_path, made)
    read = collections.Counter(e["type"] for e in events if "type" in e)
    assert all(read[name] >= REPEATS for name in codecs), read
