"""Logs in every format and layout; and damaged ones."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.errors import InputFileError
from forensics.evidence.exposure.eligible import eligible, with_refusals
from forensics.evidence.exposure.log_files import read_log
from forensics.evidence.exposure.nearness import edit_distance, nearness
from tests.evidence.exposure.logs import HEADER, pairs, words, write_log


def _long(rows):
    return [
        {"prompt_id": r["prompt_id"], "prompt": r["prompt"], "output": r[side], "group": side}
        for r in rows
        for side in ("withheld", "served")
    ]


@pytest.mark.parametrize("layout", ["a row a prompt", "a row an answer"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_every_format_and_layout_reads_alike(tmp_path, layout, kind):
    rows = pairs(12)
    expected = read_log(write_log(tmp_path / "expected.jsonl", rows)).prompts
    table = pd.DataFrame(rows if layout == "a row a prompt" else _long(rows))
    path = tmp_path / f"log.{kind}"
    head = {**HEADER, "declared_prompts": 12}
    if kind == "parquet":
        stored = pa.Table.from_pandas(table)
        metadata = {**stored.schema.metadata, b"exposure_log": json.dumps(head).encode()}
        pq.write_table(stored.replace_schema_metadata(metadata), path)
    elif kind == "csv":
        table.to_csv(path, index=False)
        (tmp_path / "log.csv.header.json").write_text(json.dumps(head))
    else:
        write_log(path, table.to_dict("records"), declared_prompts=12)
    log = read_log(path)
    assert log.header.declared_prompts == 12
    assert [(p.prompt_id, p.served, p.withheld) for p in log.prompts] == [
        (p.prompt_id, p.served, p.withheld) for p in expected
    ]


def test_at_most_so_many_prompts_are_kept_and_a_hash_chooses_them(tmp_path):
    log = read_log(write_log(tmp_path / "log.jsonl", pairs(30)), most=7)
    assert (log.logged, len(log.prompts)) == (30, 7)
    every = read_log(tmp_path / "log.jsonl").prompts
    assert log.prompts == every[:7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not say how"),
        ('{"exposure_log": {"design": "guessed"}}\n', "design"),
        ('{"exposure_log": {"design": "split_before_serving"}}\n', "holds no prompt"),
        ('{"exposure_log": {"design": "split_before_serving"}}\n{"prompt_id": 1}\n', "columns"),
        (
            '{"exposure_log": {"design": "split_before_serving"}}\n[1]\n',
            "line 2: not a JSON object",
        ),
        ('{"exposure_log": {"design": "split_before_serving"}}\n{"a\n', "line 2: not valid JSON"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, text, said):
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(InputFileError, match=said):
        read_log(path)


@pytest.mark.parametrize("side", ["served", "withheld"])
@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("empty", {"": "  "}),
        ("truncated", {"_finish_reason": "length"}),
        ("refused", {"": "I'm sorry, but I can't help with that request."}),
        ("public", {"_public": True}),
        ("cached", {"_cached": True}),
    ],
)
def test_a_prompt_is_left_out_whichever_side_gives_the_reason(tmp_path, side, reason, change):
    rows = pairs(10)
    rows[4] |= {f"{side}{name}": value for name, value in change.items()}
    log = read_log(write_log(tmp_path / "log.jsonl", rows))
    chosen = eligible(log.prompts, with_refusals(log.prompts))
    assert chosen.left_out == ((reason, 1),)
    assert "p4" not in {prompt.prompt_id for prompt in chosen.prompts}


def test_duplicates_shared_seeds_and_later_turns_are_left_out(tmp_path):
    rows = pairs(12)
    rows[0]["served"] = rows[0]["withheld"]
    rows[1]["served"] = rows[2]["withheld"]
    rows[3] |= {"served_seed": "5", "withheld_seed": "5"}
    rows[4] |= {"conversation": "c", "turn": 1}
    rows[5] |= {"conversation": "c", "turn": 0}
    log = read_log(write_log(tmp_path / "log.jsonl", rows))
    refusals = with_refusals(log.prompts)
    chosen = eligible(log.prompts, refusals)
    assert dict(chosen.left_out) == {"duplicate": 3, "shared_seed": 1, "later_turn": 1}
    assert "p5" in {prompt.prompt_id for prompt in chosen.prompts}
    turns = [p.turn for p in eligible(log.prompts, refusals, True).prompts if p.conversation]
    assert turns == [0, 1]


def test_own_answers_are_nearer_to_what_they_repeat_after_the_common_start():
    import random

    generator = random.Random(1)
    start = words(generator, 20)
    first, second = (f"{start} {words(generator)}" for _ in range(2))
    for how in ("fourgrams", "runs", "edit"):
        near, far = nearness([first], [first, second], how)
        assert near > far
        assert nearness([first, second], [first, second], how) == pytest.approx(
            nearness([second, first], [first, second], how)
        )


def test_edit_distance_is_levenshteins():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("", "abc") == 3
    assert edit_distance("abc", "") == 3
    assert edit_distance("flaw", "lawn") == 2
