"""Very many models, drawn from the real ones of a cohort.

No hub has 100,000 models with answers to the same prompts. A synthetic model has three parents
among the cohort's models, with weights drawn uniformly (Dirichlet 1, 1, 1), and gives to every
prompt the answer of one of them, drawn by these weights. So its answers are real ones, it has
neighbours at every distance, and none of two models is the same by construction.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import ModelFacts

_PARENTS = 3


def drawn(cohort: Cohort, models: int, prompts: int, seed: int = 0) -> Cohort:
    """Return a cohort of synthetic models.

    Args:
        cohort: whose answers they give.
        models: how many to draw.
        prompts: on how many of the cohort's prompts, the first ones.
        seed: of the draw.
    """
    given = _givers(models, prompts, len(cohort.models), np.random.default_rng(seed))
    places = np.arange(prompts)[:, None]
    names = [f"m{number:06d}" for number in range(models)]
    return replace(
        cohort,
        name=f"{models} drawn from {cohort.name}",
        facts={name: ModelFacts(name, name) for name in names},
        prompts=cohort.prompts[:prompts],
        traits=(),
        calibration=None,
        sketches=cohort.sketches[places, given],
        scales=cohort.scales[places, given],
        frequency=cohort.frequency[:prompts],
        texts=cohort.texts[:prompts],
        repeats=np.zeros((0, 0), np.float16),
        sha256="0" * 64,
    )


def _givers(models: int, prompts: int, real: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Return which real model gives each answer, shape (prompts, models)."""
    parents = dice.integers(real, size=(models, _PARENTS))
    limits = dice.dirichlet(np.ones(_PARENTS), size=models).cumsum(axis=1)
    chosen = (dice.random((prompts, models, 1)) > limits[None, :, :-1]).sum(axis=2)
    result: NDArray[np.int64] = parents[np.arange(models), chosen]
    return result
