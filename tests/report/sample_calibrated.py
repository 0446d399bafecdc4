"""A hand-written calibrated case: every field a report shows is filled, names are hostile."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

from forensics.case.document import (
    Case,
    CaseNote,
    CasePlan,
    Claim,
    ErrorAtScore,
    Relative,
    Relatives,
)
from forensics.case.evidence import Evidence, Interval, ReferenceScores
from forensics.cohorts.newick import leaf_names
from tests.report.sample_case import sample_case, sha

LAYERS = 6
_NAMES = ("vicuna-7b", "koala-13b", "alpaca-7b", "guanaco-33b", "O'Neill <b>&", "llama-2-7b-chat")


def _histogram(center: float, spread: float, edges: tuple[float, ...], most: int) -> list[int]:
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    return [round(most * math.exp(-(((x - center) / spread) ** 2))) for x in middles]


def reference(score: float) -> ReferenceScores:
    """Return distributions with the unrelated pairs mostly below `score`."""
    edges = tuple(round(score - 0.6 + 0.05 * i, 3) for i in range(21))
    return ReferenceScores(
        cohort="alpaca-eval",
        n_prompts=100,
        edges=edges,
        unrelated=tuple(_histogram(score - 0.35, 0.16, edges, 400)),
        related=tuple(_histogram(score + 0.05, 0.15, edges, 9)),
        clusters=14,
    )


def likeness(value: float = 1.08) -> Evidence:
    """Return what a cohort's judgement looks like, with a log10 LR of `value`."""
    return Evidence(
        comparator="likeness",
        title="Similarity against the cohort",
        status="ok",
        scale="standard deviations above the reference models most similar to either",
        score=4.2,
        interval=Interval(low=3.1, high=5.0),
        n=100,
        log10_lr={"same_model": value, "close_descent": value},
        reference=reference(4.2),
        details={
            "cohort": "alpaca-eval",
            "cohort_sha256": sha("cohort"),
            "reference_models": 128,
            "known_as": {"a": None, "b": None},
            "released": {"a": "2023-03", "b": "2023-07"},
            "conditions": [
                {"met": True, "text": "42 reference models were released within 12 months of A"},
                {"met": True, "text": "the median answer length of B lies within the cohort's"},
            ],
            "log10_lr_interval": [value - 0.4, min(value + 0.2, 1.2)],
            "log10_lr_bounds": [-1.1, 1.2],
            "error_rates": {"n_pos": 57, "n_neg": 9120, "n_clusters": 14, "auc": 0.98},
        },
    )


def weights() -> Evidence:
    """Return evidence of the weights tier with a heat map of layers."""
    rng = random.Random(3)
    layers = [
        {
            "a": a,
            "b": b,
            "similarity": 0.9 if a == b else round(rng.uniform(0.0, 0.3), 3),
            "p_value": 1e-9 if a == b else 0.4,
        }
        for a in range(LAYERS)
        for b in range(LAYERS)
    ]
    return Evidence(
        comparator="weights",
        title="Weights, layer by layer",
        tier="weights",
        status="ok",
        scale="centred kernel alignment of matching layers",
        score=0.9,
        n=LAYERS,
        p_value=1e-9,
        details={"layers": layers, "method": "HuRef"},
    )


def relatives(a: str, b: str) -> Relatives:
    """Return nearest models and the tree around `a` and `b`."""

    def ranked(shift: int) -> tuple[Relative, ...]:
        names = [*_NAMES[shift:], *_NAMES[:shift]]
        return tuple(
            Relative(name=name, developer="<i>LMSYS</i>", score=round(2.5 - 0.4 * place, 2))
            for place, name in enumerate(names[:5])
        )

    def quoted(name: str) -> str:
        return "'" + name.replace("'", "''") + "'"

    first, second, *others = (quoted(name) for name in (*leaf_names((a, b)), *_NAMES))
    newick = (
        f"((({first}:0.1,{second}:0.12)98:0.2,{others[0]}:0.3)70:0.1,"
        f"({others[1]}:0.4,{others[2]}:0.3):0.05,({others[3]}:0.5,{others[4]}:0.2):0.1);"
    )
    return Relatives(cohort="alpaca-eval", a=ranked(0), b=ranked(2), newick=newick)


def plan() -> CasePlan:
    """Return a frozen plan with a testable claim, one that is not, notes and a deviation."""
    return CasePlan(
        path="case <1>.yaml",
        sha256=sha("plan"),
        frozen_at="2025-11-20T12:00:00+00:00",
        title="Example & co",
        propositions=("B is of close descent from A", "they are independent"),
        claims=(
            Claim(
                text="B is <b>just</b> A with another name \x1b[31m\ud800",
                source="https://example.invalid/post?a=1&b=2",
                date="2025-11-02",
                testable=True,
            ),
            Claim(
                text="B was trained on A's answers, obtained through its API",
                source="A newspaper",
                date="2025-11-05",
                testable=False,
                needs=("API logs", "training data"),
            ),
        ),
        settings={"suite": "core", "thresholds": {"log10_lr": 1.0}},
        notes=(CaseNote(at="2025-11-21T08:00:00+00:00", text="B's endpoint moved <script>1"),),
        deviations=("--limit was 40, the plan says 100",),
    )


def calibrated_case(count: int = 40, words: int = 120, lr: float = 1.08, **changes: Any) -> Case:
    """Return a calibrated case with claims, distributions, relatives, layers and error rates."""
    case = sample_case(count, words)
    with_reference = tuple(
        e.model_copy(update={"reference": reference(e.score)}) if e.score is not None else e
        for e in case.evidence
    )
    verdict = case.verdict.model_copy(
        update={
            "status": "calibrated",
            "calibration": "matched",
            "headline": "Likelihood ratio 12 for close kinship against independence.",
            "reading": "The findings provide moderate support for close descent.",
            "reasons": (),
            "log10_lr": {"same_model": lr, "close_descent": lr},
            "error_at_score": ErrorAtScore(
                pairs=4100, pairs_in_error=3, clusters=41, clusters_in_error=2
            ),
        }
    )
    filled = {
        "evidence": (likeness(lr), *with_reference, weights()),
        "verdict": verdict,
        "plan": plan(),
        "relatives": relatives(case.a.name, case.b.name),
    }
    return case.model_copy(update=filled | changes)
