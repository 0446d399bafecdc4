"""What a reference's own pairs share: unrelated models, and the nearest relatives of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.shared_manner.attenuation import TINY, CentredCosines
from forensics.evidence.text.shared_manner.centring import Flags, MannerReference

MIN_PAIRS = 20


@dataclass(frozen=True, eq=False)
class KnownPairs:
    """Every two models of a reference that were asked repeatedly, on the prompts of one case.

    `cross`, shape (prompts, models, models), and `own`, shape (prompts, models), are centred mean
    cosines, NaN where there is none.
    """

    reference: MannerReference
    cross: Floats
    own: Floats

    @classmethod
    def of(cls, reference: MannerReference) -> KnownPairs | None:
        """Centre the models on one another; None where they were asked but once."""
        if not np.isfinite(reference.repeats).any():
            return None
        rows, answered = reference.rows.astype(np.float64), reference.answered
        cosines = np.matmul(rows, rows.transpose(0, 2, 1))
        both = answered[:, :, None] & answered[:, None, :]
        # A model's level is that with other lineage clusters, as that of a subject is.
        others = both & (reference.clusters[:, None] != reference.clusters[None, :])
        counts = others.sum(axis=2)
        levels = (cosines * others).sum(axis=2) / np.maximum(counts, 1)
        mean = (cosines * others).sum(axis=(1, 2)) / np.maximum(counts.sum(axis=1), 1)
        centred = cosines - levels[:, :, None] - levels[:, None, :] + mean[:, None, None]
        with_itself = reference.repeats - 2 * levels + mean[:, None]
        return cls(
            reference, np.where(both, centred, np.nan), np.where(answered, with_itself, np.nan)
        )

    def on(self, rows: NDArray[np.intp]) -> KnownPairs:
        """Return the same on some of the prompts."""
        prompts = [self.reference.prompts[row] for row in rows]
        return KnownPairs(self.reference.on(prompts), self.cross[rows], self.own[rows])

    @cached_property
    def shares(self) -> Floats:
        """Shared manner of every two models, shape (models, models), NaN where unknown."""
        known = np.isfinite(self.own)
        floors = np.where(known, self.own, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        floors[known.sum(axis=0) < len(self.own) / 2] = np.nan
        both = np.isfinite(self.cross)
        cross = np.where(both, self.cross, 0).sum(axis=0) / np.maximum(both.sum(axis=0), 1)
        floors = np.where(floors > TINY, floors, np.nan)
        shares: Floats = cross / np.sqrt(floors[:, None] * floors[None, :])
        return shares

    def unrelated(self) -> Floats:
        """Return what unrelated pairs share, shape (pairs,); empty where there are too few."""
        first, second = np.triu_indices(len(self.reference.models), 1)
        shares = self.shares[first, second]
        used = shares[self.reference.unrelated[first, second] & np.isfinite(shares)]
        return used if len(used) >= MIN_PAIRS else used[:0]

    def foils(self) -> list[tuple[int, int]]:
        """Return each model's nearest relative that is another model, every pair once, by name."""
        shares = np.where(self.reference.relatives, self.shares, np.nan)
        has = np.flatnonzero(np.isfinite(shares).any(axis=1))
        nearest = [(int(model), int(np.nanargmax(shares[model]))) for model in has]
        names = self.reference.models
        return sorted({(min(p), max(p)) for p in nearest}, key=lambda p: (names[p[0]], names[p[1]]))

    def agreement(self, a: int, b: int) -> CentredCosines:
        """Return what two of the models share, on the prompts that both answered repeatedly."""
        known = np.isfinite(self.own[:, [a, b]]).all(axis=1)
        return CentredCosines(self.cross[known, a, b], self.own[known, a], self.own[known, b])

    def models_in(self, flags: Flags) -> int:
        """Return how many models the flagged pairs have, `flags` of shape (models, models)."""
        return int((flags & np.isfinite(self.shares)).any(axis=1).sum())
