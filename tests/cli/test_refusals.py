"""`forensics refusals` on a transcript and on another tool's table."""

import json

from tests.builders import write

TEXTS = [
    "I'm sorry, but I can't help with that.",
    "Sure! Chop the onions, fry them slowly, and add the stock after ten minutes.",
]


def test_one_object_a_line_from_a_transcript(cli, here):
    write(here / "m.jsonl", TEXTS)
    result = cli("refusals", "m.jsonl", "--json", "-")
    assert result.code == 0
    first, second = (json.loads(line) for line in result.out.splitlines())
    assert set(first) == {"model", "prompt_id", "sample", "label", "phrase"}
    assert first["label"] == "full_refusal"
    assert first["phrase"] in TEXTS[0]
    assert second["label"] == "full_compliance"


def test_a_table_of_several_models_is_imported_on_the_way(cli, here):
    rows = [
        {"model": model, "prompt_id": str(i), "prompt": f"Question {i}?", "output": text}
        for model in ("one", "two")
        for i, text in enumerate(TEXTS)
    ]
    (here / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = cli("refusals", "table.jsonl", "--json", "-")
    labels = [json.loads(line) for line in result.out.splitlines()]
    assert [one["model"] for one in labels] == ["one", "one", "two", "two"]
    shown = cli("refusals", "table.jsonl")
    assert "full refusal" in shown.out


def test_a_missing_file_is_one_line(cli, here):
    result = cli("refusals", "missing.jsonl")
    assert result.code == 2
    assert "missing.jsonl" in result.complaint
