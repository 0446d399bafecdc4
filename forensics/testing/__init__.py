"""An executable form of what a comparator promises, for built-ins and plugins alike.

from forensics.testing import check_comparator

def test_conventions():
    check_comparator(MyComparator())
"""

from __future__ import annotations

from forensics.testing.checks import check_comparator
from forensics.testing.samples import HOSTILE_TEXTS, examined_from, sample_pairs

__all__ = ["HOSTILE_TEXTS", "check_comparator", "examined_from", "sample_pairs"]
