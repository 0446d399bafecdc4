"""What exposure of every pair did in students of our own, for statements about power."""

from __future__ import annotations

from forensics.evidence.exposure.detectable import FullEffect
from forensics.evidence.exposure.nearness import Nearness

_SOURCE = "as strongly as in our students, which read each served answer once"
# Nats a token after taking off what the untuned model says; see reports/EXPOSURE.md.
_PROBABILITIES = FullEffect(0.10, 0.18, _SOURCE)
# Mean sign of the nearer side, of pairs without a tie.
_ANSWERS = FullEffect(0.2, 1.0, _SOURCE)


def full_effect(how: Nearness | None) -> FullEffect:
    """Return the effect of full exposure: on probabilities, or on a model's own answers."""
    return _PROBABILITIES if how is None else _ANSWERS
