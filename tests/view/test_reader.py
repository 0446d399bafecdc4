"""Reading answers: nothing of them is lost, what is marked is shared, long files come in parts."""

from __future__ import annotations

import html
import re
from itertools import pairwise

import pytest

from forensics.support.sanitise import visible
from forensics.transcripts.transcript import read_transcript
from forensics.transcripts.words import shared_runs
from forensics.view import answer_reader
from forensics.view.answer_reader import of_case, of_transcript, of_transcripts
from tests.builders import essays, write
from tests.report.sample_case import HOSTILE, sample_case


def plain(markup) -> str:
    return html.unescape(re.sub(r"</?(mark|span)[^>]*>", "", str(markup)))


def marked(markup) -> list[str]:
    return [plain(part) for part in re.findall(r"<mark>(.*?)</mark>", str(markup), re.DOTALL)]


def test_no_character_of_an_answer_is_lost_and_shared_wording_is_marked():
    case = sample_case(len(HOSTILE) + 4, 60)
    reading = of_case(case, 0)
    assert reading.total == len(reading.prompts) == len(case.prompts)
    for prompt, read in zip(case.prompts, reading.prompts, strict=True):
        ((a, b),) = read.rows
        assert plain(a.text) == visible(prompt.a[0].text)
        assert plain(b.text) == visible(prompt.b[0].text)
        runs = shared_runs(prompt.a[0].text, prompt.b[0].text, prompt.prompt)
        spans = sorted(run.a for run in runs)
        if all(first[1] < second[0] for first, second in pairwise(spans)):
            wording = [visible(prompt.a[0].text[start:end]) for start, end in spans]
            assert marked(a.text) == wording
        assert read.shared == max(run.novel_words for run in runs) >= 9
    assert "truncated" in reading.prompts[0].rows[0][1].notes


def test_a_transcript_is_read_alone_or_beside_another(tmp_path):
    a = read_transcript(write(tmp_path / "a.jsonl", essays(6)))
    b = read_transcript(write(tmp_path / "b.jsonl", essays(6, 1), first=2))
    alone = of_transcript(a, 0)
    assert [len(row) for prompt in alone.prompts for row in prompt.rows] == [1] * 6
    assert not any(prompt.shared for prompt in alone.prompts)
    both = of_transcripts(a, b, 0)
    assert [prompt.prompt_id for prompt in both.prompts] == ["p002", "p003", "p004", "p005"]
    assert all(len(prompt.rows[0]) == 2 for prompt in both.prompts)
    c = read_transcript(write(tmp_path / "c.jsonl", essays(2), first=50))
    assert of_transcripts(a, c, 0).prompts == ()


def test_samples_stand_in_rows_and_failures_are_told(tmp_path):
    first = write(tmp_path / "a.jsonl", ["one", "two"], sample=0)
    second = write(tmp_path / "b.jsonl", ["", ""], sample=1, status="error", error="HTTP 500")
    (tmp_path / "both.jsonl").write_bytes(first.read_bytes() + second.read_bytes())
    reading = of_transcript(read_transcript(tmp_path / "both.jsonl"), 0)
    rows = reading.prompts[0].rows
    assert [row[0].notes for row in rows] == [(), ("sample 1", "error", "HTTP 500")]
    assert "blank" in rows[1][0].text


def test_long_files_come_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(answer_reader, "PROMPTS_A_PART", 4)
    transcript = read_transcript(write(tmp_path / "a.jsonl", essays(10)))
    parts = [of_transcript(transcript, part) for part in range(4)]
    assert [len(part.prompts) for part in parts] == [4, 4, 2, 0]
    assert [part.first for part in parts] == [1, 5, 9, 13]
    assert {part.parts for part in parts} == {3}


@pytest.mark.parametrize("size", [120_000, 2_000_000])
def test_a_huge_answer_is_cut_and_says_so(tmp_path, size):
    text = "word " * (size // 5)
    a = read_transcript(write(tmp_path / "a.jsonl", [text]))
    (answer, _) = of_transcripts(a, a, 0).prompts[0].rows[0]
    assert len(plain(answer.text)) == 100_000
    assert f"100,000 of {size:,}" in answer.cut
