"""What served and withheld answers have in common, and what that costs."""

from __future__ import annotations

import pytest

from forensics.evidence.exposure.detectable import detectable_share
from forensics.evidence.exposure.effects import full_effect
from forensics.evidence.exposure.nearness import in_common


def test_what_answers_have_in_common_is_a_share_of_their_four_character_sequences():
    assert in_common(["abcdef", "abcdef"], 1) == 1.0
    assert in_common(["abcdef", "uvwxyz"], 1) == 0.0
    assert in_common(["abcde", "abcdx"], 1) == pytest.approx(1 / 3)
    assert in_common(["abcde", "abcdx", "uvwxyz"], 1) == pytest.approx(1 / 6)


def test_the_assumed_effect_shrinks_with_it_for_own_answers_only():
    apart, near, same = (full_effect("runs", share) for share in (0.0, 0.5, 1.0))
    assert near.size == apart.size / 2
    shares = [detectable_share(2_000, effect) for effect in (apart, near, same)]
    assert shares[0] is not None and shares[1] == pytest.approx(2 * shares[0])
    assert shares[2] is None
    assert full_effect(None, 0.5) == full_effect(None)
