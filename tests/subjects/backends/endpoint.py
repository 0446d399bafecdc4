"""What the endpoint tests share: small suites, and backends that wait only milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics.examination.collect import collect
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, Request
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt, Suite
from forensics.transcripts.transcript import Response, Transcript
from tests.loopback import Loopback

Start = Callable[..., Loopback]
KEY = "sk-test-4Zq9wLrT7bKd2mVx"
SETTINGS = GenerationSettings(max_tokens=16)


def make_suite(count: int) -> Suite:
    prompts = tuple(Prompt(f"p{i}", (Message("user", f"Question {i}"),)) for i in range(count))
    return Suite("test", "1", "Test", prompts)


def make_requests(count: int = 1, prompts: Sequence[Prompt] = ()) -> list[Request]:
    chosen = prompts or make_suite(count).prompts
    return [Request(prompt, 0, 16, f"key-{i}") for i, prompt in enumerate(chosen)]


def make_backend(url: str, **options: Any) -> OpenAIBackend:
    backend = OpenAIBackend(parse_subject("openai:m", base_url=url), BackendOptions(**options))
    backend.retry_wait_initial = 0.001
    return backend


def ask(
    backend: OpenAIBackend,
    count: int = 1,
    settings: GenerationSettings = SETTINGS,
    prompts: Sequence[Prompt] = (),
) -> list[Response]:
    found: list[Response] = []
    backend.answer(make_requests(count, prompts), settings, found.append)
    return found


def ask_one(url: str, **options: Any) -> Response:
    [response] = ask(make_backend(url, **options))
    return response


def run_collect(server: Loopback, path: Path, count: int, **options: Any) -> Transcript:
    subject = parse_subject("openai:m", base_url=server.url)
    return collect(make_suite(count), subject, make_backend(server.url, **options), SETTINGS, path)
