"""Names at their old places, for one release: they work, and warn where they stand now."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def moved(old: str, *homes: str, renamed: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """Return a module's `__getattr__` that finds names in the modules that took them over.

    Args:
        old: the module whose names moved.
        homes: modules to look in, in order; imported when a name is asked for.
        renamed: old name → new one, of those that have another now.
    """

    def get(name: str) -> Any:
        now = (renamed or {}).get(name, name)
        for home in () if name.startswith("_") else homes:
            target = getattr(importlib.import_module(home), now, None)
            if target is not None:
                called = "" if now == name else f" as {now}"
                warnings.warn(
                    f"{old}.{name} moved to {home}{called}; plugins import from forensics.plugin. "
                    "The old path goes with the next release",
                    DeprecationWarning,
                    stacklevel=2,
                )
                return target
        raise AttributeError(f"module {old!r} has no attribute {name!r}")

    return get
