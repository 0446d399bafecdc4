"""The hash chain of lines: how it starts and what a line is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHAIN_START = "0" * 64


def encode_line(content: Mapping[str, Any], previous: str) -> tuple[bytes, str]:
    """Return a transcript line (with newline) for `content`, and its `chain` value (hex)."""
    body = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    chain = hashlib.sha256((previous + body).encode("ascii")).hexdigest()
    return f'{body[:-1]},"chain":"{chain}"}}\n'.encode("ascii"), chain
