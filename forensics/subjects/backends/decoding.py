"""Prompts' tokens → answers' tokens, a whole batch at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.nn import functional
from transformers import GenerationConfig

from forensics.subjects.backends.kv_cache import joined, roomy_cache

_GROUP = 16  # prompts read together: more would be of many lengths, and filling up costs time
_ROUND = 16  # tokens between two looks at which answers have ended


class NaNLogitsError(RuntimeError):
    """The model gave NaN instead of probabilities."""


def decode(
    model: Any,
    prompts: Sequence[list[int]],
    keys: Sequence[str],
    ends: frozenset[int],
    pad: int,
    max_tokens: int,
    temperature: float,
) -> list[list[int]]:
    """Return each prompt's new tokens, the end token included where the model gave one.

    Args:
        model: a causal language model of transformers, on its device.
        prompts: token ids of each prompt.
        keys: one a prompt; seeds its noise where temperature is not 0.
        ends: tokens that end an answer.
        pad: the token that fills up short prompts.
        max_tokens: most new tokens an answer may have.
        temperature: 0 decodes greedily.

    Raises:
        NaNLogitsError: the model gave NaN.
        RuntimeError, MemoryError: memory ran out.
    """
    generate = partial(_generate, model, ends, pad)
    if roomy_cache(model.config) is None:
        # Without a cache of ours answers that have ended cannot be taken out.
        tokens, mask = _padded(prompts, pad, 0, model.device)
        output = generate(_Reading(tokens, mask, None, _Draw.seeded(temperature, keys)), max_tokens)
        return [_until_end(new, ends) for new in output.new(tokens)]
    shared = _shared_start(prompts)
    groups = []
    for at in range(0, len(prompts), _GROUP):
        group = slice(at, at + _GROUP)
        draw = _Draw.seeded(temperature, keys[group])
        groups.append(generate(_begin(model, prompts[group], shared, pad, draw), 1))
    reading = _side_by_side(groups, pad)
    answers = [[token] for token in reading.tokens[:, -1].tolist()]
    going = list(range(len(prompts)))
    while True:
        unfinished = [i for i, row in enumerate(going) if answers[row][-1] not in ends]
        going = [going[i] for i in unfinished]
        left = max_tokens - max((len(answers[row]) for row in going), default=max_tokens)
        if not left:
            return answers
        before = reading.only(unfinished)
        reading = generate(before, min(left, _ROUND))
        for row, new in zip(going, reading.new(before.tokens), strict=True):
            answers[row] += _until_end(new, ends)


@dataclass(frozen=True)
class _Reading:
    """What was read and written so far.

    `tokens` and `mask` are (rows x width); `cache` holds all but the last column. Gaps, where the
    mask is 0, may lie anywhere: positions are counted over the mask.
    """

    tokens: torch.Tensor
    mask: torch.Tensor
    cache: Any
    draw: _Draw

    def new(self, before: torch.Tensor) -> list[list[int]]:
        """Return the tokens that came after `before`, row by row."""
        rows: list[list[int]] = self.tokens[:, before.shape[1] :].tolist()
        return rows

    def only(self, rows: list[int]) -> _Reading:
        """Return what is left when only these rows go on."""
        if len(rows) == len(self.tokens):
            return self
        self.cache.batch_select_indices(torch.tensor(rows, device=self.tokens.device))
        draw = _Draw(self.draw.temperature, [self.draw.generators[row] for row in rows])
        return _Reading(self.tokens[rows], self.mask[rows], self.cache, draw)


def _begin(
    model: Any, prompts: Sequence[list[int]], shared: int, pad: int, draw: _Draw
) -> _Reading:
    """Return prompts of which the `shared` first tokens are read.

    A chat template's system prompt is half of a short question: reading it once for many prompts
    saves a quarter of the time.
    """
    tokens, mask = _padded(prompts, pad, shared, model.device)
    cache = roomy_cache(model.config)
    if shared and cache is not None:
        with torch.inference_mode():
            model(tokens[:1, :shared], past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(prompts))
    return _Reading(tokens, mask, cache, draw)


def _generate(
    model: Any, ends: frozenset[int], pad: int, reading: _Reading, steps: int
) -> _Reading:
    """Return the reading with up to `steps` more tokens in each row."""
    # A fresh configuration in the model's place: generate() would fill ours up from the model's.
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=steps,
        eos_token_id=sorted(ends) or None,
        pad_token_id=pad,
    )
    with torch.inference_mode():
        tokens = model.generate(
            reading.tokens,
            attention_mask=reading.mask,
            past_key_values=reading.cache,
            logits_processor=[reading.draw],
        )
    grown = tokens.shape[1] - reading.tokens.shape[1]
    return replace(reading, tokens=tokens, mask=functional.pad(reading.mask, (0, grown), value=1))


def _side_by_side(groups: Sequence[_Reading], pad: int) -> _Reading:
    """Return groups as one, each filled up on the left to the width of the widest."""
    width = max(group.tokens.shape[1] for group in groups)
    gaps = [width - group.tokens.shape[1] for group in groups]
    tokens = torch.cat(
        [functional.pad(g.tokens, (gap, 0), value=pad) for g, gap in zip(groups, gaps, strict=True)]
    )
    mask = torch.cat(
        [functional.pad(g.mask, (gap, 0)) for g, gap in zip(groups, gaps, strict=True)]
    )
    cache = joined([group.cache for group in groups], gaps)
    draw = _Draw(groups[0].draw.temperature, [g for x in groups for g in x.draw.generators])
    return _Reading(tokens, mask, cache, draw)


def _padded(
    prompts: Sequence[list[int]], pad: int, shared: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask, both (prompts x longest prompt), filled after `shared` tokens."""
    width = max(map(len, prompts))
    gaps = [width - len(tokens) for tokens in prompts]
    filled = [
        tokens[:shared] + [pad] * gap + tokens[shared:]
        for tokens, gap in zip(prompts, gaps, strict=True)
    ]
    mask = [[1] * shared + [0] * gap + [1] * (width - shared - gap) for gap in gaps]
    return torch.tensor(filled, device=device), torch.tensor(mask, device=device)


def _shared_start(prompts: Sequence[list[int]]) -> int:
    """Return how many first tokens all prompts share; each keeps at least one of its own."""
    if len(prompts) == 1:
        return 0
    first, last = min(prompts), max(prompts)
    longest = min(map(len, prompts)) - 1
    return next((i for i in range(longest) if first[i] != last[i]), longest)


def _until_end(tokens: list[int], ends: frozenset[int]) -> list[int]:
    for i, token in enumerate(tokens):
        if token in ends:
            return tokens[: i + 1]
    return tokens


class _Draw:
    """A logits processor that makes greedy decoding draw from softmax(logits / temperature).

    Adding Gumbel noise and taking the maximum is sampling from the softmax (Maddison et al. 2014,
    "A* Sampling"). Each row has its own generator, seeded by the request's key: a resumed run,
    whose batches are cut differently, draws the same noise. The key holds the model's identity, so
    that two models asked the same question do not share noise, which would make them look alike.
    """

    def __init__(self, temperature: float, generators: Sequence[torch.Generator]) -> None:
        self.temperature = temperature
        self.generators = generators

    @classmethod
    def seeded(cls, temperature: float, keys: Sequence[str]) -> _Draw:
        """Return draws for rows with these keys."""
        return cls(temperature, [torch.Generator().manual_seed(_seed(key)) for key in keys])

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if bool(torch.isnan(scores).any()):
            raise NaNLogitsError
        if self.temperature == 0:
            return scores
        noise = torch.stack(
            [torch.empty(scores.shape[1]).exponential_(generator=g) for g in self.generators]
        )
        return scores.float() / self.temperature - noise.log().to(scores.device)


def _seed(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:7], "big")
