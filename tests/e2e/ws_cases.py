"""The cases of the WebSocket conformance suite, numbered in the manner of the Autobahn test suite.

What is asked comes from RFC 6455, RFC 7692 and RFC 3629; the ideas of many cases, not their code,
from the descriptions of Autobahn's. A case says what the raw peer sends and what has to come of it,
for whichever side lsc is: steps are frames that the peer masks when it is the client.
"""

import dataclasses
import functools
import itertools
import json
import random
import struct
import zlib

from ws_raw import BINARY, CLOSE, CONTINUATION, MASK, PING, PONG, TEXT, frame

DEFLATE = "permessage-deflate"


class F:
    """A frame to be sent. `unmasked`: with the mask bit that this side must not send."""

    def __init__(self, opcode, payload=b"", fin=True, rsv=0, length=None, wrong_mask=False):
        self.args = (opcode, payload, fin, rsv)
        self.length, self.wrong_mask = length, wrong_mask

    def bytes(self, masks):
        return frame(*self.args, mask=MASK if masks != self.wrong_mask else None, length=self.length)


class Again:
    """The same frame many times in one go."""

    def __init__(self, frame_, times):
        self.frame, self.times = frame_, times

    def bytes(self, masks):
        return self.frame.bytes(masks) * self.times


AWAIT_CLOSE = object()  # a step: lsc's close frame has to come before more is sent


@dataclasses.dataclass
class Case:
    id: str
    sent: str  # in words
    asks: str  # in words, with the section of the RFC
    steps: list
    messages: list = dataclasses.field(default_factory=list)  # (opcode, bytes) that have to arrive
    pongs: list = dataclasses.field(default_factory=list)
    close: int = 1000  # status of lsc's close frame; None: it has none; 0: the handshake fails
    chop: int = 0  # octets to send at a time; 0: a step at a time
    heavy: bool = False  # too slow for a sanitized build
    offer: str = None  # Sec-WebSocket-Extensions of a peer that is the client
    accept: str = None  # that of a peer that is the server
    agreed: bool = None  # whether lsc, as the server, has to take the offer
    sides: str = "both"  # that lsc can be: client, server, both
    lines: list = None  # what lsc, as an output, is given to send
    unpack: int = 0  # what it sends is compressed, with a window of so many bits
    packed: bool = False  # whether all of it has to come compressed


def close_frame(code=1000, reason=b""):
    return F(CLOSE, struct.pack(">H", code) + reason)


def text(*payloads):
    return [(TEXT, p.encode() if isinstance(p, str) else p) for p in payloads]


def pieces(opcode, payload, size, rsv=0):
    """A message in fragments of `size` bytes."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    return [
        F(CONTINUATION if i else opcode, part, i == len(parts) - 1, 0 if i else rsv)
        for i, part in enumerate(parts)
    ]


def good(id, sent, steps, messages=(), asks="", **more):
    return Case(id, sent, asks or "taken; close 1000 answered", list(steps), list(messages), **more)


def bad(id, sent, steps, code, why, messages=(), **more):
    return Case(id, sent, f"{why}: fail with {code}", list(steps), list(messages), close=code, **more)


# ---- 1: framing ----


def framing():
    for group, opcode, name, octet in ((1, TEXT, "text", b"*"), (2, BINARY, "binary", b"\xfe")):
        for n, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            yield good(f"1.{group}.{n}", f"{name} of {size} octets", [F(opcode, octet * size)], [(opcode, octet * size)])
        yield good(f"1.{group}.8", f"{name} of 65536 octets, 997 at a time", [F(opcode, octet * 65536)],
                   [(opcode, octet * 65536)], chop=997)  # fmt: skip
    for n, (sent, length) in enumerate(
        [
            ("1 octet, its length in 16 bits", (126, b"\0\1")),
            ("125 octets, the length in 16 bits", (126, b"\0\x7d")),
            ("1 octet, its length in 64 bits", (127, b"\0" * 7 + b"\1")),
            ("65535 octets, the length in 64 bits", (127, b"\0" * 6 + b"\xff\xff")),
        ],
        1,
    ):
        size = int.from_bytes(length[1], "big")
        yield bad(f"1.3.{n}", sent, [F(TEXT, "*" * size, length=length)], 1002, "§5.2: the shortest form")
    for n, top in enumerate((0x80, 0xFF), 5):
        yield bad(f"1.3.{n}", f"a length of 64 bits that begins with {top:02x}",
                  [F(TEXT, "*", length=(127, bytes([top]) + b"\0" * 7))], 1002, "§5.2: the highest bit is 0")  # fmt: skip
    for n, bits in enumerate((62, 40, 32), 7):
        length = (127, (1 << bits).to_bytes(8, "big"))
        yield bad(f"1.3.{n}", f"the header of a text of 2^{bits} octets", [F(TEXT, "*", length=length)], 1009,
                  "§7.4.1: too big to process")  # fmt: skip
    yield bad("1.4.1", "a text with the mask bit of the other side", [F(TEXT, "*", wrong_mask=True)], 1002,
              "§5.1: clients mask, servers do not")  # fmt: skip
    yield bad("1.4.2", "a ping with the mask bit of the other side", [F(PING, "*", wrong_mask=True)], 1002,
              "§5.1: clients mask, servers do not")  # fmt: skip
    yield bad("1.4.3", "a close frame with the mask bit of the other side",
              [F(CLOSE, b"\3\xe8", wrong_mask=True)], 1002, "§5.1: clients mask, servers do not")  # fmt: skip


# ---- 2: pings and pongs ----


def pings():
    for n, payload in enumerate((b"", b"Hello, world!", bytes(range(0x80, 0x80 + 64)), b"\xfe" * 125), 1):
        yield good(f"2.{n}", f"a ping of {len(payload)} octets", [F(PING, payload)], asks="§5.5.3: a pong with the same octets",
                   pongs=[payload])  # fmt: skip
    yield bad("2.5", "a ping of 126 octets", [F(PING, b"\xfe" * 126)], 1002, "§5.5: at most 125")
    yield good("2.6", "a ping of 125 octets, one at a time", [F(PING, b"\xfe" * 125)], asks="§5.5.3: its pong",
               pongs=[b"\xfe" * 125], chop=1)  # fmt: skip
    for n, payload in ((7, b""), (8, b"unasked")):
        yield good(f"2.{n}", f"a pong that nobody asked for, of {len(payload)} octets", [F(PONG, payload)],
                   asks="§5.5.3: no answer")  # fmt: skip
    yield good("2.9", "an unasked pong, then a ping", [F(PONG, b"unasked"), F(PING, b"ping")], asks="§5.5.3: one pong",
               pongs=[b"ping"])  # fmt: skip
    for n, chop, many in ((10, 0, 10), (11, 1, 10), (12, 0, 100), (13, 7, 100)):
        payloads = [b"payload-%d" % i for i in range(many)]
        how = f", {chop} octets at a time" if chop else ""
        yield good(f"2.{n}", f"{many} pings{how}", [F(PING, p) for p in payloads], asks="§5.5.3: their pongs in order",
                   pongs=payloads, chop=chop)  # fmt: skip
    yield bad("2.14", "a pong of 126 octets", [F(PONG, b"*" * 126)], 1002, "§5.5: at most 125")


# ---- 3: reserved bits ----


def reserved_bits():
    for rsv in range(1, 8):
        steps = [F(TEXT, "before"), F(TEXT, "*", rsv=rsv), F(PING, "after")]
        yield bad(f"3.{rsv}", f"a text, a text with RSV {rsv:03b}, a ping", steps, 1002, "§5.2: no extension was agreed on",
                  text("before"), chop=rsv % 3)  # fmt: skip
    others = ((BINARY, "a binary message"), (PING, "a ping"), (PONG, "a pong"), (CLOSE, "a close frame"))
    for n, ((opcode, name), rsv) in enumerate(itertools.product(others, (1, 2, 4, 7)), 8):
        payload = b"\3\xe8" if opcode == CLOSE else b"*"
        yield bad(f"3.{n}", f"{name} with RSV {rsv:03b}", [F(opcode, payload, rsv=rsv)], 1002,
                  "§5.2: no extension was agreed on")  # fmt: skip
    for n, rsv in enumerate((1, 2, 4), 24):
        yield bad(f"3.{n}", f"a continuation with RSV {rsv:03b}", [F(TEXT, "a", False), F(CONTINUATION, "b", rsv=rsv)], 1002,
                  "§5.2: no extension was agreed on")  # fmt: skip


# ---- 4: opcodes ----


def opcodes():
    for group, codes in ((1, range(3, 8)), (2, range(11, 16))):
        n = itertools.count(1)
        for code in codes:
            for name, payload, before, chop in (
                ("without payload", b"", False, 0),
                ("with payload", b"reserved opcode payload", False, 0),
                ("after a text and before a ping", b"", True, 0),
                ("with payload, after a text, an octet at a time", b"reserved", True, 1),
            ):
                steps = [F(TEXT, "before")] * before + [F(code, payload)] + [F(PING)] * before
                yield bad(f"4.{group}.{next(n)}", f"opcode {code} {name}", steps, 1002, "§5.2: a reserved opcode",
                          text("before") * before, chop=chop)  # fmt: skip
        yield bad(f"4.{group}.{next(n)}", f"opcode {codes[0]} within a fragmented text",
                  [F(TEXT, "a", False), F(codes[0]), F(CONTINUATION, "b")], 1002, "§5.2: a reserved opcode")  # fmt: skip


# ---- 5: fragmentation ----


def fragments():
    two = [F(TEXT, "fragment1", False), F(CONTINUATION, "fragment2")]
    joined = text("fragment1fragment2")
    for n, opcode, name in ((1, PING, "ping"), (2, PONG, "pong")):
        yield bad(f"5.{n}", f"a {name} in two fragments", [F(opcode, "a", False), F(CONTINUATION, "b")], 1002,
                  "§5.5: control frames are whole")  # fmt: skip
    for n, chop in ((3, 0), (4, 5), (5, 1)):
        yield good(f"5.{n}", f"a text in two fragments{f', {chop} octets at a time' * bool(chop)}", two, joined, chop=chop,
                   asks="§5.4: one message")  # fmt: skip
    between = [two[0], F(PING, "between"), two[1]]
    for n, chop in ((6, 0), (7, 5), (8, 1)):
        yield good(f"5.{n}", f"the same with a ping between{f', {chop} octets at a time' * bool(chop)}", between, joined,
                   chop=chop, pongs=[b"between"], asks="§5.4: one message; the pong at once")  # fmt: skip
    why = "§5.4: nothing to continue"
    for n, fin, chop in ((9, True, 0), (10, True, 5), (11, True, 1), (12, False, 0), (13, False, 5), (14, False, 1)):
        steps = [F(CONTINUATION, "continuation", fin), F(TEXT, "text")]
        yield bad(f"5.{n}", f"a continuation of nothing, FIN={int(fin)}, then a text", steps, 1002, why, chop=chop)
    yield bad("5.15", "a text in two fragments, a continuation of nothing, a text",
              [*two, F(CONTINUATION, "again", False), F(TEXT, "text")], 1002, why, joined)  # fmt: skip
    for n, fin in ((16, False), (17, True)):
        steps = [F(CONTINUATION, "nothing", fin), F(TEXT, "text", False), F(CONTINUATION, "more")] * 2
        yield bad(f"5.{n}", f"twice: a continuation of nothing, FIN={int(fin)}, a fragmented text", steps, 1002, why)
    why = "§5.4: messages do not interleave"
    yield bad("5.18", "two fragments that both say text", [F(TEXT, "a", False), F(TEXT, "b")], 1002, why)
    five = [F(TEXT, "fragment1", False), F(CONTINUATION, "fragment2", False), F(PING, "one"),
            F(CONTINUATION, "fragment3", False), F(CONTINUATION, "fragment4", False), F(PING, "two"),
            F(CONTINUATION, "fragment5")]  # fmt: skip
    whole = text("".join(f"fragment{n}" for n in range(1, 6)))
    for n, chop in ((19, 0), (20, 1)):
        yield good(f"5.{n}", f"a text in five fragments, two pings among them{', an octet at a time' * chop}", five, whole,
                   chop=chop, pongs=[b"one", b"two"], asks="§5.4: one message, both pongs")  # fmt: skip
    empty = [F(TEXT, "", False), *[F(CONTINUATION, "", False)] * 9, F(CONTINUATION, "end")]
    yield good("5.21", "ten empty fragments and a last one", empty, text("end"), asks="§5.4: one message")
    yield good("5.22", "10,000 empty fragments and a last one",
               [F(TEXT, "", False), Again(F(CONTINUATION, "", False), 10000), F(CONTINUATION, "end")], text("end"),
               asks="§5.4: one message")  # fmt: skip
    yield good("5.23", "a text of one fragment per octet", pieces(TEXT, b"fragments", 1), text("fragments"), asks="§5.4: one message")
    yield good("5.24", "a binary message in fragments, then a text", [*pieces(BINARY, b"binary", 2), F(TEXT, "text")],
               [(BINARY, b"binary"), (TEXT, b"text")], asks="§5.4: the first fragment tells the type")  # fmt: skip
    yield bad("5.25", "a binary message within a fragmented text", [F(TEXT, "a", False), F(BINARY, "b")], 1002, why)
    yield good("5.26", "a fragmented text that a close frame cuts off", [F(TEXT, "never", False), close_frame()],
               asks="§5.5.1: close 1000 answered; no message")  # fmt: skip


# ---- 6: UTF-8 ----

VALID = {
    5: ("some text", ["κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "日本語", "\U0001f600 \U00010000"]),
    7: ("the first code point of a length", [chr(c) for c in (0, 0x80, 0x800, 0x10000)]),
    9: ("the last code point of a length", [chr(c) for c in (0x7F, 0x7FF, 0xFFFF, 0x10FFFF)]),
    11: ("a boundary", [chr(c) for c in (0xD7FF, 0xE000, 0xFFFD, 0x10FFFF)]),
    22: ("noncharacters", [chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)]),
    23: ("specials", [chr(c) for c in (0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xFEFF)]),
}  # fmt: skip
INVALID = {
    8: ("what would be the first of 5 or 6 octets", ["f888808080", "fc8480808080"]),
    10: ("what would be the last of a length", ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"]),
    12: ("continuation octets alone", ["80", "bf", "80bf", "80bf80", "80bf80bf80bf", bytes(range(0x80, 0xC0)).hex()]),
    13: ("first octets alone", [bytes(itertools.chain(*((c, 32) for c in r))).hex() for r in
                                (range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8), range(0xF8, 0xFC), range(0xFC, 0xFE))]),
    14: ("the last octet missing", ["c0", "df", "e080", "efbf", "f08080", "f7bfbf", "f8808080", "fbbfbfbf", "fc80808080", "fdbfbfbfbf"]),
    15: ("incomplete ones joined", ["dfe080efbff09f98f48fbf"]),
    16: ("impossible octets", ["fe", "ff", "fefeffff"]),
    17: ("a solidus in too many octets", ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"]),
    18: ("the longest of overlong forms", ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"]),
    19: ("NUL in too many octets", ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"]),
    20: ("a surrogate", ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"]),
    21: ("a pair of surrogates", ["eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf", "edae80edb080", "edafbfedbfbf"]),
    24: ("beyond U+10FFFF", ["f4908080", "f5808080", "f7bfbfbf"]),
}  # fmt: skip
KOSME = "κόσμε".encode()


def utf8_whole(group, n, payload, name, is_valid):
    """A text in one frame, and in a fragment per octet, with good text around it."""
    shown = payload.hex(" ") if len(payload) <= 12 else f"{payload[:12].hex(' ')} …"
    whole = b"a" + payload + b"z"
    for mark, how, steps in (("", "", [F(TEXT, whole)]), ("p", ", a fragment per octet", pieces(TEXT, whole, 1))):
        args = (f"6.{group}.{n}{mark}", f"{name}: {shown}{how}", steps)
        if is_valid:
            yield good(*args, text(whole), "§5.6: valid, taken; close 1000 answered")
        else:
            yield bad(*args, 1007, "§8.1, RFC 3629: not UTF-8")


def utf8_prefixes():
    for n in range(1, len(KOSME) + 1):
        part = KOSME[:n]
        try:
            part.decode()
            yield good(f"6.6.{n}", f"the first {n} octets of κόσμε", [F(TEXT, part)], text(part), "§5.6: valid, taken")
        except UnicodeDecodeError:
            yield bad(f"6.6.{n}", f"the first {n} octets of κόσμε", [F(TEXT, part)], 1007, "§8.1: ends in a character")


def utf8():
    yield good("6.1.1", "an empty text", [F(TEXT)], text(""))
    yield good("6.1.2", "three empty fragments", [F(TEXT, "", False), F(0, "", False), F(0)], text(""))
    yield good("6.1.3", "an empty fragment, one with text, an empty one", [F(TEXT, "", False), F(0, "middle", False), F(0)], text("middle"))
    hello = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    yield good("6.2.1", "valid text in one frame", [F(TEXT, hello)], text(hello))
    yield good("6.2.2", "in two fragments, cut between characters", pieces(TEXT, hello, 12), text(hello))
    yield good("6.2.3", "a fragment per octet", pieces(TEXT, hello, 1), text(hello))
    yield good("6.2.4", "a fragment per octet, each octet by itself", pieces(TEXT, hello, 1), text(hello), chop=1)
    broken = KOSME + b"\xed\xa0\x80" + b"edited"
    yield bad("6.3.1", "a surrogate in one frame", [F(TEXT, broken)], 1007, "§8.1: not UTF-8")
    yield bad("6.3.2", "a surrogate, a fragment per octet", pieces(TEXT, broken, 1), 1007, "§8.1: not UTF-8")
    yield from utf8_at_once()
    for group, (name, texts) in VALID.items():
        for n, t in enumerate(texts, 1):
            yield from utf8_whole(group, n, t.encode(), name, True)
    yield from utf8_prefixes()
    for group, (name, texts) in INVALID.items():
        for n, t in enumerate(texts, 1):
            yield from utf8_whole(group, n, bytes.fromhex(t), name, False)


def utf8_at_once():
    """Text that can be seen to be wrong before the message ends: the rest is held back."""
    why = "§8.1: not UTF-8, seen at once"
    start, wrong, rest = KOSME, b"\xf4\x90\x80\x80", b"edited"
    yield bad("6.4.1", "three fragments; the third is held back until the second has failed",
              [F(TEXT, start, False), F(0, wrong, False), AWAIT_CLOSE, F(0, rest)], 1007, why)  # fmt: skip
    yield bad("6.4.2", "the same, cut within the wrong character",
              [F(TEXT, start + wrong[:2], False), AWAIT_CLOSE, F(0, wrong[2:] + rest)], 1007, why)  # fmt: skip
    yield bad("6.4.3", "one frame, of which the end is held back", [Partial(start + wrong, rest), AWAIT_CLOSE], 1007, why)
    yield bad("6.4.4", "one frame, held back within the wrong character", [Partial(start + wrong[:2], wrong[2:] + rest), AWAIT_CLOSE], 1007, why)
    yield bad("6.4.5", "a frame of 1 MB, held back after 100 KB",
              [Partial(b"x" * 100_000 + b"\xff", b"x" * 900_000), AWAIT_CLOSE], 1007, why)  # fmt: skip
    yield bad("6.4.6", "fragments of 40 KB, the second one wrong, the third held back",
              [F(TEXT, b"x" * 40_000, False), F(0, b"x" * 39_999 + b"\xc0", False), AWAIT_CLOSE], 1007, why)  # fmt: skip
    yield good("6.4.7", "four octets of one character in four fragments",
               pieces(TEXT, "\U0001f600".encode(), 1), text("\U0001f600"), "§5.6: valid, taken")  # fmt: skip
    yield good("6.4.8", "a ping between the octets of a character",
               [F(TEXT, b"\xf0\x9f", False), F(PING, "p"), F(0, b"\x98\x80")], text("\U0001f600"), "§5.6: valid; the pong",
               pongs=[b"p"])  # fmt: skip
    yield good("6.4.9", "a binary message that is not UTF-8", [F(BINARY, b"\xff\xfe")], [(BINARY, b"\xff\xfe")], "§5.6: any octets, taken")


class Partial:
    """The start of a text frame, whose rest does not come."""

    def __init__(self, start, rest):
        self.frame, self.missing = F(TEXT, start + rest), len(rest)

    def bytes(self, masks):
        return self.frame.bytes(masks)[: -self.missing]


# ---- 7: closing ----


def closing():
    hello = F(TEXT, "Hello World!")
    yield good("7.1.1", "a text, then a close frame", [hello, close_frame()], text("Hello World!"), "§5.5.1: close 1000 answered")
    yield good("7.1.2", "two close frames", [close_frame(), close_frame()], asks="§5.5.1: one answer")
    yield good("7.1.3", "a close frame, then a ping", [close_frame(), F(PING)], asks="§5.5.1: no pong after the close")
    yield good("7.1.4", "a close frame, then a text", [close_frame(), hello], asks="§5.5.1: the text is discarded")
    yield good("7.1.5", "a first fragment, a close frame, the second fragment",
               [F(TEXT, "fragment1", False), close_frame(), F(0, "fragment2")], asks="§5.5.1: no message")  # fmt: skip
    big = b"BAsd7&jh23" * 26214
    yield good("7.1.6", "a text of 256 KB, a close frame, a ping", [F(TEXT, big), close_frame(), F(PING)], text(big),
               "§5.5.1: the text is taken, no pong")  # fmt: skip
    yield good("7.1.7", "a close frame, then nonsense", [close_frame(), F(3, "x", rsv=7)], asks="§5.5.1: what follows is discarded")
    yield Case("7.3.1", "a close frame without payload", "§5.5.1: answered by one without status", [F(CLOSE)], close=None)
    yield bad("7.3.2", "a close frame of one octet", [F(CLOSE, b"a")], 1002, "§5.5.1: a status has two")
    yield good("7.3.3", "a close frame with a status only", [close_frame()], asks="§5.5.1: close 1000 answered")
    yield good("7.3.4", "a close frame with a reason", [close_frame(1000, b"Hello World!")], asks="§5.5.1: close 1000 answered")
    yield good("7.3.5", "a reason of 123 octets", [close_frame(1000, b"*" * 123)], asks="§5.5.1: close 1000 answered")
    yield bad("7.3.6", "a reason of 124 octets", [close_frame(1000, b"*" * 124)], 1002, "§5.5: at most 125 in all")
    yield good("7.3.7", "a close frame, an octet at a time", [close_frame(1000, b"slowly")], asks="§5.5.1: close 1000 answered", chop=1)
    yield bad("7.3.8", "a close frame in two fragments", [F(CLOSE, b"\3\xe8", False), F(0)], 1002, "§5.5: control frames are whole")
    yield bad("7.5.1", "a reason that is not UTF-8", [close_frame(1000, KOSME + b"\xed\xa0\x80edited")], 1007, "§5.5.1: a reason is UTF-8")
    yield bad("7.5.2", "a reason that ends within a character", [close_frame(1000, KOSME[:-1])], 1007, "§5.5.1: a reason is UTF-8")
    yield good("7.5.3", "a reason of 122 octets of Greek", [close_frame(1000, "κ".encode() * 61)], asks="§5.5.1: close 1000 answered")
    allowed = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
    for n, code in enumerate(allowed, 1):
        yield Case(f"7.7.{n}", f"close {code}", f"§7.4: an allowed status: close {code} answered", [close_frame(code)], close=code)
    forbidden = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 5001, 32768, 65535)
    for n, code in enumerate(forbidden, 1):
        yield bad(f"7.9.{n}", f"close {code}", [close_frame(code)], 1002, "§7.4: not a status that may be sent")
    for n, code in enumerate((999, 1005, 1006), 16):
        yield bad(f"7.9.{n}", f"close {code} with a reason", [close_frame(code, b"reason")], 1002, "§7.4: not a status that may be sent")


# ---- 9: limits ----

MEGABYTE = 1 << 20


def limits():
    sizes = [64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20, 64 << 20]
    for group, opcode, name in ((1, TEXT, "text"), (2, BINARY, "binary")):
        for n, size in enumerate(sizes, 1):
            payload = b"*" * size
            yield good(f"9.{group}.{n}", f"{name} of {human(size)}", [F(opcode, payload)], [(opcode, payload)], heavy=size > 4 << 20)
    for group, opcode, name in ((3, TEXT, "text"), (4, BINARY, "binary")):
        for n, piece in enumerate((64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20), 1):
            total, part = 4 << 20, F(CONTINUATION, b"*" * piece, False)
            steps = [F(opcode, b"*" * piece, False), Again(part, total // piece - 1), F(CONTINUATION)]
            yield good(f"9.{group}.{n}", f"{name} of 4 MB in fragments of {human(piece)}", steps, [(opcode, b"*" * total)],
                       heavy=piece not in (256, 64 << 10, 1 << 20))  # fmt: skip
    for group, opcode, name in ((5, TEXT, "text"), (6, BINARY, "binary")):
        for n, chop in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            payload = b"*" * MEGABYTE
            yield good(f"9.{group}.{n}", f"{name} of 1 MB, {chop} octets at a time", [F(opcode, payload)], [(opcode, payload)],
                       chop=chop, heavy=chop < 1024)  # fmt: skip
    for group, opcode, name in ((7, TEXT, "text"), (8, BINARY, "binary")):
        for n, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            payload = b"*" * size
            yield good(f"9.{group}.{n}", f"1000 {name} messages of {size} octets", [Again(F(opcode, payload), 1000)],
                       [(opcode, payload)] * 1000, heavy=n != 3)  # fmt: skip
    payload = b"slow" * 1000
    yield good("9.9.1", "4000 octets of text, one at a time", [F(TEXT, payload)], text(payload), chop=1)
    yield good("9.9.2", "the same in fragments of 7, an octet at a time", pieces(TEXT, payload, 7), text(payload), chop=1)
    over = (128 << 20) + 1
    yield bad("9.9.3", "the header of a text one octet over the limit", [F(TEXT, "*", length=(127, over.to_bytes(8, "big")))],
              1009, "§7.4.1: too big to process")  # fmt: skip
    yield bad("9.9.4", "fragments that are together over the limit", [F(TEXT, "*" * 100, False),
              F(CONTINUATION, "*", length=(127, (128 << 20).to_bytes(8, "big")))], 1009, "§7.4.1: too big to process")  # fmt: skip


def human(size):
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} KB" if size >= 1 << 10 else f"{size} octets"


# ---- 10: fragments made by the way ----


def auto_fragments():
    payload = b"*" * 65536
    yield good("10.1.1", "text of 65536 octets in fragments of 1300", pieces(TEXT, payload, 1300), text(payload), "§5.4: one message")
    mixed = list(itertools.chain(*((f, F(PING, b"%d" % i)) for i, f in enumerate(pieces(TEXT, payload, 13000)[:-1]))))
    yield good("10.1.2", "the same in fragments of 13000, a ping behind each", [*mixed, pieces(TEXT, payload, 13000)[-1]],
               text(payload), "§5.4: one message, all pongs", pongs=[b"%d" % i for i in range(5)])  # fmt: skip


# ---- 12, 13: compression ----


class Deflate:
    """A compressor of messages, RFC 7692, section 7.2.1."""

    def __init__(self, bits=15, context=False):
        self.bits, self.context, self.z = bits, context, None

    def __call__(self, payload):
        if not self.z or not self.context:
            self.z = zlib.compressobj(6, zlib.DEFLATED, -self.bits)
        return (self.z.compress(payload) + self.z.flush(zlib.Z_SYNC_FLUSH))[:-4]


def json_text(size, seed=1):
    """JSON of about real density."""
    r = random.Random(seed)
    words = ["status", "price", "EUR", "level", "2026-11-22T08:00:00Z", "user", "sensor", "ok"]
    text = ""
    while len(text) < size:
        text += json.dumps({r.choice(words): r.randrange(10**6), "message": " ".join(r.choices(words, k=4))})
    return text.encode()[:size]


def random_bytes(size, seed=1):
    return random.Random(seed).randbytes(size)


KINDS = {
    1: (TEXT, "JSON", json_text),
    2: (TEXT, "hexadecimal noise", lambda n: random_bytes(n).hex()[:n].encode()),
    3: (BINARY, "noise in ASCII", lambda n: bytes(b & 0x7F for b in random_bytes(n))),
    4: (TEXT, "Greek", lambda n: "".join(random.Random(1).choices("αβγδεζηθικλμνξοπρσςτυφχψω", k=n // 2)).encode()),
    5: (TEXT, "one octet again and again", lambda n: b"*" * n),
}
PACK_SIZES = (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 60000, 131072)


def packed_messages(kind, size, count, deflate, fragment):
    opcode, _, make = KINDS[kind]
    payload = make(size)
    steps = []
    for _ in range(count):
        packed = deflate(payload)
        steps += pieces(opcode, packed, fragment or len(packed) or 1, rsv=4)
    return steps, [(opcode, payload)] * count


def compressed():
    """Sizes and kinds, whole and in fragments, with what every server and client agrees on."""
    both = f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover"
    for kind, (_, name, _) in KINDS.items():
        for n, size in enumerate(PACK_SIZES, 1):
            if kind == 5 and size > 65536:
                continue  # beyond the ratio that lsc allows
            for mark, fragment in (("", 0), ("p", 256)):
                if fragment and size < 1024:
                    continue
                count = 20 if size <= 8192 and not mark else 2
                steps, messages = packed_messages(kind, size, count, Deflate(), fragment)
                how = f" in fragments of {fragment}" if fragment else ""
                yield good(f"12.{kind}.{n}{mark}", f"{count} messages of {size} octets of {name}{how}, compressed", steps, messages,
                           "RFC 7692, §7.2.2: taken", offer=both, accept=both, agreed=True, heavy=kind in (2, 3) and n % 3 > 0)  # fmt: skip


def hello_vectors():
    """RFC 7692, section 7.2.3."""
    both = f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover"
    h = bytes.fromhex

    def case(n, sent, steps, messages, asks, accept=both, **more):
        return good(f"12.6.{n}", sent, steps, messages, asks, offer=DEFLATE, accept=accept, agreed=True, **more)

    hello = text("Hello")
    yield case(1, "«Hello» in one compressed block", [F(TEXT, h("f248cdc9c90700"), rsv=4)], hello, "RFC 7692, §7.2.3.1")
    yield case(2, "the same in two fragments", [F(TEXT, h("f248cd"), False, 4), F(0, h("c9c90700"))], hello, "RFC 7692, §7.2.3.1")
    yield case(3, "«Hello» twice, the second from the window of the first",
               [F(TEXT, h("f248cdc9c90700"), rsv=4), F(TEXT, h("f200110000"), rsv=4)], hello * 2, "RFC 7692, §7.2.3.2",
               accept=DEFLATE, sides="client")  # fmt: skip
    yield case(4, "«Hello» in a block without compression", [F(TEXT, h("000500faff48656c6c6f00"), rsv=4)], hello, "RFC 7692, §7.2.3.3")
    yield case(5, "«Hello» in a block marked as the last", [F(TEXT, h("f348cdc9c9070000"), rsv=4)], hello, "RFC 7692, §7.2.3.4")
    yield case(6, "«Hello» in two blocks", [F(TEXT, h("f248050000 00ffffcac9c90700".replace(" ", "")), rsv=4)], hello, "RFC 7692, §7.2.3.5")
    yield case(7, "an empty message as one octet 00, then a text", [F(TEXT, b"\0", rsv=4), F(TEXT, "plain")], text("", "plain"), "RFC 7692, §7.2.3.6")
    yield case(8, "plain and compressed messages in turn",
               [F(TEXT, "one"), F(TEXT, h("f248cdc9c90700"), rsv=4), F(TEXT, "two")], [*text("one"), *hello, *text("two")],
               "RFC 7692, §6: RSV1 tells")  # fmt: skip
    yield case(9, "a ping among compressed fragments", [F(TEXT, h("f248cd"), False, 4), F(PING, "p"), F(0, h("c9c90700"))], hello,
               "RFC 7692, §6.1: control frames are not compressed", pongs=[b"p"])  # fmt: skip
    yield case(10, "compressed, an octet at a time", [F(TEXT, h("f248cdc9c90700"), rsv=4)], hello, "RFC 7692, §7.2.2", chop=1)

    def wrong(n, sent, steps, code, why, **more):
        return bad(f"12.7.{n}", sent, steps, code, why, offer=both, accept=both, **more)

    yield wrong(1, "RSV1 on a ping", [F(PING, "p", rsv=4)], 1002, "RFC 7692, §6.1")
    yield wrong(2, "RSV1 on a close frame", [F(CLOSE, b"\3\xe8", rsv=4)], 1002, "RFC 7692, §6.1")
    yield wrong(3, "RSV1 on a continuation", [F(TEXT, h("f248cd"), False, 4), F(0, h("c9c90700"), rsv=4)], 1002, "RFC 7692, §6.1")
    yield wrong(4, "RSV1 on the continuation of a plain text", [F(TEXT, "a", False), F(0, h("f248cdc9c90700"), rsv=4)], 1002, "RFC 7692, §6.1")
    yield wrong(5, "RSV1 and RSV2", [F(TEXT, h("f248cdc9c90700"), rsv=6)], 1002, "§5.2: a reserved bit")
    yield wrong(6, "what is not DEFLATE", [F(TEXT, b"\xff" * 20, rsv=4)], 1007, "RFC 7692, §7.2.2: cannot be decompressed")
    yield wrong(7, "text that is not UTF-8, compressed", [F(TEXT, Deflate()(b"a\xff"), rsv=4)], 1007, "§8.1: not UTF-8")
    yield wrong(8, "20 MB of zeros in 20 KB", [F(TEXT, Deflate()(b"\0" * 20_000_000), rsv=4)], 1009, "§7.4.1: more than compression_max_ratio")


OFFERS = [  # what a client offers, whether a server that follows RFC 7692 may take it
    ("", True),
    ("; server_no_context_takeover", True),
    ("; client_no_context_takeover", True),
    ("; client_max_window_bits", True),
    ("; client_max_window_bits=9", True),
    ("; client_max_window_bits=15", True),
    ("; server_max_window_bits=8", True),
    ("; server_max_window_bits=9", True),
    ("; server_max_window_bits=15", True),
    ("; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits", True),
    ('; server_max_window_bits="12"', True),
    ("; server_max_window_bits=7", False),
    ("; server_max_window_bits=16", False),
    ("; server_max_window_bits=08", False),
    ("; server_max_window_bits=x", False),
    ("; server_max_window_bits", False),
    ("; client_max_window_bits=7", False),
    ("; client_max_window_bits=", False),
    ("; server_no_context_takeover=1", False),
    ("; server_no_context_takeover; server_no_context_takeover", False),
    ("; client_max_window_bits; client_max_window_bits=10", False),
    ("; unknown", False),
]


def offers():
    """RFC 7692, section 7.1: lsc as the server. The second step shows that it works as agreed."""
    hello = F(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=4)
    for n, (parameters, taken) in enumerate(OFFERS, 1):
        shown = f"offer `{DEFLATE}{parameters}`, then a compressed text"
        if taken:
            yield good(f"13.1.{n}", shown, [hello], text("Hello"), "RFC 7692, §7.1: may be taken", offer=DEFLATE + parameters,
                       agreed=True, sides="server")  # fmt: skip
        else:
            yield bad(f"13.1.{n}", shown, [hello], 1002, "RFC 7692, §7: must be declined, so RSV1 fails", offer=DEFLATE + parameters,
                      agreed=False, sides="server")  # fmt: skip
    fallback = f"{DEFLATE}; unknown=1, x-webkit-deflate-frame, {DEFLATE}; server_no_context_takeover"
    yield good("13.1.23", "three offers of which the last can be taken", [hello], text("Hello"), "RFC 7692, §7.1: that one",
               offer=fallback, agreed=True, sides="server")  # fmt: skip
    yield good("13.1.24", "an extension that nobody knows", [F(TEXT, "plain")], text("plain"), "§9.1: none agreed on",
               offer="x-unknown", agreed=False, sides="server")  # fmt: skip


ANSWERS = [  # what a server answers to "permessage-deflate; client_no_… ; server_no_context_takeover"
    ("", True),
    ("; server_no_context_takeover", True),
    ("; client_no_context_takeover; server_no_context_takeover", True),
    ("; server_no_context_takeover; server_max_window_bits=8", True),
    ("; server_no_context_takeover; server_max_window_bits=15", True),
    ("; server_max_window_bits=7", False),
    ("; server_max_window_bits=16", False),
    ("; server_max_window_bits", False),
    ("; client_max_window_bits=15", False),
    ("; client_max_window_bits", False),
    ("; server_no_context_takeover=1", False),
    ("; server_no_context_takeover; server_no_context_takeover", False),
    ("; unknown", False),
    (f", {DEFLATE}", False),
    (", x-unknown", False),
]


def answers():
    """RFC 7692, section 7.1: lsc as the client."""
    hello = F(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=4)
    for n, (parameters, taken) in enumerate(ANSWERS, 1):
        shown = f"answer `{DEFLATE}{parameters}`, then a compressed text"
        if taken:
            yield good(f"13.2.{n}", shown, [hello], text("Hello"), "RFC 7692, §7.1: fits the offer", accept=DEFLATE + parameters, sides="client")
        else:
            yield Case(f"13.2.{n}", shown, "RFC 7692, §7: fail the connection", [hello], close=0, accept=DEFLATE + parameters, sides="client")
    yield Case("13.2.16", "answer `x-unknown`", "§4.1: fail the connection", [hello], close=0, accept="x-unknown", sides="client")
    for kind, bits in ((1, 9), (1, 12), (4, 15)):
        deflate = Deflate(bits, context=True)
        steps, messages = packed_messages(kind, 4096, 20, deflate, 0)
        yield good(f"13.3.{bits}", f"20 messages of 4096 octets, context kept, window of {bits} bits", steps, messages,
                   "RFC 7692, §7.1.1: taken", accept=f"{DEFLATE}; server_max_window_bits={bits}", sides="client")  # fmt: skip


# ---- what lsc itself sends ----


def sent_by_lsc():
    """Lines that lsc is given as events; each is to be one message, in frames that keep the rules."""
    for n, size in enumerate((0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20), 1):
        yield good(f"S.1.{n}", f"lsc sends a text of {human(size)}", [], asks="§5.2, §5.3: one message in frames that keep the rules",
                   lines=["*" * size], heavy=size > 1 << 20)  # fmt: skip
    yield good("S.1.10", "lsc sends 1000 texts", [], asks="each once and in order", lines=[f"line {i}" for i in range(1000)])
    yield good("S.1.11", "lsc sends Greek, noncharacters and emoji", [], asks="§5.6: UTF-8", lines=["κόσμε", "\ufffe", "\U0001f600"])
    yield good("S.1.12", "a ping while lsc sends", [F(PING, "p")], asks="§5.5.3: the pong and the messages", lines=["a", "b"], pongs=[b"p"])
    ask = "RFC 7692, §7.2.1: compressed within what was agreed on"
    payloads = [json_text(n).decode() for n in (20, 300, 500, 3000, 100_000)]
    for n, bits in enumerate((8, 9, 10, 12, 15), 1):
        p = f"{DEFLATE}; server_max_window_bits={bits}"
        yield good(f"S.2.{n}", f"lsc sends messages with `server_max_window_bits={bits}`", [], asks=ask, lines=payloads,
                   offer=p, agreed=True, sides="server", unpack=bits, packed=bits == 15)  # fmt: skip
    yield good("S.2.6", "lsc sends messages, no parameters", [], asks=ask, lines=payloads, offer=DEFLATE, accept=DEFLATE, agreed=True,
               unpack=15, packed=True)  # fmt: skip


@functools.lru_cache(maxsize=None)
def all_cases():
    sections = [framing, pings, reserved_bits, opcodes, fragments, utf8, closing, limits, auto_fragments, compressed,
                hello_vectors, offers, answers, sent_by_lsc]  # fmt: skip
    cases = list(itertools.chain(*(section() for section in sections)))
    assert len({c.id for c in cases}) == len(cases)
    return cases
