"""Where cohorts are found, and which of them fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cohorts.finding import (
    calibrating_cohort,
    destination,
    find_cohort,
    find_model,
    known,
    matching_cohort,
    shipped,
)
from forensics.cohorts.pack_files import write_cohort
from forensics.errors import InputFileError, PluginWarning, UsageError
from forensics.evaluation.cohort_build import build
from forensics.subjects.subject import parse_subject
from forensics.suites.loading import load_suite
from forensics.support.resources import cache_folder
from tests.cohorts.builders import facts, outputs
from tests.made_cohort import made_cohort


@pytest.fixture(name="own", autouse=True)
def own_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    return cache_folder("cohorts")


def _small(name: str):
    return build(outputs(facts(1, 4), prompts=9), (), name)


def test_shipped_and_own_cohorts_by_name_and_any_by_path(own, tmp_path):
    assert shipped() == ["alpaca-eval", "farel", "longform", "misguided-attention", "slop-score"]
    write_cohort(destination("mine"), _small("mine"))
    assert list(known()) == [*shipped(), "mine"]
    assert known()["mine"] == own / "mine.safetensors"
    assert find_cohort("mine").name == "mine"
    write_cohort(tmp_path / "x.safetensors", _small("x"))
    assert find_cohort(str(tmp_path / "x.safetensors")).name == "x"


@pytest.mark.parametrize("name", ["nope", "", "../core", "no/such.safetensors", "a" * 300, "a\0b"])
def test_an_unknown_name_lists_those_there_are(name):
    with pytest.raises(UsageError, match="give one of alpaca-eval, farel, longform, misg"):
        find_cohort(name)


def test_where_a_new_cohort_goes(own):
    assert destination("mine") == own / "mine.safetensors"
    assert destination("./mine") == Path("mine")
    assert destination("mine.safetensors") == Path("mine.safetensors")
    with pytest.raises(UsageError, match="shipped already"):
        destination("alpaca-eval")
    for name in ("", ".hidden", "two words", "a" * 99):
        with pytest.raises(UsageError, match="cannot name a cohort"):
            destination(name)


def test_the_cohort_that_answered_most_of_the_prompts(own):
    hashes = [prompt.sha256 for prompt in load_suite("misguided-attention").prompts]
    assert matching_cohort(hashes).name == "misguided-attention"
    assert matching_cohort(hashes[:8]).name == "misguided-attention"
    assert matching_cohort(hashes[:7]) is None
    assert matching_cohort([]) is None
    small = write_cohort(destination("mine"), _small("mine"))
    mine = [prompt.sha256 for prompt in small.prompts]
    assert matching_cohort([*hashes[:8], *mine]).name == "mine"


def test_the_cohort_whose_calibration_judges_these_prompts(own):
    hashes = [prompt.sha256 for prompt in load_suite("alpaca-eval").prompts]
    assert calibrating_cohort(hashes).name == "alpaca-eval"
    tricks = [prompt.sha256 for prompt in load_suite("misguided-attention").prompts]
    assert calibrating_cohort(tricks).name == "misguided-attention"
    # The stories' cohorts have too few kin to be calibrated; other prompts have no cohort.
    stories = [prompt.sha256 for prompt in find_cohort("longform").prompts]
    assert matching_cohort(stories).calibration is None
    assert calibrating_cohort(stories).name == "alpaca-eval"
    assert calibrating_cohort([]).name == "alpaca-eval"
    mine = write_cohort(destination("mine"), made_cohort())
    assert calibrating_cohort([prompt.sha256 for prompt in mine.prompts]).name == "made"


def test_a_broken_file_of_the_users_is_skipped_with_a_warning(own):
    (own / "broken.safetensors").write_bytes(b"nothing")
    hashes = [prompt.sha256 for prompt in load_suite("alpaca-eval").prompts]
    with pytest.warns(PluginWarning, match=r"broken\.safetensors"):
        assert matching_cohort(hashes).name == "alpaca-eval"
    with pytest.warns(PluginWarning, match=r"broken\.safetensors"):
        assert find_model("vicuna-13b")[0].name == "alpaca-eval"
    with pytest.raises(InputFileError, match="not a cohort file"):
        find_cohort("broken")


def test_models_of_cohorts():
    cohort, model = find_model(parse_subject("cohort:vicuna-13b").target)
    assert (cohort.name, model) == ("alpaca-eval", "vicuna-13b")
    assert find_model("alpaca-eval/vicuna-13b")[1] == "vicuna-13b"
    with pytest.raises(UsageError, match="did you mean vicuna-13b"):
        find_model("vicuna-13bb")
    with pytest.raises(UsageError, match="did you mean"):
        find_model("alpaca-eval/vicuna-13bb")
    with pytest.raises(UsageError, match="no model '%%%' in alpaca-eval, farel, longform, misg"):
        find_model("%%%")


def test_one_name_in_two_cohorts():
    two = [_small("one"), _small("two")]
    with pytest.raises(UsageError, match="write cohort:one/s0 or cohort:two/s0"):
        find_model("s0", two)
    cohort, model = find_model("two/s0", two)
    assert (cohort.name, model) == ("two", "s0")


def test_the_subjects_form():
    subject = parse_subject("cohort:alpaca-eval/vicuna-13b")
    assert (subject.kind, subject.target) == ("cohort", "alpaca-eval/vicuna-13b")
    with pytest.raises(UsageError, match="names nothing"):
        parse_subject("cohort:")
