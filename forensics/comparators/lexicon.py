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
over-use the same words. Weights by count (.955, .896) do no better than by presence (.965, .924).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forensics.comparators.base import MIN_PROMPTS, Reference, matched_evidence, without_score
from forensics.comparators.general_english import GeneralEnglish, general_english
from forensics.evidence import Evidence, Exhibit, Tier
from forensics.examined import Answer, Examined, Need
from forensics.matching import Floats, Matched, PromptRows, prompt_rows
from forensics.text import ngram_hashes, tokens, words

_COLUMNS = 2**22
_PRIOR_WORDS = 500.0  # weight of the prior in words: a tenth or ten times this changes nothing
_ENGLISH = 0.2  # English has 40 % function words or more, other languages next to none
_Z = 1.96
_MIN_PROMPTS_WITH = 3  # a word of one or two answers belongs to the subject matter
_NAMED = 400
_SHOWN = 15
_EXHIBITS = 3
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
        english = general_english()
        kept = [
            (answer, forms)
            for answer, forms in zip(examined.answers, examined.words, strict=True)
            if _is_english(forms, english)
        ]
        answers = [answer for answer, _ in kept]
        asked = {a.prompt_text: np.array(words(a.prompt_text), dtype=object) for a in answers}
        counted = [_count(forms, asked[answer.prompt_text], english) for answer, forms in kept]
        over = _overuse(counted)
        rows = prompt_rows(answers, _unit_rows(counted, over))
        return Overuse(rows, _named(kept, over), len(examined.answers))

    def compare(self, a: Overuse, b: Overuse, reference: Reference | None = None) -> Evidence:
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
        details = {"shared": _shared(a, b), "english_a": _share(a), "english_b": _share(b)}
        return evidence.model_copy(update={"details": details})


@dataclass(frozen=True)
class _Counted:
    """One answer: columns of words and of pairs that are not the prompt's, with frequencies."""

    words: Ids
    word_rates: Floats
    pairs: Ids
    pair_rates: Floats


def _is_english(forms: Sequence[str], english: GeneralEnglish) -> bool:
    plain = [form for form in forms if form.isalpha()]
    known = sum(form in english.function_words for form in plain)
    return len(plain) > 0 and known >= _ENGLISH * len(plain)


def _count(forms: Sequence[str], asked: NDArray[np.object_], english: GeneralEnglish) -> _Counted:
    plain = np.array([_is_plain(form) for form in forms], dtype=bool)
    singles, doubles = ngram_hashes(forms, 1), ngram_hashes(forms, 2)
    new = ~np.isin(singles, ngram_hashes(list(asked), 1))
    rates = english.words(singles)
    # A pair counts unless both of its words are the prompt's.
    both = plain[:-1] & plain[1:] & (new[:-1] | new[1:])
    pair_rates = english.pairs(doubles, rates[:-1], rates[1:])
    kept = plain & new
    return _Counted(
        _columns(singles[kept]), rates[kept], _columns(doubles[both]), pair_rates[both]
    )


def _is_plain(form: str) -> bool:
    return form.isascii() and form.isalpha() and (len(form) > 1 or form in ("a", "i"))


def _columns(hashes: NDArray[np.uint64]) -> Ids:
    return (hashes % np.uint64(_COLUMNS)).astype(np.int64)


@dataclass(frozen=True)
class _Table:
    """Columns in ascending order, their log-odds against general English and z-scores."""

    columns: Ids
    log_odds: Floats
    z: Floats

    def weights(self, columns: Ids) -> Floats:
        """Return log-odds of `columns`, 0 for what is not over-used."""
        at = np.minimum(np.searchsorted(self.columns, columns), max(len(self.columns) - 1, 0))
        known = self.columns[at] == columns
        return np.where(known, np.maximum(self.log_odds[at], 0.0), 0.0)

    def z_of(self, column: int) -> float:
        """Return the z-score of one column."""
        at = int(np.searchsorted(self.columns, column))
        found = at < len(self.columns) and self.columns[at] == column
        return float(self.z[at]) if found else 0.0


def _overuse(counted: Sequence[_Counted]) -> _Table:
    """Return log-odds of words and pairs, each kind against its own total."""
    parts = [
        _log_odds([one.words for one in counted], [one.word_rates for one in counted]),
        _log_odds([one.pairs for one in counted], [one.pair_rates for one in counted]),
    ]
    columns = np.concatenate([part.columns for part in parts])
    order = np.argsort(columns, kind="stable")
    log_odds = np.concatenate([part.log_odds for part in parts])[order]
    return _Table(columns[order], log_odds, np.concatenate([part.z for part in parts])[order])


def _log_odds(columns: Sequence[Ids], rates: Sequence[Floats]) -> _Table:
    """Monroe, Colaresi & Quinn (2008), equations 15, 16 and 22, against the prior's own log-odds."""
    if not columns or not sum(map(len, columns)):
        return _Table(np.empty(0, np.int64), np.empty(0), np.empty(0))
    found, first, counts = np.unique(np.concatenate(columns), return_index=True, return_counts=True)
    rate = np.concatenate(rates)[first]
    n = counts.sum() + _PRIOR_WORDS
    seen = counts + _PRIOR_WORDS * rate
    log_odds = np.log(seen / (n - seen)) - np.log(rate / (1 - rate))
    return _Table(found, log_odds, log_odds * np.sqrt(seen))


def _unit_rows(counted: Sequence[_Counted], over: _Table) -> sparse.csr_array:
    columns, values, starts = [np.empty(0, np.int64)], [np.empty(0)], [0]
    for one in counted:
        present = np.unique(np.concatenate([one.words, one.pairs]))
        weights = over.weights(present) if len(present) else np.empty(0)
        columns.append(present)
        values.append(weights / max(float(np.sqrt((weights**2).sum())), 1e-12))
        starts.append(starts[-1] + len(present))
    arrays = (
        np.concatenate(values).astype(np.float32),
        np.concatenate(columns).astype(np.int32),
        np.array(starts),
    )
    return sparse.csr_array(arrays, shape=(len(counted), _COLUMNS))


def _named(kept: Sequence[tuple[Answer, Sequence[str]]], over: _Table) -> dict[str, float]:
    """Return the most over-used words and pairs that several prompts show, with z-scores."""
    prompts: dict[str, set[str]] = {}
    candidates = set(over.columns[over.z > max(_Z, _threshold(over.z))].tolist())
    for answer, forms in kept:
        asked = set(words(answer.prompt_text))
        for n in (1, 2):
            columns = _columns(ngram_hashes(forms, n)).tolist()
            for i, column in enumerate(columns):
                if column not in candidates:
                    continue
                gram = forms[i : i + n]
                if all(map(_is_plain, gram)) and not asked.issuperset(gram):
                    prompts.setdefault(" ".join(gram), set()).add(answer.prompt_sha256)
    z = {
        gram: over.z_of(int(_columns(ngram_hashes(gram.split(), gram.count(" ") + 1))[0]))
        for gram, where in prompts.items()
        if len(where) >= _MIN_PROMPTS_WITH
    }
    return dict(sorted(z.items(), key=lambda item: (-item[1], item[0]))[:_NAMED])


def _threshold(z: Floats) -> float:
    """Return a z-score that leaves a few times more candidates than are named."""
    return float(np.sort(z)[-10 * _NAMED]) if len(z) > 10 * _NAMED else 0.0


def _shared(a: Overuse, b: Overuse) -> list[dict[str, str | float]]:
    both = sorted(a.z.keys() & b.z.keys(), key=lambda gram: (-min(a.z[gram], b.z[gram]), gram))
    return [
        {"phrase": gram, "z_a": round(a.z[gram], 2), "z_b": round(b.z[gram], 2)}
        for gram in both[:_SHOWN]
    ]


def _share(side: Overuse) -> float:
    counted = sum(len(group) for group in side.rows.answers.values())
    return round(counted / max(side.answers, 1), 4)


def _exhibits(matched: Matched, a: Overuse, b: Overuse) -> tuple[Exhibit, ...]:
    scores = dict(zip(matched.prompts, matched.scores, strict=True))
    long = [p for p in matched.prompts if _shorter(p, a, b) >= _MIN_CHARS]
    order = sorted(long, key=lambda prompt: -scores[prompt])
    chosen = [("for", p) for p in order[:_EXHIBITS] if scores[p] > 0]
    chosen += [("against", p) for p in order[::-1][:_EXHIBITS]]
    return tuple(_exhibit(side, p, float(scores[p]), a, b) for side, p in chosen)


def _shorter(prompt: str, a: Overuse, b: Overuse) -> int:
    return min(len(side.rows.answers[prompt][0].text) for side in (a, b))


def _exhibit(side: str, prompt: str, score: float, a: Overuse, b: Overuse) -> Exhibit:
    first, second = a.rows.answers[prompt][0], b.rows.answers[prompt][0]
    asked = set(words(first.prompt_text))
    seen = [{t.form for t in tokens(answer.text)} for answer in (first, second)]
    over = {gram for gram in a.z.keys() & b.z.keys() if " " not in gram}
    shared = (over & seen[0] & seen[1]) - asked
    shown = sorted(shared, key=lambda form: (-min(a.z[form], b.z[form]), form))
    return Exhibit.model_validate(
        {
            "prompt_sha256": prompt,
            "prompt_id": first.prompt_id,
            "side": side,
            "score": round(score, 6),
            "sample_a": first.sample,
            "sample_b": second.sample,
            "spans_a": _spans(first.text, shared),
            "spans_b": _spans(second.text, shared),
            "note": "both over-use: " + (", ".join(shown[:8]) or "no word of this answer"),
        }
    )


def _spans(text: str, forms: set[str]) -> tuple[tuple[int, int], ...]:
    return tuple((t.start, t.end) for t in tokens(text) if t.form in forms)
