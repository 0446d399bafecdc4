"""Likelihoods: do two models find the same texts surprising?

The model map (Oyama, Yamagiwa, Takase, Shimodaira 2025, "Mapping 1,000+ Language Models via the
Log-Likelihood Vector", arXiv 2502.16173): a model is the vector of its log-likelihoods over a fixed
text set, double-centred over models and texts; squared distances approximate twice the
Kullback-Leibler divergence. Here values are bits per byte, so that passages of other lengths weigh
alike, and each model is centred within English and within code: which languages a model was taught
would otherwise outweigh all else. Passages in other languages are left out for the same reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.probabilities import ControlDistance, LikelihoodsDetails
from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.features.matched_prompts import percentile_interval, resample_weights
from forensics.evidence.probabilities.panel import (
    LEAST_FOR_P_VALUE,
    LEAST_PASSAGES,
    Seen,
    bits_per_byte,
    choose,
    holm,
    over_passages,
    seen,
    shared_passages,
)
from forensics.examination.examined import Examined, Need
from forensics.examination.passages import load_passages
from forensics.examination.probability_values import TextProbabilities

Floats = NDArray[np.float64]
_GROUPS = ("en", "code")
_TINY = 1e-12  # squared bits per byte; a control that is a subject's copy would divide by zero


@dataclass(frozen=True)
class Likelihoods:
    """Compares vectors of log-likelihoods with a panel of controls."""

    name: str = "likelihoods"
    title: str = "Likelihood of fixed texts"
    tier: Tier = "logprobs"
    needs: frozenset[Need] = frozenset({"logprobs"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Seen:
        """Return the subject's probabilities and the controls'."""
        return seen(examined)

    def compare(self, a: Seen, b: Seen) -> Evidence:
        """Return how much nearer the two are to one another than to the nearest control."""
        panel = choose(a, b)
        if not panel.controls:
            return without_score(self, "insufficient", panel.why_empty)
        models = (a.own, b.own, *panel.controls)
        vectors, count = _centred(models)
        if count < LEAST_PASSAGES:
            reason = f"{count} passages that all models can write; {LEAST_PASSAGES} are needed"
            return without_score(self, "not_applicable", reason, count)
        pair = (vectors[0] - vectors[1]) ** 2
        tests = [
            (control.name, letter, (vectors[2 + i] - vectors[side]) ** 2)
            for i, control in enumerate(panel.controls)
            for side, letter in ((0, "A"), (1, "B"))
        ]
        p_values = holm([_nearer(pair, others) for _, _, others in tests])
        _, _, nearest = min(tests, key=lambda test: (float(test[2].mean()), test[0], test[1]))
        draws = resample_weights(count)
        ratios = (draws @ pair) / np.maximum(draws @ nearest, _TINY)
        return scored(
            self,
            scale=(
                "1 - squared distance of the pair / that to the nearest control, of centred bits "
                "per byte (1: the same model; 0: no nearer than a control)"
            ),
            score=1 - float(pair.mean()) / max(float(nearest.mean()), _TINY),
            interval=over_passages(percentile_interval(1 - ratios)),
            n=count,
            p_value=max(p_values) if len(panel.controls) >= LEAST_FOR_P_VALUE else None,
            caveats=panel.caveats,
            details=LikelihoodsDetails(
                bits_per_byte={
                    "a": _mean_bits(a.own),
                    "b": _mean_bits(b.own),
                    **{control.name: _mean_bits(control) for control in panel.controls},
                },
                distance=float(pair.mean()),
                controls=tuple(
                    ControlDistance(
                        control=name, target=letter, distance=float(d.mean()), p_value=p
                    )
                    for (name, letter, d), p in zip(tests, p_values, strict=True)
                ),
                left_out=tuple(panel.left_out),
            ),
        )


def _centred(models: tuple[TextProbabilities, ...]) -> tuple[Floats, int]:
    """Return double-centred bits per byte, shape (models, passages), and the number of passages."""
    writable = set(shared_passages(*models))
    blocks = []
    for group in _GROUPS:
        ids = [p.id for p in load_passages() if p.language == group and p.id in writable]
        if not ids:
            continue
        bits = np.array([[bits_per_byte(m.passages[p]) for p in ids] for m in models])
        bits -= bits.mean(axis=1, keepdims=True)
        blocks.append(bits - bits.mean(axis=0))
    vectors = np.concatenate(blocks, axis=1) if blocks else np.zeros((len(models), 0))
    return vectors, vectors.shape[1]


def _nearer(pair: Floats, others: Floats) -> float:
    """Return the one-sided p-value of Wilcoxon's signed-rank test that the pair is nearer."""
    from scipy.stats import wilcoxon

    differences = others - pair
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences, alternative="greater").pvalue)


def _mean_bits(model: TextProbabilities) -> float:
    return round(-float(np.mean([bits_per_byte(s) for s in model.passages.values()])), 4)
