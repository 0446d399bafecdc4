"""What exposure of every pair is assumed to do, for statements about power."""

from __future__ import annotations

from dataclasses import replace

from forensics.evidence.exposure.detectable import FullEffect
from forensics.evidence.exposure.nearness import Nearness

# An assumption, not a property of the model that is tested: one epoch over 210 answers did so to a
# model of 135 million weights, after taking off what the untuned model says.
_PROBABILITIES = FullEffect(
    0.10,
    0.18,
    "assuming that training on an answer makes it likelier by 0.1 nats a token",
)
# Mean sign of the nearer side, of pairs without a tie.
_ANSWERS = FullEffect(
    0.2, 1.0, "assuming that of answers to prompts trained on 60 % are nearer to the served one"
)


def full_effect(how: Nearness | None, in_common: float = 0.0) -> FullEffect:
    """Return the effect of full exposure: on probabilities, or on a model's own answers.

    Args:
        how: own answers are read, None: probabilities.
        in_common: share of the text that served and withheld answers have in common, in [0, 1]. An
            own answer can be nearer to one side only in what they do not: the effect is assumed
            to shrink in proportion.
    """
    if how is None:
        return _PROBABILITIES
    shared = f"{_ANSWERS.source}, and fewer the more both have in common, here {in_common:.0%}"
    return replace(_ANSWERS, size=_ANSWERS.size * (1 - in_common), source=shared)
