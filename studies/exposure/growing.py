"""Growing logs of models that saw nothing: how often looks at them reach 100, used well or not.

Values are drawn (Student's t, 3 degrees of freedom, four fifths of them the base's), since a
thousand logs of real answers would be the same few answers dealt anew. Whoever looks decides after
every look whether to go on and how large the next batch is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.exposure.arrangements import Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.log import order_key
from forensics.evidence.exposure.residuals import predictable_residual

LOGS = 1_000
LOGS_MISUSED = 250  # enough to see that a wrong use crosses too often
BATCHES = 8
_FEWEST, _MOST = 5, 20  # prompts of a batch
_ENOUGH = 100.0
Batch = Sequence[tuple[Unit, Unit]]  # of every prompt what the model says, and its base
Arranged = Callable[[Sequence[Batch]], list[tuple[Unit, Unit]]]


@dataclass(frozen=True)
class LookedAt:
    """How many of so many growing logs reached 100 at a look."""

    crossed: int
    logs: int


def by_batch(batches: Sequence[Batch]) -> list[tuple[Unit, Unit]]:
    """Return prompts as the test reads them: by batch, then by their hash."""
    return [pair for batch in batches for pair in sorted(batch, key=_key)]


def by_hash_alone(batches: Sequence[Batch]) -> list[tuple[Unit, Unit]]:
    """Return prompts by their hash, so that later ones stand between earlier ones."""
    return sorted((pair for batch in batches for pair in batch), key=_key)


def best_first(batches: Sequence[Batch]) -> list[tuple[Unit, Unit]]:
    """Return batches by what they said, the best one first."""
    return by_batch(sorted(batches, key=_gain, reverse=True))


def without_worst(batches: Sequence[Batch]) -> list[tuple[Unit, Unit]]:
    """Return batches with half of them, those that said least, left out."""
    least = sorted(map(_gain, batches))[len(batches) // 2]
    return by_batch([batch for batch in batches if _gain(batch) >= least])


MISUSES: Mapping[str, Arranged] = {
    "by hash alone": by_hash_alone,
    "batches reordered, the best one first": best_first,
    "half of the batches left out, the worst ones": without_worst,
}


def looked_at(arranged: Arranged, logs: int = LOGS, seed: int = 0) -> LookedAt:
    """Return how often a look at a growing log reached 100.

    Args:
        arranged: in which order batches are read, and which of them.
        logs: how many are simulated.
        seed: of the draws.
    """
    crossed = sum(_crosses(arranged, np.random.default_rng([seed, log])) for log in range(logs))
    return LookedAt(crossed, logs)


def _crosses(arranged: Arranged, generator: np.random.Generator) -> bool:
    batches: list[Batch] = []
    many = _FEWEST
    for number in range(BATCHES):
        batches.append(_batch(generator, number, many))
        highest = _highest(arranged(batches))
        if highest >= _ENOUGH:
            return True
        # Who looks may hurry when it goes well: a bet is fixed before its prompt all the same.
        many = _MOST if highest > 1.5 else _FEWEST
    return False


def _highest(pairs: Sequence[tuple[Unit, Unit]]) -> float:
    own, base = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return betting([arrangements(unit) for unit in predictable_residual(own, [base])]).highest


def _batch(generator: np.random.Generator, number: int, many: int) -> Batch:
    base = generator.standard_t(3, size=(many, 2))
    own = 0.8 * base + 0.4 * generator.standard_t(3, size=(many, 2))
    keys = [order_key(f"{number}/{i}/{own[i, 0]}") for i in range(many)]
    return [(_unit(k, a), _unit(k, b)) for k, a, b in zip(keys, own, base, strict=True)]


def _unit(key: str, values: Sequence[float]) -> Unit:
    return Unit(key, (float(values[0]), float(values[1])), 1)


def _key(pair: tuple[Unit, Unit]) -> str:
    return pair[0].key


def _gain(batch: Batch) -> float:
    return float(np.mean([own.difference - 0.8 * base.difference for own, base in batch]))
