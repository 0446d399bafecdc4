"""How common words and two-word sequences are in general English.

The table beside this file says where its figures come from. Words outside it are rarer than every
word in it; a pair outside it is taken to be as common as its words make it by chance, but no more
common than the rarest pair in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats
from forensics.transcripts.words import ngram_hashes

_TABLE = Path(__file__).with_name("general_english.txt")
_RAREST_WORDS = 3.0  # a word outside the table is taken to be this much rarer than its last one
_FUNCTION_WORDS = 100


@dataclass(frozen=True)
class _Frequencies:
    """Hashes in ascending order with the relative frequency of each, both of shape (k,)."""

    hashes: NDArray[np.uint64]
    values: Floats

    @classmethod
    def of(cls, table: dict[str, float], n: int) -> _Frequencies:
        forms = [form for entry in table for form in entry.split()]
        hashes = ngram_hashes(forms, n)[::n]
        order = np.argsort(hashes)
        return cls(hashes[order], np.array(list(table.values()))[order])

    def get(self, hashes: NDArray[np.uint64], otherwise: float) -> Floats:
        """Return the frequency of each hash, shape (len(hashes),)."""
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, self.values[at], otherwise)


@dataclass(frozen=True)
class GeneralEnglish:
    """Relative frequencies of words and pairs of words in general English."""

    frequencies: dict[str, float]
    function_words: frozenset[str]
    _words: _Frequencies
    _pairs: _Frequencies

    @property
    def rarest_word(self) -> float:
        """The frequency a word outside the table is taken to have."""
        return float(self._words.values.min()) / _RAREST_WORDS

    def word(self, form: str) -> float:
        """Return the relative frequency of a lower-case word."""
        return self.frequencies.get(form, self.rarest_word)

    def words(self, hashes: NDArray[np.uint64]) -> Floats:
        """Return relative frequencies of `ngram_hashes(forms, 1)`, shape (n,)."""
        return self._words.get(hashes, self.rarest_word)

    def pairs(self, hashes: NDArray[np.uint64], first: Floats, second: Floats) -> Floats:
        """Return relative frequencies of `ngram_hashes(forms, 2)`, shape (n,).

        Args:
            hashes: of the pairs, shape (n,).
            first: frequencies of the pairs' first words, shape (n,).
            second: of their second words, shape (n,).
        """
        known = self._pairs.get(hashes, 0.0)
        by_chance = np.minimum(first * second, self._pairs.values.min())
        return np.where(known > 0, known, by_chance)


@lru_cache(maxsize=1)
def general_english() -> GeneralEnglish:
    """Read the table beside this file, once."""
    table: dict[str, float] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        entry, _, value = line.partition("\t")
        if value:
            table[entry] = 10.0 ** (-int(value) / 100)
    words = {entry: value for entry, value in table.items() if " " not in entry}
    pairs = {entry: value for entry, value in table.items() if " " in entry}
    return GeneralEnglish(
        frequencies=table,
        function_words=frozenset(list(words)[:_FUNCTION_WORDS]),
        _words=_Frequencies.of(words, 1),
        _pairs=_Frequencies.of(pairs, 2),
    )
