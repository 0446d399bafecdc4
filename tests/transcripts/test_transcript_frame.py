"""A transcript in a notebook."""

from __future__ import annotations

from pathlib import Path

from forensics.testing import HOSTILE_TEXTS
from forensics.transcripts.transcript import Transcript, read_transcript
from tests.builders import responses, write


def test_every_response_has_its_row(reference_files: dict[str, Path]) -> None:
    transcript = read_transcript(reference_files["vicuna-7b"])
    frame = transcript.to_frame()
    assert len(frame) == len(transcript.responses) > 400
    row, response = frame.iloc[7], transcript.responses[7]
    assert (row["prompt_id"], row["text"], row["status"]) == (
        response.prompt.id,
        response.text,
        "ok",
    )
    assert row["prompt"] == response.prompt.text
    assert frame["output_tokens"].isna().all()


def test_what_an_endpoint_told_of_a_call_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", ["yes"], output_tokens=3, reasoning="why", model="m-1")
    row = read_transcript(path).to_frame().iloc[0]
    assert (row["output_tokens"], row["reasoning"], row["model"]) == (3, "why", "m-1")
    assert row["error"] is None


def test_hostile_answers_stay_as_they_came() -> None:
    texts = [*HOSTILE_TEXTS, "lone \ud800 surrogate"]
    frame = Transcript("m", tuple(responses(texts))).to_frame()
    assert list(frame["text"]) == texts


def test_no_response_leaves_the_columns() -> None:
    assert "prompt_sha256" in Transcript("m", ()).to_frame().columns
