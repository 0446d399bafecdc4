"""One model? Two one-sided tests of shared manner against a margin fixed beforehand.

Two models are held to be one where shared manner is shown to lie *within* the margin, not where a
difference is not shown (Schuirmann 1987, A comparison of the two one-sided tests procedure and the
power approach, Journal of Pharmacokinetics and Biopharmaceutics 15). Both tests at level 5 % are
passed where the 90 % interval lies within the margin.

The margin is that of bioequivalence, 80 % to 125 %, a convention far older than these data (FDA
2001, Statistical Approaches to Establishing Bioequivalence). Where nothing but answers to other
prompts is subtracted, unrelated models share more than half of what one model shares with itself: a
fifth of the rest is then about a tenth, and the margin 90 % to 111 %.
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.details.shared_manner import Centring, Equivalence, MannerFoil, OneModelTest
from forensics.evidence.text.shared_manner.attenuation import CentredCosines, interval
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs

LEVEL = 0.05
MARGINS: dict[Centring, tuple[float, float]] = {
    "cohort": (0.8, 1.25),
    "other_prompts": (0.9, 1 / 0.9),
}


def reading(low: float, high: float, margin: tuple[float, float]) -> Equivalence:
    """Read an interval of shared manner against the margin."""
    if low >= margin[0] and high <= margin[1]:
        return "one_model"
    return "another_manner" if high < margin[0] else "undecided"


def one_model(
    agreement: CentredCosines,
    centring: Centring,
    foils: Sequence[MannerFoil] = (),
    foils_from: str = "",
    foils_elsewhere: bool = False,
) -> OneModelTest:
    """Test whether both are one model.

    Args:
        agreement: of the pair.
        centring: what was subtracted, which decides the margin.
        foils: near relatives under the same test.
        foils_from: the set of answers they are from.
        foils_elsewhere: whether they answered other prompts.
    """
    low, high = interval(agreement.draws(), 1 - 2 * LEVEL)
    margin = MARGINS[centring]
    return OneModelTest(
        reading=reading(low, high, margin),
        level=LEVEL,
        low=round(low, 4),
        high=round(high, 4),
        margin=(round(margin[0], 4), round(margin[1], 4)),
        foils=tuple(foils),
        foils_from=foils_from,
        foils_elsewhere=foils_elsewhere,
    )


def foil(a: str, b: str, agreement: CentredCosines, centring: Centring) -> MannerFoil:
    """Put two near relatives to the test."""
    low, high = interval(agreement.draws(), 1 - 2 * LEVEL)
    return MannerFoil(
        a=a,
        b=b,
        share=round(agreement.share, 4),
        low=round(low, 4),
        high=round(high, 4),
        apart=reading(low, high, MARGINS[centring]) == "another_manner",
    )


def foils_of(population: KnownPairs, without: tuple[int | None, int | None]) -> list[MannerFoil]:
    """Put each model's nearest relative to the test, on the prompts of the case.

    Args:
        population: the reference's own pairs.
        without: the pair that is itself the question, where both are among the models.
    """
    names = population.reference.models
    chosen = [pair for pair in population.foils() if set(pair) != set(without)]
    pairs = [(a, b, population.agreement(a, b)) for a, b in chosen]
    return [
        foil(names[a], names[b], agreement, "cohort")
        for a, b, agreement in pairs
        if len(agreement) and agreement.measurable
    ]
