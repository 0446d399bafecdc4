"""What the tiers of evidence are called, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.case.evidence import Tier

# In the order of the report.
TIER_NAMES: Mapping[Tier, str] = {
    "text": "text",
    "logprobs": "token probabilities",
    "tokenizer": "tokenizer",
    "weights": "weights",
}
# As the subject of a sentence about both models.
TIER_PLURALS: Mapping[Tier, str] = {
    "text": "texts",
    "logprobs": "token probabilities",
    "tokenizer": "tokenizers",
    "weights": "weights",
}


def tier_title(tier: Tier) -> str:
    """Return a tier's name as a heading begins."""
    return _capital(TIER_NAMES[tier])


def tier_subject(tier: Tier) -> str:
    """Return what a tier looks at, as a sentence about both models begins."""
    return _capital(TIER_PLURALS[tier])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
