"""An HTTP server of aiohttp for tests, in a thread of its own.

    with Peer(handler) as peer:         # async def handler(request) -> aiohttp.web.Response
        peer.url                        # http://127.0.0.1:PORT
        peer.requests                   # what came: method, path_qs, headers, body
        peer.connections                # how many connections there were
"""

import asyncio
import json
import threading
import types

from aiohttp import web


class Peer:
    def __init__(self, handler, ssl=None, port=0):
        self._handler = handler
        self._ssl = ssl
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.requests = []
        self.peers = set()
        self.busy = self.most_busy = 0

    async def _handle(self, request):
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        self.peers.add(request.transport.get_extra_info("peername"))
        body = await request.read()
        self.requests.append(
            types.SimpleNamespace(
                method=request.method, path=request.raw_path, headers=request.headers, body=body.decode()
            )
        )
        try:
            return await self._handler(request)
        finally:
            self.busy -= 1

    @property
    def connections(self):
        return len(self.peers)

    async def _serve(self):
        self._done = asyncio.Event()
        server = web.Server(self._handle)
        runner = web.ServerRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._ssl, shutdown_timeout=0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._ssl else 'http'}://127.0.0.1:{self.port}"
        self._ready.set()
        await self._done.wait()
        await runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def __enter__(self):
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()
        self._loop.close()


def flow(lsc, config, *events, **more):
    """The events behind the filters, without the fields of lsc's own, and the process."""
    text = "input { stdin { codec => json_lines } } filter { %s } " % config
    p = lsc.start(text + "output { file { path => 'out' codec => json_lines } }", **more)
    p.write("".join(json.dumps(e) + "\n" for e in events))
    p.close_stdin()
    assert p.wait() == 0, p.stderr
    got = p.events("out")
    for e in got:
        for name in ("@timestamp", "@version", "event", "host"):
            e.pop(name, None)
    return p, got
