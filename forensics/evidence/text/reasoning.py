"""Reasoning: how do traces begin, turn and end, where both subjects show them?

Thinking before the answer has set phrases of its own: how it opens ("Okay, the user wants"), what
it says when it changes course ("wait", "alternatively"), how it winds up, how long it is and how it
is cut into steps. Half of the score are the first and last words, half the habits in between.

The reference data holds no two subjects with recorded reasoning (one model's twelve traces, each
cut off before its answer), so what this tells apart is not known. The same measure on whole answers
in the place of traces separates 87 close relatives from 400 unrelated pairs with an area under the
ROC curve of .931 (100 prompts); of 29 models of 2025 (52 puzzles, 3 answers each) it separates 5
pairs of one model in two settings from 250 unrelated pairs with .980 [.935, 1.000], and with 84
pairs of one developer or base added with .894 [.806, .970]; resampling the nine developers instead
of lineage clusters, [.759, 1.000] and [.531, .972].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import regex
from numpy.typing import NDArray
from scipy import sparse

from forensics.case.details.text import HabitDifference, ReasoningDetails
from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import MIN_PROMPTS, exhibit, matched_evidence, without_score
from forensics.evidence.features.matched_prompts import Floats, Matched, PromptRows, prompt_rows
from forensics.evidence.text.openings import prefix_rows
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import MAX_ANALYSED_CHARS, Answer
from forensics.transcripts.words import words

# Phrases by which a train of thought turns; counted per 1,000 words.
TURNS = {
    "wait": r"\bwait\b",
    "hmm": r"\bhm+\b",
    "let me": r"\blet me\b",
    "let's": r"\blet[’']?s\b",
    "alternatively": r"\balternatively\b",
    "actually": r"\bactually\b",
    "however": r"\bhowever\b",
    "but": r"\bbut\b",
    "so": r"\bso\b",
    "okay": r"\bok(?:ay)?\b",
    "alright": r"\bal(?:l )?right\b",
    "maybe": r"\b(?:maybe|perhaps)\b",
    "therefore": r"\b(?:therefore|thus|hence)\b",
    "I think": r"\bI think\b",
    "I need to": r"\bI (?:need|have|should|must)\b",
    "the user": r"\bthe (?:user|human|person|question|prompt|problem)\b",
    "check": r"\b(?:double[- ])?check(?:ing)?\b|\bverify(?:ing)?\b",
    "mistake": r"\b(?:mistakes?|wrong|incorrect|error)\b",
    "first": r"\bfirst(?:ly)?\b",
    "step": r"\bsteps?\b",
    "final answer": r"\bfinal (?:answer|response)\b",
    "we": r"\bwe\b",
    "I": r"\bI\b",
    "question mark": r"[?？]",
    "exclamation mark": r"[!！]",
    "等等 (wait)": r"等等|等一下|不对",
    "首先 (first)": r"首先|接下来|然后",
    "所以 (so)": r"所以|因此",
    "用户 (the user)": r"用户",
}
_STEPS = {
    "blank lines": r"\n[ \t]*\n",
    "lines": r"\n",
    "numbered lines": r"(?m)^\s*(?:\d{1,3}[.)]|step \d+)",
    "bullets": r"(?m)^\s*[-*•]\s",
    "bold": r"\*\*[^*\n]{1,200}\*\*",
    "LaTeX": r"\\\(|\\\[|\$",
    "sentence ends": r"[.!?。！？](?:\s|$)",
}
_COUNTED = tuple(regex.compile(pattern, regex.IGNORECASE) for pattern in (TURNS | _STEPS).values())
FEATURES = (*TURNS, *_STEPS, "length", "words per line", "share of the whole response")
_TURN = regex.compile(
    "|".join(TURNS[name] for name in ("wait", "hmm", "alternatively", "actually", "等等 (wait)")),
    regex.IGNORECASE,
)
_CONSTANT = 1e-9
_EXHIBITS = 3
_SHOWN_WORDS = 12


@dataclass(frozen=True)
class Traces:
    """One subject's reasoning traces.

    `answers` are its answers with the trace in place of the text; `ends` are rows of first and last
    words, shape (traces, d); `rates` are habits, shape (traces, f). `seen` counts all answers,
    `unanswered` the responses that were cut off while still reasoning.
    """

    answers: tuple[Answer, ...]
    ends: sparse.csr_array
    rates: Floats
    seen: int
    unanswered: int

    def on(self, prompts: set[str]) -> NDArray[np.intp]:
        """Return the rows that belong to `prompts`."""
        return np.array(
            [i for i, a in enumerate(self.answers) if a.prompt_sha256 in prompts], dtype=np.intp
        )


@dataclass(frozen=True)
class Reasoning:
    """Compares reasoning traces."""

    name: str = "reasoning"
    title: str = "How reasoning goes"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Traces:
        """Return first and last words, and rates of habits, of every reasoning trace."""
        with_trace = [a for a in examined.answers if a.reasoning and a.reasoning.strip()]
        traces = tuple(_as_trace(answer) for answer in with_trace)
        forms = [words(trace.text) for trace in traces]
        rates = [
            _rates(trace.text, len(trace_words), len(answer.text))
            for trace, trace_words, answer in zip(traces, forms, with_trace, strict=True)
        ]
        return Traces(
            traces,
            prefix_rows(traces, forms),
            np.array(rates).reshape(-1, len(FEATURES)),
            len(examined.answers),
            sum(bool(r.reasoning) and not r.text.strip() for r in examined.transcript.responses),
        )

    def compare(self, a: Traces, b: Traces) -> Evidence:
        """Return the similarity of traces on matched prompts beyond mismatched prompts.

        Spans of exhibits are left out: they would point into the answer, not into the trace.
        """
        prompts = {x.prompt_sha256 for x in a.answers} & {x.prompt_sha256 for x in b.answers}
        if len(prompts) < MIN_PROMPTS:
            return without_score(self, "insufficient", _why(a, b, len(prompts)), len(prompts))
        rows_a, rows_b = _rows(a, b, prompts)
        evidence = matched_evidence(
            self,
            rows_a,
            rows_b,
            "similarity of reasoning (first and last words, turns, steps), matched minus "
            "mismatched",
            lambda matched: _exhibits(matched, rows_a, rows_b),
            (
                "Some services show a summary of the reasoning, written by another model.",
                "A limit on tokens cuts traces short.",
            ),
        )
        return evidence.with_details(_details(a, b, prompts))


def _as_trace(answer: Answer) -> Answer:
    text = (answer.reasoning or "").strip()
    # Where an answer follows, the trace came to its own end, cut off though the answer may be.
    cut = text[:MAX_ANALYSED_CHARS]
    return replace(answer, text=cut, complete=len(cut) == len(text), reasoning=None)


def _rates(text: str, count: int, answer_chars: int) -> Floats:
    total = max(count, 50)
    counts = np.array([sum(1 for _ in pattern.finditer(text)) for pattern in _COUNTED])
    lines = [line for line in text.splitlines() if line.strip()]
    return np.concatenate(
        [
            np.log1p(1000.0 * counts / total),
            [
                float(np.log1p(count)),
                float(np.log1p(count / max(len(lines), 1))),
                len(text) / max(len(text) + answer_chars, 1),
            ],
        ]
    )


def _why(a: Traces, b: Traces, common: int) -> str:
    unanswered = max(a.unanswered, b.unanswered)
    cut = (
        f"; {unanswered} responses were cut off before their answer: raise the limit on tokens"
        if unanswered
        else ""
    )
    if not a.answers or not b.answers:
        none = " and ".join(name for name, side in (("A", a), ("B", b)) if not side.answers)
        return f"no answer of {none} comes with its reasoning{cut}"
    return (
        f"{common} matched prompts have reasoning of both (A shows it in {len(a.answers)} of "
        f"{a.seen} answers, B in {len(b.answers)} of {b.seen}); at least {MIN_PROMPTS} are needed"
        f"{cut}"
    )


def _rows(a: Traces, b: Traces, prompts: set[str]) -> tuple[PromptRows, PromptRows]:
    """Return rows whose dot product is the mean of both halves' similarity."""
    at_a, at_b = a.on(prompts), b.on(prompts)
    rates_a, rates_b = a.rates[at_a], b.rates[at_b]
    spread = np.sqrt((rates_a.var(axis=0) + rates_b.var(axis=0)) / 2)
    used = spread > _CONSTANT
    centre = (rates_a.mean(axis=0) + rates_b.mean(axis=0)) / 2
    z_a, z_b = (((rates - centre) / np.where(used, spread, 1.0)) for rates in (rates_a, rates_b))
    return _joined(a, at_a, z_a[:, used]), _joined(b, at_b, z_b[:, used])


def _joined(side: Traces, at: NDArray[np.intp], habits: Floats) -> PromptRows:
    lengths = np.maximum(np.linalg.norm(habits, axis=1, keepdims=True), 1e-12)
    half = np.float32(np.sqrt(0.5))
    unit = sparse.coo_array((habits / lengths).astype(np.float32))
    rows = sparse.hstack([side.ends[at] * half, unit * half], format="csr")
    return prompt_rows([side.answers[i] for i in at], sparse.csr_array(rows))


def _details(a: Traces, b: Traces, prompts: set[str]) -> ReasoningDetails:
    at_a, at_b = a.on(prompts), b.on(prompts)
    rates_a, rates_b = a.rates[at_a], b.rates[at_b]
    spread = np.sqrt((rates_a.var(axis=0) + rates_b.var(axis=0)) / 2)
    means = (rates_a.mean(axis=0), rates_b.mean(axis=0))
    apart = (means[0] - means[1]) / np.maximum(spread, _CONSTANT)
    order = [i for i in np.argsort(-np.abs(apart), kind="stable") if spread[i] > _CONSTANT][:8]
    length = FEATURES.index("length")
    return ReasoningDetails(
        median_words=(_median_words(rates_a[:, length]), _median_words(rates_b[:, length])),
        turns_per_1000_words={
            name: (_per_1000_words(means[0][i]), _per_1000_words(means[1][i]))
            for i, name in enumerate(TURNS)
            if max(mean[i] for mean in means) > 0
        },
        largest_differences=tuple(
            HabitDifference(habit=FEATURES[i], a_minus_b_sd=round(float(apart[i]), 3))
            for i in order
        ),
    )


def _median_words(logarithms: Floats) -> float:
    return round(float(np.expm1(np.median(logarithms))), 1)


def _per_1000_words(logarithm: float) -> float:
    return round(float(np.expm1(logarithm)), 3)


def _exhibits(matched: Matched, a: PromptRows, b: PromptRows) -> tuple[Exhibit, ...]:
    order = np.argsort(-matched.scores, kind="stable")
    chosen = [("for", i) for i in order[:_EXHIBITS] if matched.scores[i] > 0]
    chosen += [("against", i) for i in order[::-1][:_EXHIBITS]]
    return tuple(_exhibit(side, int(i), matched, a, b) for side, i in chosen)


def _exhibit(side: str, i: int, matched: Matched, a: PromptRows, b: PromptRows) -> Exhibit:
    prompt = matched.prompts[i]
    first, second = a.answers[prompt][0], b.answers[prompt][0]
    return exhibit(
        side,
        first,
        second,
        matched.scores[i],
        note=f"A's reasoning {_described(first.text)}; B's {_described(second.text)}",
    )


def _described(text: str) -> str:
    opening = " ".join(text[:400].split()[:_SHOWN_WORDS])
    turn = _TURN.search(text)
    turns = f" and first turns with “{turn.group()}”" if turn else ""
    return f"begins “{opening}”{turns}"
