"""Where answers come from: one file each."""

from __future__ import annotations

from forensics.errors import UsageError
from forensics.subjects.backends.backend import (
    Backend,
    BackendOptions,
    GenerationSettings,
    Request,
    Sink,
)
from forensics.subjects.subject import Subject

__all__ = ["Backend", "BackendOptions", "GenerationSettings", "Request", "Sink", "open_backend"]


def open_backend(subject: Subject, options: BackendOptions | None = None) -> Backend:
    """Return the backend that can answer for `subject`; nothing is loaded or called yet.

    Raises:
        UsageError: a transcript, which already holds its answers, or a plugin that does not load.
    """
    options = options or BackendOptions()
    if options.served is not None and options.served.spec == subject.spec:
        from forensics.subjects.backends.served import ServedBackend

        return ServedBackend(subject, options.served, options)
    match subject.kind:
        case "openai":
            from forensics.subjects.backends.openai import OpenAIBackend

            return OpenAIBackend(subject, options)
        case "demo":
            from forensics.subjects.backends.demo import open_demo

            return open_demo(subject, options)
        case "hf" | "gguf":
            from forensics.subjects.backends.transformers import TransformersBackend

            return TransformersBackend(subject, options)
        case "transcript":
            raise UsageError(f"{subject.spec} already holds its answers; there is nothing to ask")
        case plugin:
            from forensics.support.plugins import load_plugin

            backend: Backend = load_plugin("backends", plugin)(subject, options)
            return backend
