"""Wrong uses of `forensics exposure test` that no header admits: refused, or harmless."""

from __future__ import annotations

import json
import random

import pytest

from forensics.evidence.exposure.exposure_record import ExposureResult
from tests.builders import write
from tests.evidence.exposure.logs import pairs, words, write_log

BLACK_BOX = "transcript:b.jsonl"


def _result(cli, *arguments, code=0):
    done = cli("exposure", "test", "log.jsonl", BLACK_BOX, *arguments, "--json", "-", "--quiet")
    assert done.code == code, done.err
    return ExposureResult.model_validate(json.loads(done.out))


def _names(result):
    return {refusal.name for refusal in result.refusals}


EDITS = {
    "the full stop at the end cut off": lambda text: text[:-1],
    "a typographic mark put in": lambda text: text.replace(" ", "\N{NO-BREAK SPACE}", 1),
    "capitals taken out": str.lower,
    "spaces doubled": lambda text: text.replace(" ", "  "),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("side", ["served", "withheld"])
def test_text_that_was_edited_on_one_side_is_refused(cli, here, edit, side):
    rows = [row | {side: EDITS[edit](str(row[side]))} for row in pairs(60)]
    write_log(here / "log.jsonl", rows)
    write(here / "b.jsonl", [str(row["served"]) for row in rows])
    assert _names(_result(cli, code=2)) & {"text_only", "length"}


def test_the_best_of_several_served_is_refused_where_a_control_has_the_same_taste(cli, here):
    """Served answers were chosen by a taste that B and the control share; nobody learned any."""
    generator = random.Random(3)
    rows, liked = [], []
    for i in range(60):
        text = words(generator)
        near = " ".join(text.split()[:20] + words(generator, 10).split())
        rows.append({"prompt_id": f"p{i}", "prompt": f"Question {i}?"})
        rows[-1] |= {"served": near, "withheld": words(generator)}
        liked.append(text)
    write_log(here / "log.jsonl", rows)
    for name in ("b", "c"):
        write(here / f"{name}.jsonl", liked)
    assert _result(cli).finding == "depended"  # what no guard can see without a control
    assert _names(_result(cli, "--control", "transcript:c.jsonl", code=2)) == {"controls"}


def test_all_pairs_of_a_prompts_answers_as_prompts_of_their_own_are_refused(cli, here):
    generator = random.Random(5)
    rows = [
        row | {"prompt_id": f"{row['prompt_id']}-{j}", "withheld": words(generator)}
        for row in pairs(20)
        for j in range(3)
    ]
    write_log(here / "log.jsonl", rows)
    write(here / "b.jsonl", [str(row["served"]) for row in rows])
    assert _names(_result(cli, code=2)) == {"calls_not_independent"}


def test_answers_equally_near_to_both_sides_count_for_neither(cli, here):
    rows = pairs(40)
    write_log(here / "log.jsonl", rows)
    write(
        here / "b.jsonl", [str(row["served"]) if i < 20 else "0000" for i, row in enumerate(rows)]
    )
    result = _result(cli)
    assert result.pairs.ties == 20
    assert result.watched is not None and result.watched.bets == 40 - 20


def test_half_of_the_declared_prompts_gives_no_fixed_test(cli, here):
    """Stopping early at what looks good: only the e-process is left, which allows it."""
    rows = pairs(40)
    write_log(here / "log.jsonl", rows[:20], declared_prompts=40)
    write(here / "b.jsonl", [str(row["served"]) for row in rows[:20]])
    result = _result(cli)
    assert (result.primary, result.fixed) == ("watched", None)
