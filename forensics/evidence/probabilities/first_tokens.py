"""First tokens: would two models begin their answers alike more often than control models do?

Next-token agreement as in model provenance testing (see `next_tokens`), in the one place that most
services show: where an answer to a fixed prompt begins. Prompts are the unit of the test, which is
exact (sign flips). Models of little skill agree with nobody, so a control must predict the fixed
passages about as well as the local one of the two does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.probabilities import ControlAgreement, FirstTokensDetails
from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.features.matched_prompts import bootstrap_mean
from forensics.evidence.probabilities.panel import (
    LEAST_FOR_P_VALUE,
    LEAST_PASSAGES,
    WEAKEST,
    holm,
    sign_flip,
)
from forensics.examination.examined import Examined, Need
from forensics.examination.first_token_probabilities import LEAST, FirstTokens

_CAVEATS = (
    "A control that is related to both hides kinship; controls unlike both (other languages, other "
    "manners) overstate it.",
    "Assistants begin many answers alike, and one token per answer says little: a negative result "
    "here is not evidence.",
)
_ONE = "One control only, so no p-value enters the reading; name more with --control."


@dataclass(frozen=True)
class Begun:
    """What a subject and the controls would begin answers with."""

    own: FirstTokens
    controls: tuple[FirstTokens, ...]


@dataclass(frozen=True)
class _FirstTokenControl:
    """One control beside the pair: 1 where two expect the same, one value a prompt."""

    control: str
    target: str
    pair: list[int]
    other: list[int]

    @property
    def differences(self) -> list[int]:
        return [x - y for x, y in zip(self.pair, self.other, strict=True)]

    @property
    def gap(self) -> float:
        return float(np.mean(self.differences))


@dataclass(frozen=True)
class FirstTokenAgreement:
    """Compares what answers would begin with, with a panel of controls."""

    name: str = "first_tokens"
    title: str = "First tokens of answers"
    tier: Tier = "logprobs"
    needs: frozenset[Need] = frozenset({"first_tokens"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Begun:
        """Return what the subject and the controls expect."""
        assert examined.first_tokens is not None  # noqa: S101 (`needs` says so)
        return Begun(examined.first_tokens, examined.first_controls)

    def compare(self, a: Begun, b: Begun) -> Evidence:
        """Return by how much the pair agrees more than with the control that comes closest."""
        if a.own.has_template != b.own.has_template:
            reason = "one was asked through a chat template, the other without"
            return without_score(self, "not_applicable", reason)
        controls, left_out = _choose(a, b)
        prompts = sorted(
            frozenset(a.own.expected).intersection(
                b.own.expected, *(control.expected for control in controls)
            )
        )
        if len(prompts) < LEAST:
            reason = f"{len(prompts)} prompts were put to all models; {LEAST} are needed"
            return without_score(self, "insufficient", reason, len(prompts))
        if not controls:
            because = f" ({'; '.join(left_out)})" if left_out else ""
            reason = f"no control model is usable{because}; name others with --control"
            return without_score(self, "insufficient", reason, len(prompts))
        tests = [
            _against(target, other, control, letter, prompts)
            for control in controls
            for target, other, letter in ((a.own, b.own, "A"), (b.own, a.own, "B"))
        ]
        p_values = holm([sign_flip(test.differences) for test in tests])
        closest = min(tests, key=lambda test: (test.gap, test.control))
        few = len(controls) < LEAST_FOR_P_VALUE
        return scored(
            self,
            scale=(
                "share of prompts where both expect the same two characters first, minus the "
                "same share with the closest control"
            ),
            score=closest.gap,
            interval=bootstrap_mean(np.array(closest.differences, dtype=float)),
            matched=float(np.mean(closest.pair)),
            baseline=float(np.mean(closest.other)),
            n=len(prompts),
            p_value=None if few else max(p_values),
            caveats=(*_CAVEATS, *([_ONE] if few else [])),
            details=FirstTokensDetails(
                controls=tuple(
                    ControlAgreement(
                        control=test.control,
                        target=test.target,
                        pair=round(float(np.mean(test.pair)), 4),
                        with_control=round(float(np.mean(test.other)), 4),
                        p_value=p,
                    )
                    for test, p in zip(tests, p_values, strict=True)
                ),
                left_out=tuple(left_out),
            ),
        )


def _choose(a: Begun, b: Begun) -> tuple[list[FirstTokens], list[str]]:
    """Return the controls that hold for a pair, and of each other one why it does not."""
    given = {control.model: control for control in (*a.controls, *b.controls)}
    chosen, left_out = [], []
    for _, control in sorted(given.items(), key=lambda entry: (entry[1].name, entry[0])):
        if control.model in (a.own.model, b.own.model):
            continue
        reason = _why_not(control, (a.own, b.own))
        if reason:
            left_out.append(f"{control.name} {reason}")
        else:
            chosen.append(control)
    return chosen, left_out


def _why_not(control: FirstTokens, pair: Sequence[FirstTokens]) -> str:
    if control.has_template != pair[0].has_template:
        return f"is asked {'through a' if control.has_template else 'without a'} chat template"
    able = next((subject.passages for subject in pair if subject.passages), {})
    shared = sorted(set(able) & set(control.passages))
    if len(shared) < LEAST_PASSAGES:
        return f"can write {len(shared)} of the passages"
    of_control, of_pair = (
        np.mean([scores[name].nats_per_byte for name in shared])
        for scores in (control.passages, able)
    )
    return (
        ""
        if of_control / of_pair <= WEAKEST
        else f"predicts the passages {of_control / of_pair:.2f} times worse"
    )


def _against(
    target: FirstTokens, other: FirstTokens, control: FirstTokens, letter: str, prompts: list[str]
) -> _FirstTokenControl:
    def same(source: FirstTokens) -> list[int]:
        return [int(target.expected[p] == source.expected[p]) for p in prompts]

    return _FirstTokenControl(control.name, letter, same(other), same(control))
