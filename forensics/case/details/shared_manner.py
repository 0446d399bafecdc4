"""Details of shared manner: how much of what each model shares with itself both share."""

from __future__ import annotations

from typing import Literal

from forensics.case.details.details_record import Details
from forensics.case.record import Finite, ModelText

# Two one-sided tests: is shared manner within the margin around 1 (`one_model`), below it
# (`another_manner`: another model, or one model in another mode of answering), or is that open?
Equivalence = Literal["one_model", "another_manner", "undecided"]
Centring = Literal["cohort", "other_prompts"]


class MannerPopulation(Details):
    """What pairs of unrelated models of a cohort share, on the same prompts.

    `reached` counts the pairs that share as much as the pair of this case or more. Shares are
    fractions: 0 as unrelated models, 1 as one model.
    """

    cohort: ModelText
    pairs: int
    models: int
    median: Finite
    p95: Finite
    p99: Finite
    reached: int


class MannerOfGenre(Details):
    """Shared manner on one category of prompts, with its 95 % interval.

    `unrelated` is what unrelated pairs share on the prompts of this category; None without a
    cohort that was asked several times.
    """

    genre: ModelText
    n: int
    share: Finite
    low: Finite
    high: Finite
    unrelated: MannerPopulation | None = None


class MannerFoil(Details):
    """Two near relatives that are not one model, under the same test; `low` to `high` is 90 %.

    `apart` tells whether the test reads them as `another_manner`.
    """

    a: ModelText
    b: ModelText
    share: Finite
    low: Finite
    high: Finite
    apart: bool


class OneModelTest(Details):
    """Two one-sided tests of equivalence, each at `level`: are both one model?

    `low` to `high` is the interval of shared manner at 1 - 2 `level`; within `margin` the reading
    is `one_model`. `foils` are near relatives, `foils_from` the set of answers they are from, and
    `foils_elsewhere` is true where they answered other prompts than this pair.
    """

    reading: Equivalence
    level: Finite
    low: Finite
    high: Finite
    margin: tuple[Finite, Finite]
    foils: tuple[MannerFoil, ...] = ()
    foils_from: ModelText = ""
    foils_elsewhere: bool = False

    @property
    def apart(self) -> tuple[MannerFoil, ...]:
        """The foils that the test tells from one model."""
        return tuple(foil for foil in self.foils if foil.apart)


class MannerDetails(Details):
    """Shared manner: the pair's likeness over the likeness of each model's answers to its own.

    With `centring` "cohort" what models in general share on a prompt is subtracted, two ways over
    `reference_models` of the cohort `centred_on`: 0 is as alike as unrelated models of the time.
    With "other_prompts" only what answers to other prompts share is subtracted: unrelated models
    then share much too, how much depends on the prompts, and only `one_model` may be read.

    `cross`, `own_a` and `own_b` are the centred mean cosines whose ratio it is; `samples_a` and
    `samples_b` the median number of answers a prompt.
    """

    centring: Centring
    share: Finite
    low: Finite
    high: Finite
    cross: Finite
    own_a: Finite
    own_b: Finite
    samples_a: int
    samples_b: int
    genres: tuple[MannerOfGenre, ...]
    one_model: OneModelTest
    centred_on: ModelText | None = None
    centred_on_sha256: str | None = None
    reference_models: int = 0
    known_as_a: ModelText | None = None
    known_as_b: ModelText | None = None
    unrelated: MannerPopulation | None = None
