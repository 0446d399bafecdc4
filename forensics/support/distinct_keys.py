"""JSON objects of which no key stands twice: readers differ in which of two values they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class RepeatedKeyError(ValueError):
    """A key stands twice in one object; `key` is which."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!a} occurs twice in one object")
        self.key = key


def distinct_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members, as `object_pairs_hook` of `json.loads`.

    Raises:
        RepeatedKeyError: a key stands there twice.
    """
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise RepeatedKeyError(key)
        members[key] = value
    return members
