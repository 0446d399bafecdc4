"""Libraries kept off the user's terminal, and their errors as one line."""

from __future__ import annotations

import importlib
from typing import Any


def quiet() -> None:
    """Keep the libraries' progress bars and notices off the user's terminal."""
    import transformers

    quiet_hub()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def quiet_hub() -> None:
    """Keep the hub's progress bars and its count of retries off the user's terminal."""
    hub: Any = importlib.import_module("huggingface_hub.utils")  # its exports are not typed
    hub.disable_progress_bars()
    hub.logging.set_verbosity_error()


def why(error: BaseException) -> str:
    """Return an error's message as one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"
