"""Hidden units: are they the same ones, matched by one matrix and tested by another?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.details.weights import UnitsDetails
from forensics.case.evidence import Evidence
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.weights.weight_comparator import OfWeightFiles

if TYPE_CHECKING:
    from forensics.evidence.weights.numerics.correspondence import MatchedModels
    from forensics.subjects.model_files.folder import ModelFiles

SCALE = "mean cosine of matched hidden units' weights: 0 for independent models, 1 for one model"
NO_UNITS = (
    "the models have no gated MLPs and no value channels to match; an adapter is compared with "
    "adapters only"
)
_UNIT = {
    "up": "hidden units of gated MLPs",
    "v": "value channels of attention",
    "lora_a": "ranks of adapters",
}
# With fewer, even signs that all agree leave an e-value below what makes kin (`fusion.KIN`).
LEAST_SIGNS = 18
_EXACT = (
    "The p-value is exact where one of the two models was initialised independently, symmetrically "
    "in sign, and trained by a method blind to sign, as SGD and Adam are, and not both hold copies "
    "of layers. Two models trained from one random initialisation count as relatives here."
)


class WeightsUnits(OfWeightFiles):
    """Matches hidden units by one matrix and tests the signs of another; see `unit_signs`."""

    name = "weights_units"
    title = "Hidden units"

    def compare(self, a: ModelFiles, b: ModelFiles) -> Evidence:
        """Return the exact p-value of independence, and how alike matched units are.

        Raises:
            InputFileError: weights that cannot be read, NaN among them.
        """
        from forensics.evidence.weights.numerics.correspondence import correspond

        matched = correspond(a, b)
        if matched is None:
            return without_score(self, "not_applicable", NO_UNITS)
        return self._evidence(matched)

    def _evidence(self, matched: MatchedModels) -> Evidence:
        import numpy as np

        from forensics.evidence.weights.numerics.reporting import (
            layer_interval,
            layer_rows,
            unmatched_layers,
        )
        from forensics.evidence.weights.numerics.unit_signs import all_signs, layer_signs

        layers = layer_signs(matched)
        signs = sum(layer.decided for layer in layers)
        if signs < LEAST_SIGNS:
            reason = f"{signs} units could be matched; {LEAST_SIGNS} are needed"
            return without_score(self, "insufficient", reason, signs)
        similarity = np.array([layer.similarity for layer in layers])
        details = UnitsDetails(
            units=_UNIT[matched.correspondence.tested],
            agreeing_signs=sum(layer.positive for layer in layers),
            signs=signs,
            coordinates=matched.correspondence.alignment.kind,
            units_in_same_order=all(layer.pair.same_order for layer in layers),
            layers=layer_rows(
                [layer.pair for layer in layers], similarity, [layer.p_value for layer in layers]
            ),
            unmatched_layers_a=unmatched_layers(matched, "a"),
            unmatched_layers_b=unmatched_layers(matched, "b"),
        )
        return scored(
            self,
            scale=SCALE,
            score=float(similarity.mean()),
            interval=layer_interval(similarity),
            n=signs,
            p_value=all_signs(layers),
            caveats=(_EXACT,),
            details=details,
        )
