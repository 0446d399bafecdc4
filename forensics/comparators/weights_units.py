"""Are the hidden units of two models the same ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.comparators.base import Reference, without_score
from forensics.evidence import Evidence, Tier
from forensics.examined import Examined, Need

if TYPE_CHECKING:
    from forensics.weights.correspondence import Correspondence, Opened
    from forensics.weights.unit_signs import LayerSigns

SCALE = "mean cosine of matched hidden units' weights: 0 for independent models, 1 for one model"
_UNIT = {"up": "hidden units of gated MLPs", "v": "value channels of attention"}
_EXACT = (
    "The p-value is exact where one of the two models was initialised independently, symmetrically "
    "in sign, and trained by a method blind to sign, as SGD and Adam are. Two models trained from "
    "one random initialisation are kin to it."
)


class WeightsUnits:
    """Matches hidden units by one matrix and tests the signs of another; see `unit_signs`."""

    name = "weights_units"
    title = "Hidden units"
    tier: Tier = "weights"
    needs: frozenset[Need] = frozenset({"weights"})
    symmetric = False  # of unequal numbers of units, those of A are spread evenly

    def extract(self, examined: Examined) -> Opened:
        """Open the weights; nothing but headers is read.

        Raises:
            InputFileError: the files are damaged, incomplete or unknown.
        """
        from forensics.weights.correspondence import open_model

        assert examined.files is not None  # noqa: S101 (`needs` says so)
        return open_model(examined.files)

    def compare(self, a: Opened, b: Opened, reference: Reference | None = None) -> Evidence:
        """Return the exact p-value of independence, and how alike matched units are.

        Raises:
            InputFileError: weights that cannot be read, NaN among them.
        """
        from forensics.weights.correspondence import correspond
        from forensics.weights.unit_signs import all_signs, layer_signs

        found = correspond(a, b)
        if found is None:
            why = "the models have no gated MLPs and no value channels to match"
            return without_score(self, "not_applicable", why)
        layers = layer_signs(a, b, found)
        return self._evidence(a, b, found, layers, all_signs(layers))

    def _evidence(
        self, a: Opened, b: Opened, found: Correspondence, layers: list[LayerSigns], p_value: float
    ) -> Evidence:
        import numpy as np

        from forensics.weights.reporting import layer_interval, left_over

        similarity = np.array([layer.similarity for layer in layers])
        details: dict[str, Any] = {
            "units": _UNIT[found.tested],
            "agreeing_signs": sum(layer.positive for layer in layers),
            "signs": sum(layer.decided for layer in layers),
            "coordinates": found.alignment.kind,
            "units_in_same_order": all(pair.same_order for pair in found.pairs),
            "layers": [
                {
                    "a": layer.pair.a.label,
                    "b": layer.pair.b.label,
                    "similarity": round(layer.similarity, 6),
                    "p_value": layer.p_value,
                }
                for layer in layers
            ],
            **left_over(a.parts, b.parts, found),
        }
        return Evidence(
            comparator=self.name,
            title=self.title,
            tier=self.tier,
            status="ok",
            scale=SCALE,
            score=float(similarity.mean()),
            interval=layer_interval(similarity),
            n=sum(layer.decided for layer in layers),
            p_value=p_value,
            caveats=(_EXACT,),
            details=details,
        )
