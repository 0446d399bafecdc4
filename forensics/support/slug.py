"""Names of models as names of files."""

from __future__ import annotations

import re


def slug(name: str) -> str:
    """Return `name` as a safe file name, at most 100 characters."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "_", name).strip("._")[:100] or "model"
