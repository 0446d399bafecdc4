"""Attention: are the attention matrices of corresponding layers more alike than those of others?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.details.weights import AttentionDetails
from forensics.case.evidence import Evidence
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.weights.units import NO_UNITS
from forensics.evidence.weights.weight_comparator import OfWeightFiles

if TYPE_CHECKING:
    from forensics.subjects.model_files.folder import ModelFiles

SCALE = (
    "mean unbiased CKA of query and key matrices of corresponding layers: 0 for unrelated "
    "matrices, 1 for equal ones up to scale and rotation of heads"
)
_APPROXIMATE = (
    "The p-value is approximate: it takes layers that do not correspond as a sample of what "
    "unrelated models show."
)


class WeightsAttention(OfWeightFiles):
    """AWM's similarity with a null distribution of its own, see `weights.attention`."""

    name = "weights_attention"
    title = "Attention matrices"

    def compare(self, a: ModelFiles, b: ModelFiles) -> Evidence:
        """Return how alike attention is in corresponding layers, against all other pairs.

        Raises:
            InputFileError: weights that cannot be read, NaN among them.
        """
        from forensics.evidence.weights.numerics.correspondence import correspond
        from forensics.evidence.weights.numerics.query_key import compare_attention
        from forensics.evidence.weights.numerics.reporting import layer_interval, layer_rows

        matched = correspond(a, b)
        if matched is None:
            return without_score(self, "not_applicable", NO_UNITS)
        attention = compare_attention(matched)
        if attention is None:
            why = "query and key matrices were not found in corresponding layers of both"
            return without_score(self, "not_applicable", why)
        controls = attention.controls
        return scored(
            self,
            scale=SCALE,
            score=float(attention.similarity.mean()),
            interval=layer_interval(attention.similarity),
            n=len(attention.pairs),
            p_value=attention.p_value,
            caveats=(_APPROXIMATE,),
            details=AttentionDetails(
                p_value_is_approximate=True,
                coordinates=matched.correspondence.alignment.kind,
                other_layers_mean=round(float(controls.mean()), 6) if len(controls) else None,
                other_layers_sd=round(float(controls.std()), 6) if len(controls) else None,
                layers=layer_rows(
                    attention.pairs, attention.similarity, [None] * len(attention.pairs)
                ),
            ),
        )
