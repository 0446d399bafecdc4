"""Which models the case study sets beside which; every pair's answers are public.

A pair is a questioned model beside a known one, in a shipped cohort: whoever has the program can
run it (`Pair.command`), no data needed.
"""

from __future__ import annotations

from dataclasses import dataclass

PUZZLES = "misguided-attention"
PUZZLES_FILE = "modern/misguided_attention_outputs.parquet"
R1, V3 = "deepseek-r1", "DeepSeek-V3"


@dataclass(frozen=True)
class Pair:
    """A questioned model, a known one, the questioned one's past, and claims about the two."""

    questioned: str
    known: str
    bases: tuple[str, ...] = ()
    cohort: str = PUZZLES
    claims: tuple[str, ...] = ()

    def subject(self, model: str) -> str:
        """Return how the program is told a model of the cohort."""
        return f"cohort:{self.cohort}/{model}"

    @property
    def command(self) -> str:
        """The command that gives the same answers."""
        bases = "".join(f" --base {self.subject(base)}" for base in self.bases)
        return (
            f"forensics compare {self.subject(self.known)} {self.subject(self.questioned)}{bases}"
        )


_SAID = ("openai-deepseek-2025", "sacks-2025", "microsoft-exfiltration-2024")
CENTRAL = (
    Pair(R1, "gpt-4o-2024-11-20", (V3,), claims=_SAID),
    Pair(R1, "o3-mini", (V3,), claims=_SAID),
    Pair(V3, "gpt-4o-2024-11-20", claims=_SAID),
)
ELSEWHERE = (
    Pair("deepseek-v3", "gpt-4-turbo", cohort="farel", claims=_SAID),
    Pair("deepseek-v3", "gpt-4o", cohort="farel", claims=_SAID),
    Pair("deepseek-v3", "gpt-4o-2024-11-20", cohort="farel", claims=_SAID),
    Pair("deepseek-ai__DeepSeek-R1", "gpt-4o-mini", cohort="longform", claims=_SAID),
    Pair("deepseek-ai__DeepSeek-R1", "chatgpt-4o-latest-2025-03-27", cohort="longform"),
    Pair("deepseek-r1", "chatgpt-4o-latest", cohort="slop-score"),
)
DOCUMENTED = (
    Pair(
        "deepseek-r1-distill-llama-70b",
        R1,
        ("llama-3.3-70b-instruct",),
        claims=("r1-distill-permitted-2025",),
    ),
    Pair("DeepHermes-3-Mistral-24B-Pre", R1, ("mistral-small-3",), claims=("deephermes-2025",)),
    Pair("ll3.3-nemotron-49b-v1-thk", R1, ("llama-3.3-70b-instruct",), claims=("nemotron-2025",)),
    Pair("optimus-alpha", "gpt-4.1", ("gpt-4o-2024-11-20",), claims=("quasar-2025",)),
    Pair("quasar-alpha", "gpt-4.1", ("gpt-4o-2024-11-20",), claims=("quasar-2025",)),
)
# Releases of one house that nobody says to have had a teacher of another: a null.
NULL_MODEL, NULL_PAST = "claude-sonnet-4", "claude-3.7-sonnet"
# No comparison of these two was possible: the model answered none of the public sets.
NOT_IN_ANY_SET = ("r1-1776-2025",)
# About other models and a later time; named because R1 beside Claude is among the controls.
LATER = ("anthropic-2026",)
