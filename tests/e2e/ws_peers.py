"""WebSocket libraries that nobody here wrote, each as client and as server, behind one face.

    with PEERS["aiohttp"].serve(talk) as server: …       talk(conversation) for each client
    PEERS["aiohttp"].connect(url, talk)                  returns what talk() returns

A conversation can send(str or bytes, or a list of fragments), ping(), recv() (None at the end) and
close(code, reason); code is what the end brought. The libraries: python3-websockets, python3-aiohttp,
python3-autobahn; node's ws runs ws_peer.js, which says and expects the same.
"""

import asyncio
import json
import os
import pathlib
import subprocess
import threading

import aiohttp
import aiohttp.web
import websockets
from autobahn.asyncio import websocket as autobahn
from autobahn.websocket import compress

from lsc import PATIENCE, free_port, wait_until

HERE = pathlib.Path(__file__).parent
BIG = "".join(f"{n} ä " for n in range(60_000))  # 500 KB, less than a hundredth of it when compressed is refused
MESSAGES = ["text", b"binary", "κόσμε \U0001f600", BIG, ["in ", "", "fragments"], "last"]
EXPECTED = ["text", "binary", "κόσμε \U0001f600", BIG, "in fragments", "last"]


async def send_all(conversation):
    """Every kind of message, a ping in between; then the end, as this side wants it."""
    assert conversation.deflated
    for message in MESSAGES[:-1]:
        await conversation.send(message)
    await conversation.ping()
    await conversation.send(MESSAGES[-1])
    await conversation.close(4001, "done")
    while await conversation.recv() is not None:
        pass
    return conversation.code


async def take_all(conversation):
    """What comes until the end, and the end's status."""
    assert conversation.deflated
    got = []
    while (message := await conversation.recv()) is not None:
        got.append(message)
    return got, conversation.code


class Serving:
    """A server on a thread of its own; results has what talk() gave for each client."""

    def __init__(self, start, talk):
        self.port, self.results, self.connected = free_port(), [], 0
        self._start, self._talk = start, talk
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        close = await self._start(self.port, self._one)
        self._ready.set()
        await self._stop.wait()
        await close()

    async def _one(self, conversation):
        self.connected += 1
        self.results.append(await self._talk(conversation))

    def wait(self):
        wait_until(lambda: self.results, "the end of the conversation")
        return self.results[0]

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


# ---- python3-websockets ----


class WebsocketsConversation:
    def __init__(self, socket):
        self.socket, self.code = socket, None
        self.deflated = bool(socket.extensions)

    async def send(self, message):
        await self.socket.send(message)

    async def ping(self):
        await (await self.socket.ping(b"ping"))

    async def recv(self):
        try:
            return await self.socket.recv()
        except websockets.ConnectionClosed:
            self.code = self.socket.close_code
            return None

    async def close(self, code, reason):
        await self.socket.close(code, reason)


async def websockets_start(port, one):
    async def handle(socket, path=None):
        await one(WebsocketsConversation(socket))

    server = await websockets.serve(handle, "127.0.0.1", port, max_size=None)

    async def close():
        server.close()

    return close


async def websockets_connect(url, talk, ssl=None):
    async with websockets.connect(url, max_size=None, ssl=ssl) as socket:
        return await talk(WebsocketsConversation(socket))


# ---- python3-aiohttp ----


class AiohttpConversation:
    """It cannot send fragments."""

    def __init__(self, socket):
        self.socket, self.code = socket, None
        self.deflated = bool(socket.compress)

    async def send(self, message):
        if isinstance(message, list):
            message = "".join(message)
        await (self.socket.send_str if isinstance(message, str) else self.socket.send_bytes)(message)

    async def ping(self):
        await self.socket.ping(b"ping")
        assert (await self.socket.receive()).type == aiohttp.WSMsgType.PONG

    async def recv(self):
        message = await self.socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return message.data
        self.code = self.socket.close_code
        return None

    async def close(self, code, reason):
        await self.socket.close(code=code, message=reason.encode())


async def aiohttp_start(port, one):
    async def handle(request):
        socket = aiohttp.web.WebSocketResponse(max_msg_size=0, compress=True, autoping=False)
        await socket.prepare(request)
        await one(AiohttpConversation(socket))
        return socket

    application = aiohttp.web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = aiohttp.web.AppRunner(application)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", port, shutdown_timeout=0).start()
    return runner.cleanup


async def aiohttp_connect(url, talk, ssl=None):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, max_msg_size=0, compress=15, ssl=ssl, autoping=False) as socket:
            return await talk(AiohttpConversation(socket))


# ---- python3-autobahn ----


class AutobahnConversation:
    """A protocol of its callbacks."""

    def __init__(self, protocol):
        self.protocol, self.code = protocol, None
        self.deflated = protocol._perMessageCompress is not None

    async def send(self, message):
        if not isinstance(message, list):
            binary = isinstance(message, bytes)
            return self.protocol.sendMessage(message if binary else message.encode(), binary)
        self.protocol.beginMessage()
        for part in message:
            self.protocol.sendMessageFrame(part.encode())
        self.protocol.endMessage()

    async def ping(self):
        self.protocol.sendPing(b"ping")
        assert await self.protocol.pongs.get() == b"ping"

    async def recv(self):
        message = await self.protocol.messages.get()
        if message is None:
            self.code = self.protocol.remoteCloseCode
        return message

    async def close(self, code, reason):
        self.protocol.sendClose(code, reason)


class AutobahnCallbacks:
    def onConnect(self, what):
        self.messages, self.pongs = asyncio.Queue(), asyncio.Queue()

    def onOpen(self):
        self.task = asyncio.ensure_future(self.factory.one(AutobahnConversation(self)))

    def onMessage(self, payload, binary):
        self.messages.put_nowait(payload if binary else payload.decode())

    def onPong(self, payload):
        self.pongs.put_nowait(payload)

    def onClose(self, clean, code, reason):
        if hasattr(self, "messages"):
            self.messages.put_nowait(None)


class AutobahnServer(AutobahnCallbacks, autobahn.WebSocketServerProtocol):
    pass


class AutobahnClient(AutobahnCallbacks, autobahn.WebSocketClientProtocol):
    pass


def accept_offer(offers):
    for offer in offers:
        if isinstance(offer, compress.PerMessageDeflateOffer):
            return compress.PerMessageDeflateOfferAccept(offer)


def accept_response(response):
    if isinstance(response, compress.PerMessageDeflateResponse):
        return compress.PerMessageDeflateResponseAccept(response)


async def autobahn_start(port, one):
    factory = autobahn.WebSocketServerFactory(f"ws://127.0.0.1:{port}")
    factory.protocol, factory.one = AutobahnServer, one
    factory.setProtocolOptions(perMessageCompressionAccept=accept_offer)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port)

    async def close():
        server.close()

    return close


async def autobahn_connect(url, talk, ssl=None):
    done = asyncio.get_running_loop().create_future()

    async def one(conversation):
        done.set_result(await talk(conversation))

    factory = autobahn.WebSocketClientFactory(url)
    factory.protocol, factory.one = AutobahnClient, one
    factory.setProtocolOptions(
        perMessageCompressionOffers=[compress.PerMessageDeflateOffer()], perMessageCompressionAccept=accept_response
    )
    await asyncio.get_running_loop().create_connection(factory, factory.host, factory.port, ssl=ssl)
    return await done


class PythonPeer:
    def __init__(self, start, connect):
        self._start, self._connect = start, connect

    def serve(self, talk):
        return Serving(self._start, talk)

    def connect(self, url, talk, **options):
        async def limited():
            return await asyncio.wait_for(self._connect(url, talk, **options), 30 * PATIENCE)

        return asyncio.run(limited())


# ---- node's ws ----


class NodeServing:
    """ws_peer.js as a server."""

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.port = json.loads(self.process.stdout.readline())["port"]
        return self

    def wait(self):
        return node_result(self.process)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def node_result(process):
    result = json.loads(process.stdout.readline())
    if "got" not in result:
        return result["code"]
    return [bytes.fromhex(m["binary"]) if "binary" in m else m["text"] for m in result["got"]], result["code"]


class NodePeer:
    @staticmethod
    def _run(*args):
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        return subprocess.Popen(["node", HERE / "ws_peer.js", *args], stdout=subprocess.PIPE, env=environment)

    def serve(self, talk):
        return NodeServing(self._run("serve", talk.__name__))

    def connect(self, url, talk):
        process = self._run("connect", talk.__name__, url)
        try:
            return node_result(process)
        finally:
            process.wait(20 * PATIENCE)
            process.stdout.close()


PEERS = {
    "websockets": PythonPeer(websockets_start, websockets_connect),
    "aiohttp": PythonPeer(aiohttp_start, aiohttp_connect),
    "autobahn": PythonPeer(autobahn_start, autobahn_connect),
    "node": NodePeer(),
}
