"""Can anybody tell served from withheld answers by reading them alone? Nobody must.

Ridge regression on character n-grams learns which of a prompt's two answers was served, and is
judged on prompts it did not see. Its accuracy is compared with those it has when answers are dealt
anew: the test is exact, as it is repeated whole for every way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import category

import numpy as np

from forensics.evidence.exposure.arrangements import Floats

MOST_PAIRS = 1_000
_FOLDS = 5
_DRAWS = 4_999
_CHARACTERS = 4_000
_SPACES = 0xF0000  # where a plane for private use begins
_EDGE = chr(_SPACES)
_RARE = 5.0  # pairs; keeps what differs once or twice from weighing most


@dataclass(frozen=True)
class TextOnly:
    """Share of held-out pairs that text alone puts the right way round, and its p-value."""

    accuracy: float
    p_value: float
    pairs: int


def text_only(served: Sequence[str], withheld: Sequence[str], seed: int = 0) -> TextOnly:
    """Test whether text alone tells the two sides apart, better than when dealt anew.

    Args:
        served: n answers.
        withheld: n others, to the same prompts.
        seed: of the ways to deal.
    """
    served, withheld = served[:MOST_PAIRS], withheld[:MOST_PAIRS]
    predictor = _held_out_predictor(_kernel(served, withheld))
    generator = np.random.default_rng(seed)
    signs = generator.choice([-1.0, 1.0], size=(_DRAWS, len(served)))
    # Dealing pair i the other way negates its row and column of the kernel and nothing else.
    dealt = _accuracies(predictor, signs)
    seen = float(_accuracies(predictor, np.ones((1, len(served))))[0])
    reached = int((dealt >= seen - 1e-12).sum())
    return TextOnly(seen, (1 + reached) / (1 + _DRAWS), len(served))


def _kernel(served: Sequence[str], withheld: Sequence[str]) -> Floats:
    from sklearn.feature_extraction.text import HashingVectorizer

    counted = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(1, 4),
        lowercase=False,  # edits of capitals and of white space are edits
        n_features=1 << 15,
        alternate_sign=False,
        norm=None,
        binary=True,
    )
    sides = [counted.transform([_readable(text) for text in side]) for side in (served, withheld)]
    difference = sides[0] - sides[1]
    # What often differs counts less; the weight is the same whichever side was served.
    often = np.asarray(difference.multiply(difference).sum(axis=0)).ravel()
    difference = difference.multiply(1.0 / np.sqrt(often + _RARE)).tocsr()
    lengths = [np.log1p([len(text) for text in side]) for side in (served, withheld)]
    sizes = (lengths[0] - lengths[1])[:, None]
    kernel: Floats = (difference @ difference.T).toarray() + sizes @ sizes.T
    return kernel


def _readable(text: str) -> str:
    """Return text in which edits of white space, and of how it begins and ends, can be read."""
    cut = text[:_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    if not cut:
        return cut
    # What is more than one plain space, the analyser would take for one.
    spaced = re.sub(r"(?! )\s|(?<= ) ", lambda space: chr(_SPACES + ord(space[0])), cut)
    begins, ends = category(cut[0]), category(cut[-1])
    return f"{spaced} {_EDGE}{begins} {ends}{_EDGE}"


def _held_out_predictor(kernel: Floats) -> Floats:
    """Return the matrix that maps the sides seen to what is predicted of pairs left out."""
    many = len(kernel)
    fold = np.arange(many) % _FOLDS
    ridge = max(float(np.trace(kernel)) / many, 1e-12)
    predictor = np.zeros((many, many))
    for number in range(_FOLDS):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if not len(out) or not len(rest):
            continue
        inside = kernel[np.ix_(rest, rest)] + ridge * np.eye(len(rest))
        predictor[np.ix_(out, rest)] = np.linalg.solve(inside, kernel[np.ix_(rest, out)]).T
    return predictor


def _accuracies(predictor: Floats, signs: Floats) -> Floats:
    guesses = signs * (signs @ predictor.T)
    right: Floats = ((guesses > 0) + 0.5 * (guesses == 0)).mean(axis=1)
    return right
