"""Files of results: whole or not there, in a folder and in object storage."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from forensics.errors import InputFileError, OutputError
from forensics.fleet.drivers import DriverWatch, SignOfLife, sign_of_life
from forensics.fleet.result_store import FolderStore, ObjectStore, ResultStore, open_store
from forensics.fleet.subject_claims import Claims
from tests.fleet.s3_server import S3Server


@pytest.fixture(name="stores")
def stores_fixture(tmp_path: Path) -> Iterator[Sequence[ResultStore]]:
    """Give a folder, a store with real folders, and S3 over HTTP."""
    from pyarrow.fs import LocalFileSystem

    objects = ObjectStore(LocalFileSystem(), str(tmp_path / "objects"))
    with S3Server() as server:
        yield FolderStore(tmp_path / "folder"), objects, open_store(server.uri("bucket/prefix"))


def test_files_are_written_replaced_listed_and_removed(stores: Sequence[ResultStore]) -> None:
    for store in stores:
        assert store.names("results") == []
        assert store.read("results/a.json") is None
        store.put("results/b.json", b"2")
        store.put("results/a.json", b"1")
        store.put("results/a.json", b"3")
        store.put("results/a/deep", b"4")
        assert store.names("results") == ["a.json", "b.json"]
        assert store.read("results/a.json") == b"3"
        store.remove("results/a.json")
        store.remove("results/a.json")
        assert store.names("results") == ["b.json"]


def test_a_folder_creates_a_file_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert store.create("claims/a/0", b"first") is True
    assert store.create("claims/a/0", b"second") is False
    assert store.read("claims/a/0") == b"first"
    assert [path.name for path in (tmp_path / "claims" / "a").iterdir()] == ["0"]


def test_a_place_is_a_folder_or_a_uri_that_pyarrow_knows(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/x").put("a", b"1")
    assert (tmp_path / "x" / "a").read_bytes() == b"1"
    assert isinstance(open_store("s3://bucket/prefix?region=eu-west-1"), ObjectStore)
    with pytest.raises(InputFileError, match="no results can lie at a nowhere:// place"):
        open_store("nowhere://bucket")


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="cannot write"):
        FolderStore(tmp_path / "file").put("a/b", b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


_DRIVERS, _SUBJECTS = 3, 20
_WRITER = """
import sys
from pathlib import Path
from forensics.fleet.result_store import FolderStore
store, number = FolderStore(Path(sys.argv[1])), 0
print("begun", flush=True)
while True:
    number = (number + 1) % 10
    store.put("results/a", str(number).encode() * 4_000_000)
"""


def test_a_writer_that_is_killed_leaves_the_file_that_was_there_or_the_new_one(
    tmp_path: Path,
) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    store = FolderStore(tmp_path)
    for _ in range(50):
        content = store.read("results/a")
        assert content is None or (len(content) == 4_000_000 and len(set(content)) == 1)
    while store.read("results/a") is None:
        time.sleep(0.01)
    writer.kill()
    writer.wait()
    content = store.read("results/a")
    assert content is not None
    assert len(content) == 4_000_000
    assert len(set(content)) == 1
    assert store.names("results") == ["a"]


def _claim_all(arguments: tuple[str, str, int]) -> list[str]:
    place, folder, attempts = arguments
    store = open_store(place)
    with sign_of_life(store, beat=0.2) as driver:
        claims = Claims(store, driver, DriverWatch(store))
        taken: list[str] = []
        for number in range(_SUBJECTS):
            _meet(Path(folder), f"subject{number}-{driver}")  # all want it at the same moment
            if claims.take(f"subject-{number}"):
                taken.append(f"subject-{number}")
        for key in Random(driver).choices(range(_SUBJECTS), k=attempts):
            if f"subject-{key}" not in taken and claims.take(f"subject-{key}"):
                taken.append(f"subject-{key}")
        _meet(Path(folder), f"end-{driver}")  # nobody ends while others claim
    return taken


def _meet(folder: Path, name: str) -> None:
    (folder / name).touch()
    while len(list(folder.glob(f"{name.partition('-')[0]}-*"))) < _DRIVERS:
        time.sleep(0.001)


@pytest.mark.parametrize("is_object", [False, True])
def test_drivers_at_once_never_claim_one_subject_twice(tmp_path: Path, is_object: bool) -> None:
    with S3Server() as server, multiprocessing.get_context("spawn").Pool(_DRIVERS) as pool:
        place = server.uri("bucket/job") if is_object else str(tmp_path / "job")
        claimed = pool.map(_claim_all, [(place, str(tmp_path), 40)] * _DRIVERS, chunksize=1)
    keys = [key for keys in claimed for key in keys]
    assert len(keys) == len(set(keys))
    assert len(keys) == _SUBJECTS or is_object  # there all may withdraw at once
    assert keys


_DRIVER = """
import sys, time
from pathlib import Path
from forensics.fleet.subject_claims import Claims
from forensics.fleet.drivers import DriverWatch, sign_of_life
from forensics.fleet.result_store import FolderStore
store = FolderStore(Path(sys.argv[1]))
with sign_of_life(store) as driver:
    print(Claims(store, driver, DriverWatch(store)).take("a"), flush=True)
    time.sleep(60)
"""


def test_a_killed_drivers_subject_is_taken_over_at_once_on_the_same_machine(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", _DRIVER, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    store = FolderStore(tmp_path)
    with sign_of_life(store) as driver:
        assert not Claims(store, driver, DriverWatch(store)).take("a")
        other.kill()
        other.wait()
        claims = Claims(store, driver, DriverWatch(store))
        assert claims.take("a")
        assert claims.holder("a") == driver
    assert Claims(store, "next", DriverWatch(store)).holder("a") is None


def test_a_silent_driver_of_another_machine_is_dead_after_having_been_watched(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path)
    there = SignOfLife("another machine", 1, 0.0, beat=7)
    store.put("drivers/there.json", there.to_bytes())
    watch = DriverWatch(store, stale=0.2)
    assert watch.is_alive("there")
    time.sleep(0.12)
    store.put("drivers/there.json", SignOfLife("another machine", 1, 0.0, beat=8).to_bytes())
    assert watch.is_alive("there")
    time.sleep(0.12)
    assert watch.is_alive("there")  # it gave a sign a moment ago
    time.sleep(0.12)
    assert not watch.is_alive("there")
    assert watch.is_alive("of whom nothing can be read")
    time.sleep(0.22)
    assert not watch.is_alive("of whom nothing can be read")


def test_a_driver_gives_signs_and_says_when_it_ends(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with sign_of_life(store, beat=0.02) as driver:
        before = store.read(f"drivers/{driver}.json")
        time.sleep(0.1)
        assert store.read(f"drivers/{driver}.json") != before
        assert DriverWatch(store).is_alive(driver)
    assert not DriverWatch(store).is_alive(driver)
