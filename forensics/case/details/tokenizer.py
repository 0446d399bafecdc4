"""Details of evidence from tokenizers."""

from __future__ import annotations

from forensics.case.details.details_record import Details
from forensics.case.record import Finite, ModelText


class TokenizerReading(Details):
    """What a tokenizer tells in words, and whether it is kin; `kin` is None where that is open."""

    reading: ModelText
    kin: bool | None


class TokenCountsDetails(TokenizerReading):
    """How many tokens each fixed string makes in A and B, and which known tokenizers are nearest.

    `sources` says of A and of B where the counts come from; `nearest_a` and `nearest_b` give names
    with their shares of equal counts.
    """

    a: dict[ModelText, int]
    b: dict[ModelText, int]
    sources: tuple[str, str]
    nearest_a: tuple[tuple[ModelText, Finite], ...]
    nearest_b: tuple[tuple[ModelText, Finite], ...]


class SharedVocabulary(Details):
    """Sizes, tokens in both, and how far that exceeds what unrelated vocabularies share."""

    a: int
    b: int
    shared: int
    share_of_smaller: Finite
    expected_of_unrelated: Finite
    deviations_above_unrelated: Finite
    same_id: Finite


class SharedMerges(Details):
    """How many merges each has, and how many both have."""

    a: int
    b: int
    shared: int
    share_of_fewer: Finite


class SpecialTokens(Details):
    """How many special tokens each has; names are the first of each list."""

    a: int
    b: int
    shared: tuple[ModelText, ...]
    same_id: int
    only_a: tuple[ModelText, ...]
    only_b: tuple[ModelText, ...]


class TemplateDifference(Details):
    """How alike two chat templates are, and the first lines in which they differ.

    `likeness` is 0 to 1, None unless both have one; `has` says which do.
    """

    likeness: Finite | None
    difference: tuple[ModelText, ...]
    has: tuple[bool, bool]


class VocabularyDetails(TokenizerReading):
    """Details of two tokenizers' files."""

    vocabulary: SharedVocabulary
    merges: SharedMerges
    special: SpecialTokens
    same_normaliser: bool
    same_pre_tokeniser: bool
    kinds: tuple[ModelText, ModelText]
    chat_template: TemplateDifference
