"""Change against a model's own past, in sentences for a reader outside the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.case.details.shift import (
    ChangeFromBase,
    OtherSteps,
    ReleaseOrder,
    ShiftReading,
)
from forensics.case.evidence import Evidence
from forensics.support.numbers import percent
from forensics.verdicts.shifting import shift_of

_ORDER: Mapping[ReleaseOrder, str] = {
    "after": "",
    "before": "The questioned model was released first.",
    "same_month": "Both were released in the same month, so which came first is not known.",
    "unknown": (
        "Text cannot tell which model came first (give --known-released and --questioned-released)."
    ),
}


def shift_points(evidence: Sequence[Evidence]) -> list[str]:
    """Return why a change points to the known model."""
    shift = shift_of(evidence)
    if shift is None or shift.others is None:
        return []
    return [
        _beside(shift.others),
        _changed(shift.least),
        _ORDER[shift.order],
        "Another model that taught both, or text that both learned from, would look the same.",
    ]


def shift_silent(evidence: Sequence[Evidence]) -> list[str]:
    """Return why a change that was measured points to nobody."""
    shift = shift_of(evidence)
    if shift is None:
        return []
    return [
        _changed(shift.least),
        _SILENT[shift.reading],
        _beside(shift.others) if shift.others is not None and shift.reading == "silent" else "",
        "A trace fades with later tuning: this is not evidence that nothing was learned.",
    ]


_SILENT: Mapping[ShiftReading, str] = {
    "points": "",
    "silent": "Models that learned nothing from the known model change as much.",
    "disagree": "Against another of its pasts, the change is no larger than other models show.",
    "too_early": _ORDER["before"],
    "uncalibrated": "How far models change without learning from the known model is not known on "
    "these prompts.",
}


def _changed(base: ChangeFromBase) -> str:
    return (
        f"The questioned model shares {percent(base.share)} of its manner with the known model; "
        f"its past {base.base} shared {percent(base.past)} (change {percent(base.low)} to "
        f"{percent(base.high)})."
    )


def _beside(others: OtherSteps) -> str:
    return (
        f"Of {others.models} models not documented to have learned from the known model, "
        f"{others.less} changed less towards it ({others.clusters} lineages)."
    )
