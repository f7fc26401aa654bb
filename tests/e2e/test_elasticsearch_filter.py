"""The filter elasticsearch; aiohttp plays Elasticsearch, with replies as its documentation shows."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import subprocess

import pytest
from aiohttp import web

from http_peer import Peer, flow
from lsc import free_port

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


def hit(n, /, **source):
    return {"_index": f"web-{n}", "_id": f"id{n}", "_score": None, "_source": source}


def reply(*hits, total=None, **more):
    return {
        "took": 3,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": len(hits), "relation": "eq"} if total is None else total,
            "max_score": None,
            "hits": list(hits),
        },
        **more,
    }


def answer(body, status=200, headers=PRODUCT):
    return web.json_response(body, status=status, headers=headers)


def always(body, **more):
    async def handler(request):
        return answer(body, **more)

    return handler


def search(peer, options):
    return (
        f'elasticsearch {{ hosts => ["{peer.url}"] {options} }} '
        'mutate { copy => { "[@metadata][total_hits]" => "total" } }'
    )


def test_hits(lsc):
    async def handler(request):
        assert request.headers["X-Elastic-Product-Origin"] == "logstash-filter-elasticsearch"
        return answer(found[request.query["q"].removeprefix("user:")])

    one = {"@timestamp": "2024-01-01T00:00:00.000Z", "geo": {"city": "Köln", "loc": [1, 2.5]}, "a.b": 1}
    found = {
        "one": reply(hit(1, **one), total={"value": 7, "relation": "gte"}),
        "two": reply(hit(1, **one), hit(2, geo={"city": "Bonn"}), total=12),
        "none": reply(),
        "aggs": reply(aggregations={"avg size": {"value": 294.5}}),
        "both": reply(hit(3, geo="flat", **{"@timestamp": None}), aggregations={"avg size": {"value": 1}}),
    }
    options = """query => "user:%{u}" result_size => 2 add_tag => "hit" target => "[old][one]"
        fields => { "@timestamp" => "started" "[geo][city]" => "[place][city]" "a.b" => "dotted"
                    "nothing" => "nothing" }
        docinfo_fields => { "_id" => "id" "_index" => "index" }
        aggregation_fields => { "avg size" => "size" "no" => "no" }"""
    with Peer(handler) as peer:
        _, got = flow(lsc, search(peer, options), *[{"u": u} for u in found])
    first = {
        "started": one["@timestamp"], "place": {"city": "Köln"}, "dotted": 1, "nothing": None,
        "id": "id1", "index": "web-1",
    }
    second = {
        "started": [one["@timestamp"], None], "place": {"city": ["Köln", "Bonn"]}, "dotted": [1, None],
        "nothing": [None, None], "id": ["id1", "id2"], "index": ["web-1", "web-2"],
    }
    third = {"started": None, "place": {"city": None}, "dotted": None, "nothing": None,
             "id": "id3", "index": "web-3", "size": {"value": 1}, "no": None}
    assert got == [
        {"u": "one", "old": {"one": first}, "tags": ["hit"], "total": 7},
        {"u": "two", "old": {"one": second}, "tags": ["hit"], "total": 12},
        {"u": "none", "total": 0},
        {"u": "aggs", "old": {"one": {"size": {"value": 294.5}, "no": None}}, "tags": ["hit"], "total": 0},
        {"u": "both", "old": {"one": third}, "tags": ["hit"], "total": 1},
    ]


def test_requests(lsc, tmp_path):
    (tmp_path / "query.json").write_text(
        '\ufeff{ "size": 1, "query": { "term": { "user": "%{u}" } },\n "_source": ["@timestamp"] }'
    )
    with Peer(always(reply())) as peer:
        flow(
            lsc,
            search(peer, 'index => "web-%{u},logs-*" query => "a:%{u} AND b" sort => "n:asc" user => "u" password => "p:q"')
            + search(peer, 'query => "*" enable_sort => false custom_headers => { "X-A" => "1" }')
            + search(peer, f'query_template => "{tmp_path}/query.json" index => "*"'),
            {"u": "é/x"},
        )
        first, second, third = peer.requests
    assert (first.method, first.body) == ("GET", "")
    assert first.path == "/web-%C3%A9%2Fx,logs-%2A/_search?q=a%3A%C3%A9%2Fx%20AND%20b&size=1&sort=n%3Aasc"
    assert first.headers["Authorization"] == "Basic dTpwOnE="
    assert second.path == "/_search?q=%2A&size=1" and second.headers["X-A"] == "1"
    assert (third.method, third.path) == ("POST", "/*/_search")
    assert json.loads(third.body) == {
        "size": 1, "query": {"term": {"user": "é/x"}}, "_source": ["@timestamp"]
    }


def test_esql(lsc):
    async def handler(request):
        wanted = json.loads(await request.text())["params"][0]["id"]
        return answer(tables[wanted], 400 if wanted == "bad" else 200)

    columns = [{"name": "id", "type": "keyword"}, {"name": "food.name", "type": "text"}]
    tables = {
        "one": {"columns": columns, "values": [["1", "soup"]]},
        "two": {"columns": columns, "values": [["1", "soup"], ["2", None], ["3", ["a", "b"]]]},
        "none": {"columns": columns, "values": []},
        "null": {"columns": columns, "values": [["1", None]]},
        "bad": {"error": {"type": "parsing_exception", "reason": "line 1:1"}, "status": 400},
    }
    config = """elasticsearch { hosts => "%s" query_type => "esql" add_tag => "done" target => "t"
        query => "  FROM food-index
            | WHERE id == ?id " query_params => { "id" => "[food][id]" "none" => "no" }
        fields => { "food.name" => "food_name" "no column" => "no" } }
        mutate { copy => { "[@metadata][total_values]" => "total" } }"""
    with Peer(handler) as peer:
        p, got = flow(lsc, config % peer.url, *[{"food": {"id": k}} for k in tables])
    first = peer.requests[0]
    assert (first.method, first.path) == ("POST", "/_query?format=json&drop_null_columns=true")
    sent = json.loads(first.body)
    assert sent["query"].split() == "FROM food-index | WHERE id == ?id | LIMIT 1".split()
    assert {"id": "one"} in sent["params"] and {"none": None} in sent["params"]
    for e in got:
        del e["food"]
    assert got == [
        {"t": {"food_name": "soup"}, "total": 1, "tags": ["done"]},
        {"t": {"food_name": ["soup", ["a", "b"]]}, "total": 3, "tags": ["done"]},
        {"tags": ["done"]},
        {"total": 1, "tags": ["done"]},
        {"tags": ["_elasticsearch_lookup_failure"]},
    ]
    assert "[400] parsing_exception: line 1:1" in p.stderr


def test_failures(lsc):
    shards = reply(hit(1, a=1))
    shards["_shards"]["failures"] = [{"shard": 0, "reason": {"type": "query_shard_exception"}}]
    missing = {
        "error": {
            "root_cause": [], "type": "index_not_found_exception", "reason": "no such index [x]",
            "index": "x",
        },
        "status": 404,
    }
    nothing = reply(hit(1))
    del nothing["hits"]["hits"][0]["_source"]
    answers = {
        "shards": lambda: answer(shards),
        "missing": lambda: answer(missing, 404),
        "bad": lambda: answer({"error": {"type": "search_phase_execution_exception", "reason": "x"}}, 400),
        "text": lambda: web.Response(text="<html>", headers=PRODUCT),
        "other": lambda: answer({"acknowledged": True}),
        "source": lambda: answer(nothing),
        "number": lambda: answer([1]),
    }

    async def handler(request):
        return answers[request.query["q"]]()

    with Peer(handler) as peer:
        p, got = flow(
            lsc, search(peer, 'query => "%{q}" fields => { "a" => "a" } add_tag => "hit"'),
            *[{"q": q} for q in ["missing", *answers]],
        )
    assert all(e["tags"] == ["_elasticsearch_lookup_failure"] and "a" not in e for e in got)
    assert "[404] index_not_found_exception: no such index [x]" in p.stderr
    assert p.stderr.count("filter.elasticsearch") == 1


def test_template_that_is_no_json_with_the_event(lsc, tmp_path):
    (tmp_path / "query.json").write_text('{ "query": { "term": { "user": "%{u}" } } }')
    with Peer(always(reply())) as peer:
        _, got = flow(lsc, search(peer, f'query_template => "{tmp_path}/query.json"'), {"u": 'a"b'}, {"u": "c"})
    assert got[0]["tags"] == ["_elasticsearch_lookup_failure"] and "tags" not in got[1]
    assert len(peer.requests) == 1


def info(number, flavor="default", tagline="You Know, for Search"):
    return {"name": "n", "version": {"number": number, "build_flavor": flavor}, "tagline": tagline}


def test_servers_that_do_not_say_what_they_are(lsc):
    servers = [
        (info("7.13.4"), True),
        (info("6.8.23", flavor=None), True),
        (info("7.14.0"), False),
        (info("7.10.2", flavor="oss"), False),
        (info("5.6.0"), False),
        (info("1.0.0", tagline="The OpenSearch Project: https://opensearch.org/"), False),
    ]

    def server(about):
        async def handler(request):
            return answer(about if request.path == "/" else reply(hit(1, a=1)), headers=None)

        return Peer(handler)

    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(server(about)) for about, _ in servers]
        config = [search(p, f'query => "*" fields => {{ "a" => "a{i}" }}') for i, p in enumerate(peers)]
        _, got = flow(lsc, " ".join(config), {}, {})
    for i, (_, good) in enumerate(servers):
        assert [e.get(f"a{i}") for e in got] == ([1, 1] if good else [None, None]), servers[i]
        if good:
            assert [r.path for r in peers[i].requests].count("/") == 1


def test_searches_of_a_batch_go_side_by_side(lsc):
    async def handler(request):
        await asyncio.sleep(0.02)
        return answer(reply(hit(1, n=int(request.query["q"]))))

    with Peer(handler) as peer:
        config = search(peer, 'query => "%{i}" fields => { "n" => "n" }')
        _, got = flow(lsc, config, *[{"i": i} for i in range(40)])
        assert [e["n"] for e in got] == list(range(40))
        assert peer.most_busy == 8
        _, got = flow(lsc, config, *[{"i": i} for i in range(500)], workers=4)
    assert sorted(e["n"] for e in got) == list(range(500)) and all(e["n"] == e["i"] for e in got)


def test_retries_and_servers_that_are_gone(lsc):
    async def handler(request):
        if len(peer.requests) < 3:
            return answer({"error": "busy"}, 503)
        return answer(reply(hit(1, a=1)))

    for more, good in [("", False), ("retry_on_failure => 2", False),
                       ("retry_on_failure => 2 retry_on_status => [429, 503]", True)]:
        with Peer(handler) as peer:
            _, got = flow(lsc, search(peer, f'query => "*" fields => {{ "a" => "a" }} {more}'), {})
        assert ("a" in got[0]) == good, more
    # One of two servers is gone: its turn fails once, or goes to the other.
    for more, failed in [("", 1), ("retry_on_failure => 1", 0)]:
        with Peer(always(reply(hit(1, a=1)))) as peer:
            hosts = f'hosts => ["127.0.0.1:{free_port()}", "127.0.0.1:{peer.port}"]'
            config = f'elasticsearch {{ {hosts} query => "*" fields => {{ "a" => "a" }} {more} }}'
            _, got = flow(lsc, config, *[{"n": n} for n in range(9)])
        assert sum("tags" in e for e in got) in ([0] if failed == 0 else range(1, 5))
        assert "a" in got[8]


@pytest.fixture
def authority(tmp_path):
    """A CA, and a certificate of it for 127.0.0.1."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=tmp_path)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=test ca", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "es.key", "-out", "es.csr", "-subj", "/CN=es")
    (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "es.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "es.pem",
            "-extfile", "ext", "-CAcreateserial")
    chain = (tmp_path / "es.pem").read_text() + (tmp_path / "ca.pem").read_text()
    (tmp_path / "chain.pem").write_text(chain)
    return tmp_path


def test_tls_and_api_key(lsc, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "chain.pem", authority / "es.key")
    der = ssl.PEM_cert_to_DER_cert((authority / "ca.pem").read_text())
    fingerprint = hashlib.sha256(der).hexdigest()
    key = base64.b64encode(b"id:key").decode()
    with Peer(always(reply(hit(1, a=1))), ssl=context) as peer:
        for more, good in [
            ("", False),
            (f'ssl_certificate_authorities => ["{authority}/ca.pem"] api_key => "id:key"', True),
            (f'ca_file => "{authority}/ca.pem" api_key => "{key}"', True),
            (f'ca_trusted_fingerprint => "{fingerprint}" api_key => "id:key"', True),
        ]:
            config = f'''elasticsearch {{ hosts => "127.0.0.1:{peer.port}" ssl_enabled => true
                query => "*" fields => {{ "a" => "a" }} {more} }}'''
            _, got = flow(lsc, config, {})
            assert ("a" in got[0]) == good, more
            if good:
                assert peer.requests[-1].headers["Authorization"] == f"ApiKey {key}"
