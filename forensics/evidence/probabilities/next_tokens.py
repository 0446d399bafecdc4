"""Next tokens: do two models expect the same word more often than control models do?

Model provenance testing (Nikolic, Baluta, Saxena 2025, arXiv 2502.00706): at many fixed places
the most likely next tokens are compared, and the pair must agree more often than with every
control. Places of one passage depend on one another, so passages are the unit of the test, which is
exact (sign flips) instead of the paper's z-test. Both directions are asked: B must be closer to A
than to any control, and A closer to B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.case.details.probabilities import ControlPlaces, NextTokensDetails
from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.features.matched_prompts import bootstrap_mean
from forensics.evidence.probabilities.panel import (
    LEAST_FOR_P_VALUE,
    LEAST_PASSAGES,
    Seen,
    agreeing,
    choose,
    holm,
    over_passages,
    seen,
    shared_passages,
    sign_flip,
)
from forensics.examination.examined import Examined, Need
from forensics.examination.probability_values import TextProbabilities


@dataclass(frozen=True)
class _PassageControl:
    """One control beside the pair: agreements by passage, and how many places were compared."""

    control: str
    target: str
    pair: list[int]
    other: list[int]
    places: list[int]
    exact: bool

    @property
    def share(self) -> float:
        """Mean share of a passage's places where the pair expects the same."""
        return float(np.mean(np.array(self.pair) / np.array(self.places)))

    @property
    def other_share(self) -> float:
        """The same of the target and the control."""
        return float(np.mean(np.array(self.other) / np.array(self.places)))

    @property
    def differences(self) -> list[int]:
        return [x - y for x, y in zip(self.pair, self.other, strict=True)]


@dataclass(frozen=True)
class NextTokens:
    """Compares most likely next tokens with a panel of controls."""

    name: str = "next_tokens"
    title: str = "Most likely next tokens"
    tier: Tier = "logprobs"
    needs: frozenset[Need] = frozenset({"logprobs"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Seen:
        """Return the subject's probabilities and the controls'."""
        return seen(examined)

    def compare(self, a: Seen, b: Seen) -> Evidence:
        """Return by how much the pair agrees more than with the control that comes closest."""
        passages = shared_passages(a.own, b.own)
        if len(passages) < LEAST_PASSAGES:
            reason = f"{len(passages)} passages that both can write; {LEAST_PASSAGES} are needed"
            return without_score(self, "not_applicable", reason, len(passages))
        panel = choose(a, b)
        if not panel.controls:
            return without_score(self, "insufficient", panel.why_empty, len(passages))
        tests = [
            _against(target, other, control, letter)
            for control in panel.controls
            for target, other, letter in ((a.own, b.own, "A"), (b.own, a.own, "B"))
        ]
        p_values = holm([sign_flip(test.differences) for test in tests])
        closest = min(tests, key=lambda test: (test.share - test.other_share, test.control))
        gaps = np.array(closest.differences) / np.array(closest.places)
        return scored(
            self,
            scale=(
                "share of places with one most likely next token, minus the same share with the "
                "closest control"
            ),
            score=float(gaps.mean()),
            interval=over_passages(bootstrap_mean(gaps)),
            matched=closest.share,
            baseline=closest.other_share,
            n=len(gaps),
            p_value=max(p_values) if len(panel.controls) >= LEAST_FOR_P_VALUE else None,
            caveats=panel.caveats,
            details=NextTokensDetails(
                controls=tuple(
                    ControlPlaces(
                        control=test.control,
                        target=test.target,
                        pair=round(test.share, 4),
                        with_control=round(test.other_share, 4),
                        places=sum(test.places),
                        compared="tokens" if test.exact else "first two characters",
                        p_value=p,
                    )
                    for test, p in zip(tests, p_values, strict=True)
                ),
                left_out=tuple(panel.left_out),
            ),
        )


def _against(
    target: TextProbabilities, other: TextProbabilities, control: TextProbabilities, letter: str
) -> _PassageControl:
    exact = target.tokenizer == other.tokenizer == control.tokenizer
    part = 0 if exact else 1
    pair, with_control, counted = [], [], []
    for passage in shared_passages(target, other, control):
        sides = [model.passages[passage].next_tokens for model in (target, other, control)]
        at = sorted(set.intersection(*(set(side) for side in sides)))
        if not at:
            continue
        pair.append(agreeing(sides[0], sides[1], at, part))
        with_control.append(agreeing(sides[0], sides[2], at, part))
        counted.append(len(at))
    return _PassageControl(control.name, letter, pair, with_control, counted, exact)
