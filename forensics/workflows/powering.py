"""`exposure power`: how many pairs show which share of exposure, before anything is collected."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.evidence.exposure.detectable import FullEffect, pairs_needed, power_of
from forensics.evidence.exposure.effects import full_effect
from forensics.workflows.settings import PowerSettings


@dataclass(frozen=True)
class PowerRow:
    """One share of exposed prompts: the power with so many pairs, and the pairs for 80 %."""

    share: float
    power: tuple[float, ...]
    pairs_for_80: int


@dataclass(frozen=True)
class PowerTable:
    """Power by share and number of pairs, for one effect of full exposure."""

    pairs: tuple[int, ...]
    rows: tuple[PowerRow, ...]
    level: float
    size: float
    spread: float
    source: str


def power_table(settings: PowerSettings) -> PowerTable:
    """Return the power of a one-sided test for every share and number of pairs.

    Raises:
        UsageError: one of `size` and `spread` is given without the other.
    """
    if (settings.size is None) != (settings.spread is None):
        raise UsageError("--effect and --sd belong together; give both or neither")
    effect = full_effect(None)
    if settings.size is not None and settings.spread is not None:
        effect = FullEffect(settings.size, settings.spread, "as given")
    rows = tuple(
        PowerRow(
            share,
            tuple(power_of(pairs, share, effect, settings.level) for pairs in settings.pairs),
            pairs_needed(share, effect, settings.level),
        )
        for share in settings.shares
    )
    return PowerTable(
        settings.pairs, rows, settings.level, effect.size, effect.spread, effect.source
    )
