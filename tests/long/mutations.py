"""Ways in which files are damaged: by transport, by hand, by other programs, and on purpose."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]


def _place(content: bytes, draw: random.Random) -> int:
    return draw.randrange(len(content)) if content else 0


def flipped(content: bytes, draw: random.Random) -> bytes:
    """Turn a few bits."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 4, 64))):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut(content: bytes, draw: random.Random) -> bytes:
    """End early, as a download that was broken off."""
    return content[: _place(content, draw)]


def spliced(content: bytes, draw: random.Random) -> bytes:
    """Lose, repeat or overwrite a stretch."""
    at = _place(content, draw)
    end = at + draw.randrange(1, 256)
    filler = draw.choice((b"", content[at:end] * 2, bytes(end - at), draw.randbytes(32)))
    return content[:at] + filler + content[end:]


def replaced(_: bytes, draw: random.Random) -> bytes:
    """Hold something else altogether."""
    return draw.choice(
        (
            b"",
            bytes(300),
            draw.randbytes(300),
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
            b"<!DOCTYPE html><html><body>Not found</body></html>",
            b"{}",
            b"[]",
            b"null",
            b"3",
            b'"text"',
            b"\x1f\x8b\x08" + bytes(30),
            b"PK\x03\x04" + bytes(60),
        )
    )


BYTES: Sequence[Mutation] = (flipped, flipped, cut, spliced, spliced, replaced)


def reencoded(content: bytes, draw: random.Random) -> bytes:
    """Be saved by another program: other encoding, line ends, quotes, delimiters."""
    text = content.decode("utf-8", "replace")
    ways: Sequence[Callable[[], bytes]] = (
        lambda: b"\xef\xbb\xbf" + content,
        lambda: text.encode("utf-16"),
        lambda: text.encode("latin-1", "replace").replace(b"a", b"\xe4", 3),
        lambda: content.replace(b"\n", b"\r\n"),
        lambda: content.replace(b"\n", b"\r"),
        lambda: content.replace(b'"', b"'"),
        lambda: content.replace(b",", b";"),
        lambda: content.replace(b" ", b"\0", 2),
        lambda: content.replace(b"\n", b'\n"', 1 + draw.randrange(3)),
        lambda: content.replace(b"e", "\u202e\U000e0041".encode(), 2),
    )
    return draw.choice(ways)()


def overgrown(content: bytes, draw: random.Random) -> bytes:
    """Be nested deeper, or written longer, than anything ever is."""
    ways: Sequence[Callable[[], bytes]] = (
        lambda: b"[" * 150_000 + content,
        lambda: b'{"a":' * 50_000 + content,
        lambda: content + b"\n" + b"[" * 60_000 + b"]" * 60_000,
        lambda: re.sub(rb"\d+", b"9" * 5000, content, count=1),
        lambda: re.sub(rb"\d+", b"1e999", content, count=2),
        lambda: b"y" * 3_000_000 + content,
    )
    return draw.choice(ways)()


TEXT: Sequence[Mutation] = (*BYTES, reencoded, reencoded, overgrown)

_ODD = (
    *("null", "true", "-1", "0", "1.5", "1e999", "-1e999", "NaN", '""', "[]", "{}", "[[]]"),
    *('"\\ud800"', '"\\u0000"', '"\\u202e::error::x"', '"../../etc/passwd"', '{"":{"":[]}}'),
    *("18446744073709551616", "-2147483649", "9" * 5000, "[" * 2500 + "]" * 2500),
    *('"%s"' % ("w" * 100_000), '"2026-02-31"', '[null,1,"x",{}]', "1000000000"),
)


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(spot for key, one in inner for spot in _spots(one, (*path, key)))]


def _written(value: Any, spot: tuple[Any, ...], how: str, odd: str) -> str:
    """Write a value as JSON, damaged at one spot."""
    if not spot and how == "odd":
        return odd
    here, rest = (spot[0], spot[1:]) if spot else (None, ())
    inner: list[str] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in items:
        hit = bool(spot) and key == here
        label = f"{json.dumps(key)}:" if isinstance(value, dict) else ""
        if hit and not rest and how == "lost":
            continue
        if hit and not rest and how == "twice":
            inner.append(f"{label}{odd}")
        if hit and not rest and how == "renamed" and label:
            label = f'"{key}x":'
        text = _written(one, rest, how, odd) if hit else json.dumps(one)
        inner.append(label + text)
    joined = ",".join(inner)
    return f"{{{joined}}}" if isinstance(value, dict) else f"[{joined}]"


def json_damaged(content: bytes, draw: random.Random) -> bytes:
    """Lack a value, have it twice, under another name, or another in its place."""
    value = json.loads(content)
    spots = _spots(value)
    depth = draw.choice(sorted({len(spot) for spot in spots}))
    spot = draw.choice([spot for spot in spots if len(spot) == depth])
    how = draw.choice(("odd", "odd", "odd", "lost", "twice", "renamed"))
    if not spot or not isinstance(value, dict | list):
        how = "odd"
    try:
        return _written(value, spot, how, draw.choice(_ODD)).encode()
    except (AttributeError, TypeError):  # a spot inside a value that is no container any more
        return draw.choice(_ODD).encode()


def line_damaged(content: bytes, draw: random.Random) -> bytes:
    """Have one line of JSON Lines damaged, lost, doubled or moved."""
    lines = content.splitlines()
    at = draw.randrange(len(lines))
    match draw.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines.append(lines.pop(at))
        case _:
            lines[at] = json_damaged(lines[at], draw)
    return b"\n".join(lines) + b"\n"


def rechained(content: bytes, draw: random.Random) -> bytes:
    """Have a damaged line, and every link of the chain computed anew, so that lines are read."""
    link, out = "0" * 64, []
    for line in line_damaged(content, draw).splitlines():
        body = re.sub(rb',"chain":"[0-9a-f]*"\}\Z', b"}", line)
        link = hashlib.sha256(link.encode() + body).hexdigest()
        out.append(body[:-1] + b',"chain":"%s"}' % link.encode())
    return b"\n".join(out) + b"\n"


JSON: Sequence[Mutation] = (*TEXT, *(json_damaged,) * 9)
LINES: Sequence[Mutation] = (*TEXT, *(line_damaged,) * 9)
CHAINED: Sequence[Mutation] = (*TEXT, *(line_damaged,) * 4, *(rechained,) * 8)


def header_damaged(content: bytes, draw: random.Random) -> bytes:
    """Have another safetensors header, or other numbers behind it."""
    import numpy as np

    (length,) = struct.unpack("<Q", content[:8])
    header, data = content[8 : 8 + length], content[8 + length :]
    match draw.randrange(8):
        case 0:
            size = draw.choice((0, 1, length - 1, length + 1, 1 << 40, (1 << 64) - 1))
            return struct.pack("<Q", size) + content[8:]
        case 1:
            kind = draw.choice((b"F64", b"I8", b"U8", b"BOOL", b"F8_E4M3", b"BF16", b"F99", b""))
            header = header.replace(b'"F32"', b'"%s"' % kind, draw.choice((1, 99)))
        case 2:
            offset = draw.choice((b"-", b"7", b"1e3,", b"null,", b"99999999999"))
            header = header.replace(b'"data_offsets":[', b'"data_offsets":[' + offset, 1)
        case 3:
            size_ = draw.choice((b"0,", b"1,", b"-1,", b"2.5,", b"null,", b"1,1,1,1,1,1,1,1,1,"))
            header = header.replace(b'"shape":[', b'"shape":[' + size_, draw.choice((1, 4)))
        case 4:
            value = draw.choice((np.nan, np.inf, 0.0, 1.0, 3e38, -3e38, 1e-42))
            data = np.full(len(data) // 4, value, "<f4").tobytes()
        case 5:
            data = draw.choice(
                (data[: len(data) // 2], data + bytes(64), draw.randbytes(len(data)))
            )
        case _:
            header = json_damaged(header, draw)
    return struct.pack("<Q", len(header)) + header + data


SAFETENSORS: Sequence[Mutation] = (*BYTES, *(header_damaged,) * 9)


def gguf_damaged(content: bytes, draw: random.Random) -> bytes:
    """Have other counts, lengths, kinds or offsets in the part before the numbers."""
    at = draw.choice((4, 8, 16, draw.randrange(24), draw.randrange(6000)))
    number = draw.choice((0, 1, 3, 255, 1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, (1 << 64) - 1))
    width = draw.choice(("<I", "<Q"))
    packed = struct.pack(width, number & ((1 << (8 * struct.calcsize(width))) - 1))
    return content[:at] + packed + content[at + len(packed) :]


def gguf_renamed(content: bytes, draw: random.Random) -> bytes:
    """Have a tensor or a key of another name."""
    name = draw.choice(re.findall(rb"[a-z0-9_]+(?:\.[a-z0-9_]+){1,4}", content[:20_000]))
    return content.replace(name, name[:-1] + draw.choice((b"x", b"\xff", b"0")), 1)


GGUF: Sequence[Mutation] = (*BYTES, *(gguf_damaged,) * 7, *(gguf_renamed,) * 3)


def zip_damaged(content: bytes, draw: random.Random) -> bytes:
    """Have a member damaged, lost, added or renamed, sometimes listed as if it were so."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(list(members))
    match draw.randrange(7):
        case 0:
            del members[name]
        case 1:
            odd = draw.choice(("../../x", "/etc/x", "a\\..\\b", "C:x", "\u202ex"))
            members[odd] = members.pop(name)
        case 2:
            members["more"] = bytes(draw.choice((10, 90 << 20)))
        case _:
            mutations = LINES if name.endswith("l") else JSON
            members[name] = draw.choice(mutations)(members[name], draw)
            if draw.random() < 0.6 and name != "manifest.json":
                manifest = json.loads(members["manifest.json"])
                manifest["members"][name] = hashlib.sha256(members[name]).hexdigest()
                members["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


ZIP: Sequence[Mutation] = (*BYTES, *(zip_damaged,) * 9)


def parquet_damaged(content: bytes, draw: random.Random) -> bytes:
    """Have a column of another kind, or none."""
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(content))
    column = draw.choice(list(frame.columns))
    value = draw.choice((None, 1, 2.5, True, b"\xff\xfe", [{"a": 1}], float("inf"), "drop"))
    if value == "drop":
        frame = frame.drop(columns=column)
    else:
        frame[column] = [value] * len(frame)
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


PARQUET: Sequence[Mutation] = (*BYTES, *(parquet_damaged,) * 6)


def toml_damaged(content: bytes, draw: random.Random) -> bytes:
    """Lack a line, have it twice, or another value or table in its place."""
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    odd = (
        b"-1",
        b"nan",
        b"inf",
        b'""',
        b"[]",
        b"{}",
        b"true",
        b"9" * 30,
        b"1979-05-27",
        b"[[[1]]]",
    )
    tables = (b"[rules.nothing]", b"[rules]", b"[[rules]]", b"x = 1", b"[[against]]", b"[a.b]\n[a]")
    match draw.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines.insert(at, draw.choice(tables))
        case _:
            lines[at] = lines[at].split(b"=")[0] + b"= " + draw.choice(odd)
    return b"\n".join(lines)


TOML: Sequence[Mutation] = (*TEXT, *(toml_damaged,) * 9)


def yaml_damaged(content: bytes, draw: random.Random) -> bytes:
    """Hold YAML's odder features, or other kinds of values."""
    ways: Sequence[Callable[[], bytes]] = (
        lambda: content + b"x: !!python/object/apply:os.getcwd []\n",
        lambda: b"a: &a [*a]\n" + content,
        lambda: b"a: &a [y,y,y,y,y,y,y,y]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b]\n" + content,
        lambda: content.replace(b"q-1", b"q-0"),
        lambda: content.replace(
            b"prompt:", draw.choice((b"messages:", b"prompt: &t", b"text:")), 1
        ),
        lambda: re.sub(
            rb": [A-Z].*",
            draw.choice((b": .nan", b": [1]", b": 2026-01-01", b":")),
            content,
            count=1,
        ),
        lambda: content.replace(b"prompts:", b"prompts: 7\nrest:"),
        lambda: content.replace(b"  - id", b"  -\tid", 1),
        lambda: b"---\n" + content + b"---\n" + content,
        lambda: content.replace(b"language: en", b"language: no"),
    )
    return draw.choice(ways)()


YAML: Sequence[Mutation] = (*TEXT, *(yaml_damaged,) * 9)
