"""A panel of control models: similarity of token probabilities counts only beyond what they share.

Good models agree with one another because the text leaves little choice. So the pair must agree
more than either of them agrees with every control, and a control must predict the texts about as
well as the two do (model provenance testing: Nikolic, Baluta, Saxena 2025, "Model Provenance
Testing for Large Language Models", section 4: the candidate must beat every other model, each
test one-sided, Holm-corrected).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.evidence import Interval
from forensics.examination.examined import Examined
from forensics.examination.probability_values import TextProbabilities, TextScore

# A control may need this many times the bits that the better of the two needs.
WEAKEST = 1.15
# One control that is beaten may just be worse than others; a p-value needs more.
LEAST_FOR_P_VALUE = 2
LEAST_PASSAGES = 24
CAVEAT = (
    "The p-values ask whether the two are closer than each is to the controls; a control that is "
    "related to both hides kinship, and controls unlike both (other languages, other data) "
    "overstate it."
)


@dataclass(frozen=True)
class Seen:
    """One subject's probabilities, and those of the controls."""

    own: TextProbabilities
    controls: tuple[TextProbabilities, ...]


@dataclass(frozen=True)
class Panel:
    """The controls that hold for a pair; `left_out` says of each other one why."""

    controls: tuple[TextProbabilities, ...]
    left_out: tuple[str, ...]

    @property
    def why_empty(self) -> str:
        """Why there is nothing to compare with, in one line."""
        if not self.left_out:
            return "no control models to compare with; name some with --control"
        return (
            f"no control model is usable ({'; '.join(self.left_out)}); name others with --control"
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        """What to keep in mind of this panel."""
        if len(self.controls) >= LEAST_FOR_P_VALUE:
            return (CAVEAT,)
        return (
            CAVEAT,
            f"One control only ({self.controls[0].name}), so no p-value enters the reading; "
            "name more with --control.",
        )


def seen(examined: Examined) -> Seen:
    """Return a subject's probabilities with the controls'."""
    assert examined.probabilities is not None  # noqa: S101 (`needs` says so)
    return Seen(examined.probabilities, examined.controls)


def choose(a: Seen, b: Seen) -> Panel:
    """Return the controls that are neither of the two and predict the passages as well."""
    given = {control.model: control for control in (*a.controls, *b.controls)}
    subjects = {a.own.model, b.own.model}
    chosen, left_out = [], []
    for model, control in sorted(given.items(), key=lambda entry: (entry[1].name, entry[0])):
        if model in subjects:
            continue
        reason = _weak(control, a.own, b.own)
        if reason:
            left_out.append(reason)
        else:
            chosen.append(control)
    return Panel(tuple(chosen), tuple(left_out))


def _weak(control: TextProbabilities, a: TextProbabilities, b: TextProbabilities) -> str:
    shared = [p for p in a.passages if p in b.passages and p in control.passages]
    if len(shared) < LEAST_PASSAGES:
        return f"{control.name} can write {len(shared)} of the passages"
    bits = [-np.mean([m.passages[p].nats_per_byte for p in shared]) for m in (control, a, b)]
    if bits[0] <= WEAKEST * min(bits[1:]):
        return ""
    return f"{control.name} predicts the passages {bits[0] / min(bits[1:]):.2f} times worse"


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def sign_flip(differences: Sequence[int]) -> float:
    """Return the exact one-sided p-value of a sign-flip test.

    If neither side is ahead, each difference is as likely as its negative; the p-value is the
    chance that their sum reaches the one seen (Fisher 1935, "The Design of Experiments", ch. 21).

    Args:
        differences: whole numbers, one for each independent text; positive speaks for the pair.
    """
    sizes = [abs(value) for value in differences if value]
    chances = np.array([1.0])  # of each sum from -total to total, in steps of one
    for size in sizes:
        wider = np.zeros(len(chances) + 2 * size)
        wider[: len(chances)] += chances / 2
        wider[2 * size :] += chances / 2
        chances = wider
    return min(1.0, float(chances[sum(sizes) + sum(differences) :].sum()))


def over_passages(interval: Interval) -> Interval:
    """Return the interval with passages named as what was drawn."""
    return interval.model_copy(update={"method": "percentile bootstrap over passages"})


def shared_passages(*sides: TextProbabilities) -> list[str]:
    """Return the passages that all can write, sorted."""
    return sorted(set.intersection(*(set(side.passages) for side in sides)))


def agreeing(
    a: Mapping[int, tuple[str, str]], b: Mapping[int, tuple[str, str]], at: Sequence[int], part: int
) -> int:
    """Return at how many places two models expect the same next token.

    Args:
        a: place → (token, first two characters) of one model.
        b: of the other.
        at: places to look at, all in both.
        part: 0 compares tokens, 1 their first two characters.
    """
    return sum(a[place][part] == b[place][part] for place in at)


def bits_per_byte(score: TextScore) -> float:
    """Return a text's mean log-likelihood of a byte in bits (negative)."""
    return score.nats_per_byte / float(np.log(2))
