"""Lexicon: which words and phrases does each use more than general English does?

Every word and pair of words has log-odds against general English with an informative Dirichlet
prior (Monroe, Colaresi & Quinn 2008, Fightin' Words, Political Analysis 16(4), sections 3.3 to
3.5; the prior is general English, so its log-odds are what a word is measured against). An answer
becomes the over-used words and pairs in it, weighed by how over-used its subject's answers show
them to be; answers are then compared on matched against mismatched prompts. Words of the prompt
do not count.

What was tried on answers of 163 models with known lineage (87 close relatives against 400
unrelated pairs, 100 prompts) and left out, with the area under the ROC curve, first over pairs,
then with every lineage cluster weighing the same: one over-use vector per subject, compared by
cosine over the words over-used by either (.939, .841) or by correlation (.934, .835); the same
between different halves of the prompts, which leaves habit alone (.855, .69): unrelated assistants
over-use the same words. Weights by count (.955, .896) do no better than by presence
(.963 [.892, .992] with clusters resampled, .926), which is what stands here; rarity in general
English alone does as well as over-use (.970, .927), but would not say what a subject over-uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forensics.case.details.text import LexiconDetails, SharedPhrase
from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import MIN_PROMPTS, exhibit, matched_evidence, without_score
from forensics.evidence.features.general_english import general_english
from forensics.evidence.features.matched_prompts import Floats, Matched, PromptRows, prompt_rows
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer
from forensics.transcripts.words import ngram_hashes, tokens, words

_COLUMNS = 2**20
_PRIOR_WORDS = 500.0  # weight of the prior in words: a tenth or ten times this changes nothing
_ENGLISH = 0.2  # English has 40 % function words or more, other languages next to none
_Z = 1.96
# What is shown must be this over-used, and on this many prompts: else it is the subject matter.
_FOLD = 2.0
_MIN_PROMPTS_WITH = 3
_MIN_SHARE_WITH = 0.04
_NAMED = 300
_SHOWN = 15
_EXHIBITS = 3
_TELLING = 3  # one over-used word that both hold is no passage to show
_MIN_CHARS = 100
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Overuse:
    """One subject's over-used words and pairs.

    `rows` are the answers in English; `z` maps the most over-used words and pairs to their z-score
    against general English.
    """

    rows: PromptRows
    z: dict[str, float]
    answers: int


@dataclass(frozen=True)
class Lexicon:
    """Compares over-used words and phrases."""

    name: str = "lexicon"
    title: str = "Over-used words and phrases"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Overuse:
        """Return unit rows of over-used words and pairs, for answers in English."""
        in_english = _in_english(examined)
        answers = [answer for answer, _ in in_english]
        if not in_english:
            empty = np.empty((0, 1), dtype=np.float32)
            return Overuse(prompt_rows((), empty), {}, len(examined.answers))
        uses = _uses(in_english)
        grams = [_grams(use) for use in uses]
        rows = prompt_rows(answers, _unit_rows(uses, grams, len(answers)))
        named = [_named(use, gram, answers) for use, gram in zip(uses, grams, strict=True)]
        return Overuse(rows, named[0] | named[1], len(examined.answers))

    def compare(self, a: Overuse, b: Overuse) -> Evidence:
        """Return how far matched answers share over-used words beyond mismatched ones.

        `details` lists what both subjects over-use most, with their z-scores.
        """
        common = len(set(a.rows.prompts) & set(b.rows.prompts))
        if common < MIN_PROMPTS:
            reason = (
                f"{common} matched prompts have answers of both in English; "
                f"at least {MIN_PROMPTS} are needed"
            )
            return without_score(self, "insufficient", reason, common)
        evidence = matched_evidence(
            self,
            a.rows,
            b.rows,
            "cosine of over-used words and word pairs, matched minus mismatched prompts",
            lambda matched: _exhibits(matched, a, b),
            (
                "The measure is general English: answers in other languages are left out.",
                "Unrelated assistants over-use many of the same words.",
            ),
        )
        return evidence.with_details(
            LexiconDetails(shared=_shared(a, b), english_a=_share(a), english_b=_share(b))
        )


Kept = Sequence[tuple[Answer, Sequence[str]]]


def _in_english(examined: Examined) -> Kept:
    english = general_english().function_words
    in_english = []
    for answer, forms in zip(examined.answers, examined.words, strict=True):
        letters = sum(map(str.isalpha, forms))
        if letters and sum(map(english.__contains__, forms)) >= _ENGLISH * letters:
            in_english.append((answer, forms))
    return in_english


@dataclass(frozen=True)
class _Uses:
    """Every use of a word, or pair of words, that is not the prompt's.

    `columns`, `rates` (frequency in general English) and `answers` have shape (k,); `forms` are all
    words of all answers and `positions`, shape (k,), where in them each use stands.
    """

    n: int
    columns: Ids
    rates: Floats
    answers: Ids
    positions: Ids
    forms: Sequence[str]

    def name(self, row: int) -> str:
        """Return the word or pair in words."""
        start = int(self.positions[row])
        return " ".join(self.forms[start : start + self.n])


@dataclass(frozen=True)
class _Grams:
    """Distinct words or pairs in order of column, with their log-odds: shape (m,) each.

    `first` is the row of `_Uses` in which each stands first.
    """

    columns: Ids
    log_odds: Floats
    z: Floats
    first: Ids

    def weights(self, columns: Ids) -> Floats:
        """Return log-odds of known `columns`, 0 for what is not over-used."""
        return np.maximum(self.log_odds[np.searchsorted(self.columns, columns)], 0.0)


def _uses(in_english: Kept) -> tuple[_Uses, _Uses]:
    """Return the uses of words, and of pairs."""
    forms, owners = _flat([forms for _, forms in in_english])
    singles = ngram_hashes(forms, 1)
    asked, askers = _flat([words(answer.prompt_text) for answer, _ in in_english])
    new = ~np.isin(_owned(singles, owners), _owned(ngram_hashes(asked, 1), askers))
    flags = {form: _is_plain(form) for form in set(forms)}
    plain = np.fromiter(map(flags.__getitem__, forms), dtype=bool, count=len(forms))
    english = general_english()
    rates = english.words(singles)
    at = np.flatnonzero(plain & new)
    # A pair counts unless both of its words are the prompt's.
    pairs = np.flatnonzero(plain[:-1] & plain[1:] & (new[:-1] | new[1:]))
    doubles = ngram_hashes(forms, 2)[pairs]
    pair_rates = english.pairs(doubles, rates[pairs], rates[pairs + 1])
    return (
        _Uses(1, _columns(singles[at]), rates[at], owners[at], at, forms),
        _Uses(2, _columns(doubles), pair_rates, owners[pairs], pairs, forms),
    )


def _columns(hashes: NDArray[np.uint64]) -> Ids:
    return (hashes % np.uint64(_COLUMNS)).astype(np.int64)


def _flat(texts: Sequence[Sequence[str]]) -> tuple[list[str], Ids]:
    """Return all words in a row, and whose each is; a mark no pair can span ends every text."""
    forms = [form for text in texts for form in (*text, "\n")]
    return forms, np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])


def _owned(hashes: NDArray[np.uint64], owners: Ids) -> NDArray[np.uint64]:
    """Return hashes of (text, word): the same word of another text is another hash."""
    mixed: NDArray[np.uint64] = hashes + owners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return mixed


def _is_plain(form: str) -> bool:
    return form.isascii() and form.isalpha() and (len(form) > 1 or form in ("a", "i"))


def _grams(uses: _Uses) -> _Grams:
    """Monroe, Colaresi & Quinn (2008), equations 15 and 22, against the prior's own log-odds."""
    columns, first, counts = np.unique(uses.columns, return_index=True, return_counts=True)
    rate = uses.rates[first]
    n = counts.sum() + _PRIOR_WORDS
    seen = counts + _PRIOR_WORDS * rate
    log_odds = np.log(seen / (n - seen)) - np.log(rate / (1 - rate))
    return _Grams(columns, log_odds, log_odds * np.sqrt(seen), first)


def _unit_rows(uses: Sequence[_Uses], grams: Sequence[_Grams], count: int) -> sparse.csr_array:
    """Return one row of unit length per answer, shape (count, _COLUMNS)."""
    answers, columns, values = [], [], []
    for use, gram in zip(uses, grams, strict=True):
        present = np.unique(use.answers * _COLUMNS + use.columns)
        answers.append(present // _COLUMNS)
        columns.append(present % _COLUMNS)
        values.append(gram.weights(columns[-1]))
    owner, weight = np.concatenate(answers), np.concatenate(values)
    lengths = np.sqrt(np.bincount(owner, weight**2, minlength=count))
    unit = (weight / np.maximum(lengths, 1e-12)[owner]).astype(np.float32)
    places = (owner, np.concatenate(columns))
    return sparse.csr_array((unit, places), shape=(count, _COLUMNS))


def _named(uses: _Uses, grams: _Grams, answers: Sequence[Answer]) -> dict[str, float]:
    """Return what is most over-used, and on several prompts, with z-scores."""
    number = {prompt: i for i, prompt in enumerate(sorted({a.prompt_sha256 for a in answers}))}
    prompts = np.array([number[answer.prompt_sha256] for answer in answers], dtype=np.int64)
    places = np.unique(uses.columns * len(number) + prompts[uses.answers]) // len(number)
    spread = np.unique(places, return_counts=True)[1]
    least = max(_MIN_PROMPTS_WITH, _MIN_SHARE_WITH * len(number))
    chosen = np.flatnonzero((spread >= least) & (grams.z > _Z) & (grams.log_odds > np.log(_FOLD)))
    chosen = chosen[np.argsort(-grams.z[chosen], kind="stable")[:_NAMED]]
    return {uses.name(grams.first[i]): float(grams.z[i]) for i in chosen}


def _shared(a: Overuse, b: Overuse) -> tuple[SharedPhrase, ...]:
    both = sorted(a.z.keys() & b.z.keys(), key=lambda gram: (-min(a.z[gram], b.z[gram]), gram))
    return tuple(
        SharedPhrase(phrase=gram, z_a=round(a.z[gram], 2), z_b=round(b.z[gram], 2))
        for gram in both[:_SHOWN]
    )


def _share(side: Overuse) -> float:
    counted = sum(len(group) for group in side.rows.answers.values())
    return round(counted / max(side.answers, 1), 4)


def _exhibits(matched: Matched, a: Overuse, b: Overuse) -> tuple[Exhibit, ...]:
    scores = dict(zip(matched.prompts, matched.scores, strict=True))
    long = [p for p in matched.prompts if _shorter(p, a, b) >= _MIN_CHARS]
    order = sorted(long, key=lambda prompt: -scores[prompt])
    telling = (p for p in order if scores[p] > 0 and len(_both_over_use(p, a, b)) >= _TELLING)
    chosen = [("for", p) for p in islice(telling, _EXHIBITS)]
    chosen += [("against", p) for p in order[::-1][:_EXHIBITS]]
    return tuple(_exhibit(side, p, float(scores[p]), a, b) for side, p in chosen)


def _shorter(prompt: str, a: Overuse, b: Overuse) -> int:
    return min(len(side.rows.answers[prompt][0].text) for side in (a, b))


def _both_over_use(prompt: str, a: Overuse, b: Overuse) -> list[str]:
    """Return the over-used words that both answers hold, the most over-used first."""
    first, second = a.rows.answers[prompt][0], b.rows.answers[prompt][0]
    asked = set(words(first.prompt_text))
    seen = [set(words(answer.text)) for answer in (first, second)]
    common = general_english().function_words
    over = {gram for gram in a.z.keys() & b.z.keys() if " " not in gram and gram not in common}
    shared = (over & seen[0] & seen[1]) - asked
    return sorted(shared, key=lambda form: (-min(a.z[form], b.z[form]), form))


def _exhibit(side: str, prompt: str, score: float, a: Overuse, b: Overuse) -> Exhibit:
    first, second = a.rows.answers[prompt][0], b.rows.answers[prompt][0]
    shown = _both_over_use(prompt, a, b)
    return exhibit(
        side,
        first,
        second,
        score,
        spans_a=_spans(first.text, set(shown)),
        spans_b=_spans(second.text, set(shown)),
        note="both over-use: " + (", ".join(shown[:8]) or "no word of this answer"),
    )


def _spans(text: str, forms: set[str]) -> tuple[tuple[int, int], ...]:
    return tuple((t.start, t.end) for t in tokens(text) if t.form in forms)
