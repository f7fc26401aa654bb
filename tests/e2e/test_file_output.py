"""The file output: where it writes, what it writes again, and what it never follows."""

import gzip
import json
import os
import signal
import stat
import threading

import pytest

from lsc import FORCED, wait_until

STDIN = "input { stdin { codec => json_lines } }\n"


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def start(lsc, place, path, options="", workers=1, env=None):
    config = STDIN + (
        f'output {{ file {{ path => "{place}/{path}" codec => line {{ format => "%{{message}}" }}'
        f" {options} }} }}"
    )
    return lsc.start(config, folder=place, workers=workers, env=env)


def send(p, **fields):
    p.write(json.dumps(fields) + "\n")


def end(p):
    p.close_stdin()
    assert p.wait() == 0


def test_one_file_per_value(lsc, place):
    p = start(lsc, place, "o/%{app}/%{n}.log")
    for i in range(300):
        send(p, app=f"app{i % 3}", n=i % 7, message=str(i))
    end(p)
    for app in range(3):
        for n in range(7):
            expected = [str(i) for i in range(300) if i % 3 == app and i % 7 == n]
            assert (place / f"o/app{app}/{n}.log").read_text().split() == expected


def test_more_files_than_may_be_open(lsc, place):
    p = start(lsc, place, "o/%{n}")
    for turn in range(2):
        for i in range(1200):
            send(p, n=i, message=f"{turn}-{i}")
    end(p)
    for i in range(1200):
        assert (place / f"o/{i}").read_text() == f"0-{i}\n1-{i}\n"


@pytest.mark.parametrize(
    "value", ["../../evil", "..", "a/../../../evil", "x" * 300, "a/" * 100, "nul\0byte"]
)
def test_paths_that_cannot_be(lsc, place, value):
    p = start(lsc, place, "o/%{app}/f.log")
    send(p, app=value, message="m")
    end(p)
    assert (place / "o/_filepath_failures").read_text() == "m\n"
    assert not list(place.parent.glob("**/evil*"))


def test_symbolic_links_below_the_root_are_not_followed(lsc, place):
    outside = place / "outside"
    outside.mkdir()
    (place / "o").mkdir()
    (place / "o/link").symlink_to(outside)
    (place / "o/dir").mkdir()
    (place / "o/dir/f.log").symlink_to(outside / "target")
    p = start(lsc, place, "o/%{app}/f.log")
    send(p, app="link", message="directory")
    send(p, app="dir", message="file")
    end(p)
    assert list(outside.iterdir()) == []
    assert sorted((place / "o/_filepath_failures").read_text().split()) == ["directory", "file"]


def test_links_of_a_fixed_path_are_followed(lsc, place):
    (place / "real").mkdir()
    (place / "o").symlink_to("real")
    p = start(lsc, place, "o/f.log")
    send(p, message="m")
    end(p)
    assert (place / "real/f.log").read_text() == "m\n"


def test_deleted_and_renamed_files_are_created_again(lsc, place):
    p = start(lsc, place, "f.log")
    log = place / "f.log"
    send(p, message="1")
    wait_until(lambda: log.exists() and log.read_text() == "1\n", "the first line")
    os.rename(log, place / "f.log.1")
    send(p, message="2")
    wait_until(lambda: log.exists() and log.read_text() == "2\n", "the line in the new file")
    log.unlink()
    send(p, message="3")
    wait_until(lambda: log.exists() and log.read_text() == "3\n", "the line after the deletion")
    end(p)
    assert (place / "f.log.1").read_text() == "1\n"


def test_create_if_deleted_false(lsc, place):
    (place / "there").write_text("0\n")
    p = start(lsc, place, "%{name}", "create_if_deleted => false")
    send(p, name="there", message="1")
    send(p, name="not_there", message="2")
    end(p)
    assert (place / "there").read_text() == "0\n1\n"
    assert (place / "_filepath_failures").read_text() == "2\n"
    assert not (place / "not_there").exists()


def test_modes_do_not_depend_on_the_umask(lsc, place):
    old = os.umask(0o077)
    try:
        p = start(lsc, place, "d/%{n}/f", "file_mode => 0664 dir_mode => 0775")
    finally:
        os.umask(old)
    send(p, n=1, message="m")
    end(p)
    assert stat.S_IMODE(os.stat(place / "d/1/f").st_mode) == 0o664
    assert stat.S_IMODE(os.stat(place / "d/1").st_mode) == 0o775


def test_gzip_can_be_read_while_it_grows(lsc, place):
    p = start(lsc, place, "f.gz", "gzip => true flush_interval => 0")
    send(p, message="one")

    def readable():
        try:
            with gzip.open(place / "f.gz") as f:
                return f.read(4) == b"one\n"
        except (OSError, EOFError):
            return False

    wait_until(readable, "the first line")
    end(p)
    p = start(lsc, place, "f.gz", "gzip => true")
    send(p, message="two")
    end(p)
    assert gzip.decompress((place / "f.gz").read_bytes()) == b"one\ntwo\n"


def test_gzip_is_flushed_without_further_events(lsc, place):
    p = start(lsc, place, "f.gz", 'gzip => true flush_interval => "100 ms"')
    send(p, message="one")

    def readable():
        try:
            with gzip.open(place / "f.gz") as f:
                return f.read(4) == b"one\n"
        except (OSError, EOFError):
            return False

    wait_until(readable, "the line")
    end(p)


def test_files_that_are_not_used_are_closed(lsc, place):
    p = start(lsc, place, "o/%{n}", 'stale_cleanup_interval => "100 ms"')
    for i in range(100):
        send(p, n=i, message="m")
    p.wait_log("opened", 100)
    wait_until(lambda: p.open_files() < 50, "files to be closed")
    send(p, n=0, message="again")
    end(p)
    assert (place / "o/0").read_text() == "m\nagain\n"


def test_a_fifo_waits_for_its_reader(lsc, place):
    os.mkfifo(place / "f")
    p = start(lsc, place, "f")
    count = 30_000  # more than fits into the pipe
    p.write("".join(json.dumps({"message": i}) + "\n" for i in range(1000)))
    p.wait_log("file cannot be written, trying again")

    def write_rest():
        p.write("".join(json.dumps({"message": i}) + "\n" for i in range(1000, count)))
        p.close_stdin()

    writer = threading.Thread(target=write_rest)
    with open(place / "f") as reader:
        writer.start()
        lines = reader.read().split()
    writer.join()
    assert p.wait() == 0
    assert lines == [str(i) for i in range(count)]


def test_overwrite(lsc, place):
    (place / "f").write_text("something long that was there before\n")
    p = start(lsc, place, "f", "write_behavior => overwrite")
    for i in range(100):
        send(p, message=str(i))
    end(p)
    assert (place / "f").read_text() == "99\n"


def test_overwrite_with_gzip(lsc, place):
    p = start(lsc, place, "f", "write_behavior => overwrite gzip => true")
    for i in range(100):
        send(p, message=str(i))
    end(p)
    assert gzip.decompress((place / "f").read_bytes()) == b"99\n"


def test_waits_for_the_disk_and_loses_nothing(lsc, place):
    """A directory that cannot be made stands for a disk that takes nothing."""
    (place / "o").write_text("in the way")
    p = start(lsc, place, "o/f.log")
    for i in range(100):
        send(p, message=str(i))
    p.close_stdin()
    p.wait_log("file cannot be written, trying again")
    (place / "o").unlink()
    assert p.wait() == 0
    assert (place / "o/f.log").read_text().split() == [str(i) for i in range(100)]


def test_a_full_disk_is_waited_for(lsc, place):
    """/dev/full takes nothing; another device in its place does."""
    (place / "f").symlink_to("/dev/full")
    p = start(lsc, place, "f")
    send(p, message="m")
    p.close_stdin()
    p.wait_log("No space left on device")
    (place / "f").unlink()
    assert p.wait() == 0
    assert (place / "f").read_text() == "m\n"


def test_says_what_is_lost_when_it_is_forced_to_quit(lsc, place):
    (place / "f").symlink_to("/dev/full")
    p = start(lsc, place, "f", env=FORCED)
    send(p, message="m")
    p.wait_log("No space left on device")
    p.signal(signal.SIGINT)
    wait_until(lambda: not p.alive() or p.signal(signal.SIGINT), "the end")
    assert p.wait() == 1
    p.wait_log("forced to quit, events are lost")


def test_several_workers_write_whole_lines(lsc, place):
    p = start(lsc, place, "f.log", workers=4)
    count = 20_000
    p.write("".join(json.dumps({"message": f"{i} " + "x" * 100}) + "\n" for i in range(count)))
    end(p)
    lines = (place / "f.log").read_text().splitlines()
    assert sorted(int(line.split()[0]) for line in lines) == list(range(count))
    assert all(line.endswith(" " + "x" * 100) for line in lines)


def test_dynamic_start_of_the_path_is_refused(lsc, place):
    p = lsc.start(STDIN + 'output { file { path => "/%{x}/f" } }', folder=place)
    assert p.wait() == 1
    assert "the starting part of the path must not be dynamic" in p.stderr + p.stdout
