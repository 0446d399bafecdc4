"""Which kind of evidence has which details."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from forensics.case.details.details_record import Details, OtherDetails
from forensics.case.details.probabilities import (
    FirstTokensDetails,
    LikelihoodsDetails,
    MutualFitDetails,
    NextTokensDetails,
    StudentFitDetails,
)
from forensics.case.details.reference import LikenessDetails, TransferredDetails
from forensics.case.details.shared_manner import MannerDetails
from forensics.case.details.shift import ShiftDetails
from forensics.case.details.text import (
    ChoicesDetails,
    EmbeddingDetails,
    IdentityDetails,
    LexiconDetails,
    PhrasingDetails,
    ProfileDetails,
    ReasoningDetails,
    RefusalDetails,
    SamplingDetails,
)
from forensics.case.details.tokenizer import TokenCountsDetails, VocabularyDetails
from forensics.case.details.weights import (
    AttentionDetails,
    MatchingDetails,
    TensorsDetails,
    UnitsDetails,
)

KINDS: Mapping[str, type[Details]] = {
    "phrasing": PhrasingDetails,
    "style": ProfileDetails,
    "formatting": ProfileDetails,
    "lexicon": LexiconDetails,
    "choices": ChoicesDetails,
    "refusal": RefusalDetails,
    "embedding": EmbeddingDetails,
    "identity": IdentityDetails,
    "reasoning": ReasoningDetails,
    "sampling": SamplingDetails,
    "shared_manner": MannerDetails,
    "first_tokens": FirstTokensDetails,
    "next_tokens": NextTokensDetails,
    "likelihoods": LikelihoodsDetails,
    "mutual_fit": MutualFitDetails,
    "student_fit": StudentFitDetails,
    "tokenizer": VocabularyDetails,
    "token_counts": TokenCountsDetails,
    "weights_tensors": TensorsDetails,
    "weights_units": UnitsDetails,
    "weights_matching": MatchingDetails,
    "weights_attention": AttentionDetails,
    "likeness": LikenessDetails,
    "transferred": TransferredDetails,
    "shift": ShiftDetails,
}
# Whose p-values may be approximate: one of them alone never makes weights kin.
ApproximateTest = MatchingDetails | AttentionDetails | MutualFitDetails | OtherDetails
WithLayers = UnitsDetails | MatchingDetails | AttentionDetails | OtherDetails
AnyDetails = (
    PhrasingDetails
    | ProfileDetails
    | LexiconDetails
    | ChoicesDetails
    | RefusalDetails
    | EmbeddingDetails
    | IdentityDetails
    | ReasoningDetails
    | SamplingDetails
    | MannerDetails
    | FirstTokensDetails
    | NextTokensDetails
    | LikelihoodsDetails
    | MutualFitDetails
    | StudentFitDetails
    | VocabularyDetails
    | TokenCountsDetails
    | TensorsDetails
    | UnitsDetails
    | MatchingDetails
    | AttentionDetails
    | LikenessDetails
    | TransferredDetails
    | ShiftDetails
    | OtherDetails
    | Details
)


def read_details(comparator: str, entries: Mapping[str, Any]) -> Details:
    """Return the details of a kind of evidence, from a case file or a plugin.

    Args:
        comparator: name of the kind.
        found: the entries.

    Returns:
        The record of that kind; a bare `Details` with the same entries where they have another
        form, so that what any version wrote loads and is written again as it was.
    """
    if not entries:
        return Details()
    try:
        typed = KINDS.get(comparator, OtherDetails).model_validate(entries)
    except ValidationError:
        return _bare(entries)
    return typed if _same(typed.written(), entries) else _bare(entries)


def _bare(entries: Mapping[str, Any]) -> Details:
    # A name with a lone surrogate, which a plugin may take from an answer, is no field's name.
    names = (name.encode("utf-8", "replace").decode() for name in entries)
    return Details.model_validate(dict(zip(names, entries.values(), strict=True)))


def _same(written: Mapping[str, Any], entries: Mapping[str, Any]) -> bool:
    """Tell whether two mappings are one as JSON: 1, 1.0 and true are three values to a hash."""
    try:
        first, second = (json.dumps(value, sort_keys=True) for value in (written, entries))
    except TypeError:  # a plugin's, which `check_comparator` refuses
        return False
    return first == second
