"""What a panel may say, as it stands in its TOML file."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from forensics.policy.model import Count, Month, PolicyTable, Text, Texts
from forensics.support.asking_defaults import SAMPLES, TEMPERATURE
from forensics.support.secrets import holds_key
from forensics.workflows.settings import Price

MOST_MODELS = 2_000
_LARGEST_BODY = 4_096
# What the program itself decides of a request.
_RESERVED = frozenset({"model", "messages", "prompt", "stream", "n", "seed", "temperature"})
_RESERVED_TOKENS = frozenset({"max_tokens", "max_completion_tokens"})


def read_price(text: str) -> Price:
    """Return the price that `IN/OUT` says, per million tokens.

    Raises:
        ValueError: it is not of that form.
    """
    try:
        read, written = (float(part) for part in text.split("/"))
    except ValueError:
        read = written = math.nan
    if not all(math.isfinite(part) and part >= 0 for part in (read, written)):
        raise ValueError("must be IN/OUT, a price per million tokens, such as 0.15/0.60")
    return Price(read, written)


def _price(text: str) -> str:
    try:
        read_price(text)
    except ValueError as error:
        raise PydanticCustomError("price", "{fault}", {"fault": str(error)}) from None
    return text


def _body(fields: dict[str, Any]) -> dict[str, Any]:
    taken = sorted(set(fields) & (_RESERVED | _RESERVED_TOKENS))
    if taken:
        raise PydanticCustomError(
            "reserved", "may not set {name}, which the panel's own keys decide", {"name": taken[0]}
        )
    try:
        text = json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError):
        raise PydanticCustomError(
            "json", "may hold text, numbers, true, false, lists and tables only"
        ) from None
    if len(text) > _LARGEST_BODY or holds_key(text):
        raise PydanticCustomError("body", "must be short and hold no key")
    return fields


PriceText = Annotated[str, StringConstraints(max_length=60), AfterValidator(_price)]
Body = Annotated[dict[str, Any], AfterValidator(_body)]
Money = Annotated[float, Field(ge=0, le=1e9)]
Temperature = Annotated[float, Field(ge=0, le=5)]


class PanelModel(PolicyTable):
    """One entry of `[[models]]`: who is asked, and what is known of it."""

    model: Text = Field(description="its name in the cohort, each once")
    subject: Text | None = Field(
        default=None,
        description="who is asked, as compare takes it: openai:ID@ENDPOINT, hf:…, gguf:…, demo:…, "
        "or a transcript; without it the model is left out",
    )
    weights_id: Text | None = Field(
        default=None, description="the same for the same weights, whatever host or setting [model]"
    )
    setting: Text | None = Field(default=None, description="what differs: thinking, second host, …")
    developer: Text | None = Field(default=None, description="who made it")
    family: Text | None = Field(default=None, description="its line of models")
    base_model: Text | None = Field(default=None, description="the pretrained model below it")
    base_family: Text | None = Field(default=None, description="the base's line, all sizes")
    weights_parent: Text | None = Field(
        default=None, description="the model that it was tuned, merged or quantised from"
    )
    ancestors: Texts = Field(default=(), description="all models its weights derive from")
    teachers: Texts = Field(
        default=(),
        description="models whose outputs it learned from: NAME or NAME/HOW/CONFIDENCE; or one "
        'of "none known", "undisclosed"',
    )
    released: Month | None = Field(default=None, description="YYYY-MM")
    verified: bool = Field(
        default=True, description="false: nobody checked these facts; pairs are then labelled low"
    )
    note: Text | None = Field(default=None, description="for people")
    price: PriceText | None = Field(default=None, description="IN/OUT per million tokens")
    max_tokens: Count | None = Field(
        default=None, description="cap on the tokens of its answers; reasoning needs thousands"
    )
    temperature: Temperature | None = Field(default=None, description="its own temperature")
    body: Body = Field(
        default={}, description="further fields of every request, such as a reasoning switch"
    )


class PanelLimits(PolicyTable):
    """`[limits]`: how many calls may be under way at once."""

    each: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=4, description="calls to one model under way at once"
    )
    in_all: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=32, description="calls under way at once, all models together"
    )
    timeout: Annotated[float, Field(ge=0.1, le=86_400)] = Field(
        default=120.0, description="seconds that one answer may take"
    )


class PanelBudget(PolicyTable):
    """`[budget]`: what collecting may spend in all, however often it is run."""

    max_calls: Count | None = Field(
        default=None, description="requests to endpoints, those that are repeated included"
    )
    max_output_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="tokens of all answers of endpoints"
    )
    max_cost: Money | None = Field(
        default=None, description="money, in the currency of the prices; every endpoint needs one"
    )


class PanelTable(PolicyTable):
    """A whole panel."""

    suite: Text = Field(default="core", description="prompts to ask: a name or a file")
    suite_text: Text | None = Field(
        default=None, description="local copy of the texts of a suite that does not hold them"
    )
    category: Texts = Field(default=(), description="ask only these categories")
    limit: Count | None = Field(default=None, description="ask at most so many prompts")
    all_prompts: bool = Field(default=False, description="ask every prompt of the suite")
    samples: Annotated[int, Field(ge=1, le=100)] = Field(
        default=SAMPLES, description="answers to each prompt"
    )
    temperature: Temperature = Field(
        default=TEMPERATURE, description="sampling temperature; 0 is greedy"
    )
    max_tokens: Count | None = Field(
        default=None, description="cap on the tokens of an answer [each prompt's own]"
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="sampling seed")
    system_prompt: Text | None = Field(
        default=None, description="system prompt sent with every request"
    )
    price: PriceText | None = Field(
        default=None, description="IN/OUT per million tokens, of models that name no price"
    )
    source: Text | None = Field(
        default=None, description="recorded in the cohort: where its answers are from"
    )
    limits: PanelLimits = Field(default=PanelLimits(), description="calls under way at once")
    budget: PanelBudget = Field(default=PanelBudget(), description="what may be spent in all")
    endpoints: dict[str, Any] = Field(default={}, description="named endpoints, for openai:ID@NAME")
    models: Annotated[
        tuple[PanelModel, ...], Field(strict=False, min_length=1, max_length=MOST_MODELS)
    ] = Field(description="the models")

    @model_validator(mode="after")
    def _distinct(self) -> PanelTable:
        names: set[str] = set()
        for entry in self.models:
            if entry.model in names:
                raise PydanticCustomError(
                    "repeated", "names {model} twice; keep one entry", {"model": repr(entry.model)}
                )
            names.add(entry.model)
        return self


def panel_schema() -> dict[str, Any]:
    """Return the JSON Schema of a panel."""
    return PanelTable.model_json_schema()
