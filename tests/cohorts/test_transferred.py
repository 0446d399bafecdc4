"""A likelihood ratio without a cohort: its fit, its conditions, its bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forensics.case.document import Case, case_to_json
from forensics.case.evidence import Evidence
from forensics.cohorts.transferred import (
    FEATURES,
    FILE,
    JUDGED,
    NUMBERS,
    Transferred,
    mixed_llr,
    numbers,
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
from studies.transferred.fitting import fit_line
from studies.transferred.page import REMAINING_LOSS, markdown
from studies.transferred.study import left_out, pooled, study
from studies.transferred.tables import SIZES, SetScores
from tests.builders import examined, manifest, responses
from tests.made_cohort import answering, said

CLUSTERS = 8
LENGTHS = (100.0, 2_000.0)


def _set(name: str, apart: float = 3.0, level: float = 0.0, seed: int = 0) -> SetScores:
    """Give a set whose kin score `apart` standard deviations above strangers, these `level`."""
    pairs = np.array([(a, b) for a in range(2 * CLUSTERS) for b in range(a + 1, 2 * CLUSTERS)])
    kin = pairs[:, 0] // 2 == pairs[:, 1] // 2
    draw = np.random.default_rng(seed)
    first = 1_000 * seed
    scores, lengths = {}, {}
    for size in SIZES:
        z = draw.normal(size=(len(kin), 3)) + apart * kin[:, None] + level
        scores[size] = np.column_stack(
            [0.05 * z[:, 0], np.exp(0.5 * z[:, 1] - 3), np.exp(0.4 * z[:, 2] - 2)]
        )
        lengths[size] = draw.uniform(*LENGTHS, size=(len(kin), 2))
    none = np.zeros(len(kin), dtype=bool)
    names = tuple((f"m{a}", f"m{b}") for a, b in pairs)
    clusters = pairs // 2 + first
    return SetScores(
        name, names, kin, clusters, none, none, scores, lengths, ("2024-01", "2025-06")
    )


SETS = tuple(_set(f"set {i}", seed=i) for i in range(3))


@pytest.fixture(name="known", scope="module")
def known_fixture(tmp_path_factory: pytest.TempPathFactory) -> Transferred:
    made = study(SETS, {}, "2026-01-01")
    found = _read(made, tmp_path_factory.mktemp("file") / FILE)
    assert found is not None
    low, high = np.array([[0.0, 0.002, 0.01]]), np.array([[0.4, 0.4, 0.4]])
    for scores in (low, high):
        values = made.numbers(scores, np.array([[500.0, 500.0]]))
        assert found.refitted(values, 20) == pytest.approx(made.refitted(values, 20), abs=2e-2)
    return found


def _read(one: Transferred, path: Path) -> Transferred | None:
    path.write_text(json.dumps(one.to_json(), allow_nan=False), encoding="utf-8")
    return read_transferred(path)


def _llr(
    known: Transferred, scores: list[float], other: bool = False, length: float = 500
) -> float:
    values = known.numbers(np.array([scores]), np.array([[length, length]]))
    return float(mixed_llr(known.calibration, values, 32, np.array([other]))[0])


def test_lines_fitted_on_all_sets_judge_sets_left_out(known):
    assert [size for size, _ in known.calibration.lines] == list(SIZES)
    assert set(known.without) == {one.name for one in SETS}
    row = known.rates["rows"][0]
    whole = row["tests"][JUDGED[0]]
    assert whole["cllr"] < 0.5
    assert whole["cllr_interval"][0] <= whole["cllr"] <= whole["cllr_interval"][1]
    assert whole["kin_clusters"] == 3 * CLUSTERS
    assert known.months == ("2024-01", "2025-06")
    assert len(known.sha256) == 64
    for text in (JUDGED[0], "set 2", "The worst set is"):
        assert text in markdown(known)
    assert "No calibration is transferred" in markdown(None)


def test_what_the_page_says_of_the_remaining_loss_is_of_the_lines_that_ship():
    whole = shipped().rates["rows"][-1]["tests"][JUDGED[0]]
    assert f"pooled Cllr of {whole['cllr']:.2f} on 128 prompts" in REMAINING_LOSS
    assert f"would still cost {whole['cllr_min']:.2f}" in REMAINING_LOSS
    assert f"than the {whole['false_above_10'] * 100:.1f} % of" in REMAINING_LOSS


def test_a_set_left_out_is_judged_by_the_others_alone():
    """Its own kin, were they strangers, must not move the lines that judge it."""
    mislabelled = replace(SETS[0], kin=~SETS[0].kin)
    before, after = left_out(SETS, SIZES[0]), left_out((mislabelled, *SETS[1:]), SIZES[0])
    own = len(SETS[0].kin)
    assert after[:own] == pytest.approx(before[:own])
    assert not np.allclose(after[own:], before[own:], atol=0.05)


def test_clusters_of_a_pair_are_left_out_of_the_other_sets_too():
    same = replace(SETS[1], clusters=SETS[0].clusters)
    wrong = replace(same, kin=same.kin & (same.clusters[:, 0] != 0))
    both = [left_out((SETS[0], one, SETS[2]), SIZES[0]) for one in (same, wrong)]
    of_first = (SETS[0].clusters == 0).any(axis=1)
    rows = np.flatnonzero(of_first)
    assert both[0][rows] == pytest.approx(both[1][rows])


def test_a_level_that_differs_between_sets_draws_ratios_in():
    lines = []
    for level in (0.0, 2.5):
        pool = pooled((SETS[0], _set("set 1", level=level, seed=1), SETS[2]), SIZES[0], LENGTHS)
        lines.append(fit_line(pool.values, pool.kin, pool.sets, pool.clusters))
    values = numbers(np.array([[0.3, 0.3, 0.5]]), np.array([[500.0, 500.0]]))
    even, apart = (line.llr(values, bounded=False)[0] for line in lines)
    assert 0 < apart < even


def test_no_ratio_is_stronger_than_the_clusters_with_kin(known):
    for _, line in known.calibration.lines:
        assert line.bounds.upper == pytest.approx(np.log(1 + 3 * CLUSTERS))
        assert line.features == NUMBERS
    assert _llr(known, [9.0, 9.0, 9.0]) == pytest.approx(np.log(1 + 3 * CLUSTERS))


def test_another_system_prompt_speaks_against_nothing(known):
    unlike = [0.0, 0.001, 0.01]
    assert _llr(known, unlike) < 0
    assert _llr(known, unlike, other=True) == 0
    alike = [0.3, 0.3, 0.5]
    assert _llr(known, alike, other=True) == _llr(known, alike)


def test_longer_answers_count_as_the_longest(known):
    _, high = known.lengths
    assert _llr(known, [0.1, 0.1, 0.2], length=high) == _llr(known, [0.1, 0.1, 0.2], length=10**6)


def test_strangers_of_sets_left_out_are_counted(known):
    all_of_them = known.error_at(-99.0, 32)
    assert all_of_them.pairs == all_of_them.pairs_in_error
    assert all_of_them.clusters == 3 * CLUSTERS
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
    names = [name for name in (*FEATURES, "style") if name != without]
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
    assert verdict.error_at_score.clusters == 3 * CLUSTERS
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
        (_cut_off(), "100 % of A's answers are cut off"),
        (
            (examined(_laid_out("new", "one", 12)), examined(_laid_out("new", "two", 12))),
            "12 prompts were compared; at least 16 are needed",
        ),
        (
            (examined(_laid_out("new", "one", length=2)), examined(_laid_out("new", "two"))),
            "is too short to show habits (100 are needed)",
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
    case = _case(*_pair(), known, without="formatting")
    assert TRANSFERRED not in {one.comparator for one in case.evidence}
    assert case.verdict.calibration == "none"


def test_without_the_calibration_nothing_is_added():
    case = _case(*_pair(), None)
    assert TRANSFERRED not in {one.comparator for one in case.evidence}
    assert case.verdict.calibration == "none"


def test_the_shipped_lines_hold_on_sets_left_out():
    known = shipped()
    assert known is not None
    assert {"fitted_on", "models", "command", "date"} <= set(known.provenance)
    assert {"alpaca-eval", "misguided-attention", "longform", "slop-score", "farel"} < set(
        known.without
    )
    for size, line in known.calibration.lines:
        assert line.features == NUMBERS
        assert line.bounds.upper <= np.log(1 + line.kin_clusters) + 1e-9
        rates = known.rates_at(size)[JUDGED[0]]
        assert rates.cllr_interval is not None
        assert rates.cllr_interval[1] < 1
        assert rates.cllr <= 0.8
        assert rates.false_above_10 <= 0.02
    assert {"phrasing", "openings", "style", "formatting"} <= set(known.reference)


def test_one_system_prompt_is_said_and_refuses_nothing(known):
    fused = _fused(_case(*_pair(system_prompt="Answer briefly."), known))
    assert fused.status == "ok"
    assert any("under one system prompt" in one.text for one in fused.details.conditions)


def test_the_conditions_say_how_far_beyond_the_fitted_models_a_subject_is(known):
    sides = _pair()
    names = [*FEATURES]
    case = compare(
        *sides, load_comparators(only=names), transferred=known, released=("2024-02", "2026-06")
    )
    texts = [one.text for one in _fused(case).details.conditions]
    assert any("A (2024-02) is of their time" in text for text in texts)
    assert any("B (2026-06) lies 12 months beyond them" in text for text in texts)
    assert case.verdict.calibration == "transferred"


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
