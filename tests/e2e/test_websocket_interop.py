"""lsc and the WebSocket libraries of ws_peers.py: each as client and as server, compressed."""

import threading

import pytest

from lsc import free_port
from test_websocket import config, texts
from test_websocket_output import LINES, start
from test_websocket_server import serve as serve_input
from ws_peers import BIG, EXPECTED, PEERS, send_all, take_all

DEFLATE = 'compression => "permessage-deflate"'
SHOW = """filter { mutate { add_field => { "opcode" => "%{[@metadata][input][websocket][opcode]}" } } }"""
OPCODES = ["text", "binary", "text", "text", "text", "text"]


@pytest.mark.parametrize("name", PEERS)
def test_reading_from_a_server(lsc, name):
    with PEERS[name].serve(send_all) as server:
        p = lsc.start(config(server.port, f"codec => plain {DEFLATE}", retry="retry_initial => 60") + SHOW)
        p.wait_log('connection closed by the server .*code=>4001, :reason=>"done"')
        events = p.wait_events("out", len(EXPECTED))
        assert texts(events) == EXPECTED
        assert [e["opcode"] for e in events] == OPCODES
        assert server.wait() == 4001, "the status comes back"


@pytest.mark.parametrize("name", PEERS)
def test_reading_from_a_client(lsc, name):
    p = serve_input(lsc, f"codec => plain {DEFLATE}", SHOW[9:-2])
    assert PEERS[name].connect(f"ws://127.0.0.1:{p.port}/", send_all) == 4001
    events = p.wait_events("out", len(EXPECTED))
    assert texts(events) == EXPECTED
    assert [e["opcode"] for e in events] == OPCODES


SENT = ["text", "κόσμε \U0001f600", BIG, *map(str, range(200))]


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("kind", ["text", "binary"])
def test_sending_to_a_server(lsc, name, kind):
    with PEERS[name].serve(take_all) as server:
        p = start(lsc, f'url => "ws://127.0.0.1:{server.port}/" {LINES} {DEFLATE} message_type => "{kind}"')
        p.write("\n".join(SENT) + "\n")
        p.close_stdin()
        assert p.wait() == 0
        got, code = server.wait()
    assert got == (SENT if kind == "text" else [t.encode() for t in SENT])
    assert code == 1001


@pytest.mark.parametrize("name", PEERS)
def test_sending_to_a_client(lsc, name):
    port, result = free_port(), []
    options = f'host => "127.0.0.1" port => {port} {LINES} {DEFLATE}'
    p = lsc.start(f"input {{ stdin {{ }} }} output {{ websocket {{ {options} }} }}", "--log.level", "debug")
    p.wait_log("listening")
    client = threading.Thread(target=lambda: result.append(PEERS[name].connect(f"ws://127.0.0.1:{port}/", take_all)))
    client.start()
    p.wait_log("client connected")
    p.write("\n".join(SENT) + "\n")
    p.close_stdin()
    assert p.wait() == 0
    client.join()
    assert result == [(SENT, 1001)]
