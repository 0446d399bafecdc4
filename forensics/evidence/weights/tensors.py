"""Tensors: how many are the same in both models, byte for byte, and which model had them first?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.details.weights import TensorsDetails
from forensics.case.evidence import Evidence, EvidenceStatus
from forensics.evidence.comparator import scored, without_score
from forensics.evidence.weights.weight_comparator import OfWeightFiles

if TYPE_CHECKING:
    from forensics.evidence.weights.numerics.correspondence import Opened
    from forensics.subjects.model_files.folder import ModelFiles

SCALE = "share of B's weights that are in A byte for byte: 0 none, 1 all"
_CONTEXT = (
    "Facts about the architecture are context: models share a configuration without sharing a "
    "weight."
)
_NOT_SHOWN = "Copies that were trained further, rescaled or rounded share no tensor byte for byte."


class WeightsTensors(OfWeightFiles):
    """Counts identical tensors, and tells direction where a change cannot be undone."""

    name = "weights_tensors"
    title = "Identical tensors"

    def compare(self, a: ModelFiles, b: ModelFiles) -> Evidence:
        """Return the share of identical weights, and who came first where that can be told.

        Raises:
            InputFileError: weights that cannot be read, NaN among them.
        """
        from forensics.evidence.weights.numerics.correspondence import open_model
        from forensics.evidence.weights.numerics.equal_tensors import direction, identical_tensors

        first, second = open_model(a), open_model(b)
        identical = identical_tensors(first, second)
        if not identical.compared:
            return without_score(self, *_nothing_told(second))
        way, reason = direction(first, second, identical)
        details = TensorsDetails(
            identical_tensors=len(identical.pairs),
            tensors_b=identical.compared,
            identical_weights=identical.parameters,
            direction_reason=reason,
            architecture_a=_architecture(first),
            architecture_b=_architecture(second),
        )
        return scored(
            self,
            scale=SCALE,
            score=identical.share,
            n=identical.compared,
            direction=way,
            caveats=(_CONTEXT, _NOT_SHOWN),
            details=details,
        )


def _nothing_told(model: Opened) -> tuple[EvidenceStatus, str]:
    """Return status and reason where no tensor of B was compared."""
    from forensics.evidence.weights.numerics.equal_tensors import LEAST_SIZE

    if all(tensor.size < LEAST_SIZE for tensor in model.parts.weights.tensors.values()):
        return "not_applicable", "B has no tensor large enough to tell"
    return "insufficient", "B's weights tell nothing: every tensor holds a few numbers throughout"


def _architecture(model: Opened) -> str:
    from forensics.evidence.weights.numerics.parts import model_type

    parts = model.parts
    tokens, width = parts.weights.tensors[parts.embedding].shape if parts.embedding else ("?", "?")
    millions = parts.weights.parameters / 1e6
    kind = model_type(model.files) or "unnamed"
    stored = f", stored as {parts.weights.method}" if parts.weights.method else ""
    return (
        f"{kind}, {len(parts.layers)} layers, width {width}, {tokens} tokens, {millions:.1f} M "
        f"weights{stored}"
    )
