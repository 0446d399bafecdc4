"""One model reads as one, relatives and strangers do not, and too little data abstains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from forensics.case.details.shared_manner import MannerDetails
from forensics.case.evidence import Evidence
from forensics.evidence.features.sketches import (
    BUCKETS,
    count_sequences,
    document_frequency,
    fold,
)
from forensics.evidence.text.shared_manner.attenuation import CentredCosines
from forensics.evidence.text.shared_manner.centring import MannerReference
from forensics.evidence.text.shared_manner.equivalence import MARGINS, reading
from forensics.evidence.text.shared_manner.manner_evidence import SharedManner
from forensics.evidence.text.shared_manner.repeated import Repeated, SequenceRarity
from forensics.examination.examined import Examined
from tests.evidence.text.fresh import subject

PROMPTS = 24
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def phrases(seed: int, count: int) -> list[str]:
    """Return made-up phrases of two words, each as good as never in another list."""
    random = np.random.default_rng(seed)
    return ["".join(random.choice(_LETTERS, 11)) for _ in range(count)]


def writer(habit: Sequence[int], draw: int, samples: int = 3, prompts: int = PROMPTS) -> Examined:
    """Return answers of a writer who says a random half of its own phrases for each prompt.

    Args:
        habit: its list of phrases comes of these seeds; two writers share those of a common seed.
        draw: of the random choice.
        samples: answers a prompt.
        prompts: how many.
    """
    random = np.random.default_rng(draw)
    answers = {}
    for prompt in range(prompts):
        known = [p for seed in habit for p in phrases(1000 * seed + prompt, 12)]
        common = phrases(prompt, 6)  # what the question brings, for everybody
        answers[f"Prompt {prompt}"] = [
            " ".join(random.permutation([*common, *random.choice(known, len(known) // 2, False)]))
            for _ in range(samples)
        ]
    return subject(answers, name=f"writer-{draw}")


def compared(a: Examined, b: Examined, reference: MannerReference | None = None) -> Evidence:
    comparator = SharedManner(reference)
    return comparator.compare(comparator.extract(a), comparator.extract(b))


def details(evidence: Evidence) -> MannerDetails:
    assert evidence.status == "ok", evidence.reason
    return MannerDetails.model_validate(evidence.model_dump()["details"])


def reference_of(models: Sequence[Examined], clusters: Sequence[int]) -> MannerReference:
    """Make a reference of subjects; those of one cluster are each other's relatives."""
    sides = [Repeated.of(model.answers) for model in models]
    prompts = sides[0].prompts
    frequency = np.zeros((len(prompts), BUCKETS), dtype=np.uint8)
    for row, prompt in enumerate(prompts):
        texts = [answer.text for side in sides for answer in side.answers[prompt]]
        frequency[row] = document_frequency(count_sequences(texts))
    weights = SequenceRarity(frequency, np.full(len(prompts), 3 * len(models), dtype=np.uint16))
    rows = [side.rows(prompts, weights) for side in sides]
    of = np.array(clusters)
    relatives = (of[:, None] == of[None, :]) & ~np.eye(len(models), dtype=bool)
    return MannerReference(
        name="writers",
        sha256="0" * 64,
        models=tuple(model.name for model in models),
        prompts=prompts,
        categories=tuple("even" if row % 2 else "odd" for row in range(len(prompts))),
        weights=weights,
        rows=np.stack([fold(one.means) for one in rows], axis=1),
        repeats=np.stack([one.within for one in rows], axis=1),
        clusters=np.arange(len(models)),
        unrelated=of[:, None] != of[None, :],
        relatives=relatives,
    )


@pytest.fixture(name="reference", scope="module")
def reference_fixture() -> MannerReference:
    """Nine writers without anything in common, and two that share half of their phrases."""
    strangers = [writer([seed, seed + 50], seed) for seed in range(10, 19)]
    relatives = [writer([30, 31], 30), writer([30, 32], 31)]
    return reference_of([*strangers, *relatives], [*range(9), 9, 9])


def test_one_writer_shares_all_of_its_manner(reference: MannerReference) -> None:
    found = compared(writer([1, 2], 1), writer([1, 2], 2), reference)
    record = details(found)
    assert found.score == pytest.approx(1, abs=0.08)
    assert record.one_model.reading == "one_model"
    assert record.low < 1 < record.high
    assert record.unrelated is not None
    assert record.unrelated.reached == 0


def test_strangers_share_nothing(reference: MannerReference) -> None:
    found = compared(writer([1, 2], 1), writer([3, 4], 2), reference)
    record = details(found)
    assert found.score == pytest.approx(0, abs=0.08)
    assert record.one_model.reading == "another_manner"
    assert record.unrelated is not None
    assert record.unrelated.pairs == 54
    assert abs(record.unrelated.median) < 0.08


def test_relatives_lie_between_and_are_no_one_model(reference: MannerReference) -> None:
    record = details(compared(writer([1, 2], 1), writer([1, 3], 2), reference))
    assert 0.3 < record.share < 0.7
    assert record.one_model.reading == "another_manner"


def test_the_foils_are_named_and_told_apart(reference: MannerReference) -> None:
    record = details(compared(writer([1, 2], 1), writer([1, 2], 2), reference))
    assert [(foil.a, foil.b) for foil in record.one_model.foils] == [("writer-30", "writer-31")]
    assert record.one_model.apart == record.one_model.foils
    assert record.one_model.foils_from == "writers"


def test_a_foil_that_is_the_question_itself_is_left_out(reference: MannerReference) -> None:
    record = details(compared(writer([30, 31], 30), writer([30, 32], 31), reference))
    assert (record.known_as_a, record.known_as_b) == ("writer-30", "writer-31")
    assert record.reference_models == 9
    assert record.one_model.foils == ()


def test_a_models_own_answers_do_not_count_as_what_models_in_general_say(
    reference: MannerReference,
) -> None:
    member = details(compared(writer([10, 60], 10), writer([10, 60], 99), reference))
    stranger = details(compared(writer([1, 2], 1), writer([1, 2], 2), reference))
    assert member.known_as_a == "writer-10"
    assert member.own_a == pytest.approx(stranger.own_a, abs=0.08)


def test_manner_is_told_by_genre(reference: MannerReference) -> None:
    record = details(compared(writer([1, 2], 1), writer([1, 3], 2), reference))
    assert [(genre.genre, genre.n) for genre in record.genres] == [("even", 12), ("odd", 12)]
    for genre in record.genres:
        assert genre.low <= genre.share <= genre.high
        assert genre.unrelated is not None


def test_without_a_cohort_one_model_is_still_told_from_strangers() -> None:
    same = details(compared(writer([1, 2], 1), writer([1, 2], 2)))
    other = details(compared(writer([1, 2], 1), writer([3, 4], 2)))
    assert (same.centring, same.centred_on) == ("other_prompts", None)
    assert same.one_model.reading == "one_model"
    assert other.one_model.reading == "another_manner"
    # What the question brings is in it: strangers are far from 0 without a cohort.
    assert 0.1 < other.share < same.share
    assert same.unrelated is None


def test_without_a_cohort_foils_are_those_of_other_prompts() -> None:
    test = details(compared(writer([1, 2], 1), writer([1, 2], 2))).one_model
    assert test.foils_elsewhere
    assert test.foils_from == "misguided-attention"
    assert len(test.foils) > len(test.apart) > 15


def test_one_answer_a_prompt_abstains_and_says_what_to_ask() -> None:
    found = compared(writer([1, 2], 1, samples=1), writer([1, 2], 2))
    assert found.status == "insufficient"
    assert found.reason.startswith("0 matched prompts have two or more answers of each")
    assert "--samples 3" in found.reason


def test_one_and_the_same_answer_to_everything_abstains() -> None:
    silent = subject({f"Prompt {i}": ["I can't help with that."] * 3 for i in range(12)})
    found = compared(silent, writer([1, 2], 1))
    assert found.status == "insufficient"
    assert "no more alike than any answers" in found.reason


def test_answers_shorter_than_a_sequence_count() -> None:
    picks = {f"Prompt {i}": [str(i)] * 3 for i in range(12)}
    assert details(compared(subject(picks), subject(picks))).share == pytest.approx(1)


def test_the_share_is_the_mean_of_what_the_prompts_say(reference: MannerReference) -> None:
    found = compared(writer([1, 2], 1), writer([1, 3], 2), reference)
    assert np.mean([one.score for one in found.per_prompt]) == pytest.approx(found.score, abs=1e-5)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.81, 1.2, "one_model"),
        (0.8, 1.25, "one_model"),
        (0.79, 1.0, "undecided"),
        (0.9, 1.3, "undecided"),
        (0.6, 0.9, "undecided"),
        (0.6, 0.79, "another_manner"),
    ],
)
def test_one_model_is_shown_not_assumed(low: float, high: float, says: str) -> None:
    assert reading(low, high, MARGINS["cohort"]) == says


def test_attenuation_is_corrected_by_both_floors() -> None:
    flat = np.ones(10)
    assert CentredCosines(0.2 * flat, 0.1 * flat, 0.4 * flat).share == pytest.approx(1)
    assert not CentredCosines(flat, 0 * flat, flat).measurable


def test_rows_of_a_prompt_give_the_mean_cosine_of_its_answers() -> None:
    model = writer([1, 2], 5, samples=4, prompts=3)
    side = Repeated.of(model.answers)
    rows = side.rows(side.prompts)
    single = [
        Repeated.of(
            subject({"x": [answer.text, answer.text]}).answers
        ).rows([subject({"x": [answer.text]}).answers[0].prompt_sha256]).means[0]
        for answer in side.answers[side.prompts[0]]
    ]  # fmt: skip
    cosines = np.array(single) @ np.array(single).T
    expected = (cosines.sum() - np.trace(cosines)) / 12
    assert rows.within[0] == pytest.approx(expected, abs=1e-5)
