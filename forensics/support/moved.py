"""Names at their old places, for one release: they work, and warn where they stand now."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any


def moved(old: str, *homes: str) -> Callable[[str], Any]:
    """Return a module's `__getattr__` that finds names in the modules that took them over.

    Args:
        old: the module whose names moved.
        homes: modules to look in, in order; imported when a name is asked for.
    """

    def get(name: str) -> Any:
        for home in () if name.startswith("_") else homes:
            found = getattr(importlib.import_module(home), name, None)
            if found is not None:
                warnings.warn(
                    f"{old}.{name} moved to {home}; plugins import from forensics.plugin. The old "
                    "path goes with the next release",
                    DeprecationWarning,
                    stacklevel=2,
                )
                return found
        raise AttributeError(f"module {old!r} has no attribute {name!r}")

    return get
