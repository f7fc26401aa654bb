"""WebSocket by hand: frames with anything in them, and both sides of the handshake.

    link = connect(port, "/", protocols="a")          # as a client
    link = accept(listener, lambda request: "a")      # as a server
    link.send(frame(TEXT, "hello", mask=MASK))
    link.next()                                       # a Frame, or None at the end

What the other side sends is checked against RFC 6455; link.wrong says what it broke first.
"""

import base64
import collections
import hashlib
import re
import socket
import struct

from lsc import PATIENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x37\xfa\x21\x3d"

Frame = collections.namedtuple("Frame", "opcode payload fin rsv")


def xor(payload, mask):
    """The payload masked, or a masked one plain again."""
    pad = (mask * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")
    return number.to_bytes(len(payload), "little")


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
    return head + mask + xor(payload, mask) if mask else head + payload


def accept_key(key):
    """RFC 6455, section 4.2.2."""
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


class Link:
    """A connection. `masks`: we are the client, so our frames are masked and the peer's are not."""

    def __init__(self, sock, masks):
        self.socket, self.masks = sock, masks
        self.socket.settimeout(20 * PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = bytearray()
        self.request = self.answer = ""
        self.deflated = False  # whether RSV1 may be set
        self.wrong = None
        self.at_end = False

    def send(self, data):
        """Sends all of it; False when the peer has hung up."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def _more(self):
        try:
            data = self.socket.recv(1 << 20)
        except TimeoutError:
            raise AssertionError("nothing comes, not even the end") from None
        except OSError:
            data = b""
        self.data += data
        self.at_end = not data
        return data

    def head(self):
        """The lines up to the first empty one, or None when the end comes before."""
        while b"\r\n\r\n" not in self.data:
            if not self._more():
                return None
        text, _, rest = bytes(self.data).partition(b"\r\n\r\n")
        self.data = bytearray(rest)
        return text.decode("latin-1")

    def next(self):
        """The next frame; None at the end."""
        while True:
            size = self._size()
            if size and len(self.data) >= sum(size):
                return self._take(*size)
            if self.at_end or not self._more():
                self._check(not self.data, "ended within a frame")
                return None

    def _size(self):
        """Bytes of the header and of the payload, once the header is there."""
        if len(self.data) < 2:
            return None
        first = self.data[1] & 0x7F
        extra = {126: 2, 127: 8}.get(first, 0)
        mask = 4 if self.data[1] & 0x80 else 0
        if len(self.data) < 2 + extra + mask:
            return None
        length = int.from_bytes(self.data[2 : 2 + extra], "big") if extra else first
        self._check(extra == (0 if length < 126 else 2 if length < 65536 else 8), "length not the shortest")
        return 2 + extra + mask, length

    def _take(self, head, length):
        first, second = self.data[0], self.data[1]
        f = Frame(first & 15, bytes(self.data[head : head + length]), bool(first & 0x80), first >> 4 & 7)
        self._check(bool(second & 0x80) != self.masks, "masked by a server, or not by a client")
        if second & 0x80:
            f = f._replace(payload=xor(f.payload, bytes(self.data[head - 4 : head])))
        del self.data[: head + length]
        self._check(f.opcode in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG), "unknown opcode")
        self._check(not f.rsv or (f.rsv == 4 and self.deflated and f.opcode in (TEXT, BINARY)), "reserved bit")
        self._check(f.opcode < CLOSE or (f.fin and length < 126), "control frame long or in pieces")
        if f.opcode == CLOSE and length:
            self._check(length >= 2, "close frame of one byte")
            f.payload[2:].decode()  # UnicodeDecodeError: not UTF-8
        return f

    def _check(self, good, problem):
        if not good and not self.wrong:
            self.wrong = problem

    def close(self):
        self.socket.close()


def field(head, name):
    """A header field's value, several joined; None: there is none."""
    values = re.findall(rf"(?im)^{re.escape(name)}:[ \t]*(.*?)[ \t]*$", head.replace("\r", ""))
    return ", ".join(values) if values else None


def connect(port, path="/", tls=None, **fields):
    """Shakes hands as a client; fields such as Sec_WebSocket_Protocol="a" go into the request. `tls`
    is an SSLContext."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=20 * PATIENCE)
    link = Link(tls.wrap_socket(sock, server_hostname="localhost") if tls else sock, True)
    lines = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}  # fmt: skip
    lines.update((name.replace("_", "-"), value) for name, value in fields.items())
    text = "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None)
    link.send(f"GET {path} HTTP/1.1\r\n{text}\r\n".encode())
    link.answer = link.head() or ""
    if link.answer.startswith("HTTP/1.1 101"):
        assert field(link.answer, "Sec-WebSocket-Accept") == accept_key(KEY)
    return link


def answer(request, *lines):
    """The answer of status 101 to a request."""
    accept = accept_key(field(request, "Sec-WebSocket-Key"))
    return "\r\n".join([
        "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}", *lines, "", "",
    ]).encode()  # fmt: skip


def accept(listener, lines=lambda request: (), tls=None):
    """Shakes hands as a server; lines(request) are further lines of the answer. None: no request
    came."""
    sock = listener.accept()[0]
    link = Link(tls.wrap_socket(sock, server_side=True) if tls else sock, False)
    link.request = link.head()
    if link.request is None:
        return None
    link.answer = answer(link.request, *lines(link.request)).decode()
    link.send(link.answer.encode())
    return link
