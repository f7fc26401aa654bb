"""A stop that cannot end: what is said of it, and when lsc gives up."""

import asyncio
import re
import signal
import threading

import websockets

from lsc import FORCED, free_port, wait_until

# A check every 20 ms instead of every second.
QUICK = ("--test-stall", "0.02")


# The output ahead of the one that waits: what it has written has reached that one.
REACHED = """file { path => "reached" codec => line { format => "1" } }"""


def wait_until_blocked(p):
    """With more events than queue_size."""
    wait_until(lambda: p.count_lines("reached") > 2, "events that reach the output")


def blocked(lsc, port, *args, **more):
    """An lsc whose worker waits for a server that is not there."""
    p = lsc.start(
        f"""input {{ stdin {{ id => "in" }} }}
            output {{ {REACHED}
                      websocket {{ id => "relay" url => "ws://127.0.0.1:{port}/" queue_size => 1
                      codec => plain {{ format => '%{{message}}' }} retry_initial => 0.05 retry_max => 0.05 }} }}""",
        *QUICK, *args, **more,
    )  # fmt: skip
    threading.Thread(target=p.write, args=("".join(f"{n}\n" for n in range(300)),), daemon=True).start()
    p.wait_log("connection failed")
    wait_until_blocked(p)
    return p


def test_unsafe_shutdown_quits_when_nothing_moves(lsc):
    p = blocked(lsc, free_port(), "--pipeline.unsafe_shutdown", env=FORCED)
    assert p.stop() == 255
    reports = re.findall(r'WARN .*shutdown waits .*in_flight=>(\d+), :busy=>"(.*?)"', p.stderr)
    assert len(reports) >= 3 and all(int(n) > 0 for n, _ in reports)
    assert "output websocket (relay), 1 worker" in reports[-1][1]
    assert len(re.findall(r"ERROR.*shutdown is stalled: .*relay", p.stderr)) == 1
    assert re.search(r"ERROR.*messages were not sent.*lost=>", p.stderr)
    assert re.search(r"FATAL.*pipeline.unsafe_shutdown: quitting .*in_flight=>", p.stderr)


def test_without_it_the_stop_waits_and_loses_nothing(lsc):
    port, got = free_port(), []
    p = blocked(lsc, port)
    before = wait_until(lambda: p.alive() and p.stderr, "the log")
    assert "shutdown waits" not in before
    p.signal(signal.SIGTERM)
    p.wait_log("shutdown waits for events in flight", 5)  # more than unsafe_shutdown would allow
    p.signal(signal.SIGTERM)  # changes nothing
    p.wait_log("shutdown waits for events in flight", 8)
    assert p.alive()

    async def serve(socket, path=None):
        async for message in socket:
            got.append(int(message))

    async def run():
        async with websockets.serve(serve, "127.0.0.1", port):
            assert await asyncio.get_running_loop().run_in_executor(None, p.wait) == 0

    asyncio.run(run())
    assert got == list(range(len(got))) and len(got) >= 5
    assert "messages were not sent" not in p.stderr


def test_a_reload_waits_for_the_old_pipeline_but_never_quits(lsc):
    port = free_port()
    p = lsc.start(
        f"""input {{ generator {{ count => 2000 }} }}
            output {{ {REACHED}
                      websocket {{ id => "relay" url => "ws://127.0.0.1:{port}/" queue_size => 1
                      retry_initial => 0.05 retry_max => 0.05 }} }}""",
        *QUICK, "--pipeline.unsafe_shutdown",
    )  # fmt: skip
    wait_until_blocked(p)
    (p.dir / "pipeline.conf").write_text("input { heartbeat { } } output { null { } }")
    p.signal(signal.SIGHUP)
    p.wait_log("shutdown waits for events in flight .*relay", 5)

    async def serve(socket, path=None):
        await socket.wait_closed()

    async def run():
        async with websockets.serve(serve, "127.0.0.1", port, max_queue=None):
            await asyncio.get_running_loop().run_in_executor(None, p.wait_log, "config reloaded")

    asyncio.run(run())
    assert p.stop() == 0
