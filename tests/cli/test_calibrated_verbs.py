"""trace, evaluate and compare with a cohort, as a user runs them, bad input included."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.cells import cell_len

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.pack_files import write_cohort
from forensics.transcripts.writer import write_transcript
from tests.cohorts.builders import facts, outputs, pairs
from tests.made_cohort import NAME, answering, made_cohort, said

FACTS = facts(10, 6)
OUTPUTS = ("out.csv", "--pairs", "pairs.csv", "--models", "models.csv")
DATED = ("--known-released", "2024-06", "--questioned-released", "2024-6")


def _csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def _rows(folder: Path) -> list[list[str]]:
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(name="folder")
def folder_fixture(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a cohort, transcripts to judge, and labelled outputs."""
    monkeypatch.setenv("FORENSICS_CACHE", str(here / "cache"))
    write_cohort(here / "made.safetensors", made_cohort())
    for name, habits in (("one", "new"), ("two", "new"), ("kin", "m0"), ("stranger", "z")):
        side = answering(said(habits, name), name)
        manifest = side.transcript.manifests[0]
        write_transcript(here / f"{name}.jsonl", manifest, list(side.transcript.responses))
    made = outputs(FACTS, 10)
    _csv(
        here / "out.csv",
        [
            ("model", "prompt_id", "prompt", "output"),
            *(
                (model, prompt.id, prompt.text, text)
                for prompt, row in zip(made.prompts, made.texts, strict=True)
                for model, samples in zip(made.models, row, strict=True)
                for text in samples
            ),
        ],
    )
    _csv(
        here / "models.csv",
        [
            ("model", "weights_id", "released"),
            *((one.model, one.weights_id, one.released) for one in FACTS.values()),
        ],
    )
    _csv(
        here / "pairs.csv",
        [
            ("model_a", "model_b", "relation"),
            *((one.a, one.b, one.relation) for one in pairs(FACTS)),
        ],
    )
    return here


def _trace(cli, *arguments: object) -> dict:
    result = cli("trace", *arguments, "--json", "-")
    assert result.code == 0, result.err
    found: dict = json.loads(result.out, parse_constant=pytest.fail)
    return found


def _evaluate(cli, *arguments: object) -> dict:
    result = cli("evaluate", *arguments, "--json", "-")
    assert result.code == 0, result.err
    found: dict = json.loads(result.out, parse_constant=pytest.fail)
    return found


def test_a_transcript_is_traced_in_a_cohort_of_ones_own(cli, folder):
    found = _trace(cli, "kin.jsonl", "--cohort", "made.safetensors", "--released", "2024-06")
    assert set(found["named"]) == {"m0a", "m0b"}
    assert found["covered"] is True
    assert _trace(cli, "stranger.jsonl", "--cohort", "made.safetensors")["named"] == []


def test_a_cohorts_model_needs_no_answers(cli, folder):
    found = _trace(cli, "cohort:m0a", "--cohort", "made.safetensors")
    assert found["relatives"][0]["model"] == "m0b"
    shipped = _trace(cli, "cohort:vicuna-13b")
    assert shipped["cohort"] == "alpaca-eval"
    assert len(shipped["relatives"]) == len(find_cohort("alpaca-eval").models) - 1


def test_without_a_name_the_cohort_is_the_subjects(cli, folder):
    assert _trace(cli, "cohort:o3-mini")["cohort"] == "misguided-attention"
    assert _trace(cli, "cohort:longform/quasar-alpha")["cohort"] == "longform"
    assert _trace(cli, "kin.jsonl")["cohort"] == "alpaca-eval"  # nobody answered its prompts
    (folder / "cache/cohorts").mkdir(parents=True, exist_ok=True)
    write_cohort(folder / "cache/cohorts/made.safetensors", made_cohort())
    assert _trace(cli, "kin.jsonl")["relatives"][0]["model"].startswith("m0")


def test_the_table_fits_the_terminal(cli, folder):
    result = cli("trace", "cohort:Meta-Llama-3-8B-Instruct", "--top", "5")
    assert result.code == 0
    assert max(map(cell_len, result.out.splitlines())) <= 80
    assert "\x1b" not in result.out


def test_a_trace_is_written_where_it_is_wanted(cli, folder):
    result = cli("trace", "kin.jsonl", "--cohort", "made.safetensors", "--json", "out.json")
    assert result.code == 0
    assert json.loads((folder / "out.json").read_text())["cohort"] == NAME
    assert "m0b" in result.out


def test_answers_to_other_prompts_are_insufficient_not_wrong(cli, folder):
    result = cli("trace", "a.jsonl")
    assert result.code == 0
    assert "Insufficient data: 0 of the cohort's 120 prompts" in result.out


def test_a_hostile_name_does_no_harm(cli, folder):
    (folder / "[bold]\x1b[31mx.jsonl").write_bytes((folder / "kin.jsonl").read_bytes())
    result = cli("trace", "[bold]\x1b[31mx.jsonl", "--cohort", "made.safetensors")
    assert result.code == 0
    assert "\x1b" not in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("one.jsonl", "--cohort", "nosuch"), "no cohort 'nosuch': give one of alpaca-eval"),
        (("one.jsonl", "--cohort", "cut.safetensors"), "cut short"),
        (("one.jsonl", "--cohort", "out.csv"), "not a cohort file"),
        (("one.jsonl", "--cohort", "."), "no cohort '.'"),
        (("one.jsonl", "--cohort", "a\x00b"), "no cohort"),
        (("cohort:vicuna-13", "--cohort", "alpaca-eval"), "did you mean vicuna-13b"),
        (("cohort:vicuna-13b", "--cohort", "made.safetensors"), "no model 'vicuna-13b' in made"),
        (("cohort:",), "names nothing after 'cohort'"),
        (("one.jsonl", "--released", "2024-13"), "'2024-13' is not a month"),
        (("one.jsonl", "--released", "\u0662\u0660\u0662\u0664-05"), "is not a month"),
        (("one.jsonl", "--released", "soon"), "is not a month; write it as 2025-03"),
        (("one.jsonl", "--top", "0"), "--top"),
        (("nofile.jsonl",), "nofile.jsonl"),
        (("one.jsonl", "--cohort", "made.safetensors", "--limit", "3"), "no suite 'made'"),
    ],
)
def test_a_trace_that_cannot_be_made(cli, folder, arguments, says):
    cut = (folder / "made.safetensors").read_bytes()[:3_000]
    (folder / "cut.safetensors").write_bytes(cut)
    result = cli("trace", *arguments)
    assert result.code == 2
    assert says in result.complaint
    assert result.out == ""


def test_an_evaluation_gives_figures_and_a_table(cli, folder):
    found = _evaluate(cli, *OUTPUTS, "--seed", "3")
    assert found["hypotheses"]["same_model"]["auc"] == pytest.approx(1, abs=0.02)
    assert found["calibration"] == "shipped"
    assert {"by_relation", "shift", "n_prompts", "cohort_size", "seconds"} <= set(found)
    result = cli("evaluate", *OUTPUTS)
    assert result.code == 0
    assert "same model" in result.out
    assert max(map(cell_len, result.out.splitlines())) <= 80


def test_plots_and_a_fitted_cohort_are_written(cli, folder):
    result = cli("evaluate", *OUTPUTS, "--plot", "plots", "--fit", "own", "--json", "x.json")
    assert result.code == 0, result.err
    assert "<svg" in (folder / "plots" / "tippett.svg").read_text()
    assert "<svg" in (folder / "plots" / "det.svg").read_text()
    assert find_cohort("own").calibration is not None
    assert _trace(cli, "cohort:m1a", "--cohort", "own")["relatives"][0]["model"] == "m1b"


def test_pairs_are_also_judged_as_if_nobody_else_had_answered(cli, folder):
    found = _evaluate(cli, *OUTPUTS, "--calibration", "transferred")["transferred"]
    assert found["lines"] == "of all sets"
    assert found["close_kinship"]["abstained"] == 1.0  # ten prompts are too few
    assert found["close_kinship"]["lr_above_10"] == {
        "unrelated": 0.0,
        "kin": 0.0,
        "unrelated_interval": [0.0, 0.0],
    }
    result = cli("evaluate", *OUTPUTS, "--calibration", "transferred")
    assert "Close kinship by a calibration from other prompts" in result.out
    assert max(map(cell_len, result.out.splitlines())) <= 80
    assert "transferred" not in _evaluate(cli, *OUTPUTS)


def test_no_class_or_no_kin_is_null_not_nan(cli, folder):
    _csv(folder / "pairs.csv", [("model_a", "model_b", "relation"), ("s0", "s1", "unrelated")])
    found = _evaluate(cli, *OUTPUTS)
    assert found["hypotheses"]["same_model"]["auc"] is None
    result = cli("evaluate", *OUTPUTS, "--plot", "plots")
    assert result.code == 0, result.err


def test_equal_answers_find_no_kin(cli, folder):
    header, *rows = _rows(folder)
    _csv(folder / "out.csv", [header, *([*row[:3], "The same."] for row in rows)])
    same = _evaluate(cli, *OUTPUTS)["hypotheses"]["same_model"]
    assert same["auc"] is None or same["auc"] == pytest.approx(0.5, abs=0.1)
    assert not (same["lr_above_100"] or {}).get("unrelated_pairs")


def test_a_model_of_blank_answers_is_abstained_from(cli, folder):
    header, *rows = _rows(folder)
    blank = ([*row[:3], "" if row[0] == "m0a" and row[1] != "p3" else row[3]] for row in rows)
    _csv(folder / "out.csv", [header, *blank])
    same = _evaluate(cli, *OUTPUTS)["hypotheses"]["same_model"]
    assert same["abstained_pos"] == pytest.approx(0.1)


def _without_row(folder: Path) -> None:
    header, *rows = list(csv.reader((folder / "models.csv").open(newline="")))
    _csv(folder / "models.csv", [header, *(row for row in rows if row[0] != "s1")])
    _csv(folder / "pairs.csv", [("model_a", "model_b", "relation"), ("m0a", "s0", "unrelated")])


def _only(folder: Path, models: set[str]) -> None:
    header, *rows = _rows(folder)
    _csv(folder / "out.csv", [header, *(row for row in rows if row[0] in models)])


def _apart(folder: Path) -> None:
    header, *rows = _rows(folder)
    apart = ([row[0], f"q{i}", f"Question {i}", row[3]] for i, row in enumerate(rows))
    _csv(folder / "out.csv", [header, *apart])


def _pairs(*rows: tuple[str, str, str]):
    return lambda folder: _csv(folder / "pairs.csv", [("model_a", "model_b", "relation"), *rows])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_without_row, "no row for 's1'"),
        (lambda folder: _only(folder, {"m0a", "m0b"}), "2 models have answers here"),
        (_apart, "no prompt was answered by at least half"),
        (_pairs(("m0a", "nobody", "unrelated")), "'nobody' is not in the table"),
        (
            _pairs(("m0a", "m0b", "unrelated"), ("m0b", "m0a", "same_model_other_setting")),
            "keep one of the two",
        ),
        (_pairs(("m0a", "m0a", "unrelated")), "line 2"),
        (_pairs(("m0a", "m0b", "cousins")), "line 2"),
        (
            lambda folder: _csv(
                folder / "models.csv", [("model", "weights_parent"), ("x", "y"), ("y", "x")]
            ),
            "cycle of ancestry",
        ),
        (lambda folder: (folder / "pairs.csv").unlink(), "pairs.csv: cannot be read"),
        (lambda folder: (folder / "models.csv").write_bytes(b"\xff\xfe\x00"), "models.csv"),
        (lambda folder: (folder / "out.csv").write_bytes(b""), "out.csv"),
        (lambda folder: (folder / "out.csv").unlink(), "out.csv"),
    ],
)
def test_an_evaluation_that_cannot_be_made(cli, folder, change, says):
    change(folder)
    result = cli("evaluate", *OUTPUTS)
    assert result.code == 2
    assert says in result.complaint
    assert result.out == ""


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--prompts", "0"), 2, "--prompts"),
        (("--seed", "-1", "--prompts", "9"), 2, "--seed"),
        (("--cohort-size", "0"), 2, "--cohort-size"),
        (("--fit", "a b"), 2, "cannot name a cohort"),
        (("--fit", "alpaca-eval"), 2, "is shipped already"),
        (("--fit", "x", "--prompts", "3"), 2, "--fit needs 8 prompts or more"),
        (("--plot", "out.csv"), 4, "cannot make the folder out.csv"),
        (("--json", "."), 4, "cannot write"),
    ],
)
def test_options_of_an_evaluation_that_cannot_be_met(cli, folder, options, code, says):
    result = cli("evaluate", *OUTPUTS, *options)
    assert result.code == code
    assert says in result.complaint


def _compare(cli, *options: object) -> dict:
    result = cli("compare", "one.jsonl", "two.jsonl", "--only", "openings", *options, "--json", "-")
    assert result.code == 0, result.err
    case: dict = json.loads(result.out, parse_constant=pytest.fail)
    return case


def test_a_comparison_is_judged_by_the_cohort_it_is_given(cli, folder):
    verdict = _compare(cli, "--cohort", "made.safetensors", *DATED)["verdict"]
    assert verdict["calibration"] == "matched"
    assert verdict["log10_lr"]["close_descent"] > 0
    undated = _compare(cli, "--cohort", "made.safetensors")["verdict"]
    assert undated["status"] == "screening"
    assert any("release date of A is not known" in reason for reason in undated["reasons"])


def test_the_matching_cohort_is_found_and_can_be_refused(cli, folder):
    write_cohort(folder / "cache" / "cohorts" / f"{NAME}.safetensors", made_cohort())
    case = _compare(cli, *DATED)
    assert case["verdict"]["calibration"] == "matched"
    assert case["evidence"][-1]["details"]["cohort"] == NAME
    assert case["ledger"][0]["settings"]["known_released"] == "2024-06"
    refused = _compare(cli, *DATED, "--cohort", "none")
    assert refused["verdict"]["status"] == "screening"
    assert refused["verdict"]["log10_lr"] is None
    assert [one["comparator"] for one in refused["evidence"]] == ["openings"]


def test_transcripts_of_other_prompts_are_not_judged(cli, folder):
    result = cli("compare", "a.jsonl", "b.jsonl", "--only", "openings", "--json", "-")
    case = json.loads(result.out)
    assert case["verdict"]["calibration"] == "none"
    assert [one["comparator"] for one in case["evidence"]] == ["openings"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--known-released", "May 2024"), "--known-released 'May 2024' is not a month"),
        (("--questioned-released", "2024-00"), "--questioned-released"),
        (("--cohort", "nosuch"), "no cohort 'nosuch'"),
        (("--cohort", "one.jsonl"), "not a cohort file"),
    ],
)
def test_a_comparison_that_cannot_be_judged(cli, folder, options, says):
    result = cli("compare", "one.jsonl", "two.jsonl", "--only", "openings", *options)
    assert result.code == 2
    assert says in result.complaint
    assert result.out == ""


def test_a_transcript_is_compared_in_a_cohort_that_has_no_suite(cli, folder):
    result = cli(
        *("compare", "cohort:m0a", "kin.jsonl", "--cohort", "made.safetensors"),
        *("--questioned-released", "2024-06", "--json", "-"),
    )
    assert result.code == 0, result.err
    (judged,) = json.loads(result.out)["evidence"][:1]
    traced = _trace(cli, "kin.jsonl", "--cohort", "made.safetensors", "--released", "2024-06")
    score = next(one["score"] for one in traced["relatives"] if one["model"] == "m0a")
    assert judged["score"] == pytest.approx(score, abs=1e-3)
