"""The file input: rotation, truncation, restarts. What is read exactly once is the point."""

import gzip
import os
import signal
import subprocess

import pytest

from lsc import wait_until

FAST = 'stat_interval => "20 ms" discover_interval => 1 sincedb_write_interval => "20 ms"'


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    (folder / "in").mkdir(parents=True)
    return folder


def start(lsc, place, options, path="*.log"):
    config = (
        f'input {{ file {{ path => "{place}/in/{path}" sincedb_path => "{place}/sdb" {FAST}'
        f" {options} }} }}\n"
        f'output {{ file {{ path => "{place}/out" codec => json_lines }} }}\n'
    )
    return lsc.start(config, folder=place)


def messages(p):
    return [e["message"] for e in p.events("out")]


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def positions(place):
    """inode: position of each record in the sincedb."""
    try:
        lines = (place / "sdb").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(line.split()[0]): int(line.split()[3]) for line in lines}


def wait_position(place, path, position):
    inode = os.stat(path).st_ino
    wait_until(lambda: positions(place).get(inode) == position, f"position {position} of {path}")


BEGINNING = 'start_position => "beginning"'


def test_rename_rotation_with_the_old_name_watched_too(lsc, place):
    log = place / "in/a.log"
    log.write_text("1\n2\n")
    p = start(lsc, place, BEGINNING, "a.log*")
    p.wait_events("out", 2)
    old = open(log, "a")
    os.rename(log, place / "in/a.log.1")
    log.write_text("4\n")
    p.wait_events("out", 3)
    old.write("3\n")  # the writer has not noticed yet
    old.close()
    p.wait_events("out", 4)
    assert p.stop() == 0
    assert sorted(messages(p)) == ["1", "2", "3", "4"]


def test_rename_rotation_away_from_what_is_watched(lsc, place):
    log = place / "in/a.log"
    log.write_text("1\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    old = open(log, "a")
    os.rename(log, place / "a.old")
    log.write_text("3\n")
    p.wait_events("out", 2)
    old.write("2\n")
    old.close()
    p.wait_events("out", 3)
    assert p.stop() == 0
    assert sorted(messages(p)) == ["1", "2", "3"]


def test_chain_of_renames(lsc, place):
    logs = [place / "in/a.log", place / "in/a.log.1", place / "in/a.log.2"]
    logs[0].write_text("0-0\n")
    p = start(lsc, place, BEGINNING, "a.log*")
    p.wait_events("out", 1)
    for turn in range(1, 6):
        if logs[1].exists():
            os.rename(logs[1], logs[2])
        os.rename(logs[0], logs[1])
        logs[0].write_text(f"{turn}-0\n{turn}-1\n")
        p.wait_events("out", 1 + 2 * turn)
    assert p.stop() == 0
    expected = ["0-0"] + [f"{t}-{i}" for t in range(1, 6) for i in range(2)]
    assert sorted(messages(p)) == expected


def test_copy_and_truncate(lsc, place):
    log = place / "in/a.log"
    log.write_text("one\ntwo\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 2)
    os.truncate(log, 0)
    wait_position(place, log, 0)
    append(log, "three\n")
    p.wait_events("out", 3)
    assert p.stop() == 0
    assert messages(p) == ["one", "two", "three"]


def test_deleted_with_an_unfinished_line(lsc, place):
    log = place / "in/a.log"
    log.write_text("one\nno end")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    os.remove(log)
    p.wait_events("out", 2)
    log.write_text("fresh\n")
    p.wait_events("out", 3)
    assert p.stop() == 0
    assert messages(p) == ["one", "no end", "fresh"]


def test_unfinished_line_waits_for_its_end_across_a_restart(lsc, place):
    log = place / "in/a.log"
    log.write_text("one\ntw")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    assert p.stop() == 0
    assert positions(place)[os.stat(log).st_ino] == 4
    append(log, "o\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 2)
    assert p.stop() == 0
    assert messages(p) == ["one", "two"]


def test_start_at_the_end(lsc, place):
    log = place / "in/a.log"
    log.write_text("before\n")
    p = start(lsc, place, "")
    wait_position(place, log, 7)
    append(log, "after\n")
    (place / "in/later.log").write_text("whole\n")  # came later: from its beginning
    p.wait_events("out", 2)
    assert p.stop() == 0
    assert sorted(messages(p)) == ["after", "whole"]


def test_takes_over_a_sincedb_of_logstash(lsc, place):
    log = place / "in/a.log"
    log.write_text("seen\nnot seen\n")
    st = os.stat(log)
    device = f"{os.major(st.st_dev)} {os.minor(st.st_dev)}"
    (place / "sdb").write_text(f"{st.st_ino} {device} 5 {st.st_mtime:.6f} {log}\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    assert p.stop() == 0
    assert messages(p) == ["not seen"]


def write_record(place, log, position, age, path):
    """A sincedb as if the file with this inode had last been read `age` seconds before `log`."""
    st = os.stat(log)
    device = f"{os.major(st.st_dev)} {os.minor(st.st_dev)}"
    (place / "sdb").write_text(
        f"{st.st_ino} {device} {position} {st.st_mtime - age:.6f} {place}/in/{path}\n"
    )


def test_an_inode_that_was_given_to_another_path_is_a_new_file(lsc, place):
    log = place / "in/b.log"
    log.write_text("all of it\n")
    write_record(place, log, 5, 60, "a.log")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    assert p.stop() == 0
    assert messages(p) == ["all of it"]


def knows_birth(path):
    """The file system keeps the time at which a file was made."""
    return subprocess.check_output(["stat", "-c", "%W", path]).strip() not in (b"0", b"-", b"?")


def test_an_inode_that_was_given_to_the_same_path_is_a_new_file(lsc, place):
    log = place / "in/a.log"
    log.write_text("all of it\n")
    if not knows_birth(log):
        pytest.skip("no time of birth here")
    write_record(place, log, 5, 60, "a.log")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    assert p.stop() == 0
    assert messages(p) == ["all of it"]


def test_renamed_while_nobody_looked(lsc, place):
    log = place / "in/a.log"
    log.write_text("1\n")
    if not knows_birth(log):
        pytest.skip("no time of birth here")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    assert p.stop() == 0
    append(log, "2\n")
    os.rename(log, place / "in/a.1.log")
    log.write_text("3\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 3)
    assert p.stop() == 0
    assert sorted(messages(p)) == ["1", "2", "3"]


def test_two_names_of_one_file_are_read_once(lsc, place):
    (place / "in/a.log").write_text("one\n")
    os.link(place / "in/a.log", place / "in/b.log")
    os.symlink("a.log", place / "in/c.log")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    append(place / "in/b.log", "two\n")
    p.wait_events("out", 2)
    assert p.stop() == 0
    assert messages(p) == ["one", "two"]


def test_term_in_the_middle_loses_and_repeats_nothing(lsc, place):
    log = place / "in/a.log"
    count = 200_000
    log.write_text("".join(f"line {i}\n" for i in range(count)))
    runs = 0
    while True:
        p = start(lsc, place, BEGINNING + ' codec => plain { charset => "UTF-8" }')
        runs += 1
        before = p.count_lines("out")
        wanted = min(before + count // 4, count)
        p.wait_events("out", wanted)
        assert p.stop() == 0
        if p.count_lines("out") >= count:
            break
    assert messages(p) == [f"line {i}" for i in range(count)]


def test_kill_repeats_but_loses_nothing_when_the_pipeline_was_idle(lsc, place):
    log = place / "in/a.log"
    log.write_text("one\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 1)
    wait_position(place, log, 4)
    p.signal(signal.SIGKILL)
    p.wait()
    append(log, "two\n")
    p = start(lsc, place, BEGINNING)
    p.wait_events("out", 2)
    assert p.stop() == 0
    assert messages(p) == ["one", "two"]


def test_more_files_than_may_be_open(lsc, place):
    for i in range(50):
        (place / f"in/{i:02}.log").write_text(f"{i}\n")
    p = start(lsc, place, BEGINNING + " max_open_files => 4")
    p.wait_events("out", 50)
    for i in range(50):
        append(place / f"in/{i:02}.log", f"again {i}\n")
    p.wait_events("out", 100)
    assert p.open_files() < 40
    assert p.stop() == 0
    assert sorted(messages(p)) == sorted(
        [f"{i}" for i in range(50)] + [f"again {i}" for i in range(50)]
    )


READ = 'mode => "read"'


def test_read_deletes_and_reads_what_comes_next(lsc, place):
    log = place / "in/a.log"
    log.write_text("one\nlast")
    p = start(lsc, place, READ)
    wait_until(lambda: not log.exists(), "the file to be deleted")
    log.write_text("two, and longer than the first\n")  # perhaps with the same inode
    wait_until(lambda: not log.exists(), "the second file to be deleted")
    p.wait_events("out", 3)
    assert p.stop() == 0
    assert messages(p) == ["one", "last", "two, and longer than the first"]


def test_read_logs_once(lsc, place):
    (place / "in/a.log").write_text("one\n")
    options = f'{READ} file_completed_action => "log" file_completed_log_path => "{place}/done"'
    p = start(lsc, place, options + " exit_after_read => true")
    assert p.wait() == 0
    p = start(lsc, place, options + " exit_after_read => true")
    assert p.wait() == 0
    assert messages(p) == ["one"]
    assert (place / "done").read_text() == f"{place}/in/a.log\n"


def test_read_in_turns(lsc, place):
    for name in "ab":
        (place / f"in/{name}.log").write_text("".join(f"{name}{i}\n" for i in range(100)))
    p = start(lsc, place, READ + " exit_after_read => true file_sort_by => path "
              "file_chunk_size => 64 file_chunk_count => 1")
    assert p.wait() == 0
    got = messages(p)
    assert got != sorted(got)  # not one whole file and then the other
    for name in "ab":
        assert [m for m in got if m[0] == name] == [f"{name}{i}" for i in range(100)]


def test_archive_of_several_members(lsc, place):
    data = gzip.compress(b"one\ntw") + gzip.compress(b"o\r\nthree")
    (place / "in/a.log.gz").write_bytes(data)
    p = start(lsc, place, READ + " exit_after_read => true", "*.gz")
    assert p.wait() == 0
    assert messages(p) == ["one", "two", "three"]


def test_damaged_archive_gives_nothing_when_it_is_checked_first(lsc, place):
    whole = gzip.compress(b"".join(b"%d\n" % i for i in range(100_000)))
    (place / "in/a.gz").write_bytes(whole[: len(whole) // 2])
    p = start(lsc, place, READ + " exit_after_read => true check_archive_validity => true", "*.gz")
    assert p.wait() == 0
    assert messages(p) == []
    p.wait_log("archive is damaged or no gzip file")
    assert (place / "in/a.gz").exists()


def test_damaged_archive_gives_what_it_has(lsc, place):
    whole = gzip.compress(b"".join(b"%d\n" % i for i in range(100_000)))
    (place / "in/a.gz").write_bytes(whole[: len(whole) // 2])
    p = start(lsc, place, READ + " exit_after_read => true", "*.gz")
    assert p.wait() == 0
    got = messages(p)
    assert got[:3] == ["0", "1", "2"] and 1000 < len(got) < 100_000
    p.wait_log("archive is damaged or no gzip file")


@pytest.mark.parametrize("border", range(-3, 4))
def test_delimiter_across_a_border_of_blocks(lsc, place, border):
    block = 256 * 1024
    first = "a" * (block + border)
    (place / "in/a.log").write_text(first + "<->" + "b<-c<->" + "d")
    p = start(lsc, place, READ + ' exit_after_read => true delimiter => "<->"')
    assert p.wait() == 0
    assert messages(p) == [first, "b<-c", "d"]
