"""A subject of a job, and what its files are called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from forensics.support.slug import slug

_LONGEST_NAME = 60


@dataclass(frozen=True)
class ListedSubject:
    """A subject of a job; `size` is that of its weights in bytes, None where that is not known."""

    spec: str
    size: int | None = None

    @property
    def key(self) -> str:
        """A name for its files: readable, and of this subject only."""
        digest = hashlib.sha256(self.spec.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{slug(self.spec)[-_LONGEST_NAME:].strip('._')}-{digest[:12]}"
