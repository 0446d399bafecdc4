"""`forensics exposure`: split, test and power as a user types them, and every wrong use."""

from __future__ import annotations

import html
import json
import random

import pytest

from forensics.evidence.exposure.exposure_record import ExposureResult
from tests.builders import write
from tests.evidence.exposure.logs import pairs, words, write_log

BLACK_BOX = "transcript:b.jsonl"
SENTENCE = (
    "training depended on which answers were served, by whatever route (this account, a reposting, "
    "another customer, a data set, a parent model)."
)


@pytest.fixture(name="rows")
def rows_fixture():
    return pairs(40)


def _answers(path, rows, side=None):
    """Write B's answers: to half of the prompts nearly the answers of one side."""
    generator = random.Random(9)
    texts = [str(row[side]) if side and i % 2 else words(generator) for i, row in enumerate(rows)]
    write(path, texts)


def _result(cli, *arguments, code=0):
    done = cli("exposure", "test", *arguments, "--json", "-", "--quiet")
    assert done.code == code, done.err
    return ExposureResult.model_validate(json.loads(done.out))


def test_who_repeats_served_answers_depended_on_them(cli, here, rows):
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, "served")
    result = _result(cli, "log.jsonl", BLACK_BOX)
    assert result.finding == "depended"
    assert result.sentence.endswith(SENTENCE)
    assert result.primary == "fixed"
    assert result.power.startswith("With 80 % power") or result.power.startswith("Even if")


@pytest.mark.parametrize("side", [None, "withheld"])
def test_who_does_not_shows_nothing_and_the_detectable_share_is_told(cli, here, rows, side):
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, side)
    result = _result(cli, "log.jsonl", BLACK_BOX)
    assert result.finding == "not_shown"
    assert "80 % power" in result.power


def test_without_a_declared_number_only_the_e_process_counts(cli, here, rows):
    write_log(here / "log.jsonl", rows, declared_prompts=None)
    _answers(here / "b.jsonl", rows, "served")
    result = _result(cli, "log.jsonl", BLACK_BOX)
    assert (result.primary, result.fixed) == ("watched", None)
    assert result.watched is not None
    assert result.p_value == pytest.approx(1 / result.watched.highest)
    early = _result(cli, "log.jsonl", BLACK_BOX, "--declared", 50)
    assert early.primary == "watched"


def test_several_answers_and_accounts(cli, here, rows):
    generator = random.Random(4)
    for i, row in enumerate(rows):
        row["withheld"] = [row["withheld"], words(generator)]
        row["account"] = f"secret-{i % 3}"
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, "served")
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, "--json", "-", "-q")
    assert "secret" not in done.out
    result = json.loads(done.out)
    assert result["primary"] == "combined"
    assert result["watched"]["combined"] > 1


def test_power_is_lower_where_served_and_withheld_are_nearly_equal(cli, here, rows):
    _answers(here / "b.jsonl", rows)
    write_log(here / "log.jsonl", rows)
    apart = _result(cli, "log.jsonl", BLACK_BOX)
    generator = random.Random(3)
    for row in rows:
        start = " ".join(words(generator, 60).split())
        row["served"], row["withheld"] = (f"{start} {words(generator, 4)}" for _ in range(2))
    write_log(here / "near.jsonl", rows)
    near = _result(cli, "near.jsonl", BLACK_BOX)
    assert apart.in_common is not None and near.in_common is not None
    assert apart.in_common < 0.7 < 0.8 < near.in_common <= 1
    assert near.detectable_share is None
    assert near.power.startswith("Even if all served answers")
    assert near.assumed in near.power and f"{100 * near.in_common:.0f} %" in near.assumed
    shown = cli("exposure", "test", "near.jsonl", BLACK_BOX).out.split()
    assert shown.index("power") < shown.index("design")


def test_of_turns_on_served_answers_only_the_e_process_counts(cli, here, rows):
    for i, row in enumerate(rows):
        row |= {"conversation": f"c{i // 4}", "turn": i % 4}
    _answers(here / "b.jsonl", rows, "served")
    write_log(here / "log.jsonl", rows, withheld_on_served_prefix=True)
    every = _result(cli, "log.jsonl", BLACK_BOX)
    assert (every.primary, every.fixed, every.pairs.used) == ("watched", None, 40)
    assert any("Later turns" in caveat for caveat in every.caveats)
    write_log(here / "log.jsonl", rows)
    first = _result(cli, "log.jsonl", BLACK_BOX)
    assert (first.primary, first.pairs.used) == ("fixed", 10)
    assert first.pairs.left_out == {"later_turn": 30}


WRONG = {
    "split_after_the_fact": ({"assigned_by": "date"}, None),
    "both_served": ({"assigned_by": "user_choice"}, None),
    "filters_differ": ({"served_filters": "best of 4"}, None),
    "calls_not_independent": ({"independent_calls": False}, None),
    "not_attested": ({"design": "sampled_again_later"}, None),
    "turns_unordered": (
        {"withheld_on_served_prefix": True},
        lambda row: row | {"conversation": "c"},
    ),
    "length": ({}, lambda row: row | {"served": f"{row['served']} And this. {row['served']}"}),
    "text_only": ({}, lambda row: row | {"served": f"Sure! {str(row['served'])[6:]}"}),
    "hour_of_day": (
        {},
        lambda row: (
            row
            | {"served_sampled_at": "2026-05-01T09:00", "withheld_sampled_at": "2026-05-01T22:00"}
        ),
    ),
    "date": (
        {},
        lambda row: (
            row
            | {"served_sampled_at": "2026-05-01T09:00", "withheld_sampled_at": "2026-05-09T09:00"}
        ),
    ),
    "finish_reason": ({}, lambda row: row | {"withheld_finish_reason": "length"}),
    "refused": (
        {},
        lambda row: row | {"withheld": f"I'm sorry, but I can't help with {row['prompt_id']}."},
    ),
    "public": ({}, lambda row: row | {"served_public": True}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_use_is_refused_by_its_name_before_anybody_is_asked(cli, here, rows, name):
    header, change = WRONG[name]
    changed = [change(row) if change and i % 3 else row for i, row in enumerate(rows)]
    write_log(here / "log.jsonl", changed, **header)
    _answers(here / "b.jsonl", rows)
    result = _result(cli, "log.jsonl", BLACK_BOX, code=2)
    assert result.finding == "refused"
    assert name in {refusal.name for refusal in result.refusals}
    assert result.p_value is None


def test_prompts_of_one_side_only_are_a_split_after_the_fact(cli, here, rows):
    halves = [
        {"prompt_id": r["prompt_id"], "prompt": r["prompt"], "output": r["served"], "group": side}
        for i, r in enumerate(rows)
        for side in [("served", "withheld")[i % 2]]
    ]
    write_log(here / "log.jsonl", halves)
    _answers(here / "b.jsonl", rows, "served")
    result = _result(cli, "log.jsonl", BLACK_BOX, code=2)
    assert [refusal.name for refusal in result.refusals] == ["no_twins"]


def test_cached_answers_are_no_units(cli, here, rows):
    for row in rows:
        row["served"] = row["withheld"]
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows)
    result = _result(cli, "log.jsonl", BLACK_BOX, code=2)
    assert [refusal.name for refusal in result.refusals] == ["calls_not_independent"]


def test_what_a_control_repeats_too_is_refused(cli, here, rows):
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, "served")
    _answers(here / "c.jsonl", rows, "served")
    result = _result(cli, "log.jsonl", BLACK_BOX, "--control", "transcript:c.jsonl", code=2)
    assert [refusal.name for refusal in result.refusals] == ["controls"]


def test_later_answers_rest_on_unsuspected_accounts(cli, here, rows):
    attested = dict.fromkeys(("weights", "system_prompt", "tools", "decoding"), "as before")
    later = attested | {"design": "sampled_again_later"}
    write_log(here / "log.jsonl", rows, **later)
    _answers(here / "b.jsonl", rows, "served")
    alone = _result(cli, "log.jsonl", BLACK_BOX)
    assert any("--negative-control" in caveat for caveat in alone.caveats)
    arguments = ("log.jsonl", BLACK_BOX, "--negative-control", "log.jsonl")
    refused = _result(cli, *arguments, code=2)
    assert [refusal.name for refusal in refused.refusals] == ["negative_control"]


def test_split_draws_by_seed_and_what_it_writes_can_be_tested(cli, here):
    generator = random.Random(2)
    rows = [
        {"prompt_id": f"p{i}", "prompt": f"Question {i}?", "output": words(generator)}
        for i in range(30)
        for _ in range(2)
    ]
    (here / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for seed, name in ((7, "log"), (7, "again"), (8, "other")):
        out = f"{name}.jsonl"
        line = ("exposure", "split", "answers.jsonl", "--seed", seed, "-o", out)
        assert cli(*line, "--served", f"{name}-served.jsonl").code == 0
    assert (here / "log.jsonl").read_bytes() == (here / "again.jsonl").read_bytes()
    assert (here / "log.jsonl").read_bytes() != (here / "other.jsonl").read_bytes()
    served = [json.loads(line) for line in (here / "log-served.jsonl").open()]
    write(here / "b.jsonl", [str(row["output"]) for row in served])
    assert _result(cli, "log.jsonl", BLACK_BOX).finding == "depended"


def test_reports_in_every_format(cli, here, rows):
    rows[3]["served"] = "<script>alert(1)</script> \x1b[31m red | table"
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, "served")
    files = ("--json", "r.json", "--html", "r.html", "--markdown", "r.md")
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, *files)
    assert done.code == 0, done.err
    flat = " ".join(done.out.split())
    assert flat.index("power") < flat.index("p-value")
    assert "compared: hour of day not compared, the log does not say" in flat
    page = html.unescape((here / "r.html").read_text())
    assert "default-src 'none'" in page
    assert "<script>alert" not in (here / "r.html").read_text()
    assert page.index("Learned from served answers</h1>") < page.index("What was measured")
    assert "What this does not say" in page and "names no account and no conduct" in page
    assert "Learned from served answers" in (here / "r.md").read_text()
    assert json.loads((here / "r.json").read_text())["finding"] == "depended"


def test_a_stored_result_is_rendered_again_byte_for_byte(cli, here, rows):
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows, "served")
    files = ("--json", "r.json", "--html", "r.html", "--markdown", "r.md")
    first = cli("exposure", "test", "log.jsonl", BLACK_BOX, *files)
    again = cli("report", "r.json", "--json", "2.json", "--html", "2.html", "--markdown", "2.md")
    assert (again.code, again.out) == (0, first.out)
    for name in ("json", "html", "md"):
        assert (here / f"2.{name}").read_bytes() == (here / f"r.{name}").read_bytes()
    piped = cli("report", "r.json", "--format", "html")
    assert piped.out == (here / "r.html").read_text()
    for arguments, said in (
        (("--format", "csv"), "not written as csv; there are html, json, markdown"),
        (("--blind",), "has no blind form"),
    ):
        done = cli("report", "r.json", *arguments)
        assert done.code == 2
        assert said in done.complaint
    (here / "r.json").write_text(json.dumps({"kind": "exposure"}))
    assert "is not a result written by" in cli("report", "r.json").complaint


def test_usage_errors_are_one_line(cli, here, rows):
    write_log(here / "log.jsonl", rows)
    _answers(here / "b.jsonl", rows)
    lines = [
        ("exposure", "test", "none.jsonl", BLACK_BOX),
        ("exposure", "test", "log.jsonl", BLACK_BOX, "--statistic", "probabilities"),
        ("exposure", "power", "--effect", "0.1"),
        ("exposure", "split", "log.jsonl", "--seed", "1", "-o", "o.jsonl"),
    ]
    for line in lines:
        done = cli(*line)
        assert done.code == 2
        assert done.complaint


def test_power_grows_with_pairs_and_share(cli, here):
    done = cli("exposure", "power", "--pairs", "100", "--pairs", "1000", "--json", "-")
    rows = json.loads(done.out)["rows"]
    assert all(row["power"][0] <= row["power"][1] for row in rows)
    assert [row["pairs_for_80"] for row in rows] == sorted(row["pairs_for_80"] for row in rows)


def _sampled(*models):
    rows = [
        {"model": model, "prompt_id": f"p{i}", "prompt": f"Question {i}?", "output": f"Tale {i}{j}"}
        for model in models
        for i in range(9)
        for j in range(2)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_split_spares_the_answers_and_the_log_of_an_earlier_draw(cli, here):
    (here / "answers.jsonl").write_text(_sampled("owl"))
    split = ("exposure", "split", "answers.jsonl", "--seed")
    for targets in (("-o", "answers.jsonl"), ("-o", "log.jsonl", "--served", "answers.jsonl")):
        done = cli(*split, 1, *targets)
        assert done.code == 2
        assert "answers.jsonl holds the answers that are split" in done.complaint
        assert (here / "answers.jsonl").read_text() == _sampled("owl")
    assert cli(*split, 1, "-o", "log.jsonl").code == 0
    drawn = (here / "log.jsonl").read_text()
    assert cli(*split, 1, "-o", "log.jsonl").code == 0  # the same draw
    done = cli(*split, 2, "-o", "log.jsonl")
    assert done.code == 2
    assert "log.jsonl exists and may be the log of another draw" in done.complaint
    assert (here / "log.jsonl").read_text() == drawn


def test_answers_of_several_models_are_not_split(cli, here):
    (here / "answers.jsonl").write_text(_sampled("owl", "elk"))
    done = cli("exposure", "split", "answers.jsonl", "--seed", 1, "-o", "log.jsonl")
    assert done.code == 2
    assert "prompt 'p0' has answers of several models" in done.complaint
    assert not (here / "log.jsonl").exists()
