"""Centring by dot products: what is left of every two models' cosine without a reference's mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.sketches import Floats32

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_TINY = 1e-6


@dataclass(frozen=True)
class Centring:
    """Sums over all models and over each kind of left-out models; any reference's follow.

    `masked` holds the cosines, 0 where either model gave no answer, `left_out` sums of them, shape
    (prompts, kinds, models).
    """

    kinds: Flags
    answered: Floats32
    masked: Floats32
    totals: Floats32
    left_out: Floats32

    @classmethod
    def of(cls, cosines: Floats32, flags: Flags, kinds: Flags) -> Centring:
        """Sum cosines, shape (prompts, models, models), where `flags` (prompts, models) answered.

        Args:
            cosines: of every two models' answers.
            flags: who answered.
            kinds: flags of the models that are left out together, shape (kinds, models).
        """
        answered = flags.astype(np.float32)
        masked = masked_cosines(cosines, flags)
        left_out = np.matmul(kinds.astype(np.float32), masked)
        return cls(kinds, answered, masked, masked.sum(axis=1), left_out)

    def sums(self, models: NDArray[np.intp], first: int, second: int, room: Floats32) -> Floats:
        """Return sums over prompts of models' centred cosines with all, shape (n, all models).

        Args:
            models: their numbers, shape (n,).
            first: the kind of models that one of a pair leaves out.
            second: the kind that the other leaves out.
            room: to work in, shape (prompts, models): fresh memory for every model would take
                longer than the arithmetic.
        """
        in_reference = ~(self.kinds[first] | self.kinds[second])
        means, grand, spread = centre(
            self._sums(first, second), in_reference, self.answered, self.masked
        )
        weights = np.divide(self.answered, spread, out=spread)
        own_weights = weights[:, models].T
        # (dot - mean of the one - mean of the other + grand mean) · both weights, term by term.
        centred = own_weights @ ((grand[:, None] - means) * weights)
        centred -= (own_weights * means[:, models].T) @ weights
        for row, model in enumerate(models):
            np.multiply(self.masked[:, model, :], weights, out=room)
            centred[row] += own_weights[row] @ room
        sums: Floats = centred.astype(np.float64)
        return sums

    def _sums(self, first: int, second: int) -> Floats32:
        sums = self.totals - self.left_out[:, first]
        if first == second:
            return sums
        sums -= self.left_out[:, second]
        both = np.flatnonzero(self.kinds[first] & self.kinds[second])
        if len(both):
            sums += self.masked[:, both].sum(axis=1)
        return sums


def masked_cosines(cosines: Floats32, answered: Flags) -> Floats32:
    """Return the cosines, 0 where either model gave no answer."""
    if answered.all():
        return cosines
    given = answered.astype(np.float32)
    return cosines * given[:, :, None] * given[:, None, :]


def centre(
    sums: Floats32, in_reference: Flags, answered: Floats32, masked: Floats32
) -> tuple[Floats32, Floats32, Floats32]:
    """Return what centring takes, per prompt, from sums of cosines with the reference models.

    Args:
        sums: of every model, shape (prompts, models); overwritten.
        in_reference: the reference models, shape (models,).
        answered: 1 where there is an answer, shape (prompts, models).
        masked: the cosines, 0 where either gave no answer, shape (prompts, models, models).

    Returns:
        mean dot products of every model with the reference ones, (prompts, models), their mean
        (prompts,), and the length of every centred answer, (prompts, models).
    """
    inside = in_reference.astype(np.float32)
    count = np.maximum(answered @ inside, 1)
    means = np.divide(sums, count[:, None], out=sums)
    grand = means @ inside / count
    spread = np.einsum("pnn->pn", masked) - 2 * means
    spread += grand[:, None]
    np.sqrt(np.maximum(spread, _TINY, out=spread), out=spread)
    return means, grand, spread
