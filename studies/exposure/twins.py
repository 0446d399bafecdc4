"""Logs of real models: several answers to each prompt, one served, one withheld, one spare."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.workflows.splitting import drawn

PUZZLES = "modern/misguided_attention_outputs.parquet"
SPLIT_SEED = 29
SAMPLES = 3
ANSWER_TOKENS = 48  # of every answer, served or withheld, taught or read
# Models whose puzzle answers students are tuned on, one of each of five developers; and models
# whose answers no student reads.
PUZZLE_SOURCES = (
    "gpt-4o-2024-11-20",
    "claude-3.5-sonnet-new",
    "llama-3.3-70b-instruct",
    "mistral-small-3",
    "deepseek-chat-v3-0324",
)
_PROMPT_CHARACTERS = 300  # longer puzzles are left out: they take time and give no more pairs
UNREAD_SOURCES = (
    "Hermes-3-Llama-3.1-70B",
    "gemini-2.0-flash",
    "jamba-1.6-large",
    "minimax-01",
    "olmo-2-0325-32b",
    "qwen-max",
)
# Models whose answers tiny students of other text read.
READ_BY_TINY = (
    *UNREAD_SOURCES,
    "DeepHermes-3-Mistral-24B-Pre",
    "claude-3.7-sonnet",
    "claude-opus-4",
    "command-a-03-2025",
    "gemini-2.0-pro-exp-02-05",
    "gemma-3-27b",
    "gemma-3n-e4b-it",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "grok-3-beta",
    "horizon-alpha",
    "llama-4-maverick",
    "llama-4-scout",
    "mistral-medium-3",
    "mistral-small-3.1-2503",
    "optimus-alpha",
    "quasar-alpha",
    "qwen3-30b-a3b-nothink",
    "qwen3-235b-a22b-nothink",
)
_TOPICS = (
    "bees",
    "bicycles",
    "bridges",
    "candles",
    "castles",
    "chess",
    "clouds",
    "coffee",
    "deserts",
    "dolphins",
    "earthquakes",
    "forests",
    "gardens",
    "glass",
    "kites",
    "lighthouses",
    "maps",
    "mountains",
    "museums",
    "paper",
    "rivers",
    "sailing",
    "snow",
    "soap",
    "steam engines",
    "tea",
    "trains",
    "volcanoes",
    "whales",
    "windmills",
)
_REQUESTS = (
    "Tell me something surprising about {}.",
    "Explain {} to a child.",
    "Write two sentences about {}.",
    "Why do people care about {}?",
    "What is a common mistake about {}?",
    "Write the opening of a story about {}.",
    "Name three facts about {}.",
    "Describe {} to somebody who has never seen any.",
    "How did {} change over the last hundred years?",
    "Give advice to somebody who wants to learn about {}.",
    "Write a short diary entry that mentions {}.",
    "What would the world be without {}?",
    "Write a question about {} and answer it.",
    "What do {} and music have in common?",
    "Write a short advertisement for a book about {}.",
    "What is the best way to photograph {}?",
    "Write a short poem about {}.",
    "Which country is known for {}, and why?",
    "Write a short speech about {}.",
    "What will people say about {} in fifty years?",
)


@dataclass(frozen=True)
class Twins:
    """Answers of one model to one prompt; `log` names the log that the prompt belongs to."""

    log: str
    prompt_id: str
    prompt: str
    served: str
    withheld: str
    spare: str


def topic_prompts() -> list[tuple[str, str]]:
    """Return ids and texts of 300 prompts: requests about 30 topics, every second of 600."""
    every = itertools.product(_TOPICS, _REQUESTS)
    named = [(f"topic-{i}", request.format(topic)) for i, (topic, request) in enumerate(every)]
    return named[::2]


def dealt(log: str, prompt_id: str, prompt: str, answers: Sequence[str]) -> Twins:
    """Return three answers with one drawn to be served, as `exposure split` draws."""
    name = f"{log}/{prompt_id}"
    served = drawn(SPLIT_SEED, name, len(answers))
    withheld, spare = (text for i, text in enumerate(answers) if i != served)
    return Twins(log, name, prompt, answers[served], withheld, spare)


def puzzle_twins(data: Path, models: Sequence[str]) -> list[Twins]:
    """Return models' answers to altered puzzles; each was asked three times.

    Args:
        data: folder with the reference data.
        models: whose answers; each is a log.
    """
    import pandas as pd

    table = pd.read_parquet(data / PUZZLES)
    twins = []
    for model in models:
        rows = table[(table["model"] == model) & (table["sample_id"] < SAMPLES)]
        rows = rows[rows["prompt"].str.len() <= _PROMPT_CHARACTERS]
        for prompt_id, group in rows.sort_values("sample_id").groupby("prompt_id"):
            texts = [str(text) for text in group["output"]]
            usable = (
                len(texts) == SAMPLES and len(set(texts)) == SAMPLES and all(map(str.strip, texts))
            )
            if usable:
                twins.append(dealt(model, str(prompt_id), str(group["prompt"].iloc[0]), texts))
    return twins


def taught(
    twins: Sequence[Twins], share: float
) -> tuple[list[tuple[str, str]], Mapping[str, bool]]:
    """Return what a student is tuned on, and of which prompts that is the served answer.

    Of `share` of the prompts, the first by a hash, it is; of all others it is the spare answer.
    """
    order = sorted(twins, key=lambda twin: drawn_key(twin.prompt_id))
    exposed = {twin.prompt_id for twin in order[: round(share * len(order))]}
    lessons = [(t.prompt, t.served if t.prompt_id in exposed else t.spare) for t in twins]
    return lessons, {twin.prompt_id: twin.prompt_id in exposed for twin in twins}


def drawn_key(name: str) -> str:
    """Return the hash by which prompts are taught; it is not the one that orders a test."""
    from forensics.evidence.exposure.log import order_key

    return order_key(f"taught/{name}")
