"""Damage for property tests: any JSON value in the place of any other."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) inside a JSON value."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    return found + [place for _, key in found for place in places(value[key])]


def damage(document: Any, data: st.DataObject) -> None:
    """Remove or replace up to three values inside `document`."""
    for _ in range(data.draw(st.integers(0, 3))):
        spots = places(document)
        if not spots:
            return
        container, key = data.draw(st.sampled_from(spots))
        if data.draw(st.booleans()):
            del container[key]
        else:
            container[key] = data.draw(ANY_JSON)
