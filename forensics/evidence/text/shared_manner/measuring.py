"""What was measured of a pair, and the record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shared_manner import (
    Centring,
    MannerDetails,
    MannerOfGenre,
    MannerPopulation,
    OneModelTest,
)
from forensics.evidence.features.matched_prompts import Floats, row_dots
from forensics.evidence.text.shared_manner.attenuation import CentredCosines, interval
from forensics.evidence.text.shared_manner.centring import InReference, MannerReference, centred
from forensics.evidence.text.shared_manner.elsewhere import foreign_foils
from forensics.evidence.text.shared_manner.equivalence import foils_of, one_model
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs

MIN_GENRE = 4  # prompts of a category below which its share would be noise


@dataclass(frozen=True, eq=False)
class MannerOfPair:
    """What both share prompt by prompt, and against whom that was centred.

    `matched` are mean cosines across before centring, shape (prompts,).
    """

    agreement: CentredCosines
    matched: Floats
    reference: MannerReference | None = None
    reference_models: int = 0
    known_as: tuple[int | None, int | None] = (None, None)

    @property
    def centring(self) -> Centring:
        """What was subtracted."""
        return "other_prompts" if self.reference is None else "cohort"


def measured_in(
    a: InReference, b: InReference, reference: MannerReference, cross: Floats | None = None
) -> MannerOfPair:
    """Measure two subjects that are placed among reference models.

    Args:
        a: the one.
        b: the other, on the same prompts.
        reference: cut to these prompts.
        cross: mean cosine across, shape (prompts,), where texts tell it exactly.
    """
    matched = row_dots(a.rows, b.rows) if cross is None else cross
    agreement, chosen = centred(a, b, reference, matched)
    return MannerOfPair(agreement, matched, reference, int(chosen.sum()), (a.known_as, b.known_as))


def details_of(
    measured: MannerOfPair, categories: Sequence[str], samples: tuple[int, int]
) -> MannerDetails:
    """Return the record of what was measured.

    Args:
        measured: what both share.
        categories: of the prompts, in order.
        samples: the median number of answers a prompt of A and of B.
    """
    agreement, reference = measured.agreement, measured.reference
    population = KnownPairs.of(reference) if reference is not None else None
    low, high = interval(agreement.draws())
    known_as = [
        None if place is None or reference is None else reference.models[place]
        for place in measured.known_as
    ]
    return MannerDetails(
        centring=measured.centring,
        share=round(agreement.share, 4),
        low=round(low, 4),
        high=round(high, 4),
        cross=round(float(agreement.cross.mean()), 6),
        own_a=round(agreement.floors[0], 6),
        own_b=round(agreement.floors[1], 6),
        samples_a=samples[0],
        samples_b=samples[1],
        genres=_genres(agreement, population, categories),
        one_model=_one_model(measured, population),
        centred_on=None if reference is None else reference.name,
        centred_on_sha256=None if reference is None else reference.sha256,
        reference_models=measured.reference_models,
        known_as_a=known_as[0],
        known_as_b=known_as[1],
        unrelated=_beside(population, agreement.share),
    )


def _one_model(measured: MannerOfPair, population: KnownPairs | None) -> OneModelTest:
    agreement, reference = measured.agreement, measured.reference
    if reference is None:
        other = foreign_foils()
        return one_model(agreement, "other_prompts", other.foils, other.source, True)
    foils = foils_of(population, measured.known_as) if population is not None else ()
    return one_model(agreement, "cohort", foils, reference.name if foils else "")


def _genres(
    agreement: CentredCosines, population: KnownPairs | None, categories: Sequence[str]
) -> tuple[MannerOfGenre, ...]:
    """Return shared manner by category, where there are several and a category has enough."""
    genres = []
    names = sorted(set(categories))
    for name in names if len(names) > 1 else ():
        rows = np.flatnonzero(np.array([category == name for category in categories]))
        some = agreement.on(rows)
        if len(rows) < MIN_GENRE or not some.measurable:
            continue
        low, high = interval(some.draws())
        genres.append(
            MannerOfGenre(
                genre=name,
                n=len(rows),
                share=round(some.share, 4),
                low=round(low, 4),
                high=round(high, 4),
                unrelated=_beside(population and population.on(rows), some.share),
            )
        )
    return tuple(genres)


def _beside(population: KnownPairs | None, share: float) -> MannerPopulation | None:
    """Set what the pair shares beside what unrelated pairs do."""
    if population is None:
        return None
    shares = population.unrelated()
    if not len(shares):
        return None
    median, p95, p99 = (float(x) for x in np.quantile(shares, [0.5, 0.95, 0.99]))
    return MannerPopulation(
        cohort=population.reference.name,
        pairs=len(shares),
        models=population.models_in(population.reference.unrelated),
        median=round(median, 4),
        p95=round(p95, 4),
        p99=round(p99, 4),
        reached=int((shares >= share).sum()),
    )
