"""A local model that a server runs: its files say who answers, an endpoint gives the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from forensics.subjects.backends.backend import (
    BackendOptions,
    GenerationSettings,
    Request,
    ServedModel,
    Sink,
)
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.subjects.model_files.sources import ModelSource, open_source
from forensics.subjects.subject import Subject


class ServedBackend:
    """Answers as an endpoint does; who answers are the model's files, the engine and precision.

    The server's address is no part of that: started again, on another port, it is the same model,
    and answers that are on file are not asked for again.
    """

    def __init__(self, subject: Subject, served: ServedModel, options: BackendOptions) -> None:
        """Prepare; nothing is called yet."""
        endpoint = Subject(
            f"openai:{served.model}@{served.base_url}",
            "openai",
            served.model,
            base_url=served.base_url,
        )
        self._endpoint = OpenAIBackend(endpoint, replace(options, served=None))
        self._subject = subject
        self._served = served

    @cached_property
    def _identity(self) -> dict[str, Any]:
        return {
            **served_source(self._subject, "float32").identity,
            "engine": self._served.engine,
            "engine_version": self._served.version,
            "dtype": self._served.precision,
            "api": self._endpoint.options.api,
        }

    def identity(self) -> Mapping[str, Any]:
        """Return who answers; hashes or looks up the weights.

        Raises:
            BackendError: the model cannot be found.
        """
        return self._identity

    def notes(self) -> tuple[str, ...]:
        """Return how the endpoint had to be asked."""
        return self._endpoint.notes()

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        """Answer every request; see `OpenAIBackend.answer`."""
        self._endpoint.answer(requests, settings, sink)


def served_source(subject: Subject, dtype: str) -> ModelSource:
    """Return where the files of a local model are that a server is to run.

    Raises:
        BackendError, ModelFileError: it cannot be found, or its files are damaged.
        UsageError: no demo of that name.
    """
    if subject.kind == "demo":
        from forensics.subjects.model_files.demo_files import demo_source

        return demo_source(subject.target, dtype)
    return open_source(subject, dtype)
