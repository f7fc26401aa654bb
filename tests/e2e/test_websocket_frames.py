"""RFC 6455 at the level of bytes, where a connection begins and ends. Frames: ws_cases.py."""

import contextlib
import socket
import struct
import threading

import pytest

from lsc import wait_until
from test_websocket import config, texts
from ws_raw import BINARY, CLOSE, PING, PONG, TEXT, Link, answer, frame  # noqa: F401  (for others)


class Peer:
    """Shakes hands with the first client, sends it `data`, and keeps what comes back."""

    def __init__(self, *data, head=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.data, self.head = b"".join(data), head
        self.received = []
        self.over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError, AssertionError):
            link = Link(self.socket.accept()[0], False)
            link.send(self.head or self._answer(link.head().encode()))
            link.send(self.data)
            while f := link.next():
                self.received.append((f.opcode, f.payload))
                if f.opcode == CLOSE:
                    break
            link.close()
        self.over.set()

    @staticmethod
    def _answer(request):
        return answer(request.decode())

    def frames(self):
        """What the client sent: (opcode, payload)."""
        return self.received

    def close_code(self):
        assert self.over.wait(20), "the client does not close"
        closes = [p for op, p in self.frames() if op == CLOSE]
        assert len(closes) == 1
        return struct.unpack(">H", closes[0][:2])[0] if closes[0] else None


def run(lsc, peer, options="codec => plain"):
    return lsc.start(config(peer.port, options, retry="retry_initial => 60"))


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


@pytest.mark.parametrize(
    "data,problem",
    [
        (frame(3, "x"), "unknown opcode"),
        (frame(TEXT, "x", rsv=2), "reserved bit set"),
        (frame(TEXT, "x", mask=b"abcd"), "masked frame from a server"),
        (frame(PING, "x", fin=False), "fragmented control frame"),
        (frame(0, "x"), "continuation of nothing"),
        (frame(TEXT, "x", length=(126, b"\0\1")), "length not written in the shortest form"),
        (frame(TEXT, "x", length=(127, b"\x40" + b"\0" * 7)), "message too big"),
        (frame(TEXT, b"\xff"), "text that is not UTF-8"),
        (close(999), "close frame with an invalid status"),
    ],
)
def test_the_log_says_what_broke_the_protocol(lsc, data, problem):
    peer = Peer(frame(TEXT, "before"), data)
    p = run(lsc, peer)
    p.wait_log(f'connection lost .*failed=>"protocol", :exception=>"{problem}"')
    assert texts(p.wait_events("out", 1)) == ["before"]
    reason = next(payload[2:] for op, payload in peer.frames() if op == CLOSE)
    assert reason.decode() == problem


@pytest.mark.parametrize(
    "end, code",
    [
        (frame(TEXT, "x", rsv=4), 1002),
        (frame(0, "x"), 1002),
        (frame(TEXT, "a", False) + frame(PING, "within") + frame(TEXT, "b"), 1002),
        (frame(TEXT, "x", mask=b"abcd"), 1002),
        (close(), 1000),
    ],
)
def test_pings_ahead_of_a_full_queue_are_answered_up_to_the_end(lsc, end, code):
    messages = b"".join(frame(TEXT, str(n)) for n in range(40))
    peer = Peer(messages, frame(PING, "before"), end, frame(PING, "behind"))
    slow = "filter { sleep { time => 0.02 } }"
    p = lsc.start(config(peer.port, "codec => plain", retry="retry_initial => 60") + slow, "-b", "1")
    assert peer.close_code() == code
    pings = [b"before", b"within"] if b"within" in end else [b"before"]
    assert [payload for opcode, payload in peer.frames() if opcode == PONG] == pings
    assert len(p.wait_events("out", 40)) == 40


def test_an_end_without_a_close_frame(lsc):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = listener.accept()
        request = client.recv(65536)
        client.sendall(Peer._answer(request) + frame(TEXT, "kept") + frame(TEXT, "lost")[:3])
        client.close()

    threading.Thread(target=serve, daemon=True).start()
    p = lsc.start(config(listener.getsockname()[1], "codec => plain", retry="retry_initial => 60"))
    p.wait_log("without a close frame|Connection reset")
    assert texts(p.wait_events("out", 1)) == ["kept"]
    listener.close()


HEAD = "HTTP/1.1 101 Switching Protocols\r\n"


@pytest.mark.parametrize("head,problem", [
    (HEAD + "Connection: Upgrade\r\n\r\n", "without Upgrade"),
    (HEAD + "Upgrade: websocket\r\n\r\n", "without Connection"),
    (HEAD + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "wrong Sec-WebSocket-Accept"),
    ("HTTP/1.1 1" + "x" * 100, None), ("GARBAGE\r\n\r\n", "not HTTP"),
    (HEAD + "X: " + "y" * 40000, "not HTTP"),
])  # fmt: skip
def test_bad_answers_to_the_handshake(lsc, head, problem):
    peer = Peer(head=head.encode())
    p = run(lsc, peer, "connect_timeout => 1")
    p.wait_log(problem or "no answer|not HTTP")
    assert wait_until(p.alive, "lsc to go on")
