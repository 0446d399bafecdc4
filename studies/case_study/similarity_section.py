"""The section on raw similarity: where two models stand, and everybody else beside them."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.cohorts.finding import find_cohort
from forensics.support.numbers import number, percent
from studies.case_study.measure import measured
from studies.case_study.pairs import R1, V3, Pair
from studies.case_study.standing import Place, Scale, by_house, place_of, released_by
from studies.case_study.tables import answer_counts, table

_NEAREST = 3
# Set → the genre, DeepSeek's models there.
_SETS = (
    ("farel", "family quizzes", "deepseek-v3"),
    ("longform", "stories in steps", "deepseek-ai__DeepSeek-R1"),
    ("slop-score", "short stories", "deepseek-r1"),
)


def similarity_section(puzzles: Scale) -> str:
    """Return the section; `puzzles` are the set with repeated answers."""
    return "\n\n".join([*_on_puzzles(puzzles), *_elsewhere()])


def _on_puzzles(scale: Scale) -> Iterator[str]:
    yield "## Raw similarity, beside that of other models"
    yield (
        "Similarity alone names no teacher: some models are similar to almost all others. It is "
        "shown so that a reader can see how near the two models are to each of OpenAI's models, "
        "and whether OpenAI is special. Shared manner: 0 % is as alike as unrelated models, 100 "
        f"% is one model. Of {len(scale.unrelated):,} pairs of models of different developers "
        f"without a documented link, half share more than {percent(scale.limit(0.5))}, 5 % more "
        f"than {percent(scale.limit(0.95))} and 1 % more than {percent(scale.limit(0.99))}. "
        '"More alike" is the share of these pairs that are; "rank" is the place among all '
        "models of developers other than OpenAI."
    )
    yield table(
        (
            "OpenAI's model (released)",
            f"{R1}: shared, more alike, rank",
            f"{V3}: shared, more alike, rank",
            "the models of other developers nearest to it",
        ),
        (_openai_row(scale, known) for known in released_by(scale, "OpenAI")),
    )
    known = released_by(scale, "OpenAI")
    yield answer_counts([measured(Pair(model, name)) for model in (R1, V3) for name in known])
    yield (
        "Models whose documentation names an OpenAI model as teacher are among the nearest: "
        f"phi-4-reasoning-plus shares {percent(scale.score('phi-4-reasoning-plus', 'o3-mini'))} "
        "with o3-mini, olmo-2-0325-32b "
        f"{percent(scale.score('olmo-2-0325-32b', 'gpt-4o-2024-11-20'))} with gpt-4o-2024-11-20. "
        "Models without such documentation are near, too."
    )
    yield (
        "### Which developer is nearest to each of the two\n\nThe nearest model of every other "
        "developer. A developer with many models has more chances to be near."
    )
    yield table(
        ("developer (models)", f"nearest to {R1}", "more alike", f"nearest to {V3}", "more alike"),
        _house_rows(scale),
    )
    near = [(model, row.nearest) for model in (R1, V3) for row in by_house(scale, model)]
    yield answer_counts([measured(Pair(model, name)) for model, name in near])


def _openai_row(scale: Scale, known: str) -> tuple[str, ...]:
    nearest = scale.foreign(known)[:_NEAREST]
    return (
        f"{known} ({scale.cohort.facts[known].released})",
        _place(place_of(scale, R1, known), True),
        _place(place_of(scale, V3, known), True),
        ", ".join(f"{name} {percent(score)}" for name, score in nearest),
    )


def _place(place: Place, shares: bool) -> str:
    score = percent(place.score) if shares else number(place.score)
    return f"{score}, {place.above:.1%}, {place.rank} of {place.of}"


def _house_rows(scale: Scale) -> Iterator[tuple[str, ...]]:
    of_v3 = {row.house: row for row in by_house(scale, V3)}
    for row in by_house(scale, R1):
        other = of_v3[row.house]
        yield (
            f"{row.house} ({row.models})",
            f"{row.nearest} {percent(row.score)}",
            f"{row.above:.1%}",
            f"{other.nearest} {percent(other.score)}",
            f"{other.above:.1%}",
        )


def _elsewhere() -> Iterator[str]:
    yield (
        "### Other genres, one answer per prompt\n\nWithout repeated answers there is no unit: "
        "scores are mean cosines of answers, centred on what all models of the set say. They "
        "compare within a set only. No change against a past is read from such answers ([error "
        "rates](../SHIFT.md))."
    )
    rows, pairs = [], []
    for name, genre, model in _SETS:
        scale = Scale.of(find_cohort(name))
        houses = by_house(scale, model)
        order = [row.house for row in houses]
        for known in released_by(scale, "OpenAI"):
            place = place_of(scale, model, known)
            month = scale.cohort.facts[known].released
            pairs.append(Pair(model, known, cohort=name))
            rows.append((genre, model, f"{known} ({month})", _place(place, False)))
        nearest = ", ".join(f"{row.house} {number(row.score)}" for row in houses[:_NEAREST])
        rows.append(
            (
                genre,
                model,
                f"developers: OpenAI's nearest model is {order.index('OpenAI') + 1} of "
                f"{len(order)}",
                f"nearest: {nearest}",
            )
        )
    yield table(("genre", "DeepSeek's model", "known model", "score, more alike, rank"), rows)
    yield answer_counts([measured(pair) for pair in pairs])
    yield (
        "Some of OpenAI's models here were released after the DeepSeek model beside them: "
        "nearness to them says nothing about direction. In the family quizzes, models whose "
        "names end in `-sys` answered under a shared system prompt, which itself makes models "
        "alike."
    )
