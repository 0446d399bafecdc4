"""Packs: what is written is read again, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.pack_files import read_cohort, read_head, write_cohort
from forensics.cohorts.similarity import pair_scores
from forensics.errors import InputFileError, UsageError
from forensics.evaluation.cohort_build import build
from forensics.transcripts.words import words
from tests.cohorts.builders import facts, outputs, pairs

ARRAYS = ("sketches", "scales", "frequency", "texts", "phrases", "phrase_models")


@pytest.fixture(name="cohort", scope="module")
def cohort_fixture() -> Cohort:
    made = outputs()
    return build(made, pairs(made.facts), "small", provenance={"source": "made up"})


@pytest.fixture(name="path")
def path_fixture(cohort: Cohort, tmp_path: Path) -> Path:
    write_cohort(tmp_path / "small.safetensors", cohort)
    return tmp_path / "small.safetensors"


def _rewrite(path: Path, change, metadata: str | None = None) -> None:
    """Write the file again with other arrays, or another document."""
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        head = json.loads(file.metadata()["cohort"])
    change(head, arrays)
    text = json.dumps(head) if metadata is None else metadata
    path.write_bytes(save(arrays, metadata={"cohort": text}))


def test_what_is_written_is_read(cohort, path):
    found = read_cohort(path)
    for name in ("name", "facts", "prompts", "traits", "error_rates", "provenance"):
        assert getattr(found, name) == getattr(cohort, name)
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(cohort, name))
        assert getattr(found, name).dtype == getattr(cohort, name).dtype
    assert found.calibration.to_json() == cohort.calibration.to_json()
    assert found.models == cohort.models
    for name in ("refits", "strangers", "held_out"):
        assert np.array_equal(getattr(found.validation, name), getattr(cohort.validation, name))
    assert found.reference == cohort.reference
    assert "likeness" in found.reference
    assert read_head(path)["name"] == "small"


def test_the_same_cohort_gives_the_same_bytes(cohort, path, tmp_path):
    made = outputs()
    again = build(made, pairs(made.facts), "small", provenance={"source": "made up"})
    written = write_cohort(tmp_path / "again.safetensors", again)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert written.sha256 == read_cohort(path).sha256


def test_no_text_is_in_the_file(path):
    content = path.read_bytes()
    made = outputs()
    assert b"Question number" not in content
    for text in made.texts[0][0]:
        assert text[:12].encode() not in content


def test_a_model_sketched_anew_stands_where_it_stood(cohort):
    made = outputs()
    answers = {p.sha256: row[3] for p, row in zip(made.prompts, made.texts, strict=True)}
    anew, kept = cohort.sketch(answers), cohort.rows()[:, 3]
    assert (anew * kept).sum(axis=1).min() > 0.97
    assert not cohort.sketch({}).any()
    assert not cohort.sketch({"0" * 64: ["text"], cohort.prompts[0].sha256: ["", " "]}).any()


@cache
def _tiny() -> Cohort:
    return build(outputs(facts(1, 3), prompts=8), (), "tiny")


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_can_be_sketched(text):
    one = _tiny()
    rows = one.sketch({one.prompts[0].sha256: [text, "other words"]})
    assert np.isfinite(rows).all()
    assert abs(float(np.linalg.norm(rows[0])) - 1) < 1e-4


def test_quantised_scores_are_those_of_the_texts(cohort):
    made = outputs()
    chosen = np.array([(0, 1), (2, 3), (0, 2), (12, 13)])
    exact = pair_scores(made.similarities(), made.excluded(), chosen)
    packed = pair_scores(cohort.similarities(), cohort.excluded(), chosen)
    assert np.allclose(exact.cosine, packed.cosine, atol=0.06)
    assert min(packed.score[:2]) > 10 > max(packed.score[2:])


def test_subjects_stand_behind_the_models(cohort):
    rows = cohort.rows()[:, 0]
    found = cohort.similarities([("x", rows), ("y", np.zeros_like(rows))], prompts=[2, 5, 7])
    assert found.models == (*cohort.models, "x", "y")
    assert found.prompts == tuple(cohort.prompts[i].sha256 for i in (2, 5, 7))
    assert np.allclose(found.cosines[:, 0, len(cohort.models)], 1, atol=1e-4)
    assert not found.answered[:, -1].any()


def test_an_unknown_model_is_told_from_those_spelt_like_it(cohort):
    assert cohort.place("s3") == cohort.models.index("s3")
    with pytest.raises(UsageError, match="did you mean"):
        cohort.place("m0c")
    with pytest.raises(UsageError, match="cohort info"):
        cohort.place("entirely else")


def test_rarity_counts_models():
    made = outputs(facts(0, 6), prompts=8)
    said = "Everyone says these seven words here. "
    texts = tuple(
        tuple(((said if model < 4 else "") + samples[0],) for model, samples in enumerate(row))
        for row in made.texts
    )
    cohort = build(replace(made, texts=texts), (), "said")
    assert cohort.rarity(words("says these seven words here")) == 4
    assert cohort.rarity(words(said)) == 4
    assert cohort.rarity(words("these seven words here tomorrow")) is None
    assert cohort.rarity(["too", "short"]) is None
    assert cohort.provenance["phrases"]["least_clusters"] == 3


def test_words_of_two_clusters_only_are_rare():
    models = {name: replace(fact, weights_id="one") for name, fact in facts(0, 4).items()}
    made = outputs({**models, **facts(0, 6)}, prompts=8)
    said = "Relatives say these words all the time. "
    texts = tuple(
        tuple(((said if model < 2 else "") + samples[0],) for model, samples in enumerate(row))
        for row in made.texts
    )
    assert build(replace(made, texts=texts), (), "two").rarity(words(said)) is None


# --- files that are no packs ------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file_is_named(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputFileError, match=r"small\.safetensors: .*cut short"):
        read_cohort(path)


def test_a_file_that_is_not_there_or_no_file(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(InputFileError, match=r"cannot be read|cut short"):
            read_cohort(path)


@pytest.mark.parametrize("content", [b"model,answer\na,b\n", b"\xff" * 4_000, b"{}" * 2_000])
def test_another_kind_of_file(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputFileError, match="not a cohort file"):
        read_cohort(tmp_path / "x")


@pytest.mark.parametrize("metadata", ["", "[]", "{}", "null", '{"format": "other", "version": 1}'])
def test_weights_are_no_cohort(path, metadata):
    _rewrite(path, lambda head, arrays: None, metadata)
    with pytest.raises(InputFileError, match="but no cohort"):
        read_cohort(path)


def test_another_version_is_named(path):
    _rewrite(path, lambda head, arrays: head.update(version=99))
    with pytest.raises(InputFileError, match=r"cohort format 99, but this release reads 2"):
        read_cohort(path)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_is_named(path, name):
    _rewrite(path, lambda head, arrays: arrays.pop(name))
    with pytest.raises(InputFileError, match=f"array '{name}' is missing"):
        read_cohort(path)


@pytest.mark.parametrize("name", ARRAYS)
def test_shapes_that_disagree_are_named(path, name):
    def change(head, arrays):
        more = np.zeros((1, *arrays[name].shape[1:]), arrays[name].dtype)
        arrays[name] = np.concatenate([arrays[name], more])

    _rewrite(path, change)
    with pytest.raises(InputFileError, match="as the models and prompts require"):
        read_cohort(path)


def test_how_alike_repeated_answers_are_is_kept_where_there_are_some(cohort, tmp_path):
    assert cohort.repeats.shape == (0, 0)
    several = outputs(facts(2, 3), prompts=9, samples=3)
    made = build(several, (), "again")
    file = tmp_path / "again.safetensors"
    write_cohort(file, made)
    assert np.array_equal(read_cohort(file).repeats, made.repeats)
    answers = several.texts[0][0]
    rows = np.stack([made.sketch({made.prompts[0].sha256: [text]})[0] for text in answers])
    dots = rows @ rows.T
    # The sketch is folded and rounded, the number kept is not.
    assert made.repeats[0, 0] == pytest.approx(dots[np.triu_indices(3, 1)].mean(), abs=0.1)
    _rewrite(file, lambda head, arrays: arrays.update(repeats=arrays["repeats"][1:]))
    with pytest.raises(InputFileError, match="repeats is F16"):
        read_cohort(file)


def test_another_type_of_numbers_is_named(path):
    change = {"texts": np.ones(16, dtype=np.float64)}
    _rewrite(path, lambda head, arrays: arrays.update(change))
    with pytest.raises(InputFileError, match="texts is F64"):
        read_cohort(path)


def _damaged(key, value):
    def change(head, arrays):
        if key in arrays:
            arrays[key] = np.full_like(arrays[key], value)
        elif isinstance(head[key], list) and isinstance(value, dict):
            head[key][0] = {**head[key][0], **value}
        else:
            head[key] = value

    return change


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scales", np.nan),
        ("scales", -1),
        ("traits", []),
        ("traits", {"released": "soon"}),
        ("traits", {"length": float("nan")}),
        ("traits", {"length": "long"}),
        ("models", {"released": "2024-13"}),
        ("models", {"weights_id": 7}),
        ("models", {"model": "m0b"}),
        ("models", {"teachers": "gpt"}),
        ("prompts", {"sha256": None, "id": None}),
        ("calibration", [{"prompts": 8}]),
        ("calibration", {"prompts": 8}),
        ("calibration", [{"prompts": 8, "line": {"names": ["x"]}}]),
        ("error_rates", 3),
        ("provenance", None),
    ],
)
def test_values_that_would_fail_later_are_refused(path, key, value):
    change = _damaged(key, value)
    if key == "prompts":
        _rewrite(path, lambda head, arrays: head["prompts"].__setitem__(1, head["prompts"][0]))
    else:
        _rewrite(path, change)
    with pytest.raises(InputFileError, match=r"small\.safetensors") as caught:
        read_cohort(path)
    assert "\n" not in str(caught.value)


def test_answers_to_another_suite_meet_none_of_the_prompts(cohort):
    other = {f"{number:064x}": ["an answer to something else"] for number in range(30)}
    subject = cohort.sketch(other)
    found = cohort.similarities([("x", subject)])
    size = len(cohort.models) + 1
    excluded = np.eye(size, dtype=bool)
    excluded[:-1, :-1] |= cohort.excluded()
    scores = pair_scores(found, excluded, np.array([(size - 1, 0)]))
    assert scores.prompts[0] == 0
    assert np.isnan(scores.score[0])
