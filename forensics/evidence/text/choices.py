"""Choices: do both pick the same where anything would do, and invent the same where nothing is so?

Three kinds of prompts: arbitrary choices (a number, a name, a colour), false premises and invented
entities, and altered puzzles. A shared pick counts by how uncommon it is; to a false premise both
accept, and to a puzzle, shared numbers, names and titles that the prompt does not hold count by
rarity. From all of it is subtracted what the same two subjects share on mismatched prompts of the
same kind: a subject that says the same whatever it is asked gains nothing. How common a pick is
comes from a small table of everybody's favourites (`picks`), not from a cohort.

On the altered puzzles of the reference data (29 models, 52 puzzles, 3 answers each) what both
answers share tells 5 pairs of one model in two settings from 250 unrelated pairs with an area under
the ROC curve of .933 [.785, 1.000], intervals by resampling lineage clusters; resampling their nine
developers instead, [.625, 1.000], as the 5 pairs come from three. With 84 pairs of one developer or
base added it is .820 [.675, .918], by developers [.453, .930]. "Unrelated" means no documented link
here, never more: all of these models may have learnt from one another's answers.

Where a suite has no such prompts, names, numbers and titles of ordinary answers stand in: on
answers of 163 models to 100 prompts they separate 87 close relatives from 400 unrelated pairs with
.850 [.742, .959], or .898 with every cluster weighing the same. Equal answers of eight words or
fewer were tried for it and left out: few pairs have eight of them (33 of 487 on 405 prompts), most
of them are right answers, and they tell nothing (.59 [.23, .99], 6 against 27 pairs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forensics.case.details.text import ChoicesDetails, KindOfChoice, Premises
from forensics.case.evidence import Evidence, Exhibit, NoiseFloor, Tier
from forensics.evidence.comparator import MIN_PROMPTS, exhibit, scored, without_score
from forensics.evidence.features.matched_prompts import (
    Floats,
    bootstrap_mean,
    group_by_prompt,
    prompt_scores,
)
from forensics.evidence.text.picks import Marks, pick_of, similarity, specifics_of
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

Kind = Literal["choice", "premise", "puzzle", "other"]
_SHIFTS = 20
_EXHIBITS = 5


@dataclass(frozen=True)
class Commitments:
    """One subject's picks and specifics: prompt → kind, and prompt → one `Marks` per sample.

    `answers` holds the answers the marks are of, in the same order.
    """

    kinds: Mapping[str, Kind]
    marks: Mapping[str, tuple[Marks, ...]]
    answers: Mapping[str, tuple[Answer, ...]]


@dataclass(frozen=True)
class Choices:
    """Compares arbitrary picks, shared mistakes and shared inventions."""

    name: str = "choices"
    title: str = "Arbitrary picks and inventions"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Commitments:
        """Return picks of choices, and specifics of premises, puzzles and other answers."""
        commitments: dict[str, list[tuple[Kind, Marks, Answer]]] = {}
        for prompt, group in group_by_prompt(examined.answers).items():
            read = [(answer, _read(answer)) for answer in group]
            entries_of_prompt = [(*marked, answer) for answer, marked in read if marked is not None]
            if entries_of_prompt:
                commitments[prompt] = entries_of_prompt
        return Commitments(
            {prompt: entries[0][0] for prompt, entries in commitments.items()},
            {
                prompt: tuple(marks for _, marks, _ in entries)
                for prompt, entries in commitments.items()
            },
            {prompt: tuple(a for _, _, a in entries) for prompt, entries in commitments.items()},
        )

    def compare(self, a: Commitments, b: Commitments) -> Evidence:
        """Return the mean weight of what both share, matched minus mismatched prompts."""
        prompts = _prompts(a, b)
        if len(prompts) < MIN_PROMPTS:
            reason = (
                f"{len(prompts)} matched prompts have picks of both, or names, numbers or titles "
                f"of both that the prompt does not hold; at least {MIN_PROMPTS} are needed"
            )
            return without_score(self, "insufficient", reason, len(prompts))
        matched = np.array([_similarity(a, p, b, p) for p in prompts])
        expected = _mismatched(a, b, prompts)
        scores = matched - expected
        return scored(
            self,
            scale=(
                "weight of shared picks and inventions, matched minus mismatched prompts "
                "(0 = none beyond chance, 1 = always the same, and never a common one)"
            ),
            score=float(scores.mean()),
            interval=bootstrap_mean(scores),
            noise_floor=_noise_floor(a, b, prompts, float(expected.mean())),
            matched=float(matched.mean()),
            baseline=float(expected.mean()),
            n=len(prompts),
            per_prompt=prompt_scores(prompts, scores, a.answers),
            exhibits=_exhibits(a, b, prompts, scores),
            caveats=_caveats(a, prompts),
            details=_details(a, b, prompts, scores),
        )


def _read(answer: Answer) -> tuple[Kind, Marks] | None:
    if answer.category == "premise":
        return "premise", specifics_of(answer.text, answer.prompt_text)
    if answer.category == "puzzle":
        return "puzzle", specifics_of(answer.text, answer.prompt_text, premise=False)
    if answer.category == "choice":
        pick = pick_of(answer.text, answer.prompt_text)
        return None if pick is None else ("choice", pick)
    specifics = specifics_of(answer.text, answer.prompt_text, premise=False)
    return ("other", specifics) if specifics.weights else None


def _prompts(a: Commitments, b: Commitments) -> tuple[str, ...]:
    """Return the prompts made for this, or where there are too few, all with specifics."""
    common = sorted(p for p in a.kinds.keys() & b.kinds.keys() if a.kinds[p] == b.kinds[p])
    meant = tuple(p for p in common if a.kinds[p] != "other")
    return meant if len(meant) >= MIN_PROMPTS else tuple(common)


def _similarity(a: Commitments, of_a: str, b: Commitments, of_b: str) -> float:
    """Return the mean similarity over all pairs of samples."""
    first, second = a.marks[of_a], b.marks[of_b]
    total = sum(similarity(x, y) for x in first for y in second)
    return total / (len(first) * len(second))


def _mismatched(a: Commitments, b: Commitments, prompts: Sequence[str]) -> Floats:
    """Return each prompt's similarity to the other subject's answers to prompts of its kind."""
    expected = dict.fromkeys(prompts, 0.0)
    for group in _by_kind(a, prompts):
        shifts = range(1, min(len(group), _SHIFTS + 1))
        for i, prompt in enumerate(group):
            others = [group[(i + shift) % len(group)] for shift in shifts]
            similarities = [_similarity(a, prompt, b, other) for other in others]
            similarities += [_similarity(a, other, b, prompt) for other in others]
            expected[prompt] = sum(similarities) / max(len(similarities), 1)
    return np.array([expected[prompt] for prompt in prompts])


def _by_kind(side: Commitments, prompts: Sequence[str]) -> list[list[str]]:
    groups: dict[Kind, list[str]] = {}
    for prompt in prompts:
        groups.setdefault(side.kinds[prompt], []).append(prompt)
    return list(groups.values())


def _noise_floor(
    a: Commitments, b: Commitments, prompts: Sequence[str], baseline: float
) -> NoiseFloor:
    repeated = [p for p in prompts if min(len(a.marks[p]), len(b.marks[p])) > 1]
    if len(repeated) >= 2:
        with_itself = [
            np.mean([_between_samples(side.marks[p]) for p in repeated]) for side in (a, b)
        ]
        return NoiseFloor(
            a=float(with_itself[0]) - baseline,
            b=float(with_itself[1]) - baseline,
            method="repeat_samples",
        )
    with_itself = [_mismatched(side, side, prompts).mean() for side in (a, b)]
    return NoiseFloor(
        a=float(with_itself[0]) - baseline,
        b=float(with_itself[1]) - baseline,
        method="resampled_prompts",
    )


def _between_samples(marks: Sequence[Marks]) -> float:
    pairs = [similarity(x, y) for i, x in enumerate(marks) for y in marks[i + 1 :]]
    return sum(pairs) / len(pairs)


def _caveats(side: Commitments, prompts: Sequence[str]) -> tuple[str, ...]:
    caveats = (
        "How common a pick is was estimated by hand: popular picks count little, but some that "
        "look rare are popular too.",
        "Right answers are shared by everybody: only wrong or invented ones carry weight.",
    )
    if all(side.kinds[prompt] != "other" for prompt in prompts):
        return caveats
    return (
        *caveats,
        "Hardly any prompt asks for an arbitrary pick or rests on a false premise: names, numbers "
        "and titles of ordinary answers stand in, and many of them are plain facts.",
    )


def _details(
    a: Commitments, b: Commitments, prompts: Sequence[str], scores: Floats
) -> ChoicesDetails:
    by_kind = {
        kind: KindOfChoice(
            n=len(rows),
            score=round(float(scores[rows].mean()), 6),
            same=sum(bool(_shared(a, b, prompts[i])) for i in rows),
        )
        for kind in ("choice", "premise", "puzzle", "other")
        if (rows := [i for i, p in enumerate(prompts) if a.kinds[p] == kind])
    }
    premises = [p for p in prompts if a.kinds[p] == "premise"]
    accepted = [[side.marks[p][0].accepts for p in premises] for side in (a, b)]
    return ChoicesDetails(
        by_kind=by_kind,
        premises=Premises(
            n=len(premises),
            accepted_by_a=sum(accepted[0]),
            accepted_by_b=sum(accepted[1]),
            accepted_by_both=sum(x and y for x, y in zip(*accepted, strict=True)),
        ),
    )


def _shared(a: Commitments, b: Commitments, prompt: str) -> list[str]:
    first, second = a.marks[prompt][0], b.marks[prompt][0]
    if first.parts is None and not (first.accepts and second.accepts):
        return []
    return first.shared(second)


def _exhibits(
    a: Commitments, b: Commitments, prompts: Sequence[str], scores: Floats
) -> tuple[Exhibit, ...]:
    shared = {prompt: _shared(a, b, prompt) for prompt in prompts}
    order = np.argsort(-scores, kind="stable")
    alike = [i for i in order if shared[prompts[i]] and scores[i] > 0]
    apart = [i for i in order[::-1] if not shared[prompts[i]]]
    chosen = [("for", i) for i in alike[:_EXHIBITS]] + [("against", i) for i in apart[:_EXHIBITS]]
    return tuple(
        exhibit(
            side,
            a.answers[prompts[i]][0],
            b.answers[prompts[i]][0],
            scores[i],
            spans_a=_spans(a, prompts[i], shared[prompts[i]]),
            spans_b=_spans(b, prompts[i], shared[prompts[i]]),
            note=_note(shared[prompts[i]]),
        )
        for side, i in chosen
    )


def _spans(side: Commitments, prompt: str, forms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(side.marks[prompt][0].spans[form] for form in forms))


def _note(shared: Sequence[str]) -> str:
    if not shared:
        return "no pick or invention in common"
    return "both: " + ", ".join(form[:60] for form in shared[:6])
