"""The result of an exposure test as a document; its schema is published."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from forensics.case.record import Finite, ModelText, Record
from forensics.evidence.exposure.log import Design

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"
Finding = Literal["depended", "not_shown", "refused", "insufficient"]
Route = Literal["probabilities", "answers"]
# A property in which served and withheld answers must not differ.
GuardName = Literal[
    "length",
    "hour_of_day",
    "date",
    "finish_reason",
    "empty",
    "refused",
    "public",
    "cached",
    "text_only",
]
RefusalName = Literal[
    "split_after_the_fact",
    "no_twins",
    "both_served",
    "filters_differ",
    "calls_not_independent",
    "not_attested",
    "turns_unordered",
    "batches_missing",
    "log_changed",
    "look_differs",
    "path_changed",
    GuardName,
    "controls",
    "negative_control",
]


class ExposureRefusal(Record):
    """Why the log, or the test, cannot be used."""

    name: RefusalName
    why: str


class FixedTest(Record):
    """Permutation within prompts, at the number of prompts that was declared beforehand."""

    p_value: Finite
    reached: int
    ways: int
    exact: bool = Field(description="All ways were counted; else p = (1 + reached) / (1 + ways).")


class Watched(Record):
    """Betting on the served side, prompt after prompt: by batch, and within it by a hash."""

    final: Finite = Field(description="The e-value at the end.")
    highest: Finite
    p_value: Finite = Field(description="1 over the highest capital; holds at any time.")
    crossed_at: int | None = Field(description="After how many prompts 1/level was first reached.")
    bets: int = Field(default=0, description="How many prompts were bet on.")
    combined: Finite | None = Field(
        default=None, description="Mean e-value over accounts or tiers, where the log has them."
    )


class MeanDifference(Record):
    """Served minus withheld, mean over prompts, with one-sided 99 % bounds on either side."""

    mean: Finite
    low: Finite
    high: Finite
    deviation: Finite = Field(description="Of one prompt's difference.")


class SidesCompared(Record):
    """A property of the log on both sides; of `text_only` the accuracy and its complement."""

    name: str
    served: Finite
    withheld: Finite
    p_value: Finite
    adjusted: Finite = Field(description="Holm's, over all properties compared.")
    prompts: int


class PairsCounted(Record):
    """How many prompts were logged, read, and used; and why others were left out."""

    logged: int
    read: int
    used: int
    left_out: dict[str, int]
    declared: int | None
    unscored: int = Field(default=0, description="Prompts that a model could not read.")
    ties: int = 0


class ExposureResult(Record):
    """What an exposure test says of one model and one log."""

    kind: Literal["exposure"] = "exposure"
    schema_version: Literal["1"] = "1"
    tool_version: str
    subject: ModelText
    base: ModelText | None
    controls: tuple[ModelText, ...]
    log_sha256: str
    prompts_sha256: str = Field(
        default="", description="Of the prompts that were read, with their answers, in their order."
    )
    batches: int = Field(
        default=0, description="In how many batches they arrived; 0: the log does not say."
    )
    look: int = Field(default=1, description="1 more than that of the earlier look, if any.")
    earlier_sha256: str | None = Field(
        default=None, description="Of the file with the earlier look's result."
    )
    design: Design
    route: Route
    statistic: str
    level: Finite
    finding: Finding
    sentence: str
    refusals: tuple[ExposureRefusal, ...]
    primary: Literal["fixed", "watched", "combined", "none"]
    p_value: Finite | None = Field(description="Of the primary statistic.")
    fixed: FixedTest | None
    watched: Watched | None
    difference: MeanDifference | None
    controls_pooled: MeanDifference | None
    controls_p_value: Finite | None
    negative_control_p_value: Finite | None
    compared: tuple[SidesCompared, ...]
    pairs: PairsCounted
    in_common: Finite | None = Field(
        default=None,
        description="Share of four-character sequences that served and withheld answers have in "
        "common, mean over the prompts that count.",
    )
    assumed: str = Field(
        default="", description="What full exposure is assumed to do, for the statement of power."
    )
    detectable_share: Finite | None = Field(
        description="Least share of exposed prompts that so many would have shown with 80 % power."
    )
    power: str
    caveats: tuple[str, ...]


def exposure_schema() -> dict[str, Any]:
    """Return the JSON Schema of a result."""
    schema = ExposureResult.model_json_schema(mode="serialization")
    return {"$schema": SCHEMA_ID, "title": "forensics exposure test"} | schema
