"""Python's websockets doing the websocket job: decode, add two fields, write JSON lines."""

import asyncio
import contextlib
import json
import sys

import websockets


async def main(url, path):
    with open(path, "w", encoding="utf-8", buffering=65536) as out:
        async with websockets.connect(url, compression=None, max_size=None, ping_interval=None) as socket:
            # The feed does not wait for the answer to its close frame.
            with contextlib.suppress(websockets.ConnectionClosed):
                async for message in socket:
                    event = json.loads(message)
                    event["env"] = "bench"
                    event["via"] = "websocket"
                    out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


asyncio.run(main(*sys.argv[1:]))
