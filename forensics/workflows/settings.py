"""Options of a run as settings of what they set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.subjects.backends.base import BackendOptions, GenerationSettings


def settings_from(options: dict[str, Any]) -> GenerationSettings:
    """Return the generation settings that the options describe."""
    from forensics.subjects.backends.base import GenerationSettings

    names = ("temperature", "max_tokens", "samples", "seed", "system_prompt")
    return GenerationSettings(**{name: options[name] for name in names})


def backend_options_from(options: dict[str, Any]) -> BackendOptions:
    """Return the backend options that the options describe."""
    from forensics.subjects.backends.base import BackendOptions

    names = ("dtype", "batch_size", "concurrency", "timeout")
    known = {name: options[name] for name in names}
    return BackendOptions(**known, api=options["api"] or "chat")
