"""Matching: do two views of the hidden units match them in the same way?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.details.weights import MatchingDetails
from forensics.case.evidence import Evidence
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.weights.units import NO_UNITS
from forensics.evidence.weights.weight_comparator import OfWeightFiles

if TYPE_CHECKING:
    from forensics.subjects.model_files.folder import ModelFiles

SCALE = (
    "mean rank correlation of two matchings of hidden units, each by another matrix: 0 for "
    "independent models, 1 for one model"
)
_APPROXIMATE = (
    "The p-value is approximate: it holds if the two matrices that feed a unit do not depend on "
    "each other, and is widened by what layers that do not correspond show."
)


class WeightsMatching(OfWeightFiles):
    """Zhu et al.'s test of matched permutations, see `weights.unit_matching`."""

    name = "weights_matching"
    title = "Matching of units"

    def compare(self, a: ModelFiles, b: ModelFiles) -> Evidence:
        """Return how the matchings agree, and the p-value of that under independence.

        Raises:
            InputFileError: weights that cannot be read, NaN among them.
        """
        import numpy as np

        from forensics.evidence.weights.numerics.correspondence import correspond
        from forensics.evidence.weights.numerics.reporting import layer_interval, layer_rows
        from forensics.evidence.weights.numerics.unit_matching import agreements

        matched = correspond(a, b)
        if matched is None or a.adapter:
            why = "an adapter's ranks are too few to rank" if matched else NO_UNITS
            return without_score(self, "not_applicable", why)
        agreement = agreements(matched)
        values = np.array([layer.correlation for layer in agreement.layers])
        return scored(
            self,
            scale=SCALE,
            score=float(values.mean()),
            interval=layer_interval(values),
            n=sum(layer.n for layer in agreement.layers),
            p_value=agreement.combined,
            caveats=(_APPROXIMATE,),
            details=MatchingDetails(
                p_value_is_approximate=True,
                coordinates=matched.correspondence.alignment.kind,
                controls_z=tuple(round(z, 3) for z in agreement.controls),
                layers=layer_rows(
                    [layer.pair for layer in agreement.layers],
                    values,
                    [agreement.p_value(layer) for layer in agreement.layers],
                ),
            ),
        )
