"""What a baseline knows: which answers to a prompt are usual, and how often others come.

The stored draws of each prompt are split by their number. The first half says which answers are
usual; the second, which had no part in that, says how often the watched model itself gives another.
Long or varied answers are cut to their first characters, as many as repeat often enough.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MIN_SAMPLES = 8  # stored draws a prompt; with fewer neither half says anything
MIN_PROMPTS = 8
_LENGTHS = (200, 16, 8, 4, 2, 1)  # characters
_MOST_UNSEEN = 0.25  # of answers; with more, a prompt tells nothing at this length
_STEADY = 0.8  # a prompt whose draws agree more often cannot show a cache


@dataclass(frozen=True)
class WatchedPrompt:
    """One prompt: `usual` are its usual answers, cut to `length` characters.

    `strange` of `tested` stored draws that had no part in choosing them are not among them, and
    `agreement` is the share of pairs of stored draws that are the same.
    """

    sha256: str
    length: int
    usual: frozenset[str]
    strange: int
    tested: int
    agreement: float

    @property
    def varies(self) -> bool:
        """Whether two draws differ often enough for a cache to be noticed."""
        return self.agreement <= _STEADY

    def is_strange(self, text: str) -> bool:
        """Tell whether an answer is not a usual one."""
        return text.strip()[: self.length] not in self.usual


@dataclass(frozen=True)
class WatchReference:
    """The prompts that are asked, in the order of their hashes, and what fixes their sequence."""

    prompts: tuple[WatchedPrompt, ...]
    seed: str

    def prompt_of(self, call: int) -> WatchedPrompt:
        """Return the prompt of a call: drawn evenly, fixed before anybody answers.

        Args:
            call: its number, from 0.
        """
        digest = hashlib.sha256(f"{self.seed}:{call}".encode("ascii")).digest()
        return self.prompts[int.from_bytes(digest[:8], "big") % len(self.prompts)]

    @property
    def strange(self) -> int:
        """How many tested draws are strange."""
        return sum(prompt.strange for prompt in self.prompts)

    @property
    def tested(self) -> int:
        """How many stored draws were tested."""
        return sum(prompt.tested for prompt in self.prompts)


def learn(draws: Mapping[str, Sequence[str]], seed: str) -> WatchReference:
    """Return what stored draws say; prompts whose answers never repeat are left out.

    Every prompt kept has the same number of tested draws, so that each weighs the same.

    Args:
        draws: prompt hash → stored answers, in the order of their numbers.
        seed: what fixes the sequence of prompts, such as the baseline's hash.
    """
    enough = {key: texts for key, texts in draws.items() if len(texts) >= MIN_SAMPLES}
    if not enough:
        return WatchReference((), seed)
    half = min(len(texts) for texts in enough.values()) // 2
    watched = (_watched(key, enough[key], half) for key in sorted(enough))
    return WatchReference(tuple(prompt for prompt in watched if prompt is not None), seed)


def _watched(key: str, texts: Sequence[str], half: int) -> WatchedPrompt | None:
    stripped = [text.strip() for text in texts]
    first, second = stripped[:half], stripped[half : 2 * half]
    for length in _LENGTHS:
        counts = Counter(text[:length] for text in first)
        # How often a further draw is one not seen yet (Good 1953): the share seen only once.
        unseen = sum(count == 1 for count in counts.values()) / half
        if unseen <= _MOST_UNSEEN:
            strange = sum(text[:length] not in counts for text in second)
            return WatchedPrompt(key, length, frozenset(counts), strange, half, _agreement(first))
    return None


def _agreement(texts: Sequence[str]) -> float:
    pairs = len(texts) * (len(texts) - 1)
    same = sum(count * (count - 1) for count in Counter(texts).values())
    return same / pairs if pairs else 1.0
