"""What a policy may say, as it stands in the file."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from forensics.case.evidence import Tier

RuleName = Literal[
    "undeclared-kinship",
    "contradicted-declaration",
    "restricted-teacher",
    "drift",
    "max-similarity",
]
RULES: tuple[RuleName, ...] = get_args(RuleName)
Severity = Literal["error", "warning"]
_MOST = 1_000_000


def _plain(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise PydanticCustomError("plain", "must be text without control characters, not empty")
    return text


Text = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_plain)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Count = Annotated[int, Field(ge=1, le=_MOST)]
Log10 = Annotated[float, Field(ge=0, le=10)]


class PolicyTable(BaseModel):
    """Base of every table: unknown keys are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ReferenceEntry(PolicyTable):
    """One entry of `[[against]]`: a model to check against, or a cohort to search."""

    subject: Text | None = Field(default=None, description="a subject, as compare takes it")
    cohort: Text | None = Field(default=None, description="a cohort to search instead")
    names: Texts = Field(default=(), description="what model cards call this model")
    released: Month | None = Field(default=None, description="YYYY-MM, where known")

    @model_validator(mode="after")
    def _one(self) -> ReferenceEntry:
        if (self.subject is None) == (self.cohort is None):
            raise PydanticCustomError("one_of", "needs one of: subject, cohort")
        return self


class DeclaredEntry(PolicyTable):
    """`[declared]`: what is declared of the subject besides its card and configuration."""

    base_models: Texts = Field(default=(), description="models it is declared to derive from")
    license: Text | None = Field(default=None, description="its licence")
    datasets: Texts = Field(default=(), description="data that it is declared to be trained on")


class AllowEntry(PolicyTable):
    """One entry of `[[allow]]`: a finding that somebody looked into and accepts for a time."""

    rule: RuleName = Field(description="the rule whose finding is accepted")
    reference: Text | None = Field(
        default=None, description="the reference as [[against]] names it; every one if left out"
    )
    reason: Text = Field(description="why it is accepted")
    expires: datetime.date = Field(description="the last day on which it allows")


class Budget(PolicyTable):
    """`[budget]`: what a check may ask at most, counted before anything is asked."""

    max_calls: Count | None = Field(
        default=None,
        description="prompts answered and texts scored, token counts and drift included",
    )
    max_output_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="tokens that all answers together may have"
    )


class Rule(PolicyTable):
    """What every rule has; a violation of severity `warning` asks for a review, and passes."""

    severity: Severity = Field(
        default="error", description="warning: a violation asks for a review, and passes"
    )


class UndeclaredKinship(Rule):
    """Close kinship, by likelihood ratio, to a model that is not declared."""

    min_log10_lr: Log10 = Field(default=1.0, description="log10 LR from which it is violated")


class ContradictedDeclaration(Rule):
    """A declared parent that the weights show to be independent."""

    min_log10_lr: Log10 = Field(
        default=1.0,
        description="log10 LR of weights that decides either way; p-values decide without it",
    )


class RestrictedTeacher(Rule):
    """Kinship to a model whose terms forbid training on its outputs."""

    min_log10_lr: Log10 = Field(default=1.0, description="log10 LR from which it is violated")
    table: Text | None = Field(default=None, description="a TOML file with further entries")


class Drift(Rule):
    """Is the subject still the model of its stored baseline?"""

    baseline: Text = Field(description="file that forensics baseline save wrote")
    level: Annotated[float, Field(gt=0, le=0.2)] = Field(
        default=0.01, description="level of the two-sample test"
    )


class MaxSimilarity(Rule):
    """A score, chosen by the user, that no undeclared model may exceed: uncalibrated."""

    limits: Annotated[dict[Text, float], Field(min_length=1)] = Field(
        description="comparator → highest score allowed, on its own scale"
    )


class Rules(PolicyTable):
    """`[rules.NAME]`: the rules that apply; one that is left out is not checked."""

    undeclared_kinship: UndeclaredKinship | None = Field(default=None, alias="undeclared-kinship")
    contradicted_declaration: ContradictedDeclaration | None = Field(
        default=None, alias="contradicted-declaration"
    )
    restricted_teacher: RestrictedTeacher | None = Field(default=None, alias="restricted-teacher")
    drift: Drift | None = None
    max_similarity: MaxSimilarity | None = Field(default=None, alias="max-similarity")

    def named(self) -> dict[RuleName, Rule]:
        """Return the rules that apply, by name."""
        rules = {name: getattr(self, name.replace("-", "_")) for name in RULES}
        return {name: rule for name, rule in rules.items() if rule is not None}


class Policy(PolicyTable):
    """A whole policy: `forensics.toml`, or `[tool.forensics]` of a `pyproject.toml`."""

    suite: Text | None = Field(default=None, description="prompts to ask: a name or a file [core]")
    suite_text: Text | None = Field(
        default=None, description="local copy of the texts of a suite that does not hold them"
    )
    category: Texts = Field(default=(), description="ask only these categories of prompts")
    limit: Count | None = Field(default=None, description="ask at most so many prompts")
    samples: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="answers to each prompt"
    )
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(
        default=0.0, description="sampling temperature; 0 is greedy"
    )
    max_tokens: Count | None = Field(default=None, description="cap on the tokens of an answer")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="sampling seed")
    system_prompt: Text | None = Field(
        default=None, description="system prompt sent with every request"
    )
    comparators: Texts = Field(default=(), description="run only these")
    without: Texts = Field(default=(), description="leave these comparators out")
    tiers: Annotated[tuple[Tier, ...], Field(strict=False)] = Field(
        default=(), description="run only comparators of these tiers"
    )
    controls: Texts = Field(
        default=(), description="local models to read token probabilities against"
    )
    bases: Texts = Field(
        default=(),
        description="the subject's own pasts (instruct base, previous release): whether it changed "
        "towards a reference",
    )
    cohort: Text | None = Field(
        default=None, description="cohort to judge similarity against; none: do not"
    )
    released: Month | None = Field(default=None, description="when the subject was released")
    strict: bool = Field(default=False, description="as the option --strict")
    budget: Budget = Field(default=Budget(), description="what a check may ask at most")
    against: Annotated[tuple[ReferenceEntry, ...], Field(strict=False)] = Field(
        default=(), description="models to check against, and cohorts to search"
    )
    declared: DeclaredEntry = Field(
        default=DeclaredEntry(), description="what is declared besides card and configuration"
    )
    allow: Annotated[tuple[AllowEntry, ...], Field(strict=False)] = Field(
        default=(), description="findings that are accepted for a time"
    )
    rules: Rules = Field(default=Rules(), description="the rules that apply")
    endpoints: dict[str, Any] = Field(
        default={}, description="named endpoints, for openai:model@NAME"
    )

    @model_validator(mode="after")
    def _complete(self) -> Policy:
        applied = self.rules.named()
        if not applied:
            raise PydanticCustomError(
                "no_rules", "has no rule to check; add one, such as [rules.undeclared-kinship]"
            )
        if set(applied) != {"drift"} and not self.against:
            raise PydanticCustomError(
                "no_reference", "names nothing to check against; add [[against]] with subject = …"
            )
        return self


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy, as published in `reports/policy.schema.json`."""
    schema = Policy.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
