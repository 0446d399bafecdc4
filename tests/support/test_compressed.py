"""Compressed files: what they hold, what is refused, and how little memory a bomb takes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError
from forensics.support.compressed import MAX_RATIO, check_unpacked, open_unpacked, plain_path

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": lambda raw: pa.compress(raw, "zstd", asbytes=True),
}
TEXT = b'{"prompt": "Why?", "output": "So."}\n' * 5000


@pytest.mark.parametrize("kind", PACK)
def test_every_kind_gives_what_it_holds(kind, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(PACK[kind](TEXT))
    with open_unpacked(path) as file:
        assert file.readline() == TEXT[:36]
        assert file.read() == TEXT[36:]


@pytest.mark.parametrize("kind", PACK)
def test_files_packed_one_after_another_are_one(kind, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(PACK[kind](b"one\n") + PACK[kind](b"two\n"))
    with open_unpacked(path) as file:
        assert file.read() == b"one\ntwo\n"


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("rest", [0.3, 0.9])
def test_a_cut_off_file_is_refused(kind, rest, tmp_path):
    packed = PACK[kind](bytes(range(256)) * 100)
    path = tmp_path / "a"
    path.write_bytes(packed[: int(len(packed) * rest)])
    with pytest.raises(InputFileError, match="damaged or cut off"):
        check_unpacked(path)


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_is_refused_within_little_memory(kind, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(PACK[kind](bytes(64 << 20)))
    tracemalloc.start()
    try:
        with pytest.raises(InputFileError, match="unpack it yourself"):
            check_unpacked(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", PACK)
def test_text_that_repeats_itself_is_no_bomb(kind, tmp_path):
    lines = (f'{{"id": {n}, "system": "{"Be kind. " * 20}"}}\n'.encode() for n in range(30_000))
    packed = PACK[kind](raw := b"".join(lines))
    assert len(raw) > 4 << 20
    path = tmp_path / "a"
    path.write_bytes(packed)
    if len(raw) < MAX_RATIO * len(packed):
        check_unpacked(path)


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_what_is_packed_twice_is_refused(outer, inner, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(PACK[outer](PACK[inner](TEXT)))
    with pytest.raises(InputFileError, match="compressed twice"):
        check_unpacked(path)


def _tar() -> bytes:
    with io.BytesIO() as raw:
        with tarfile.open(fileobj=raw, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.jsonl"), io.BytesIO())
        return raw.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(_tar()), "compressed tar archive; unpack it and give the folder"),
        (_tar(), "is a tar archive"),
        (gzip.compress(b"PAR1" + bytes(9)), "parquet file behind gzip"),
        (gzip.compress(b"PK\x03\x04" + bytes(9)), "zip archive behind gzip"),
        (b"\x04\x22\x4d\x18" + bytes(9), "compressed with LZ4, which is not read"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(9), "7-Zip"),
    ],
    ids=["packed-tar", "tar", "parquet", "zip", "lz4", "7z"],  # gzip writes the time into its bytes
)
def test_archives_and_other_kinds_are_named(content, message, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=message), open_unpacked(path) as file:
        file.read()


def test_xz_may_not_ask_for_much_memory(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    path = tmp_path / "a"
    path.write_bytes(lzma.compress(b"small", filters=filters))
    with pytest.raises(InputFileError, match="Memory usage limit"):
        check_unpacked(path)


@given(data=st.data(), kind=st.sampled_from(list(PACK)))
def test_damage_is_one_line_or_the_right_bytes(data, kind, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "damaged"
    packed = bytearray(PACK[kind](TEXT[:700]))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(packed[: data.draw(st.none() | st.integers(0, len(packed)))]))
    try:
        check_unpacked(path)
    except InputFileError as error:
        assert "\n" not in str(error)


def test_the_name_without_its_ending():
    names = ("a.jsonl.gz", "b.csv.ZST", "c.json", ".gz", "d.gz")
    assert [plain_path(Path(name)).name for name in names] == [
        "a.jsonl",
        "b.csv",
        "c.json",
        ".gz",
        "d",
    ]
