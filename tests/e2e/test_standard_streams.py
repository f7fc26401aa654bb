"""stdin and stdout as a user at a terminal or in a pipe sees them."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import termios

from lsc import FORCED, program, wait_until

COPY = (
    "input { stdin { codec => line } } "
    'output { stdout { codec => line { format => "%{message}" } } }'
)


def run(tmp_path, config, **streams):
    argv = [program(), "-e", config, "-w", "1", "--path.data", str(tmp_path / "data")]
    return subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, **streams)


def test_a_line_is_answered_before_the_next_is_written(lsc):
    p = lsc.start(COPY)
    for i in range(20):
        p.write(f"line {i}\n")
        p.wait_output(f"^line {i}$")
    p.close_stdin()
    assert p.wait() == 0


def test_last_line_without_end(lsc):
    p = lsc.start(COPY)
    p.write("one\ntwo")
    p.close_stdin()
    assert p.wait() == 0
    assert p.stdout == "one\ntwo\n"


def test_term_while_stdin_is_silent(lsc):
    p = lsc.start(COPY)
    p.write("one\nunfinished")
    p.wait_output("^one$")
    assert p.stop() == 0
    assert p.stdout == "one\nunfinished\n"


def test_lines_longer_than_a_read(lsc):
    p = lsc.start(COPY)
    lines = ["x" * 1_000_000, "y", "z" * 300_000]
    p.write("\n".join(lines) + "\n")
    p.close_stdin()
    assert p.wait() == 0
    assert p.stdout.split("\n")[:-1] == lines


def test_multiline_is_flushed_when_nothing_more_comes(lsc):
    p = lsc.start(
        'input { stdin { codec => multiline { pattern => "^ " what => "previous" '
        "auto_flush_interval => 1 } } } "
        'output { stdout { codec => line { format => "<%{message}>" } } }'
    )
    p.write("a\n b\n")
    p.wait_output("<a\n b>")
    assert p.stop() == 0


def test_reader_of_stdout_that_goes_away_ends_the_pipeline(tmp_path):
    config = "input { generator { } } " + COPY.split("} } ", 1)[1]
    p = run(tmp_path, config, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"Hello world!\n"
    p.stdout.close()
    _, log = p.communicate(timeout=30)
    assert p.returncode == 0
    assert log.decode().count("standard output cannot be written, stopping") == 1
    assert "Broken pipe" in log.decode()


def test_slow_reader_of_a_pipe_that_does_not_block(tmp_path):
    """Someone has set O_NONBLOCK on the pipe: short writes and EAGAIN must lose nothing."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    count = 3000
    config = f"input {{ generator {{ count => {count} }} }} " + COPY.split("} } ", 1)[1]
    p = run(tmp_path, config, stdout=writer)
    os.close(writer)
    data = b""
    while piece := os.read(reader, 1000):
        data += piece
    os.close(reader)
    assert p.communicate(timeout=30) and p.returncode == 0
    assert data == b"Hello world!\n" * count


def test_heartbeat_stops_at_once(lsc):
    p = lsc.start(
        'input { heartbeat { interval => 3600 } } output { stdout { codec => "json_lines" } }'
    )
    p.wait_output('"message":"ok"')
    assert p.stop(timeout=5) == 0


def test_second_interrupt_ends_a_pipeline_whose_output_is_stuck(tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):  # full from the start
            pass
    os.set_blocking(writer, True)
    p = run(tmp_path, COPY, stdin=subprocess.PIPE, stdout=writer, env={**os.environ, **FORCED})
    os.close(writer)
    p.stdin.write(b"line\n")
    p.stdin.flush()

    def was_read():
        waiting = fcntl.ioctl(p.stdin, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(waiting, sys.byteorder) == 0

    wait_until(was_read, "lsc to read the line")
    wait_until(lambda: p.poll() is not None or p.send_signal(signal.SIGINT), "the end")
    os.close(reader)
    p.stdin.close()
    p.stderr.close()
    assert p.returncode == 1
