"""Tokenizer: vocabulary, merges, order of ids, special tokens, preparation and chat template.

Unrelated tokenizers share most of their tokens: of 33 pairs among nine made independently, the
smaller vocabulary was found in the other to 55 to 98 percent, more the larger the other is. Which
token *follows* which is another matter: training numbers tokens by their counts in its own text,
and two runs hardly ever agree on a neighbour, while a copied or extended vocabulary keeps them.
"""

from __future__ import annotations

import difflib
import itertools
import math
from dataclasses import dataclass
from itertools import islice

from forensics.case.details.tokenizer import (
    SharedMerges,
    SharedVocabulary,
    SpecialTokens,
    TemplateDifference,
    VocabularyDetails,
)
from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import scored, without_score
from forensics.examination.examined import Examined, Need
from forensics.subjects.model_files.tokenizer_files import TokenizerFacts, read_tokenizer

LEAST_SHARED = 100
# Known copies and extensions keep 0.90 or more of the successors (22 pairs), unrelated tokenizers
# 0.05 at most (189 pairs of 20) and real ones 0.0005 (41 pairs of ten). Between lie tokenizers
# trained apart on nearly one text: where 0 to 75 % of it was the same the score was 0.039 at most
# (30 pairs, answers and Python), where 99 % was, 0.18 to 0.42 (6 pairs). Held against other texts
# (manuals, scripts): all 30 pairs of up to 75 % below the lower limit (at most 0.041), 2 of 6 of
# 90 % and all 12 of 95 and 99 % between (at most 0.43), both of one text and two sizes at 1.
KIN = 0.5
UNRELATED_HIGHEST = 0.05
# Least-squares fit of the logit of the overlap to the 33 pairs of real tokenizers with 31,600 to
# 255,400 tokens: intercept at 10,000 tokens, log smaller size / 10,000, log size ratio; the
# residual's standard deviation.
_FIT = (0.742, -0.229, 1.197)
_FIT_DEVIATION = 0.380
_FITTED_SIZES = (30_000, 260_000)
_CAVEATS = (
    "A shared tokenizer is not shared weights: StableLM took over Pythia's tokenizer and was "
    "trained from scratch.",
)
_UNDETERMINED = (
    "Tokenizers trained apart on nine tenths or more of the same text share as much of their order "
    "as these, and so may a copy whose order was worked over."
)
_MOST_SHOWN = 20
_LONGEST_LINE = 120


@dataclass(frozen=True)
class Tokenizer:
    """Compares two tokenizers by the order their shared tokens are numbered in."""

    name: str = "tokenizer"
    title: str = "Tokenizer files"
    tier: Tier = "tokenizer"
    needs: frozenset[Need] = frozenset({"tokenizer"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> TokenizerFacts:
        """Return what the tokenizer's files say.

        Raises:
            BackendError: they are damaged, of an unknown kind, or need code of the model's own.
        """
        assert examined.files is not None  # noqa: S101 (`needs` says so)
        return read_tokenizer(examined.files)

    def compare(self, a: TokenizerFacts, b: TokenizerFacts) -> Evidence:
        """Return how much of the vocabulary's order the two share, and all else they share."""
        # Single bytes are numbered alike by every tokenizer of a kind.
        first, second = (
            {token: n for token, n in side.ids.items() if len(token) > 1} for side in (a, b)
        )
        shared = sorted(first.keys() & second.keys(), key=lambda token: (first[token], token))
        if len(shared) < LEAST_SHARED:
            reason = f"{len(shared)} tokens longer than a byte are in both; too few to tell"
            return without_score(self, "insufficient", reason, len(shared))
        score = kept_successors([second[token] for token in shared])
        kin = True if score >= KIN else False if score < UNRELATED_HIGHEST else None
        overlap = len(shared) / min(len(first), len(second))
        expected = expected_overlap(len(first), len(second))
        return scored(
            self,
            scale=(
                "share of the shared tokens that have the same successor in both vocabularies "
                f"(made apart: below {UNRELATED_HIGHEST}; copied or extended: {KIN} and more)"
            ),
            score=score,
            matched=overlap,
            baseline=expected,
            n=len(shared),
            caveats=_CAVEATS + _between(kin) + _outside(len(first), len(second)),
            details=VocabularyDetails(
                reading=_reading(kin, a, b),
                kin=kin,
                vocabulary=SharedVocabulary(
                    a=len(a.vocabulary),
                    b=len(b.vocabulary),
                    shared=len(shared),
                    share_of_smaller=round(overlap, 4),
                    expected_of_unrelated=round(expected, 4),
                    deviations_above_unrelated=round(_deviations(overlap, expected), 2),
                    same_id=round(sum(first[t] == second[t] for t in shared) / len(shared), 4),
                ),
                merges=_merges(a, b),
                special=_special(a, b),
                same_normaliser=a.normaliser == b.normaliser,
                same_pre_tokeniser=a.pre_tokeniser == b.pre_tokeniser,
                kinds=(a.kind, b.kind),
                chat_template=template_difference(a.template, b.template),
            ),
        )


def kept_successors(ids: list[int]) -> float:
    """Return the share of neighbours that stay neighbours.

    Args:
        ids: in the second vocabulary, of the shared tokens in the first one's order; no id twice.

    Returns:
        0 to 1: the share of consecutive tokens that follow one another in the second vocabulary
        too, tokens only one of the two has left out. It is the same from either side.
    """
    rank = {number: place for place, number in enumerate(sorted(ids))}
    places = [rank[number] for number in ids]
    neighbours = sum(after == before + 1 for before, after in itertools.pairwise(places))
    return neighbours / max(len(ids) - 1, 1)


def expected_overlap(a: int, b: int) -> float:
    """Return the share of the smaller vocabulary that an unrelated one of that size has too.

    Args:
        a: number of tokens longer than a byte.
        b: the other's.
    """
    small, large = sorted((a, b))
    logit = _FIT[0] + _FIT[1] * math.log(small / 10_000) + _FIT[2] * math.log(large / small)
    return 1 / (1 + math.exp(-logit))


def _deviations(overlap: float, expected: float) -> float:
    # A full overlap has no finite logit.
    overlap = min(max(overlap, 1e-4), 1 - 1e-4)
    logits = [math.log(share / (1 - share)) for share in (overlap, expected)]
    return (logits[0] - logits[1]) / _FIT_DEVIATION


def _outside(a: int, b: int) -> tuple[str, ...]:
    if _FITTED_SIZES[0] <= min(a, b) and max(a, b) <= _FITTED_SIZES[1]:
        return ()
    return (
        "The expected overlap is extrapolated: it was measured on vocabularies of "
        f"{_FITTED_SIZES[0]:,} to {_FITTED_SIZES[1]:,} tokens.",
    )


def _between(kin: bool | None) -> tuple[str, ...]:
    return (_UNDETERMINED,) if kin is None else ()


def _reading(kin: bool | None, a: TokenizerFacts, b: TokenizerFacts) -> str:
    if kin is None:
        return "undetermined: more order in common than if made apart, less than copies have"
    if not kin:
        return "made independently, as far as the order of the tokens tells"
    if a.vocabulary == b.vocabulary:
        return "the same vocabulary"
    if len(a.vocabulary) == len(b.vocabulary):
        return "one vocabulary with few changes"
    return f"one vocabulary extends or cuts the other's ({_longer(a, b)} has more tokens)"


def _longer(a: TokenizerFacts, b: TokenizerFacts) -> str:
    return "A" if len(a.vocabulary) > len(b.vocabulary) else "B"


def _merges(a: TokenizerFacts, b: TokenizerFacts) -> SharedMerges:
    shared = len(a.pairs.keys() & b.pairs.keys())
    fewer = min(len(a.pairs), len(b.pairs))
    share = round(shared / fewer, 4) if fewer else 0.0
    return SharedMerges(a=len(a.pairs), b=len(b.pairs), shared=shared, share_of_fewer=share)


def _special(a: TokenizerFacts, b: TokenizerFacts) -> SpecialTokens:
    shared = sorted(a.special.keys() & b.special.keys())
    return SpecialTokens(
        a=len(a.special),
        b=len(b.special),
        shared=tuple(shared[:_MOST_SHOWN]),
        same_id=sum(a.special[token] == b.special[token] for token in shared),
        only_a=tuple(sorted(a.special.keys() - b.special.keys())[:_MOST_SHOWN]),
        only_b=tuple(sorted(b.special.keys() - a.special.keys())[:_MOST_SHOWN]),
    )


def template_difference(a: str | None, b: str | None) -> TemplateDifference:
    """Return how alike two chat templates are once white space is normalised."""
    if not a or not b:
        return TemplateDifference(likeness=None, difference=(), has=(bool(a), bool(b)))
    first, second = _template_lines(a), _template_lines(b)
    difference = difflib.unified_diff(first, second, "A", "B", lineterm="", n=0)
    return TemplateDifference(
        likeness=round(difflib.SequenceMatcher(None, first, second).ratio(), 4),
        difference=tuple(line[:_LONGEST_LINE] for line in islice(difference, _MOST_SHOWN)),
        has=(True, True),
    )


def _template_lines(template: str) -> list[str]:
    # Templates are often one long line, and spaces outside text mean nothing: a tag each.
    text = template.replace("{%-", "{%").replace("-%}", "%}").replace("{%", "\n{%")
    text = text.replace("%}", "%}\n").replace("{{", "\n{{").replace("}}", "}}\n")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
