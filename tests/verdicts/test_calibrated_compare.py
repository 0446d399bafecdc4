"""A comparison with a cohort: a likelihood ratio where its conditions are met, else why not."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console

from forensics.case.details.reference import KnownAs
from forensics.case.document import Case, case_schema, case_to_json, read_case
from forensics.case.evidence import Evidence
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.pack_files import write_cohort
from forensics.custody.bundle import make_bundle
from forensics.custody.verification import BundleReport, verify_bundle
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.report.html.html import render_html
from forensics.report.markdown import render_markdown
from forensics.report.terminal import render_terminal
from forensics.support.files import write_text
from forensics.transcripts.writer import write_transcript
from forensics.verdicts.compare import compare
from forensics.verdicts.tier_readings import LIKENESS
from tests.foreign_text import ENGLISH, GERMAN, LATIN, of_cohort, prose, tokens
from tests.made_cohort import NAME, PROMPTS, answering, made_cohort, said

DATES = ("2024-06", "2024-06")


def _case(
    a: Examined,
    b: Examined,
    cohort: Cohort | None = None,
    released: tuple[str, str] = DATES,
) -> Case:
    cohort = cohort or made_cohort()
    return compare(a, b, load_comparators(only=["openings"]), cohort=cohort, released=released)


def _likeness(case: Case) -> Evidence:
    return next(one for one in case.evidence if one.comparator == LIKENESS)


def _kin(**settings: object) -> tuple[Examined, Examined]:
    return (
        answering(said("new", "one"), "one", **settings),
        answering(said("new", "two"), "two", **settings),
    )


def _strangers() -> tuple[Examined, Examined]:
    return answering(said("y", "y"), "y"), answering(said("z", "z"), "z")


def _screened(case: Case, *conditions: str) -> None:
    assert case.verdict.status == "screening"
    assert case.verdict.calibration == "none"
    assert case.verdict.log10_lr is None
    assert f"outside the validated population of {NAME}" in case.verdict.headline
    assert "uncalibrated" not in case.verdict.headline
    told = [reason for reason in case.verdict.reasons if reason.startswith("No likelihood ratio")]
    assert len(told) == len(conditions)
    for reason, condition in zip(told, conditions, strict=True):
        assert condition in reason


def test_kin_of_the_cohorts_time_and_kind_get_a_ratio() -> None:
    case = _case(*_kin())
    assert (case.verdict.status, case.verdict.calibration) == ("calibrated", "matched")
    assert case.verdict.log10_lr is not None
    assert set(case.verdict.log10_lr) == {"same_model", "close_descent"}
    assert len(set(case.verdict.log10_lr.values())) == 1  # one proposition to text
    assert case.verdict.log10_lr["close_descent"] > 0.5
    assert "Likelihood ratio" in case.verdict.headline
    assert "not the probability" in " ".join(case.verdict.limits)
    likeness = _likeness(case)
    assert all(one.met for one in likeness.details.conditions)
    assert likeness.details.reference_models == 28
    assert likeness.n == len(likeness.per_prompt) == PROMPTS
    assert likeness.explained_by_length_and_formatting is not None


def test_strangers_get_a_ratio_for_independence() -> None:
    case = _case(*_strangers())
    assert case.verdict.status in ("calibrated", "inconclusive")
    assert case.verdict.log10_lr is not None
    assert case.verdict.log10_lr["close_descent"] < 0


@pytest.mark.parametrize("pair", [_kin, _strangers])
def test_no_ratio_is_beyond_the_bounds_that_clusters_allow(pair) -> None:
    likeness = _likeness(_case(*pair()))
    low, high = likeness.details.log10_lr_bounds
    from_, to = likeness.details.log10_lr_interval
    assert likeness.log10_lr is not None
    assert low <= likeness.log10_lr["close_descent"] <= high
    assert low <= from_ <= to <= high
    assert likeness.interval is not None
    assert likeness.interval.low <= likeness.interval.high


def test_the_order_of_the_subjects_does_not_matter() -> None:
    a, b = _kin()
    one, other = _likeness(_case(a, b)), _likeness(_case(b, a))
    assert one.score == pytest.approx(other.score, abs=1e-5)
    assert one.log10_lr == pytest.approx(other.log10_lr, abs=1e-3)


def test_unknown_release_dates_are_outside_the_population() -> None:
    _screened(
        _case(*_kin(), released=("", "")),
        "the release date of A is not known",
        "the release date of B is not known",
    )
    _screened(_case(*_kin(), released=("2024-06", "")), "the release date of B is not known")


def test_models_of_another_time_are_outside_the_population() -> None:
    case = _case(*_kin(), released=("2024-06", "2027-01"))
    _screened(case, "0 reference models of other families were released within 12 months of B")


def test_a_system_prompt_in_common_is_outside_the_population() -> None:
    _screened(_case(*_kin(system_prompt="Be terse.")), "both were asked under one system prompt")
    a, _ = _kin(system_prompt="Be terse.")
    _, b = _kin()
    assert _case(a, b).verdict.calibration == "matched"


def test_answers_of_other_lengths_are_outside_the_population() -> None:
    a, b = answering(said("new", "one"), "one"), answering(said("new", "two", length=300), "two")
    _screened(_case(a, b), "the median answer length (characters) of B")


def test_other_layout_is_outside_the_population() -> None:
    marked = [text.replace(" ", "\n") for text in said("new", "two")]
    _screened(
        _case(answering(said("new", "one"), "one"), answering(marked, "two")),
        "layout marks per 1,000 of B",
        "another language or kind of text",
    )


def test_reasoning_that_the_cohort_does_not_show_is_outside_the_population() -> None:
    a, b = _kin()
    thinking = tuple(replace(one, reasoning="Let me see.") for one in b.transcript.responses)
    b = Examined(b.subject, replace(b.transcript, responses=thinking))
    _screened(_case(a, b), "0 reference models show their reasoning")


@pytest.mark.parametrize("words", [GERMAN, LATIN, ENGLISH, None])
def test_strangers_who_write_alike_but_unlike_the_cohort_get_no_ratio(words) -> None:
    shipped = find_cohort("alpaca-eval")
    texts = [prose(words, i, 120) if words else tokens(i, 120) for i in (1, 2)]
    a, b = (of_cohort(one, shipped) for one in texts)
    case = _case(a, b, shipped)
    assert _likeness(case).score > 5  # beyond all strangers of the cohort
    assert case.verdict.log10_lr is None
    assert any("another language or kind of text" in reason for reason in case.verdict.reasons)


def test_identical_long_answers_cap_the_reading() -> None:
    a = answering(said("new", "one"), "one")
    case = _case(a, answering(said("new", "one"), "two"))
    assert case.copy_tripwire.tripped
    assert case.verdict.reading.startswith("Same model, cache, alias or proxy")
    assert case.verdict.calibration == "matched"


def test_a_cohort_that_holds_the_subject_under_another_name() -> None:
    from tests.cohorts.builders import facts, outputs

    made = outputs(facts(6, 16), PROMPTS)
    place = made.models.index("s3")
    mine = answering([row[place][0] for row in made.texts], "mine")
    case = _case(mine, answering(said("z", "z"), "z"))
    assert _likeness(case).details.known_as == KnownAs(a="s3", b=None)
    assert any("one of the cohort's own models" in limit for limit in case.verdict.limits)
    twice = _case(mine, answering([row[place][0] for row in made.texts], "again"))
    assert _likeness(twice).details.known_as == KnownAs(a="s3", b="s3")
    assert twice.copy_tripwire.tripped


def test_too_few_common_prompts_leave_the_screening_with_a_reason() -> None:
    a, b = answering(said("new", "one"), "one"), answering(said("new", "two"), "two")
    made = made_cohort()
    fewer = replace(
        made,
        prompts=made.prompts[:7],
        sketches=made.sketches[:7],
        scales=made.scales[:7],
        frequency=made.frequency[:7],
        texts=made.texts[:7],
    )
    case = _case(a, b, fewer)
    assert _likeness(case).status == "insufficient"
    assert case.verdict.status == "screening"
    assert any("7 prompts of the cohort made" in reason for reason in case.verdict.reasons)


def test_without_answers_nothing_is_judged() -> None:
    case = _case(answering([""] * PROMPTS, "one"), answering(said("z", "z"), "z"))
    assert case.verdict.status == "insufficient"
    assert case.verdict.log10_lr is None
    json.loads(case_to_json(case))


def test_a_cohort_without_known_kin_gives_a_score_only() -> None:
    case = _case(*_kin(), replace(made_cohort(), calibration=None))
    assert case.verdict.status == "screening"
    assert case.verdict.log10_lr is None
    assert any("too few pairs of known relatives" in reason for reason in case.verdict.reasons)
    assert _likeness(case).score > 0


CASES = {
    "calibrated": lambda: _case(*_kin()),
    "strangers": lambda: _case(*_strangers()),
    "outside": lambda: _case(*_kin(), released=("", "")),
    "copies": lambda: _case(answering(said("n", "n"), "a"), answering(said("n", "n"), "b")),
    "insufficient": lambda: _case(answering([], "a"), answering(said("n", "n"), "b")),
    "hostile": lambda: _case(
        answering([f"<script>{text}\x1b[31m\x00\ud800[bold]" for text in said("n", "n")], "a"),
        answering([f"<script>{text}\x1b[31m\x00\ud800[bold]" for text in said("n", "m")], "b"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_case_follows_the_schema_and_survives_the_disk(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    text = case_to_json(case)
    jsonschema.Draft202012Validator(case_schema()).validate(json.loads(text))
    write_text(tmp_path / "case.json", text)
    assert read_case(tmp_path / "case.json") == case


@pytest.mark.parametrize("name", CASES)
def test_every_report_renders_it(name: str) -> None:
    case = CASES[name]()
    console = Console(width=80, file=io.StringIO())
    render_terminal(case, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    assert "\x00" not in shown
    page, text = render_html(case), render_markdown(case)
    flat = " ".join(shown.replace("│", " ").split())
    for report in (flat, page, text):
        assert "Similarity against the cohort" in report
    assert "<script>" + "ba" not in page
    for reason in case.verdict.reasons:
        if reason.startswith("No likelihood ratio"):
            assert reason in flat
            assert reason in page
            assert reason in text.replace("\\", "")
    if case.verdict.log10_lr:
        value = f"{case.verdict.log10_lr['close_descent']:.2f}".lstrip("-")
        for report in (flat, page, text):
            assert value in report


@pytest.fixture(name="kept", scope="module")
def kept_fixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give (cache folder that holds the cohort, bundle of a case judged against it)."""
    cache, folder = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("case")
    cohort = write_cohort(cache / "cohorts" / f"{NAME}.safetensors", made_cohort())
    sides = []
    for side in _kin():
        path = folder / f"{side.name}.jsonl"
        write_transcript(path, side.transcript.manifests[0], list(side.transcript.responses))
        sides.append(path)
    from forensics.subjects.subject import parse_subject
    from forensics.transcripts.transcript import read_transcript

    a, b = (Examined(parse_subject(f"transcript:{p}"), read_transcript(p)) for p in sides)
    write_text(folder / "case.json", case_to_json(_case(a, b, cohort)))
    make_bundle(folder / "case.json", folder / "case.zip")
    return cache, folder / "case.zip"


def _verified(bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> BundleReport:
    monkeypatch.setenv("FORENSICS_CACHE", str(cache))
    return verify_bundle(bundle)


def test_a_bundle_is_judged_again_where_the_cohort_is_at_hand(kept, monkeypatch) -> None:
    cache, bundle = kept
    report = _verified(bundle, cache, monkeypatch)
    assert report.result == "identical", report


def test_a_forged_ratio_is_found(kept, monkeypatch, tmp_path) -> None:
    cache, bundle = kept

    def forge(case: dict) -> None:
        for one in case["evidence"]:
            if one["comparator"] == LIKENESS:
                one["log10_lr"]["close_descent"] = -1.0

    forged = _changed(bundle, tmp_path / "forged.zip", forge)
    report = _verified(forged, cache, monkeypatch)
    assert report.result == "different"
    assert any("likeness › log10_lr › close_descent" in d.where for d in report.differences)


def test_without_the_cohort_the_recorded_judgement_stands_in(kept, monkeypatch, tmp_path) -> None:
    _, bundle = kept
    report = _verified(bundle, tmp_path / "empty", monkeypatch)
    assert report.result == "partly"
    assert not report.differences
    assert report.missing == (
        "likeness: no cohort 'made' here",
        "relatives, reference scores and rarity of wording: they are the cohort's",
    )


def test_another_cohort_of_that_name_is_not_used(kept, monkeypatch, tmp_path) -> None:
    _, bundle = kept
    other = replace(made_cohort(), provenance={"another": "one"})
    write_cohort(tmp_path / "cohorts" / f"{NAME}.safetensors", other)
    report = _verified(bundle, tmp_path, monkeypatch)
    assert report.result == "partly"
    assert not report.differences
    assert "is not the case's" in report.missing[0]


def test_a_bundle_cannot_name_a_file_as_its_cohort(kept, monkeypatch, tmp_path) -> None:
    cache, bundle = kept
    path = cache / "cohorts" / f"{NAME}.safetensors"

    def point(case: dict) -> None:
        for one in case["evidence"]:
            if one["comparator"] == LIKENESS:
                one["details"]["cohort"] = str(path)

    report = _verified(_changed(bundle, tmp_path / "x.zip", point), cache, monkeypatch)
    assert any(text.startswith("likeness: no cohort") for text in report.missing)


def _changed(bundle: Path, to: Path, change) -> Path:
    from tests.custody.test_bundle import members_of, with_fitting_hashes, write_zip

    assert zipfile.is_zipfile(bundle)
    members = members_of(bundle)
    case = json.loads(members["case.json"])
    change(case)
    members |= {"case.json": json.dumps(case).encode()}
    return write_zip(to, with_fitting_hashes(members))
