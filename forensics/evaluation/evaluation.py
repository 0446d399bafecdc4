"""The result of an evaluation, for Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.support.notebook import COUNT, NUMBER, TEXT, Kind, frame

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = (
    *("abstained", "auc", "auc_low", "auc_high", "eer", "tpr_at_1pct", "tpr_low", "tpr_high"),
    *("cllr", "cllr_low", "cllr_high", "cllr_min", "false_above_100", "false_above_100_upper"),
)
_COUNTS = ("n_pos", "n_neg", "n_clusters", "n_clusters_neg")
_COLUMNS: dict[str, Kind] = {
    **dict.fromkeys(("group", "name"), TEXT),
    **dict.fromkeys(_COUNTS, COUNT),
    **dict.fromkeys(_NUMBERS, NUMBER),
}


@dataclass(frozen=True)
class Evaluation:
    """Error rates on labelled outputs; `figures` is what `forensics evaluate --json` writes."""

    figures: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per hypothesis, then one per relation of the labelled pairs.

        `group` is `hypothesis` or `relation`. `n_pos` and `n_neg` count kin and unrelated pairs,
        `n_clusters` their lineage clusters; shares are 0 to 1. `tpr_at_1pct` is the share of kin
        found at a false-positive rate of 1 %, `false_above_100` that of unrelated pairs with a
        likelihood ratio above 100 and `false_above_100_upper` its upper limit by clusters. `low`
        and `high` are 95 % intervals over lineage clusters; what the data do not give is NaN.
        """
        return frame(list(self._rows()), _COLUMNS)

    def _rows(self) -> Iterator[Mapping[str, object]]:
        groups = (("hypothesis", "hypotheses"), ("relation", "by_relation"))
        for group, key in groups:
            for name, rates in self.figures.get(key, {}).items():
                yield {"group": group, "name": name} | _row(rates)


def _row(rates: Mapping[str, Any]) -> dict[str, object]:
    strong = rates["lr_above_100"] or {}
    row: dict[str, object] = {name: rates[name] for name in (*_COUNTS, "abstained", "auc", "eer")}
    row |= {name: rates[name] for name in ("cllr", "cllr_min")}
    row |= {
        "tpr_at_1pct": rates["tpr_at_fpr"]["0.01"],
        "false_above_100": strong.get("unrelated_pairs"),
        "false_above_100_upper": strong.get("upper_95"),
    }
    for name, key in (("auc", "auc"), ("tpr", "tpr_at_0.01"), ("cllr", "cllr")):
        low, high = rates["interval"][key] or (None, None)
        row |= {f"{name}_low": low, f"{name}_high": high}
    return row
