"""Details of shift: did a model, against its own past, change towards another's manner?"""

from __future__ import annotations

from typing import Literal

from forensics.case.details.details_record import Details
from forensics.case.record import Finite, ModelText

# `points`: more change than any model without that teacher shows; `silent`: no more than they do;
# `disagree`: two pasts say different things; `too_early`: the questioned model is the older one;
# `uncalibrated`: how much models change that learned nothing from the known one is not known.
ShiftReading = Literal["points", "silent", "disagree", "too_early", "uncalibrated"]
ReleaseOrder = Literal["after", "before", "same_month", "unknown"]


class ChangeFromBase(Details):
    """What the questioned model shares with the known one beyond what its own past did.

    Shares are fractions of a model's own manner: 0 as unrelated models, 1 as one model. `past` is
    that of `base` and the known model, `share` that of the questioned and the known model, `change`
    their difference with its 95 % interval over `n` prompts.
    """

    base: ModelText
    past: Finite
    share: Finite
    change: Finite
    low: Finite
    high: Finite
    n: int


class OtherSteps(Details):
    """How far models that are not documented to have learned from the known one changed towards it.

    Each of `models` is set against its own earlier releases or its other settings; `less` of them
    changed less than the questioned model did, and `most` is the largest change of any. They are
    of `clusters` lineage clusters, `settings` of them the same weights in another setting.
    `share_p99` is what 99 % of unrelated pairs share at most.
    """

    cohort: ModelText
    models: int
    less: int
    clusters: int
    settings: int
    most: Finite
    share_p99: Finite


class ShiftDetails(Details):
    """Change against the questioned model's own past, towards the known model.

    `order` tells whether the questioned model was released after the known one: the change alone
    is symmetric. `others` is None without a cohort that answered these prompts several times.
    """

    bases: tuple[ChangeFromBase, ...]
    reading: ShiftReading
    order: ReleaseOrder
    others: OtherSteps | None = None

    @property
    def least(self) -> ChangeFromBase:
        """The past against which the change is smallest."""
        return min(self.bases, key=lambda base: base.change)
