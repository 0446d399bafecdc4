"""What exposure of every pair is assumed to do, for statements about power."""

from __future__ import annotations

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
    0.2, 1.0, "assuming that of the prompts trained on 60 % come out nearer to the served answer"
)


def full_effect(how: Nearness | None) -> FullEffect:
    """Return the effect of full exposure: on probabilities, or on a model's own answers."""
    return _PROBABILITIES if how is None else _ANSWERS
