"""Heavy libraries, loaded when they are needed; one that does not load is one line."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from forensics.errors import MissingDependencyError
from forensics.support.quiet import why


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no garbage for a while, as where what is made stays: modules, layers of a model.

    A fifth of the time that torch and transformers take to load goes into looking.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def require(*names: str) -> None:
    """Import packages, in this order.

    Args:
        names: as they are imported, such as `sentence_transformers`.

    Raises:
        MissingDependencyError: one is not installed, or its installation is broken.
    """
    with collection_paused():
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # a broken installation may raise anything
                raise MissingDependencyError(_explain(name, error)) from error


def _explain(name: str, error: Exception) -> str:
    package = name.replace("_", "-")
    if isinstance(error, ModuleNotFoundError) and find_spec(name) is None:
        return f"the package {package} is not installed; run: pip install {package}"
    cause = f"{type(error).__name__}: {why(error)}"
    return (
        f"the package {package} is installed and cannot be loaded ({cause}); run: "
        f"pip install --force-reinstall {package}"
    )
