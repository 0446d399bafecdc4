"""What exposure of every pair is assumed to do, for statements about power."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.evidence.exposure.detectable import FullEffect
from forensics.evidence.exposure.nearness import Nearness
from forensics.support.numbers import percent

# An assumption, not a property of the model that is tested: one pass over 210 answers did so to a
# model of 135 million weights, after taking off what the untuned model says. One pass over 300
# shorter answers did seven times as much (reports/EXPOSURE.md), so this is rather too little.
_PROBABILITIES = FullEffect(
    0.10,
    0.18,
    "assuming that training on an answer makes it likelier by 0.1 nats per token",
)
# Measured on the student of 300 served answers in reports/EXPOSURE.md, asked three times: share of
# pairs without a tie in which its own answers are nearer to the served one.
_NEARER: Mapping[Nearness, float] = {"fourgrams": 0.617, "runs": 0.587, "edit": 0.579}
_IN_COMMON = 0.095  # of served and withheld answers there


def full_effect(how: Nearness | None, in_common: float = 0.0) -> FullEffect:
    """Return the effect of full exposure: on probabilities, or on a model's own answers.

    Args:
        how: own answers are read, by this measure; None: probabilities.
        in_common: share of the text that served and withheld answers have in common, in [0, 1]. An
            own answer can be nearer to one side only in what they do not: the effect that was
            measured is assumed to change in proportion.
    """
    if how is None:
        return _PROBABILITIES
    # Mean of which side is nearer, +1 or -1; its deviation is at most 1.
    sign = (2 * _NEARER[how] - 1) * (1 - in_common) / (1 - _IN_COMMON)
    nearer = f"{percent((1 + sign) / 2)} are nearer to the served one"
    source = (
        f"assuming that of answers to prompts trained on {nearer}, as measured on a small model; "
        f"fewer are the more both have in common, here {percent(in_common)}"
    )
    return FullEffect(sign, 1.0, source)
