"""A log that grows: its order, and that nothing which comes later changes what was read."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import InputFileError
from forensics.evidence.exposure.arrangements import Unit
from forensics.evidence.exposure.eligible import eligible, turns_unordered, with_refusals
from forensics.evidence.exposure.exposure_test import Scores, measured
from forensics.evidence.exposure.growing import batches_missing, prompts_sha256
from forensics.evidence.exposure.log_files import read_log
from tests.evidence.exposure.logs import pairs, write_log


def _batched(many, batches, seed=0):
    rows = pairs(many, seed)
    return [row | {"arrival_batch": 1 + i * batches // many} for i, row in enumerate(rows)]


def _read(tmp_path, rows, most=5_000):
    return read_log(write_log(tmp_path / "log.jsonl", rows, declared_prompts=None), most).prompts


def test_what_arrives_later_stands_behind_whatever_its_hash(tmp_path):
    rows = _batched(30, 3)
    whole = _read(tmp_path, rows)
    assert [prompt.batch for prompt in whole] == [1] * 10 + [2] * 10 + [3] * 10
    assert [p.key for p in whole[:10]] == sorted(p.key for p in whole[:10])
    assert _read(tmp_path, rows[:10]) == whole[:10]
    assert _read(tmp_path, rows[:20]) == whole[:20]
    assert _read(tmp_path, rows, most=13) == whole[:13]
    assert _read(tmp_path, rows[::-1]) == whole


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [*rows[:5], rows[5] | {"arrival_batch": "June"}], "is 'June', not a number"),
        (lambda rows: [*rows[:5], rows[5] | {"arrival_batch": ""}], "in every row, or in none"),
        (lambda rows: [*rows, rows[0] | {"arrival_batch": 2}], "in another arrival_batch"),
    ],
)
def test_a_damaged_column_is_named(tmp_path, change, said):
    with pytest.raises(InputFileError, match=said):
        _read(tmp_path, change(_batched(10, 1)))


@pytest.mark.parametrize(("numbers", "missing"), [((1, 2), False), ((2, 3), True), ((1, 3), True)])
def test_batches_are_numbered_without_a_gap(tmp_path, numbers, missing):
    rows = [row | {"arrival_batch": numbers[i % 2]} for i, row in enumerate(pairs(8))]
    assert batches_missing(_read(tmp_path, rows)) is missing
    assert not batches_missing(_read(tmp_path, pairs(8)))


def test_a_later_repetition_leaves_no_earlier_prompt_out(tmp_path):
    rows = _batched(20, 2)
    rows[15]["served"] = rows[3]["withheld"]
    rows[16]["served"] = rows[17]["withheld"]
    log = _read(tmp_path, rows)
    chosen = eligible(log, with_refusals(log))
    left = {row["prompt_id"] for row in rows} - {prompt.prompt_id for prompt in chosen.prompts}
    assert left == {"p15", "p16", "p17"}
    assert chosen.prompts[:10] == eligible(log[:10], with_refusals(log[:10])).prompts


def test_a_later_turn_must_not_arrive_before_an_earlier_one(tmp_path):
    rows = _batched(10, 2)
    rows[2] |= {"conversation": "c", "turn": 0}
    rows[7] |= {"conversation": "c", "turn": 1}
    assert not turns_unordered(_read(tmp_path, rows))
    rows[2] |= {"turn": 2}
    assert turns_unordered(_read(tmp_path, rows))


def test_the_digest_changes_with_what_was_logged_and_not_with_the_order_of_rows(tmp_path):
    rows = _batched(6, 1)
    long = [
        {"prompt_id": r["prompt_id"], "prompt": r["prompt"], "output": r[side], "group": side}
        | {"arrival_batch": 1}
        for r in rows
        for side in ("served", "withheld")
    ]
    digest = prompts_sha256(_read(tmp_path, rows))
    assert prompts_sha256(_read(tmp_path, long[::-1])) == digest
    swapped = dict(rows[4], served=rows[4]["withheld"], withheld=rows[4]["served"])
    for changed in (swapped, rows[4] | {"served": "Other"}, rows[4] | {"account": "a"}):
        assert prompts_sha256(_read(tmp_path, [*rows[:4], changed, rows[5]])) != digest


def _scores(generator, many):
    base = generator.standard_t(3, size=(many, 2))
    own = 0.8 * base + 0.4 * generator.standard_t(3, size=(many, 2))
    return [
        tuple(Unit(f"{i}", tuple(row), 1) for i, row in enumerate(values)) for values in (own, base)
    ]


def test_the_capital_of_a_look_is_the_beginning_of_that_of_the_next():
    own, base = _scores(np.random.default_rng(1), 60)
    looks = [measured(Scores(own[:n], base[:n]), False, 0.01).process for n in (20, 40, 60)]
    assert looks[2].capital[:20] == looks[0].capital
    assert looks[2].capital[:40] == looks[1].capital
    assert looks[0].highest <= looks[1].highest <= looks[2].highest
