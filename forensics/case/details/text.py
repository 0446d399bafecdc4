"""Details of evidence from texts."""

from __future__ import annotations

from forensics.case.details.details_record import Details
from forensics.case.record import Finite, ModelText

Counts = dict[ModelText, int]


class LongRuns(Details):
    """On how many of `n` prompts a long passage is shared.

    Such a passage is a fifth of the shorter answer, but at least `words[0]` and at most `words[1]`
    words that are not the prompt's.
    """

    prompts: int
    n: int
    words: tuple[int, int]


class PhrasingDetails(Details):
    """Details of shared wording."""

    long_runs: LongRuns


class EmbeddingDetails(Details):
    """How many of the common prompts embeddings were read on, and in which precision.

    Where nothing is said all prompts were, in float32.
    """

    prompts_read: int | None = None
    prompts_common: int | None = None
    precision: str | None = None


class HabitDifference(Details):
    """A habit, and by how many standard deviations of one subject's answers A has more of it."""

    habit: str
    a_minus_b_sd: Finite


class SelfDelta(Details):
    """Burrows's Delta of each subject against itself."""

    a: Finite
    b: Finite
    method: str


class ProfileDetails(Details):
    """Details of style and of layout: Burrows's Delta, and the habits that differ most."""

    burrows_delta: Finite
    burrows_delta_self: SelfDelta
    largest_differences: tuple[HabitDifference, ...]


class ReasoningDetails(Details):
    """Details of reasoning traces, of A and of B: words, and turns per 1,000 words."""

    median_words: tuple[Finite, Finite]
    turns_per_1000_words: dict[str, tuple[Finite, Finite]]
    largest_differences: tuple[HabitDifference, ...]


class SharedPhrase(Details):
    """A word or pair of words that both over-use, with its z-scores against general English."""

    phrase: ModelText
    z_a: Finite
    z_b: Finite


class LexiconDetails(Details):
    """What both over-use most, and what share of each subject's answers is in English."""

    shared: tuple[SharedPhrase, ...]
    english_a: Finite
    english_b: Finite


class RefusalDetails(Details):
    """How many prompts each evades and refuses, in which words, and on which subjects.

    Counts by category and language, and the classifier, are left out by the classifier of version
    0.1.0, which saw no evasion.
    """

    labels_a: Counts
    phrases_a: tuple[tuple[ModelText, int], ...]
    labels_b: Counts
    phrases_b: tuple[tuple[ModelText, int], ...]
    evaded_by_category_a: Counts = {}
    refused_by_category_a: Counts = {}
    evaded_by_language_a: Counts = {}
    refused_by_language_a: Counts = {}
    evaded_by_category_b: Counts = {}
    refused_by_category_b: Counts = {}
    evaded_by_language_b: Counts = {}
    refused_by_language_b: Counts = {}
    prompts_by_language: Counts = {}
    agreement_by_language: dict[str, Finite] = {}
    classifier: str | None = None


class IdentityDetails(Details):
    """How often each subject claims which maker."""

    claims_a: Counts
    claims_b: Counts


class KindOfChoice(Details):
    """Prompts of one kind: how many, the mean score, and on how many both say the same."""

    n: int
    score: Finite
    same: int


class Premises(Details):
    """How often false premises were accepted."""

    n: int
    accepted_by_a: int
    accepted_by_b: int
    accepted_by_both: int


class ChoicesDetails(Details):
    """Details of arbitrary picks and inventions, by kind of prompt."""

    by_kind: dict[str, KindOfChoice]
    premises: Premises


class SamplingDetails(Details):
    """The test of one distribution, and the smallest difference it would see four times in five."""

    test: str
    samples: int
    squared_mmd: Finite
    permutations: int
    detectable_squared_mmd: Finite
    detectable_score: Finite
