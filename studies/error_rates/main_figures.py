"""Which figures the first table of the page of error rates shows, and what limits each."""

from __future__ import annotations

from dataclasses import dataclass

_CAUTION = (
    "LRs are bounded by the number of lineage clusters, which alone costs about 0.04, and a "
    "calibration fitted on so few clusters of relatives is cautious"
)
_OVERLAP = "its scores overlap with those of unrelated pairs, so no LR is given for it"
_TEACHER = (
    f"{_OVERLAP}; see *Teachers* for the reason, and do not quote this figure without the "
    "specificity"
)
_TEXT = f"text does not separate it: {_OVERLAP}"
_SHORT = "on so few prompts some related pairs score as unrelated pairs do"
_SINGLE = (
    "a few related pairs score as unrelated pairs do, such as a base model and its "
    "preference-tuned version"
)
_FEW = "few reference models show poorly what models in general say"


@dataclass(frozen=True)
class MainFigure:
    """One figure of the first table: of which hypothesis, in which setting, and what limits it."""

    hypothesis: str
    prompts: int | None
    reference: int | None
    figure: str
    limit: str


def main_figures() -> list[MainFigure]:
    """Return what the first table shows, in its order."""
    settings = (
        *((None, None), (100, None), (50, None), (25, None), (16, None), (8, None)),
        *((50, 20), (50, 5)),
    )
    chosen = [
        MainFigure("same_model", 8, None, figure, _SHORT) for figure in ("auc", "0.01", "0.001")
    ]
    for prompts, reference in settings:
        limit = _FEW if reference else _SHORT if prompts in (25, 16, 8) else _SINGLE
        chosen += [
            MainFigure("close_descent", prompts, reference, figure, limit)
            for figure in ("auc", "0.01")
        ]
    chosen += [
        MainFigure("close_descent", None, None, "0.001", _SINGLE),
        MainFigure("close_descent", None, None, "cllr", _CAUTION),
        MainFigure("close_descent", 100, None, "cllr", _CAUTION),
        MainFigure("common_teacher", None, None, "auc", _TEACHER),
        MainFigure("common_teacher", None, None, "0.01", _TEACHER),
        MainFigure("same_base", None, None, "auc", _TEXT),
        MainFigure("same_base", None, None, "0.01", _TEXT),
        MainFigure("same_base", None, None, "auc_hub_removed", _TEXT),
        MainFigure("same_developer", None, None, "auc", _OVERLAP),
        MainFigure("same_developer", None, None, "0.01", _OVERLAP),
    ]
    return chosen
