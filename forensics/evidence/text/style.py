"""Style: function words, punctuation, sentence and word lengths.

What a writer does without thinking about it. Words of several languages are counted, so that a
profile says something for every answer a suite asks for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.evidence import Evidence, Tier
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.profiles import Profile, compare_profiles
from forensics.examination.examined import Examined, Need

_FUNCTION_WORDS = """
    the of and to a in that is it for as with on by this be or are an not from at which can have
    has will but they their its you your we our i my me he his she her if when while such also
    more most some any all each other these those there here so than then into through between
    about over under within without may might could should would must do does did been being was
    were had however therefore thus furthermore additionally moreover overall instead rather
    even just only both either because since although though whether where what how why who very
    often always never still well first second finally please no der die das und ist nicht ein
    eine zu den le la les des et est une que el los las y es un de в и не на что это с как
"""
FUNCTION_WORDS = tuple(_FUNCTION_WORDS.split())
PUNCTUATION = (",", ".", ";", ":", "!", "?", "(", ")", '"', "'", "-", "/", "*", "、", "。", "，")
_LENGTHS = ("word length", "words per sentence", "sentence length spread", "type-token ratio")
FEATURES = (
    *(f"word: {word}" for word in FUNCTION_WORDS),
    *(f"mark: {mark}" for mark in PUNCTUATION),
    *_LENGTHS,
)
_SENTENCE_END = re.compile(r"[.!?。！？]+[\s\"')\]]*|\n+")


@dataclass(frozen=True)
class Style:
    """Compares writing style by cosine delta, with Burrows's Delta beside it."""

    name: str = "style"
    title: str = "Writing style"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Profile:
        """Return rates per word of function words and punctuation, and lengths."""
        rates = [
            _rates(answer.text, forms)
            for answer, forms in zip(examined.answers, examined.words, strict=True)
        ]
        return Profile(FEATURES, examined.answers, np.array(rates).reshape(-1, len(FEATURES)))

    def compare(self, a: Profile, b: Profile) -> Evidence:
        """Return the similarity of the two style profiles."""
        return compare_profiles(
            self,
            a,
            b,
            "cosine delta of function words, punctuation and lengths, matched minus mismatched",
            ("Answer length and decoding settings change style without any kinship.",),
        )


def _rates(text: str, forms: Sequence[str]) -> Floats:
    total = max(len(forms), 1)
    counts = Counter(forms)
    # Square roots even out the variance of counts, which grows with their mean.
    frequencies = np.sqrt([counts[form] / total for form in (*FUNCTION_WORDS, *PUNCTUATION)])
    sentences = [len(part.split()) for part in _SENTENCE_END.split(text) if part.strip()] or [0]
    lengths = [(len(form), count) for form, count in counts.items() if form[0].isalpha()]
    letters, spelled = (sum(n * c for n, c in lengths), sum(c for _, c in lengths))
    return np.concatenate(
        [
            frequencies,
            [
                letters / max(spelled, 1),
                float(np.log1p(np.mean(sentences))),
                float(np.log1p(np.std(sentences))),
                len(set(forms[:100])) / min(total, 100),
            ],
        ]
    )
