"""Formatting: markdown, lists, headings, bold, emoji, fences, blank lines.

Layout habits are chosen in tuning and are easy to see, and easy to change by a system prompt.
"""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.evidence import Evidence, Tier
from forensics.evidence.text.profiles import Profile, compare_profiles
from forensics.examination.examined import Examined, Need
from forensics.transcripts.layout import FEATURES


@dataclass(frozen=True)
class Formatting:
    """Compares layout habits."""

    name: str = "formatting"
    title: str = "Formatting habits"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Profile:
        """Return how often, per 1,000 characters, and whether at all each habit shows."""
        return Profile(FEATURES, examined.answers, examined.layout)

    def compare(self, a: Profile, b: Profile) -> Evidence:
        """Return the similarity of the two layout profiles."""
        return compare_profiles(
            self,
            a,
            b,
            "cosine delta of layout habits, matched minus mismatched prompts",
            ("A system prompt or a chat template changes layout without any kinship.",),
        )
