"""Text without what differs between two runs of the same command, and two texts compared."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forensics import __version__

# The version that made the artefacts, and today's.
VERSIONS = tuple(dict.fromkeys(("0.1.0", __version__)))
HASH = "<hash>"
# Names of transcripts end in a hash of who answered; an endpoint's address, so its port, is in it.
_KEY = re.compile(r"\b((?:heron-7b|otter-9b|nobody)(?:-tuned)?)-[0-9a-f]{8}\b")
DIGITS = 1e-6  # relative; other machines add up in another order
_LAST = 1.5e-6
_ZERO = 1e-9  # beside it, what is this small is rounding
_SHOWN = 40  # lines of a difference
_DIGEST = re.compile(r" digest [0-9a-f]{64}$", re.MULTILINE)  # of a tensor, to its last digit
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?|\b\d{8}T\d{6,12}Z"
)
_TOKEN = re.compile(
    r"(?P<hash><hash>|(?<![0-9A-Za-z.])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,64}(?![0-9A-Za-z]))"
    r"|(?P<number>(?<![\w.])-?\d+(\.\d+)?(e[+-]?\d+)?(?![\w]))"
)


def normal(text: str, hidden: dict[str, str]) -> str:
    """Return text without dates, durations and version.

    Args:
        text: what was said or written.
        hidden: what stands for this run's own folders and ports.
    """
    for found, shown in hidden.items():
        text = text.replace(found, shown)
    text = _TIME.sub("<time>", text)
    text = re.sub(r'(datetime="<time>">)[^<]*(</time>)', r"\1<day>\2", text)
    text = _KEY.sub(r"\1-<key>", text)
    text = re.sub(r'"seconds": [\d.]+', '"seconds": "<duration>"', text)
    for day in _days():
        text = text.replace(day, "<today>")
    for version in VERSIONS:
        text = _version(text, version)
    return re.sub(r"\b\d+(\.\d+)? (ms|s)\b(?= \(| median|;|\.$|$)", "<duration>", text)


def _days() -> list[str]:
    now = datetime.now(UTC)
    # A run may cross midnight.
    return [(now - timedelta(days=back)).date().isoformat() for back in (0, 1)]


def _version(text: str, version: str) -> str:
    text = re.sub(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\d)", "<version>", text)
    return re.sub(
        r'made (and checked )?with model-forensics <version>(, checked with [^"\n]*)?(?=",?$|$)',
        "made and checked with <versions>",
        text,
        flags=re.MULTILINE,
    )


def readable(name: str, content: bytes, hidden: dict[str, str]) -> str:
    """Return a file as text that can be compared; of what is no text, what is in it."""
    if name.endswith(".zip"):
        return _of_zip(content, hidden)
    if name.endswith(".safetensors"):
        return _of_tensors(content, hidden)
    return normal(content.decode("utf-8"), hidden)


def _of_zip(content: bytes, hidden: dict[str, str]) -> str:
    parts = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            parts.append(f"member {info.filename} dated {info.date_time}")
        manifest = json.loads(archive.read("manifest.json"))
    manifest["versions"] = sorted(manifest["versions"])  # of libraries: the machine's
    return normal("\n".join([*parts, json.dumps(manifest, indent=1), ""]), hidden)


def _of_tensors(content: bytes, hidden: dict[str, str]) -> str:
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    about = header.pop("__metadata__", {})
    lines = [f"{key}: {_metadata(about[key])}" for key in sorted(about)]
    for name in sorted(header):
        one = header[name]
        start, end = (8 + size + at for at in one["data_offsets"])
        lines.append(f"tensor {name} {one['shape']} {_of_tensor(content[start:end], one['dtype'])}")
    return normal("\n".join([*lines, ""]), hidden)


def _of_tensor(content: bytes, kind: str) -> str:
    """Return what is in a tensor: a digest of all, and figures that rounding does not change."""
    import numpy as np

    digest = hashlib.sha256(content).hexdigest()
    if not content:
        return f"{kind} empty"
    letter = {"F": "f", "U": "u", "I": "i"}[kind[0]]
    values = np.frombuffer(content, dtype=f"<{letter}{int(kind[1:]) // 8}").astype(np.float64)
    return f"{kind} mean {values.mean():.9g} spread {values.std():.9g} digest {digest}"


def _metadata(value: str) -> str:
    try:
        return json.dumps(json.loads(value), indent=0)
    except ValueError:
        return value


def stored(path: Path) -> str:
    """Return a frozen text, compressed or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def pattern(first: str, second: str) -> str | None:
    """Return what two runs have in common: hashes that differ hang on the clock.

    None where anything else differs, which then is not deterministic.
    """
    if first == second:
        return first
    ours, theirs = list(_TOKEN.finditer(first)), list(_TOKEN.finditer(second))
    if len(ours) != len(theirs):
        return None
    text, at, other = [], 0, 0
    for a, b in zip(ours, theirs, strict=True):
        if first[at : a.start()] != second[other : b.start()]:
            return None
        text.append(first[at : a.start()])
        same = a.group() == b.group()
        if not same and not (a["hash"] and b["hash"]):
            return None
        text.append(a.group() if same else HASH)
        at, other = a.end(), b.end()
    return "".join([*text, first[at:]]) if first[at:] == second[other:] else None


def same(frozen: str, found: str, exact: bool) -> bool:
    """Tell whether two texts say the same: any hash fits `<hash>`, numbers fit but for rounding."""
    if not exact:
        frozen, found = (_DIGEST.sub("", text) for text in (frozen, found))
    if frozen == found:
        return True
    return _pieces_fit(list(_pieces(frozen)), list(_pieces(found)), exact)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    for match in _TOKEN.finditer(text):
        yield "text", text[at : match.start()]
        yield ("hash" if match["hash"] else "number"), match.group()
        at = match.end()
    yield "text", text[at:]


def _pieces_fit(frozen: list[tuple[str, str]], found: list[tuple[str, str]], exact: bool) -> bool:
    if len(frozen) != len(found):
        return False
    return all(_fits(a, b, exact) for a, b in zip(frozen, found, strict=True))


def _fits(frozen: tuple[str, str], found: tuple[str, str], exact: bool) -> bool:
    (kind, a), (other, b) = frozen, found
    if a == b:
        return True
    if kind != other or kind == "text":
        return False
    if kind == "hash":
        return a == HASH
    return not exact and _rounds(a, b)


def _rounds(a: str, b: str) -> bool:
    # Many numbers are written with six decimals: their last may be rounded either way.
    six = all(re.fullmatch(r"-?\d+\.\d{5,6}", one) for one in (a, b))
    return math.isclose(float(a), float(b), rel_tol=DIGITS, abs_tol=_LAST if six else _ZERO)


def difference(name: str, frozen: str, found: str) -> str:
    """Return a unified diff, cut short."""
    lines = difflib.unified_diff(
        _short(frozen), _short(found), f"frozen/{name}", f"now/{name}", lineterm="", n=1
    )
    shown = list(lines)
    more = [f"... and {len(shown) - _SHOWN} more lines"] if len(shown) > _SHOWN else []
    return "\n".join([*shown[:_SHOWN], *more])


def _short(text: str) -> list[str]:
    return [line[:400] for line in text.splitlines()]
