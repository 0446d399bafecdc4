from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from forensics.errors import InputFileError
from forensics.transcripts.importers import import_file

HEADER = {
    "version": 2,
    "status": "success",
    "eval": {"task": "riddles", "model": "org/owl"},
    "plan": {},
}


def message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def sample(number: int, epoch: int, answer: Any, **more: Any) -> dict[str, Any]:
    asked = [message("system", "Be brief."), message("user", f"Riddle {number}?")]
    reply = message("assistant", answer)
    choice = {"message": reply, "stop_reason": "stop"}
    return {
        "id": number,
        "epoch": epoch,
        "input": f"Riddle {number}?",
        "target": "x",
        "messages": [*asked, reply],
        "output": {"model": "owl-2025", "choices": [choice]},
        **more,
    }


REASONED = [
    {"type": "reasoning", "reasoning": "hm", "summary": None},
    {"type": "text", "text": "A shadow."},
]
SAMPLES = [
    sample(1, 1, "A river."),
    sample(1, 2, REASONED),
    sample(2, 1, "attachment://abc", attachments={"abc": "An echo."}),
]
FAILED = {
    "id": 3,
    "epoch": 1,
    "input": [message("user", "Riddle 3?")],
    "target": "x",
    "messages": [],
    "output": {"model": "owl-2025", "choices": []},
    "error": {"message": "connection lost", "traceback": "…"},
}


def members() -> dict[str, bytes]:
    files = {
        f"samples/{s['id']}_epoch_{s['epoch']}.json": json.dumps(s).encode()
        for s in [*SAMPLES, FAILED]
    }
    return files | {"header.json": json.dumps(HEADER).encode(), "summaries.json": b"[]"}


def write_eval(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_zstandard(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip of method 93, which the standard library of this Python cannot."""
    body, directory = b"", b""
    for name, content in files.items():
        packed = pa.compress(content, codec="zstd", asbytes=True)
        fields = (0, 93, 0, 0x21, zlib.crc32(content), len(packed), len(content), len(name), 0)
        entry = struct.pack("<HHHHIIIHH", *fields)
        place = struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += b"PK\x01\x02" + struct.pack("<HH", 63, 63)[:2] + struct.pack("<H", 63)
        directory += entry + place + name.encode()
        body += b"PK\x03\x04" + struct.pack("<H", 63) + entry + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)
    return path


@pytest.mark.parametrize("form", ["deflate", "zstandard", "json"])
def test_inspect_log(importing, tmp_path, form):
    if form == "json":
        path = importing.json("log.json", HEADER | {"samples": [*SAMPLES, FAILED]})
    else:
        write = write_eval if form == "deflate" else write_zstandard
        path = write(tmp_path / "log.eval", members())
    transcript = importing.one(path)
    assert transcript.name == "org/owl"
    assert transcript.manifests[0].identity["format"] == "inspect"
    found = [(r.prompt.id, r.sample, r.text, r.reasoning, r.status) for r in transcript.responses]
    assert found == [
        ("1", 0, "A river.", None, "ok"),
        ("1", 1, "A shadow.", "hm", "ok"),
        ("2", 0, "An echo.", None, "ok"),
        ("3", 0, "", None, "error"),
    ]
    first, _, _, failed = transcript.responses
    assert [tuple(m) for m in first.prompt.messages] == [
        ("system", "Be brief."),
        ("user", "Riddle 1?"),
    ]
    assert (first.model, first.finish_reason, first.prompt.category) == (
        "owl-2025",
        "stop",
        "riddles",
    )
    assert (failed.error, failed.prompt.text) == ("connection lost", "Riddle 3?")


def test_inspect_log_of_the_first_zip_versions(importing, tmp_path):
    files = members()
    header = files.pop("header.json")
    path = write_eval(tmp_path / "log.eval", files | {"start.json": header, "results.json": b"{}"})
    assert len(importing.one(path).responses) == 4


def test_inspect_log_without_samples(importing, tmp_path):
    path = importing.json("log.json", HEADER)
    with pytest.raises(InputFileError, match="no samples"):
        import_file(path, importing.out)
    header_only = write_eval(tmp_path / "log.eval", {"header.json": json.dumps(HEADER).encode()})
    with pytest.raises(InputFileError, match="holds no answers"):
        import_file(header_only, importing.out)


def test_damaged_members_are_named(importing, tmp_path):
    path = write_zstandard(tmp_path / "log.eval", {"header.json": json.dumps(HEADER).encode()})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"header.json") + len("header.json") + 12] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(InputFileError, match=r"header\.json: cannot be unpacked"):
        import_file(path, importing.out)


def test_a_cut_off_archive(importing, tmp_path):
    path = write_eval(tmp_path / "log.eval", members())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputFileError, match="damaged zip archive"):
        import_file(path, importing.out)


def test_another_zip_is_not_taken_for_a_log(importing, tmp_path):
    path = write_eval(tmp_path / "photos.zip", {"a.txt": b"hello"})
    with pytest.raises(InputFileError, match="is a zip archive; unpack it"):
        import_file(path, importing.out)
    with pytest.raises(InputFileError, match=r"has no header\.json"):
        import_file(path, importing.out, format="inspect")
