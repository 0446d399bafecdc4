"""A likelihood ratio without a cohort: its rule, its conditions, its bounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from forensics.case.document import Case, case_to_json
from forensics.case.evidence import Evidence
from forensics.cohorts.fitting import Labelled
from forensics.cohorts.transferred import (
    FEATURES,
    FILE,
    JUDGED,
    Transferred,
    read_transferred,
    shipped,
)
from forensics.custody.bundle import make_bundle
from forensics.custody.verification import verify_bundle
from forensics.errors import InputFileError
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.report.markdown import render_markdown
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Transcript, read_transcript
from forensics.transcripts.writer import write_transcript
from forensics.verdicts.compare import compare
from forensics.verdicts.tier_readings import TRANSFERRED
from studies.transferred.study import (
    ALSO,
    MOST_CLLR,
    MOST_FALSE,
    SIZES,
    Measured,
    markdown,
    transferred,
)
from tests.builders import examined, manifest, responses
from tests.made_cohort import answering, said

CLUSTERS = 24
LENGTHS = (100.0, 2_000.0)


def _measured(apart: float, shift: float = 0.0, seed: int = 0) -> Measured:
    """Give pairs whose kin score `apart` standard deviations higher than strangers."""
    pairs = [(a, b) for a in range(2 * CLUSTERS) for b in range(a + 1, 2 * CLUSTERS)]
    kin = np.array([a // 2 == b // 2 for a, b in pairs])
    names = tuple("same_model" if one else "independent" for one in kin)
    draw = np.random.default_rng(seed)
    width = len(FEATURES) + len(ALSO)
    scores = {
        size: 0.1 * (apart * kin[:, None] + shift + draw.normal(size=(len(kin), width)))
        for size in SIZES
    }
    return Measured(Labelled(np.array(pairs), names, np.array(pairs) // 2), scores)


def _fitted(**away: Measured) -> Transferred:
    return transferred(_measured(3.0), away or {"x": _measured(3.0, seed=1)}, LENGTHS, {})


@pytest.fixture(name="known", scope="module")
def known_fixture(tmp_path_factory: pytest.TempPathFactory) -> Transferred:
    found = _read(_fitted(), tmp_path_factory.mktemp("file") / FILE)
    assert found is not None
    return found


def _read(one: Transferred, path: Path) -> Transferred | None:
    path.write_text(json.dumps(one.to_json(), allow_nan=False), encoding="utf-8")
    return read_transferred(path)


def test_what_is_written_is_read(known):
    made = _fitted()
    scores = np.random.default_rng(3).normal(0.2, 0.2, size=(50, len(FEATURES)))
    assert known.llr(scores, 40) == pytest.approx(made.llr(scores, 40), abs=1e-3)
    assert known.refitted(scores, 20) == pytest.approx(made.refitted(scores, 20), abs=2e-2)
    assert known.lengths == LENGTHS
    assert len(known.sha256) == 64


def test_what_holds_elsewhere_passes_and_what_does_not_fails(tmp_path):
    assert [size for size, _ in _fitted().calibration.lines] == list(SIZES)
    elsewhere_higher = _fitted(x=_measured(3.0, shift=3.0))
    assert elsewhere_higher.calibration.lines == ()
    nothing_there = _fitted(x=_measured(0.0))
    assert nothing_there.calibration.lines == ()
    assert _read(nothing_there, tmp_path / FILE) is None
    assert "(failed)" in markdown(elsewhere_higher)
    assert "nothing is transferred" in markdown(None)


def test_bounds_are_those_of_the_tested_clusters(known):
    few = _measured(3.0, seed=1)
    rows = (few.labelled.clusters < 4).all(axis=1)
    small = Measured(few.labelled.where(rows), {s: v[rows] for s, v in few.scores.items()})
    [line, *_] = [line for _, line in _fitted(x=small).calibration.lines]
    assert (line.bounds.lower, line.bounds.upper) == pytest.approx((-np.log(5), np.log(5)))
    assert known.llr(np.full((1, 3), 99.0), 32)[0] == pytest.approx(np.log(CLUSTERS + 1))


def test_strangers_of_the_other_data_sets_are_counted(known):
    all_of_them = known.error_at(-99.0, 32)
    assert all_of_them.pairs == all_of_them.pairs_in_error
    assert all_of_them.clusters == CLUSTERS
    assert known.error_at(99.0, 32).pairs_in_error == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"calibration": {"lines": [1]}}', "\xff"])
def test_a_damaged_file_is_one_line(tmp_path, content):
    path = tmp_path / FILE
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InputFileError, match=r"transferred\.json"):
        read_transferred(path)
    with pytest.raises(InputFileError):
        read_transferred(tmp_path / "absent.json")


def _case(a: Examined, b: Examined, known: Transferred | None, without: str = "") -> Case:
    names = [name for name in (*FEATURES, "phrasing") if name != without]
    return compare(a, b, load_comparators(only=names), transferred=known)


def _fused(case: Case) -> Evidence:
    return next(one for one in case.evidence if one.comparator == TRANSFERRED)


def _laid_out(habits: str, seed: str, count: int = 24, length: int = 60) -> list[str]:
    """Give answers with bullets and line breaks here and there: layout must vary to be compared."""
    texts = said(habits, seed, count, length)
    return [
        "\n".join(f"- {part}." for part in text.split("a ")) if i % 3 else text
        for i, text in enumerate(texts)
    ]


def _pair(**settings: object) -> tuple[Examined, Examined]:
    return (
        answering(_laid_out("new", "one"), "one", **settings),
        answering(_laid_out("new", "two"), "two", **settings),
    )


def test_a_ratio_is_issued_and_stays_a_screening(known):
    case = _case(*_pair(), known)
    verdict, fused = case.verdict, _fused(case)
    assert (verdict.status, verdict.calibration) == ("screening", "transferred")
    assert verdict.log10_lr == fused.log10_lr
    low, high = fused.details.log10_lr_bounds
    from_, to = fused.details.log10_lr_interval
    assert low <= from_ <= verdict.log10_lr["close_descent"] <= to <= high
    assert verdict.error_at_score.clusters == CLUSTERS
    assert set(fused.details.error_rates) == set(JUDGED)
    assert "transferred from other prompts" in verdict.headline
    assert "not the probability" in verdict.limits[0]
    assert "alpaca-eval" in verdict.limits[1]
    assert "transferred" in render_markdown(case)


def test_the_order_of_the_subjects_does_not_matter(known):
    a, b = _pair()
    assert _fused(_case(a, b, known)).score == pytest.approx(
        _fused(_case(b, a, known)).score, abs=1e-3
    )


def test_identical_answers_are_read_as_a_copy(known):
    texts = _laid_out("new", "one")
    case = _case(answering(texts, "one"), answering(texts, "two"), known)
    assert case.copy_tripwire.tripped
    assert "cache, alias or proxy" in case.verdict.reading


def _cut_off() -> tuple[Examined, Examined]:
    made = tuple(responses(_laid_out("new", "one"), status="truncated"))
    told = (manifest("cut"),)
    cut = Examined(examined(["x"]).subject, Transcript("cut", made, told))
    return cut, examined(_laid_out("new", "two"))


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        (_pair(system_prompt="Answer briefly."), "both were asked under one system prompt"),
        (_cut_off(), "100% of A's answers are cut off"),
        (
            (examined(_laid_out("new", "one", 12)), examined(_laid_out("new", "two", 12))),
            "12 prompts were compared; at least 16 are needed",
        ),
        (
            (examined(_laid_out("new", "one", length=8)), examined(_laid_out("new", "two"))),
            "the median answer of A, ",
        ),
    ],
)
def test_an_unmet_condition_leaves_a_screening_with_the_reason(known, sides, reason):
    case = _case(*sides, known)
    assert (case.verdict.status, case.verdict.calibration) == ("screening", "none")
    assert case.verdict.log10_lr is None
    assert reason in case.verdict.reasons[-1]
    assert not all(one.met for one in _fused(case).details.conditions)


def test_a_comparator_left_out_leaves_no_ratio(known):
    case = _case(*_pair(), known, without="style")
    assert TRANSFERRED not in {one.comparator for one in case.evidence}
    assert case.verdict.calibration == "none"


def test_without_the_calibration_nothing_is_added():
    case = _case(*_pair(), None)
    assert TRANSFERRED not in {one.comparator for one in case.evidence}
    assert case.verdict.calibration == "none"


def test_the_shipped_lines_passed_the_rule():
    known = shipped()
    assert known is not None
    assert {"fitted_on", "tested_on", "command", "date"} <= set(known.provenance)
    for size, line in known.calibration.lines:
        assert line.features == FEATURES
        assert line.bounds.upper <= np.log(30)
        for where in JUDGED:
            rates = known.rates_at(size)[where]
            assert rates.cllr <= MOST_CLLR
            assert rates.false_above_10 <= MOST_FALSE
    text = markdown(known)
    assert "Misguided Attention" in text
    assert "phrasing" in text


def test_a_bundle_is_judged_again_by_the_shipped_lines(tmp_path, monkeypatch):
    sides = []
    for side in _pair():
        path = tmp_path / f"{side.name}.jsonl"
        write_transcript(path, side.transcript.manifests[0], list(side.transcript.responses))
        sides.append(Examined(parse_subject(f"transcript:{path}"), read_transcript(path)))
    case = _case(*sides, shipped())
    assert case.verdict.calibration == "transferred"
    (tmp_path / "case.json").write_text(case_to_json(case), encoding="utf-8")
    make_bundle(tmp_path / "case.json", tmp_path / "case.zip")
    assert verify_bundle(tmp_path / "case.zip").result == "identical"
    monkeypatch.setattr("forensics.cohorts.transferred.shipped", lambda: None)
    report = verify_bundle(tmp_path / "case.zip")
    assert report.result == "partly"
    assert "transferred calibration" in report.missing[0]
