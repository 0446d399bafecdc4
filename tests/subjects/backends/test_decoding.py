"""A batch gives what each prompt alone gives through the library's own decoding."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from forensics.subjects.backends.decoding import decode
from forensics.subjects.backends.kv_cache import roomy_cache
from tests.subjects.backends.tiny_model import make_tiny_model

MAX_TOKENS = 40
PAD = 0
SHARED = [5, 6, 7, 8]


@pytest.fixture(name="model", scope="module")
def model_fixture(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def prompts(count: int = 37) -> list[list[int]]:
    """Prompts of many lengths that share their first tokens, more than one group of them."""
    draw = torch.Generator().manual_seed(3)
    lengths = sorted(torch.randint(1, 30, (count,), generator=draw).tolist())
    return [SHARED + torch.randint(3, 300, (n,), generator=draw).tolist() for n in lengths]


def alone(model: Any, prompt: list[int], ends: frozenset[int]) -> list[int]:
    """Decode one prompt greedily with nothing of ours."""
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=MAX_TOKENS,
        eos_token_id=sorted(ends) or None,
        pad_token_id=PAD,
    )
    with torch.inference_mode():
        output = model.generate(torch.tensor([prompt]))
    answer: list[int] = output[0, len(prompt) :].tolist()
    return answer


def frequent(answers: list[list[int]]) -> frozenset[int]:
    """Tokens that many answers give: as end tokens they cut answers to many lengths."""
    counts = Counter(token for answer in answers for token in set(answer))
    return frozenset(token for token, _ in counts.most_common(3))


def test_batch_equals_one_at_a_time(model: Any) -> None:
    asked = prompts()
    ends = frequent([alone(model, prompt, frozenset()) for prompt in asked])
    expected = [alone(model, prompt, ends) for prompt in asked]
    lengths = {len(answer) for answer in expected}
    assert len(lengths) > 3, "answers must end at different places for this to test anything"
    keys = [str(i) for i in range(len(asked))]
    assert decode(model, asked, keys, ends, PAD, MAX_TOKENS, 0) == expected


def test_no_end_token_gives_all_tokens_asked_for(model: Any) -> None:
    answers = decode(model, prompts(3), ["a", "b", "c"], frozenset(), PAD, MAX_TOKENS, 0)
    assert [len(answer) for answer in answers] == [MAX_TOKENS] * 3


def test_draws_do_not_depend_on_the_batch(model: Any) -> None:
    asked = prompts(20)
    keys = [f"key {i}" for i in range(20)]
    ends = frequent([alone(model, prompt, frozenset()) for prompt in asked])
    together = decode(model, asked, keys, ends, PAD, MAX_TOKENS, 1.0)
    apart = [
        decode(model, [prompt], [key], ends, PAD, MAX_TOKENS, 1.0)[0]
        for prompt, key in zip(asked, keys, strict=True)
    ]
    assert together == apart
    assert together != decode(model, asked, keys, ends, PAD, MAX_TOKENS, 0)


def test_sliding_windows_are_left_to_the_library(tmp_path: Path) -> None:
    from transformers import MistralConfig

    assert roomy_cache(MistralConfig(sliding_window=8, num_hidden_layers=2)) is None
    assert roomy_cache(MistralConfig(sliding_window=8, num_hidden_layers=2), 8) is None
    assert roomy_cache(MistralConfig(sliding_window=8, num_hidden_layers=2), 7) is not None
    assert roomy_cache(MistralConfig(sliding_window=None, num_hidden_layers=2)) is not None
