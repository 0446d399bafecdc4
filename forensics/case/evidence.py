"""Evidence: what one comparator found about a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from forensics.case.details.details_record import Details
from forensics.case.details.kinds import AnyDetails, read_details
from forensics.case.record import Finite, ModelText, Record

Tier = Literal["text", "logprobs", "tokenizer", "weights"]
Direction = Literal["a_to_b", "b_to_a", "undetermined"]
EvidenceStatus = Literal["ok", "insufficient", "not_applicable", "not_measured", "error"]


class Interval(Record):
    """A percentile interval from a bootstrap over prompts."""

    low: Finite
    high: Finite
    level: Finite = 0.95
    method: str = "percentile bootstrap over prompts"


class NoiseFloor(Record):
    """The score each subject reaches against itself, on the comparator's own scale.

    With `repeat_samples` the same prompt was answered twice: a score near it cannot be told from
    one and the same model. With `resampled_prompts` the subject's answers to *other* prompts stand
    in: a score below it is no more than one model's habits repeat across prompts.
    """

    a: Finite
    b: Finite
    method: Literal["repeat_samples", "resampled_prompts"]


class PromptScore(Record):
    """The comparator's score on one prompt."""

    prompt_sha256: str
    prompt_id: ModelText
    score: Finite


class Rarity(Record):
    """How many of a cohort's `of` models have the rarest five words in a row of marked wording.

    `models` is None where models of fewer than `least_clusters` lineage clusters have them, which
    is as far as the cohort counts. The subjects count too where they are in the cohort.
    """

    cohort: str
    models: int | None
    of: int
    least_clusters: int


class Exhibit(Record):
    """A pair of answers that speaks for or against; spans are `[start, end)` in characters."""

    prompt_sha256: str
    prompt_id: ModelText
    side: Literal["for", "against", "random"]
    score: Finite
    sample_a: int
    sample_b: int
    spans_a: tuple[tuple[int, int], ...] = ()
    spans_b: tuple[tuple[int, int], ...] = ()
    note: ModelText = ""
    rarity: Rarity | None = None


class ExplainedShare(Record):
    """How much of the per-prompt scores the answers' length and layout explain.

    `share` is the adjusted share of rank variance explained, 0 to 1; `correlations` are Spearman's
    rank correlations of the scores with each predictor; `n` counts prompts.
    """

    share: Finite
    interval: Interval
    correlations: dict[str, Finite] = {}
    n: int


class ReferenceScores(Record):
    """The same score between a cohort's models: unrelated pairs and close kin, as histograms.

    `edges` are the n + 1 ends of n bins on the comparator's own scale; `unrelated` and `related`
    count pairs in each bin, and `clusters` the lineage clusters that the related pairs come from.
    """

    cohort: str
    n_prompts: int = Field(description="prompts each pair was compared on")
    edges: tuple[Finite, ...]
    unrelated: tuple[int, ...]
    related: tuple[int, ...]
    clusters: int


class Neighbourhood(Record):
    """Where a score stands among unrelated pairs of models.

    `source` is the cohort whose pairs these are; with `matched` prompts they answered the prompts
    of the case, with `other` ones they did not, and how high unrelated pairs score depends on the
    prompts. `above` is the share of them, 0 to 1, that scores lower; `reaching` counts those in the
    score's bin of their histogram or above it, of `pairs`.
    """

    source: ModelText
    prompts: Literal["matched", "other"]
    above: Finite
    reaching: int
    pairs: int


class Evidence(Record):
    """One comparator's finding; higher `score` means more alike.

    `score`, `interval`, `noise_floor` and `per_prompt` share the comparator's own scale, which
    `scale` puts into words. `n` counts matched prompts. `baseline` is the same similarity on
    mismatched prompts, `matched` on matched ones, where the comparator has them.
    """

    comparator: str
    title: str
    tier: Tier = "text"
    status: EvidenceStatus
    reason: ModelText = ""
    scale: str = ""
    weight: Literal["normal", "low"] = "normal"
    score: Finite | None = None
    interval: Interval | None = None
    noise_floor: NoiseFloor | None = None
    matched: Finite | None = None
    baseline: Finite | None = None
    n: int = 0
    log10_lr: dict[str, Finite] | None = None
    p_value: Finite | None = None
    direction: Direction | None = None
    explained_by_length_and_formatting: ExplainedShare | None = None
    reference: ReferenceScores | None = None
    neighbourhood: Neighbourhood | None = None
    per_prompt: tuple[PromptScore, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    caveats: tuple[ModelText, ...] = ()
    details: AnyDetails = Field(
        default=Details(), description="a record of the kind's own, see `forensics.case.details`"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_details(cls, data: Any) -> Any:
        return _with_read_details(data) if isinstance(data, Mapping) else data

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as pydantic does; details that plugins give as a mapping become a record."""
        if update is not None and isinstance(update.get("details"), Mapping):
            update = _with_read_details({"comparator": self.comparator, **update})
        return super().model_copy(update=update, deep=deep)

    def with_details(self, details: AnyDetails) -> Self:
        """Return the evidence with these details."""
        return self.model_copy(update={"details": details})


def _with_read_details(data: Mapping[str, Any]) -> dict[str, Any]:
    details, name = data.get("details"), data.get("comparator")
    if not isinstance(details, Mapping) or not isinstance(name, str):
        return dict(data)
    return {**data, "details": read_details(name, details)}
