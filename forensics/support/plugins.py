"""Plugins: other distributions' comparators, backends, importers and reports, by entry points.

A distribution registers `name = "module:object"` under one of `GROUPS`; built-ins come first and
cannot be replaced. A plugin that does not load is named and skipped, unless it was asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from forensics.errors import PluginWarning, UsageError

GROUPS = {
    "comparators": "forensics.comparators",  # a callable that returns a Comparator
    "backends": "forensics.backends",  # a callable (subject, options) that returns a Backend
    "importers": "forensics.importers",  # a callable that returns an Importer
    "reports": "forensics.reports",  # a callable that returns a ReportFormat
}


def plugin_names(kind: str) -> tuple[str, ...]:
    """Return the names registered for `kind`, a key of `GROUPS`; nothing is imported."""
    return tuple(sorted({point.name for point in entry_points(group=GROUPS[kind])}))


def load_plugin(kind: str, name: str) -> Callable[..., Any]:
    """Return the object registered as `name`.

    Raises:
        UsageError: there is none, or it cannot be imported.
    """
    points = [p for p in entry_points(group=GROUPS[kind]) if p.name == name]
    if not points:
        raise UsageError(f"no plugin {name!r} in {GROUPS[kind]}")
    return _load(points[0])


def load_plugins(kind: str, taken: tuple[str, ...] = ()) -> dict[str, Callable[..., Any]]:
    """Return every plugin of `kind` that loads; warn of the others, and of names that are taken."""
    loaded: dict[str, Callable[..., Any]] = {}
    for name in plugin_names(kind):
        if name in taken:
            warnings.warn(f"plugin {name!r} skipped: a built-in has its name", PluginWarning, 2)
            continue
        try:
            loaded[name] = load_plugin(kind, name)
        except UsageError as error:
            warnings.warn(f"{error}; it is skipped", PluginWarning, 2)
    return loaded


def _load(point: EntryPoint) -> Callable[..., Any]:
    try:
        extension = point.load()
    except Exception as error:  # a plugin may raise anything while it is imported
        cause = f"{type(error).__name__}: {error}"
        raise UsageError(f"plugin {point.name!r} ({point.value}) does not load: {cause}") from error
    if not callable(extension):
        raise UsageError(f"plugin {point.name!r} ({point.value}) is not callable")
    loaded: Callable[..., Any] = extension
    return loaded
