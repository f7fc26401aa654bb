"""Runs the WebSocket conformance suite: one lsc a side, many connections, a case each.

    run(starter, "input", "client")  ->  {case id: what was seen}, {case id: what is wrong with it}

The subprotocol of a connection is the id of its case: so the events of a case can be told apart,
whichever side lsc is. Each event is kept as the hash of its message.
"""

import hashlib
import json
import queue
import socket
import ssl
import struct
import sys
import tempfile
import threading
import zlib

from lsc import PATIENCE, ROOT, Starter, free_port, sanitized
from ws_cases import AWAIT_CLOSE, all_cases, close_frame
from ws_raw import CLOSE, PING, PONG, TEXT, accept, connect, field

CONNECTIONS = 4  # at a time
SIDES = [("input", "client"), ("input", "server"), ("output", "client"), ("output", "server")]
LIMIT = 'max_message_size => "128mb" compression => "permessage-deflate"'


def cases_for(plugin, side):
    """Outputs read and forget what they are sent: cases that are only about messages say nothing
    of them. The heavy ones are for a build without sanitizers."""
    for case in all_cases():
        if case.sides not in ("both", side) or (case.heavy and sanitized()):
            continue
        if plugin == "input" and case.lines is not None:
            continue
        if plugin == "output" and (case.heavy or case.id.startswith("12.")) and case.lines is None:
            continue
        yield case


def config(plugin, side, port, ids, tls):
    options = f"subprotocols => {json.dumps(ids)} {LIMIT}"
    if tls and side == "server":
        options += f' ssl_certificate => "{tls}/cert.pem" ssl_key => "{tls}/key.pem"'
    elif tls:
        options += f' ssl_certificate_authorities => "{tls}/ca.pem"'
    here = f'host => "127.0.0.1" port => {port} {options} max_connections => 100'
    scheme = "wss" if tls else "ws"
    there = f'url => "{scheme}://127.0.0.1:{port}/" {options} retry_initial => 0 retry_max => 0'
    if plugin == "output":
        codec = "codec => plain { format => '%{message}' }"
        options = f"{here} queue_size => 100000" if side == "server" else there
        return f"input {{ stdin {{ }} }} output {{ websocket {{ {options} {codec} }} }}"
    inputs = f"websocket {{ mode => server {here} codec => plain }}"
    if side == "client":
        inputs = f"websocket {{ {there} codec => plain }} " * CONNECTIONS
    return f"""input {{ {inputs} }}
        filter {{
            mutate {{ copy => {{ "[@metadata][input][websocket]" => "from" }} }}
            fingerprint {{ source => "message" target => "hash" method => "SHA256" }}
            prune {{ whitelist_names => ["^from$", "^hash$"] }}
        }}
        output {{ file {{ path => "out" codec => json_lines }} }}"""


# ---- one connection ----


class Conversation:
    """What became of a case on the wire."""

    def __init__(self):
        self.messages, self.pongs, self.closes = [], [], []
        self.failed_handshake, self.problem = False, None
        self.packed = True

    def code(self):
        """The status of the close frame; None: it has none; 0: there was no handshake."""
        if self.failed_handshake:
            return 0
        if not self.closes:
            return "no close frame"
        return struct.unpack(">H", self.closes[0][:2])[0] if self.closes[0] else None


def inflate(data, bits):
    """Decompresses a message, a few octets at a time so that the window's size counts."""
    z, out = zlib.decompressobj(-bits), b""
    data += b"\0\0\xff\xff"
    while True:
        more = z.decompress(data, 200)
        data = z.unconsumed_tail
        out += more
        if not more and not data:
            return out


def listen_once(link, case, seen):
    """Takes one frame of lsc's. False at the end or at its close frame."""
    f = link.next()
    if not f:
        return False
    if f.opcode == PONG:
        seen.pongs.append(f.payload)
    elif f.opcode == CLOSE:
        seen.closes.append(f.payload)
    elif f.opcode != PING:
        seen.packed = seen.packed and bool(f.rsv)
        payload = inflate(f.payload, case.unpack) if f.rsv else f.payload
        seen.messages.append((f.opcode, payload))
        if not f.fin:
            seen.problem = "a message in fragments"
    return f.opcode != CLOSE


def send_steps(link, case, seen):
    """Sends all of the case; what lsc refuses to take after its close frame does not matter."""
    data = b""
    for step in case.steps:
        if step is not AWAIT_CLOSE:
            data += step.bytes(link.masks)
        if step is AWAIT_CLOSE or not case.chop:
            if not link.send(data):
                return
            data = b""
        while step is AWAIT_CLOSE and listen_once(link, case, seen):
            pass
    for at in range(0, len(data), case.chop or 1):
        if not link.send(data[at : at + case.chop]):
            return


def converse(link, case, give_lines):
    """Runs the case on a connection that stands; returns what was seen."""
    seen = Conversation()
    link.deflated = bool(case.unpack)
    send_steps(link, case, seen)
    if case.lines:
        give_lines(case.lines)
        while len(seen.messages) < len(case.lines) and listen_once(link, case, seen):
            pass
    if case.close == 1000 and not any(closes(s) for s in case.steps):
        link.send(close_frame().bytes(link.masks))
    while listen_once(link, case, seen):
        pass
    if link.masks and not link.at_end:  # the server is the first to hang up, RFC 6455, section 7.1.1
        while f := link.next():
            seen.problem = f"a frame of opcode {f.opcode} after the close frame"
    seen.problem = seen.problem or link.wrong
    seen.failed_handshake = not link.masks and not seen.closes and case.close == 0
    link.close()
    return seen


def closes(step):
    return getattr(step, "args", [0])[0] == CLOSE


# ---- all connections ----


def context_of(folder, side):
    """The SSLContext of the raw peer, by the certificates of a folder, when lsc is that side."""
    if side == "server":
        return ssl.create_default_context(cafile=folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def worth_tls(case):
    return not case.heavy and case.id.split(".")[0] in ("1", "2", "5", "7", "9", "10", "13")


class Suite:
    """Runs the cases of one side of one plugin. `tls` is a folder with ca.pem, cert.pem, key.pem:
    those that are about how bytes come, over TLS."""

    def __init__(self, starter, plugin, side, tls=None):
        self.plugin, self.side = plugin, side
        self.tls = context_of(tls, side) if tls else None
        self.cases = [c for c in cases_for(plugin, side) if not tls or worth_tls(c)]
        self.waiting = queue.SimpleQueue()
        for case in sorted(self.cases, key=lambda c: not c.heavy):
            self.waiting.put(case)
        self.seen, self.crashed, self.kept = {}, {}, []
        if side == "client":
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        else:
            self.port = free_port()
        ids = [c.id for c in self.cases]
        self.lsc = starter.start(config(plugin, side, self.port, ids, tls))

    def run(self):
        if self.side == "server":
            self.lsc.wait_log("listening")
        count = CONNECTIONS if self.plugin == "input" else 1
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for sock in self.kept:
            sock.close()
        if self.side == "client":
            self.listener.close()
        assert self.lsc.stop() == 0, self.lsc.stderr
        self.events = {}
        for e in self.lsc.events("out"):
            self.events.setdefault(e["from"]["subprotocol"], []).append((e["from"]["opcode"], e["hash"]))

    def _work(self):
        while True:
            try:
                case = self.waiting.get_nowait()
            except queue.Empty:
                break
            try:
                self.seen[case.id] = self._one(case)
            except Exception as e:
                self.crashed[case.id] = f"{type(e).__name__}: {e}"
        if self.side == "client":  # lsc's next connection waits here for the end
            self.listener.settimeout(20 * PATIENCE)
            self.kept.append(self.listener.accept()[0])

    def _one(self, case):
        return converse(self._open(case), case, lambda lines: self.lsc.write("\n".join(lines) + "\n"))

    def _open(self, case):
        if self.side == "server":
            offers = {"Sec_WebSocket_Protocol": case.id, "Sec_WebSocket_Extensions": case.offer}
            link = connect(self.port, tls=self.tls, **offers)
            assert field(link.answer, "Sec-WebSocket-Protocol") == case.id
            agreed = field(link.answer, "Sec-WebSocket-Extensions")
            if case.agreed is not None:
                assert bool(agreed) == case.agreed, f"agreed on {agreed}"
            return link
        extension = [f"Sec-WebSocket-Extensions: {case.accept}"] if case.accept else []
        lines = [f"Sec-WebSocket-Protocol: {case.id}", *extension]
        return accept(self.listener, lambda request: lines, self.tls)

    # ---- what to make of it ----

    def judge(self, case):
        """What was seen in words, and what is wrong with it or None."""
        if case.id in self.crashed:
            return self.crashed[case.id], self.crashed[case.id]
        seen = self.seen[case.id]
        wrong = seen.problem
        if seen.code() != case.close:
            wrong = wrong or f"close {seen.code()} and not {case.close}"
        if seen.pongs != case.pongs:
            wrong = wrong or f"{len(seen.pongs)} pongs: {seen.pongs[:3]}"
        if len(seen.closes) > 1:
            wrong = wrong or "two close frames"
        wrong = wrong or self._wrong_messages(case, seen)
        return self._words(case, seen), wrong

    def _wrong_messages(self, case, seen):
        if self.plugin == "output":
            if seen.messages != [(TEXT, line.encode()) for line in case.lines or []]:
                return f"lsc sent {len(seen.messages)} messages, not the {len(case.lines or [])} it was given"
            return "sent without compression" if case.packed and not seen.packed else None
        expected = [(("text" if op == TEXT else "binary"), digest(payload)) for op, payload in case.messages]
        got = self.events.get(case.id, [])
        return None if got == expected else f"{len(got)} messages, not the {len(expected)} that were sent"

    def _words(self, case, seen):
        messages = len(seen.messages if self.plugin == "output" else self.events.get(case.id, []))
        parts = [f"{n} {name}{'s' * (n > 1)}" for n, name in ((messages, "message"), (len(seen.pongs), "pong")) if n]
        code = seen.code()
        parts.append("handshake failed" if code == 0 else "close without status" if code is None else f"close {code}")
        return ", ".join(parts)


def digest(payload):
    """Of the text that the event has. The codec plain shows bytes that are no text as Ruby's
    String#inspect does, as in Logstash; such cases here hold no other bytes."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        payload = b"".join(b"\\x%02X" % b for b in payload)
    return hashlib.sha256(payload).hexdigest()


def run(starter, plugin, side, tls=None):
    suite = Suite(starter, plugin, side, tls)
    suite.run()
    results = {case.id: suite.judge(case) for case in suite.cases}
    return {id: words for id, (words, _) in results.items()}, {id: w for id, (_, w) in results.items() if w}


# ---- the page ----

PAGE = ROOT / "docs/websocket-conformance.md"
SECTIONS = {
    "1": "Framing: lengths, masks", "2": "Pings and pongs", "3": "Reserved bits", "4": "Opcodes", "5": "Fragmentation",
    "6": "UTF-8", "7": "Closing", "9": "Limits: sizes, fragments, small reads", "10": "Fragments made by the way",
    "12": "Compression: messages", "13": "Compression: what is agreed on", "S": "What lsc itself sends",
}  # fmt: skip
INTRODUCTION = """# WebSocket conformance

Written by `scripts/websocket-conformance` from a run of tests/e2e/ws_cases.py: {count} cases after the manner and with the numbers
of sections of the Autobahn test suite, against a peer that can send any bytes. What is asked comes from RFC 6455 (§ without more),
RFC 7692 and RFC 3629. A cell says what lsc did as that plugin in that mode: the messages that became events (of outputs: that were
sent), the pongs, and the status of the close frame with which it ended. Each is what was asked; one that is not would begin with
**wrong**. – where the case says nothing of that side: an output forgets what it is sent. tests/e2e/test_websocket_conformance.py
fails when this page is not what the suite gives.
"""


def cell(text):
    return text.replace("|", "\\|")


def page(results):
    """The page of the results of all sides: [{case id: words}] in the order of SIDES."""
    cases = all_cases()
    text = INTRODUCTION.format(count=len(cases))
    section = None
    for case in cases:
        if case.id.split(".")[0] != section:
            section = case.id.split(".")[0]
            text += f"\n## {section}: {SECTIONS[section]}\n\n| case | sent | asked | "
            text += " | ".join(f"{plugin}, {side}" for plugin, side in SIDES) + " |\n" + "|---" * (3 + len(SIDES)) + "|\n"
        cells = [case.id, cell(case.sent), cell(case.asks), *(r.get(case.id, "–") for r in results)]
        text += "| " + " | ".join(cells) + " |\n"
    return text


def committed(plugin, side):
    """What the page in docs says of a side: {case id: words}."""
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    column = 3 + SIDES.index((plugin, side))
    return {row[0][2:]: row[column].removesuffix(" |") for row in rows if row[0] != "| case"}


def main():
    with tempfile.TemporaryDirectory() as folder:
        starter = Starter(folder)
        results, good = [], True
        for plugin, side in SIDES:
            seen, wrong = run(starter, plugin, side)
            for id, problem in wrong.items():
                print(f"{plugin}, {side}, {id}: {problem}")
                seen[id] = f"**wrong**: {cell(problem)}"
            good = good and not wrong
            results.append(seen)
        starter.close()
    PAGE.write_text(page(results))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
