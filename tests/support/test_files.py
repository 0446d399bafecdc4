from __future__ import annotations

import os
import resource
import signal
import threading

import pytest

from forensics.errors import OutputError
from forensics.support.files import whole_file, write_text


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="cannot write"):
        write_text(path / "below", "x")


@pytest.mark.parametrize("text", ["new \ud800", "new" * 10_000])
def test_what_could_not_be_written_leaves_nothing_behind(tmp_path, text):
    path = tmp_path / "out.txt"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # fails as a full disk does
    try:
        with pytest.raises((UnicodeEncodeError, OutputError)):
            write_text(path, text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_devices_are_written_to_and_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    write_text(pipe, "through")
    reader.join(10)
    assert got == ["through"]
    assert pipe.is_fifo()


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("plain/a.txt", "plain is a file, not a folder"),
        ("plain/deeper/a.txt", "plain is a file, not a folder"),
        ("n" * 300 + "/a.txt", "File name too long"),
        ("n" * 300, "File name too long"),
    ],
)
def test_what_stands_in_the_way_is_named(tmp_path, inside, reason):
    (tmp_path / "plain").write_text("")
    with pytest.raises(OutputError, match=reason):
        write_text(tmp_path / inside, "text")
