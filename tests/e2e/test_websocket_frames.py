"""RFC 6455 at the level of frames: a peer that can send anything, after the Autobahn suite's order."""

import base64
import contextlib
import hashlib
import socket
import struct
import threading

import pytest

from lsc import wait_until
from test_websocket import config, texts

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload=b"", fin=True, rsv=0, mask=None, length=None):
    """One frame; `length` overrides the length field's form: (marker, bytes)."""
    payload = payload.encode() if isinstance(payload, str) else payload
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if length:
        head += bytes([bit | length[0]]) + length[1]
    elif len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if mask:
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        head += mask
    return head + payload


class Peer:
    """Shakes hands with the first client, sends it `data`, and keeps what comes back."""

    def __init__(self, *data, chunk=None, head=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.data, self.chunk, self.head = b"".join(data), chunk, head
        self.received = b""
        self.over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            client, _ = self.socket.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            client.sendall(self.head or self._answer(request))
            step = self.chunk or len(self.data) or 1
            for at in range(0, len(self.data), step):
                client.sendall(self.data[at : at + step])
            while data := client.recv(65536):
                self.received += data
                if any(op == CLOSE for op, _ in self.frames()):
                    break
            client.close()
        self.over.set()

    @staticmethod
    def _answer(request):
        key = next(l for l in request.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key:"))
        text = key.split(b":", 1)[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(text).digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def frames(self):
        """What the client sent: (opcode, payload), every frame masked as it must be."""
        found, at, data = [], 0, self.received
        while len(data) - at >= 6:
            assert data[at] & 0x80 and data[at + 1] & 0x80, "a client's frames are whole and masked"
            size = data[at + 1] & 0x7F
            assert size < 126
            if len(data) - at < 6 + size:
                break
            mask, payload = data[at + 2 : at + 6], data[at + 6 : at + 6 + size]
            found.append((data[at] & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))))
            at += 6 + size
        return found

    def close_code(self):
        assert self.over.wait(20), "the client does not close"
        closes = [p for op, p in self.frames() if op == CLOSE]
        assert len(closes) == 1
        return struct.unpack(">H", closes[0][:2])[0] if closes[0] else None


def run(lsc, peer, options="codec => plain"):
    return lsc.start(config(peer.port, options, retry="retry_initial => 60"))


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


GOOD = {
    "empty text": ([frame(TEXT), frame(TEXT, "a"), frame(BINARY)], ["", "a", ""]),
    "lines": ([frame(TEXT, "a\nb\n")], ["a\nb\n"]),
    "lengths": ([frame(TEXT, "x" * n) for n in (125, 126, 127, 65535, 65536)], ["x" * n for n in (125, 126, 127, 65535, 65536)]),
    "binary": ([frame(BINARY, b"abc")], ["abc"]),
    "fragments": ([frame(TEXT, "a", False), frame(0, "b", False), frame(0, "", False), frame(0, "c")], ["abc"]),
    "fragments in one character": ([frame(TEXT, b"\xce", False), frame(0, b"\xba")], ["κ"]),
    "a ping between fragments": ([frame(TEXT, "a", False), frame(PING, "p"), frame(0, "b")], ["ab"]),
    "an unasked pong": ([frame(PONG, "x"), frame(TEXT, "a")], ["a"]),
    "large fragments": ([frame(TEXT, "x" * 70000, False), frame(0, "y" * 40000)], ["x" * 70000 + "y" * 40000]),
}  # fmt: skip


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize("case", GOOD)
def test_good_frames(lsc, case, chunk):
    frames, expected = GOOD[case]
    data = b"".join([*frames, frame(PING, "last"), close()])
    if chunk and len(data) > 10000:
        chunk = 997  # one byte at a time is for the short ones
    peer = Peer(data, chunk=chunk)
    p = run(lsc, peer)
    assert texts(p.wait_events("out", len(expected))) == expected
    assert peer.close_code() == 1000
    assert (PONG, b"last") in peer.frames()


BAD = {
    **{f"opcode {n}": (frame(n, "x"), 1002) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"reserved bits {n}": (frame(TEXT, "x", rsv=n), 1002) for n in range(1, 8)},
    "masked": (frame(TEXT, "x", mask=b"abcd"), 1002),
    "long ping": (frame(PING, "x" * 126), 1002),
    "fragmented ping": (frame(PING, "x", fin=False), 1002),
    "continuation of nothing": (frame(0, "x"), 1002),
    "a message within a message": (frame(TEXT, "a", False) + frame(TEXT, "b"), 1002),
    "a continuation after the end": (frame(TEXT, "a", False) + frame(0, "b") + frame(0, "c"), 1002),
    "length not the shortest": (frame(TEXT, "x", length=(126, b"\0\1")), 1002),
    "length with the highest bit": (frame(TEXT, "x", length=(127, b"\x80" + b"\0" * 7)), 1002),
    "length of 2^62": (frame(TEXT, "x", length=(127, b"\x40" + b"\0" * 7)), 1009),
    "bad UTF-8": (frame(TEXT, b"\xce\xba\xed\xa0\x80"), 1007),
    "bad UTF-8 in pieces": (frame(TEXT, b"\xce", False) + frame(0, b"\xce"), 1007),
    "half a character": (frame(TEXT, b"ab\xce"), 1007),
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close with bad UTF-8": (close(1000, b"\xff"), 1007),
    **{f"close {n}": (close(n), 1002) for n in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_frames(lsc, case):
    data, code = BAD[case]
    peer = Peer(frame(TEXT, "before"), data, frame(TEXT, "never"))
    p = run(lsc, peer)
    assert peer.close_code() == code
    p.wait_log("connection lost .*protocol")
    assert texts(p.wait_events("out", 1))[0] == "before" and "never" not in texts(p.events("out"))


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999, None])
def test_good_close_codes(lsc, code):
    peer = Peer(frame(CLOSE) if code is None else close(code, b"x" * 123))
    run(lsc, peer)
    assert peer.close_code() == code


def test_many_pings_get_their_pongs_in_order(lsc):
    pings = [f"{n}" for n in range(100)]
    peer = Peer(*(frame(PING, p) for p in pings), close())
    run(lsc, peer)
    peer.close_code()
    assert [p.decode() for op, p in peer.frames() if op == PONG] == pings


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
