"""Claims and what can be said of them, in words."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.case.questions import ClaimWord
from forensics.custody.claims import ClaimKind

UNTESTABLE = "No measurement of two models can test a claim of this kind."
TEXT_ONLY_OF_WEIGHTS = (
    "The answers support close kinship, and the claim is about weights, which were not compared."
)
CLAIM_WORDS: Mapping[ClaimWord, str] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "cannot be told": "cannot be told from this material",
}


def material_words(kind: ClaimKind) -> str:
    """Return from what this version can test a kind of claim."""
    if kind.tested_from is not None:
        alone = "" if kind.testable else ", not from answers alone"
        return f"testable from {kind.tested_from}{alone}"
    if kind.question is not None:
        return "not testable from answers; weights can contradict it"
    return "not testable from answers, nor from anything else that this version measures"
