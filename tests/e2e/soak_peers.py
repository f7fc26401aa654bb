#!/usr/bin/python3
"""The peers of soak_websocket.py: they send or read until a fate that is drawn from the seed overtakes them.

usage: soak_peers.py KIND OPTIONS    (OPTIONS: JSON; started by soak_websocket.py)

Each is a process of its own, for one of the fates is SIGKILL. What it is about to do, and what it has
seen, it tells on stdout before it can die, a line at a time; C is the number of a connection:

    plan C N      C will carry at most the messages 0 to N-1
    all C         C ended in a way that loses nothing: all of them were sent, and lsc must have them
    acked C N     N messages of C have been acknowledged
    got C A B     C has received the events A to B, each once and in order
    torn C        C was not read to its end
    idle C        C stands and is quiet, until a line comes on stdin: go or end
    bad C TEXT    lsc has done something that it must not do

The same seed makes the same connections. Messages say where they belong: {"c":C,"n":N,"p":PADDING}.
"""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import random
import re
import select
import signal
import socket
import ssl
import struct
import sys
import threading
import time

CONTINUATION, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
CODES = [1000, 1001, 1003, 1008, 1011, 1012, 1013, 1014, 3000, 4999]
PADDING = "abcdefghijklmnopqrstuvwxyz" * 4000
TIMEOUT_S = 20 * float(os.environ.get("LSC_TEST_PATIENCE", "1"))


def say(*words):
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


# ---- messages and frames ----


def padding(c, n):
    """Small ones, now and then one that fills many reads."""
    if n % 1009 == 1008:
        return 80_000
    return 5_000 if n % 97 == 96 else (c * 31 + n * 17) % 190


def message(c, n):
    return b'{"c":%d,"n":%d,"p":"%s"}' % (c, n, PADDING[: padding(c, n)].encode())


def mask_bytes(payload, mask):
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def frame(opcode, payload=b"", fin=True, mask=None):
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack(">BH", bit | 126, len(payload))
    else:
        head += struct.pack(">BQ", bit | 127, len(payload))
    return head + mask + mask_bytes(payload, mask) if mask else head + payload


def encode(rng, c, n, mask=None):
    """A message, some in fragments with a ping between them."""
    text = message(c, n)
    if rng.random() < 0.9:
        return frame(TEXT, text, mask=mask)
    cut = rng.randrange(len(text) + 1)
    return (
        frame(TEXT, text[:cut], fin=False, mask=mask)
        + frame(PING, b"soak", mask=mask)
        + frame(CONTINUATION, text[cut:], mask=mask)
    )


def frames(data):
    """The whole frames at the start of `data`, unmasked: [(opcode, payload)], and what is left."""
    found, at = [], 0
    while len(data) - at >= 2:
        size, head = data[at + 1] & 0x7F, at + 2
        more = {126: 2, 127: 8}.get(size, 0)
        mask_at = head + more
        start = mask_at + (4 if data[at + 1] & 0x80 else 0)
        if len(data) < start:
            break
        if more:
            size = int.from_bytes(data[head:mask_at], "big")
        if len(data) < start + size:
            break
        payload = data[start : start + size]
        found.append((data[at] & 15, mask_bytes(payload, data[mask_at:start]) if start > mask_at else payload))
        at = start + size
    return found, data[at:]


def close_codes(data):
    return [struct.unpack(">H", p[:2])[0] if p else 1005 for op, p in frames(data)[0] if op == CLOSE]


# ---- connections ----


def how_many(rng):
    return rng.choice([0, 1, rng.randrange(50), rng.randrange(500), rng.randrange(3000)])


def send_messages(s, rng, c, count, mask=None, between=lambda: None):
    """Blocks of messages, cut anywhere."""
    data, n = b"", 0
    while n < count:
        block = min(count, n + rng.randrange(1, 300))
        data += b"".join(encode(rng, c, i, mask) for i in range(n, block))
        cut = rng.randrange(len(data) + 1)
        s.sendall(data[:cut])
        data, n = data[cut:], block
        between()
    s.sendall(data)


def rest(s):
    """What comes until the end."""
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while more := s.recv(65536):
            data += more
    return data


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def head_of(s):
    """A request or an answer up to its empty line, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise ConnectionError("no handshake")
        data += more
    head, _, behind = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", behind


def accept_of(request):
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request).group(1)
    text = key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(text).digest()) + b"\r\n\r\n"
    )


class Listener:
    """Where lsc connects to. The seed says who does not even get through the handshake."""

    def __init__(self, options):
        self.socket = socket.create_server(("127.0.0.1", options["port"]))
        self.socket.settimeout(TIMEOUT_S)
        self.tls = None
        if options["tls"]:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options["tls"] + "/cert.pem", options["tls"] + "/key.pem")

    def next(self, rng, quiet):
        """A socket after the handshake, or None."""
        s, _ = self.socket.accept()
        s.settimeout(TIMEOUT_S)
        fate = "" if quiet else rng.choice(["", "", "", "hang up", "half", "half reset", "refuse", "kill"] + 12 * [""])
        if fate == "hang up":
            s.close()
            return None
        if self.tls:
            s = self.tls.wrap_socket(s, server_side=True)
        answer = accept_of(head_of(s)[0])
        if fate == "refuse":
            answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nlate"
        elif fate:
            answer = answer[: rng.randrange(len(answer))]
        s.sendall(answer)
        if fate == "kill":
            die()
        if not fate:
            return s
        reset(s) if fate == "half reset" else s.close()
        return None

    def connections(self, options):
        """Those that got through the handshake, with their number and dice; quiet ones at each round's end."""
        for c in itertools.count(options["first"]):
            rng = random.Random(f"{options['seed']}/{c}")
            quiet = c % options["round"] == options["round"] - 1
            say("plan", c, 0)
            s = self.next(rng, quiet)
            if s:
                yield s, rng, c, quiet


# ---- what lsc reads from: a server ----


def end_serving(s, rng, c, count):
    """The end of a connection on which `count` messages were sent."""
    fate = rng.choice(["close", "close", "close", "fin", "half fin", "breach", "reset", "half reset", "kill"])
    half = frame(TEXT, message(c, count))
    half = half[: rng.randrange(1, len(half))]
    if fate in ("reset", "half reset", "kill"):
        s.sendall(half if fate != "reset" else b"")
        reset(s) if fate != "kill" else die()
        return
    if fate == "close":
        code = rng.choice(CODES)
        s.sendall(frame(CLOSE, struct.pack(">H", code) + b"soak"))
        codes = close_codes(rest(s))
        if codes != [code]:
            say("bad", c, f"close {code} was answered with {codes}")
    else:
        s.sendall({"fin": b"", "half fin": half, "breach": b"\xf1\x00"}[fate])
        if fate != "breach":
            s.shutdown(socket.SHUT_WR)
        codes = close_codes(rest(s))
        if fate == "breach" and codes != [1002]:
            say("bad", c, f"a reserved bit was answered with {codes}")
    s.close()
    say("all", c)


def source(options):
    for s, rng, c, quiet in Listener(options).connections(options):
        count = 1 if quiet else how_many(rng)
        say("plan", c, count)
        send_messages(s, rng, c, count)
        if quiet:
            say("idle", c)
            if sys.stdin.readline() != "go\n":
                return
            s.sendall(frame(CLOSE, struct.pack(">H", 1001)))
            rest(s)
            s.close()
            say("all", c)
        else:
            end_serving(s, rng, c, count)


# ---- what lsc writes to: a server that reads numbers ----


class Events:
    """The numbers of the events that come on a connection."""

    def __init__(self, s, c, behind=b""):
        self.socket, self.c, self.data, self.first, self.last, self.closed = s, c, behind, None, None, None

    def take(self):
        """What one read brings. False: the end."""
        try:
            more = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            more = b""
        found, self.data = frames(self.data + more)
        for opcode, payload in found:
            if opcode == CLOSE:
                self.closed = payload[:2]
            elif opcode == TEXT:
                self.count(int(re.search(rb'"sequence":(\d+)', payload).group(1)))
        return more != b""

    def count(self, n):
        if self.last is not None and n != self.last + 1:
            say("bad", self.c, f"event {n} after {self.last}")
        self.first = n if self.first is None else self.first
        self.last = n

    def number(self):
        return 0 if self.last is None else self.last - self.first + 1

    def tell(self):
        if self.last is not None:
            say("got", self.c, self.first, self.last)


def end_reading(s, rng, events, tls):
    c = events.c
    fate = rng.choice(["close", "close", "fin", "reset", "kill"])
    if fate == "close":
        s.sendall(frame(CLOSE, struct.pack(">H", 1012)))
        while events.take():
            pass
        if events.closed != struct.pack(">H", 1012):
            say("bad", c, f"the close frame was answered with {events.closed}")
    elif fate == "fin":
        s.shutdown(socket.SHUT_WR)
        while not tls and events.take():  # under TLS nothing more can be read
            pass
    events.tell()
    if fate == "kill" or fate == "reset" or (fate == "fin" and tls):
        say("torn", c)
    if fate == "kill":
        die()
    reset(s) if fate == "reset" else s.close()


def read_to_the_end(s, events):
    """lsc answers a close frame, or sends one because it stops."""
    while events.take() and not events.closed:
        pass
    with contextlib.suppress(OSError):
        s.sendall(frame(CLOSE, events.closed or b""))
    rest(s)
    events.tell()


def sink(options):
    listener = Listener(options)
    for s, rng, c, quiet in listener.connections(options):
        events = Events(s, c)
        wanted = 1 if quiet else how_many(rng)
        while events.number() < wanted and events.take():
            pass
        if quiet:
            say("idle", c)
            again = sys.stdin.readline() == "go\n"
            if again:
                s.sendall(frame(CLOSE, struct.pack(">H", 1001)))
            read_to_the_end(s, events)
            s.close()
            if not again:
                return
        else:
            end_reading(s, rng, events, listener.tls is not None)


# ---- what connects to lsc: clients ----

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def dial(options):
    """Comes back while lsc is being started."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", options["port"]), timeout=TIMEOUT_S)
        except ConnectionRefusedError:
            if options["sure"] or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def connect(options):
    s = dial(options)
    if options["tls"]:
        context = ssl.create_default_context(cafile=options["tls"] + "/ca.pem")
        s = context.wrap_socket(s, server_hostname="localhost")
    return s


class Acks:
    """What lsc sends to one client."""

    def __init__(self, s, c, behind):
        self.socket, self.c, self.data, self.number, self.codes, self.over = s, c, behind, 0, [], False

    def take(self):
        """What one read brings. False: the end."""
        try:
            more = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            more = b""
        self.over = self.over or not more
        found, self.data = frames(self.data + more)
        number = sum(op == TEXT for op, _ in found)
        self.number += number
        self.codes += [struct.unpack(">H", p[:2])[0] for op, p in found if op == CLOSE and p]
        if number:
            say("acked", self.c, self.number)
        if 1001 in self.codes:
            raise ConnectionError("lsc stops")
        return not self.over

    def take_what_is_there(self):
        while not self.over and select.select([self.socket], [], [], 0)[0] and self.take():
            pass

    def take_until(self, number):
        while self.number < number and self.take():
            pass
        return self.number >= number


def end_client(s, rng, c, count, mask, acks, sure):
    fate = rng.choice(["close", "close", "wait and close", "fin", "half fin", "reset", "half reset"])
    if fate == "wait and close" and not acks.take_until(count) and sure:
        say("bad", c, f"{acks.number} acks for {count} messages")
    half = frame(TEXT, message(c, count), mask=mask)
    half = half[: rng.randrange(1, len(half))]
    if fate.startswith("half"):
        s.sendall(half)
    if fate.endswith("reset"):
        return reset(s)
    if fate.endswith("close"):
        s.sendall(frame(CLOSE, struct.pack(">H", 1000), mask=mask))
        while acks.take():
            pass
        if sure and acks.codes != [1000]:
            say("bad", c, f"close 1000 was answered with {acks.codes}")
    else:
        s.shutdown(socket.SHUT_WR)
        rest(s)
    if sure:
        say("all", c)
    return None


def play_client(options, rng, c):
    with contextlib.closing(connect(options)) as s:
        if rng.random() < 0.1:
            s.sendall(REQUEST[: rng.randrange(len(REQUEST))])
            return reset(s) if rng.random() < 0.5 else None
        s.sendall(REQUEST)
        head, behind = head_of(s)
        if not head.startswith(b"HTTP/1.1 101"):
            return say("bad", c, head[:40])
        acks, mask = Acks(s, c, behind), rng.randbytes(4)
        count = how_many(rng)
        say("plan", c, count)
        send_messages(s, rng, c, count, mask, acks.take_what_is_there)
        return end_client(s, rng, c, count, mask, acks, options["sure"])


def clients(options):
    """A few at a time; when the seed says so the whole process dies amid them. Unless they are `sure`, lsc
    is stopped in this round, and what does not come is not its fault."""
    numbers = iter(range(options["first"], options["first"] + options["round"]))
    lock = threading.Lock()
    killed = options["first"] + random.Random(f"{options['seed']}/kill/{options['first']}").randrange(
        3 * options["round"]
    )

    def play():
        while True:
            with lock:
                c = next(numbers, None)
            if c is None:
                return
            if c == killed:
                die()
            try:
                play_client(options, random.Random(f"{options['seed']}/{c}"), c)
            except OSError as e:
                if options["sure"]:
                    say("bad", c, repr(e))

    threads = [threading.Thread(target=play) for _ in range(options["at_a_time"])]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


if __name__ == "__main__":
    {"source": source, "sink": sink, "clients": clients}[sys.argv[1]](json.loads(sys.argv[2]))
