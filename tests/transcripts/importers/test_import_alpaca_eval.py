"""AlpacaEval's files as data frames write them: what is missing stands as NaN."""

from __future__ import annotations

import json
from pathlib import Path

from forensics.transcripts.importers import import_file
from forensics.transcripts.transcript import read_transcript


def test_a_missing_output_is_an_empty_answer_and_a_missing_prompt_costs_its_record(
    tmp_path: Path,
) -> None:
    nan = float("nan")
    records = [
        {"instruction": "Praise rain.", "output": "It waters us.", "generator": "g"},
        {"instruction": "Praise sun.", "output": nan, "generator": "g", "dataset": nan},
        {"instruction": nan, "output": "Unasked.", "generator": "g"},
    ]
    path = tmp_path / "model_outputs.json"
    path.write_text(json.dumps(records))
    (done,) = import_file(path, tmp_path / "out", "alpaca-eval")
    answers = read_transcript(done.path).responses
    assert sorted(answer.text for answer in answers) == ["", "It waters us."]
