"""Packed bodies: whole ones are read, bombs cost no memory, damage is named."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest

from forensics.subjects.backends.unpacking import Body, TooLargeError, UnpackingError
from tests.loopback import Reply, chat_reply
from tests.subjects.backends.endpoint import Start, ask_one

PLAIN = json.dumps(chat_reply("Here.").body).encode()
BARE = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": gzip.compress(PLAIN),
    "x-gzip": gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]),
    "deflate": zlib.compress(PLAIN),
    "Deflate": BARE.compress(PLAIN) + BARE.flush(),
    "identity": PLAIN,
    "": PLAIN,
}


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_is_the_same_however_it_is_packed_and_cut(encoding: str, size: int) -> None:
    body, packed = Body(encoding, 10_000), PACKED[encoding]
    for start in range(0, len(packed), size):
        body.add(packed[start : start + size])
    assert body.whole() == PLAIN


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b" " * (64 << 20)) * 3
    tracemalloc.start()
    try:
        body = Body("gzip", 1 << 20)
        with pytest.raises(TooLargeError):
            body.add(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("gzip", b"not gzip", "is not gzip, as its header says"),
        ("deflate", b"\xff\xff\xff", "is not deflate's data"),
        ("gzip", PACKED["gzip"][:-9], "gzip is cut off"),
        ("br", b"\x00\x01", "was not asked for"),
    ],
)
def test_damage_is_named(loopback: Start, encoding: str, body: bytes, says: str) -> None:
    answer = ask_one(loopback([Reply(body, headers={"Content-Encoding": encoding})]).url)
    assert answer.status == "error"
    assert answer.error and says in answer.error


def test_nothing_packed_is_an_empty_body() -> None:
    assert Body("gzip", 10).whole() == b""
    with pytest.raises(UnpackingError):
        Body("zstd", 10)


def test_a_packed_answer_of_a_server_is_read(loopback: Start) -> None:
    server = loopback([Reply(PACKED["gzip"], headers={"Content-Encoding": "gzip"})])
    assert ask_one(server.url).text == "Here."
    assert server.calls[0].headers["Accept-Encoding"] == "gzip, deflate"
