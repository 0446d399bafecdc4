"""`forensics exposure` on a log that grows: looks that go on from one another, and wrong uses."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from forensics.evidence.exposure.exposure_record import ExposureResult
from tests.builders import write
from tests.evidence.exposure.logs import pairs, words, write_log

BLACK_BOX = "transcript:b.jsonl"


def _logged(path, rows):
    return write_log(path, rows, declared_prompts=None)


@pytest.fixture(name="rows")
def rows_fixture():
    return [row | {"arrival_batch": 1 + i // 20} for i, row in enumerate(pairs(60))]


@pytest.fixture(name="first")
def first_fixture(cli, here, rows):
    """Look once at the first two batches, of which a third was learned."""
    generator = random.Random(9)
    write(
        here / "b.jsonl",
        [str(r["served"]) if i % 3 else words(generator) for i, r in enumerate(rows)],
    )
    _logged(here / "log.jsonl", rows[:40])
    return _look(cli, "first.json")


def _look(cli, out, *arguments, code=0):
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, *arguments, "--json", out, "-q")
    assert done.code == code, done.err
    return ExposureResult.model_validate(json.loads(Path(out).read_text()))


def _names(result):
    return [refusal.name for refusal in result.refusals]


def test_a_second_look_goes_on_from_the_first(cli, here, rows, first):
    assert (first.look, first.batches, first.primary) == (1, 2, "watched")
    assert any("--previous" in caveat for caveat in first.caveats)
    _logged(here / "log.jsonl", rows)
    second = _look(cli, "second.json", "--previous", "first.json")
    assert (second.finding, second.look, second.batches) == ("depended", 2, 3)
    assert any("compared with look 1" in caveat for caveat in second.caveats)
    assert second.watched is not None and first.watched is not None
    assert second.watched.highest >= first.watched.highest
    third = _look(cli, "third.json", "--previous", "second.json")
    assert (third.look, third.watched) == (3, second.watched)


def test_rows_in_another_order_are_the_same_log(cli, here, rows, first):
    _logged(here / "log.jsonl", rows[::-1])
    assert _look(cli, "second.json", "--previous", "first.json").look == 2


WRONG = {
    "a row lost": lambda rows: rows[1:],
    "the first batch lost, numbers closed up": lambda rows: [
        row | {"arrival_batch": row["arrival_batch"] - 1} for row in rows[20:]
    ],
    "only the first batch left": lambda rows: rows[:20],
    "batches swapped": lambda rows: [
        row | {"arrival_batch": {1: 2, 2: 1, 3: 3}[row["arrival_batch"]]} for row in rows
    ],
    "a row moved into a batch that was read": lambda rows: [
        *rows[:59],
        rows[59] | {"arrival_batch": 1},
    ],
    "sides of a prompt swapped": lambda rows: [
        rows[0] | {"served": rows[0]["withheld"], "withheld": rows[0]["served"]},
        *rows[1:],
    ],
    "an answer edited": lambda rows: [rows[0] | {"served": f"{rows[0]['served']} "}, *rows[1:]],
    "no batches any more": lambda rows: [
        {key: value for key, value in row.items() if key != "arrival_batch"} for row in rows
    ],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_log_that_was_changed_after_a_look_is_refused(cli, here, rows, first, name):
    _logged(here / "log.jsonl", WRONG[name](rows))
    result = _look(cli, "second.json", "--previous", "first.json", code=2)
    assert _names(result) == ["log_changed"]
    assert result.p_value is None


def test_a_batch_left_out_is_refused_without_an_earlier_look_too(cli, here, rows, first):
    _logged(here / "log.jsonl", rows[:20] + rows[40:])
    assert _names(_look(cli, "second.json", code=2)) == ["batches_missing"]


def test_dropping_the_last_batch_takes_nothing_back(cli, here, rows, first):
    """What was never looked at may be left out: the capital before it stays what it was."""
    _logged(here / "log.jsonl", rows[:40])
    again = _look(cli, "second.json", "--previous", "first.json")
    assert again.watched == first.watched


@pytest.mark.parametrize(
    "arguments",
    [
        ("--statistic", "runs"),
        ("--declared", 40),
        ("--control", "transcript:b.jsonl"),
        ("--base", "transcript:b.jsonl"),
    ],
)
def test_another_question_is_another_test(cli, here, first, arguments):
    result = _look(cli, "second.json", "--previous", "first.json", *arguments, code=2)
    assert _names(result) == ["look_differs"]


def test_other_answers_of_the_model_are_noticed(cli, here, rows, first):
    write(here / "b.jsonl", [str(row["served"]) for row in rows])
    result = _look(cli, "second.json", "--previous", "first.json", code=2)
    assert _names(result) == ["path_changed"]
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, "--previous", "second.json")
    assert done.code == 2
    assert "second.json is a look that was refused" in done.complaint


def test_accounts_of_a_growing_log_are_not_combined(cli, here, rows, first):
    _logged(here / "log.jsonl", [row | {"account": f"{i % 2}"} for i, row in enumerate(rows)])
    result = _look(cli, "second.json")
    assert result.primary == "watched"
    assert any("Accounts are not combined" in caveat for caveat in result.caveats)


def test_a_result_that_is_none_is_named(cli, here, rows, first):
    (here / "other.json").write_text("{}")
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, "--previous", "other.json")
    assert done.code == 2
    assert "other.json is not a result written by" in done.complaint


def _sampled(start, many=12):
    rows = [
        {"prompt_id": f"p{i}", "prompt": f"Question {i}?", "output": f"Tale {i} {j}"}
        for i in range(start, start + many)
        for j in range(2)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_split_appends_batches(cli, here):
    (here / "a.jsonl").write_text(_sampled(0))
    (here / "b.jsonl").write_text(_sampled(12))
    split = ("exposure", "split", "-o", "log.jsonl", "--append", "--seed")
    first = cli(*split, 3, "a.jsonl")
    assert first.code == 0 and "as batch 1" in first.err
    begun = (here / "log.jsonl").read_text()
    assert cli(*split, 3, "b.jsonl").code == 0
    text = (here / "log.jsonl").read_text()
    assert text.startswith(begun)
    head, *lines = map(json.loads, text.splitlines())
    assert "declared_prompts" not in head["exposure_log"]
    assert [line["arrival_batch"] for line in lines] == [1] * 24 + [2] * 24
    for arguments, said in (
        ((3, "b.jsonl"), "this prompt_id is in the log already"),
        ((4, "b.jsonl"), "was not begun with --append and this --seed"),
    ):
        done = cli(*split, *arguments)
        assert done.code == 2
        assert said in done.complaint
    assert (here / "log.jsonl").read_text() == text
