"""Reading as little as a table needs: the same as reading everything, and a reason where not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.case.document import case_to_json, read_case
from forensics.errors import InputFileError
from forensics.policy.outcomes import CheckResult
from forensics.view import file_heads
from forensics.view.file_heads import CaseHead, case_head, check_head
from forensics.view.recognising import recognised
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import ViewedFolder
from tests.report.answered_case import answered_case
from tests.report.sample_case import sample_case


def of(case) -> CaseHead:
    return CaseHead(
        known=case.a.name,
        questioned=case.b.name,
        created_at=case.created_at,
        answers=case.verdict.answers,
        headline=case.verdict.headline,
        blind=case.blind,
        transcripts=(case.a.transcript_sha256, case.b.transcript_sha256),
    )


def laid_out(text: str, layout: str) -> str:
    content = json.loads(text)
    if layout == "other order":
        return json.dumps(dict(reversed(content.items())))
    return text if layout == "ours" else json.dumps(content, indent=2)


@pytest.mark.parametrize("layout", ["ours", "indented", "other order"])
def test_a_case_is_the_same_read_in_part_and_whole(tmp_path, layout):
    path = tmp_path / "anything"
    for case in (sample_case(30), answered_case()):
        path.write_text(laid_out(case_to_json(case), layout))
        assert recognised(path) == "case"
        assert case_head(path) == of(read_case(path))


@pytest.mark.parametrize("layout", ["ours", "indented", "other order"])
def test_a_check_is_the_same_read_in_part_and_whole(results, tmp_path, layout):
    path = tmp_path / "anything"
    path.write_text(laid_out((results / "check/of-heron").read_text(), layout))
    assert recognised(path) == "check"
    head = check_head(path)
    result = CheckResult.model_validate_json(path.read_bytes())
    assert head.outcomes == result.outcomes
    assert (head.subject, head.status, head.exit_code) == ("heron-7b-tuned.jsonl", "violated", 1)
    assert head.cases == tuple(map(of, result.cases))
    assert len(head.cases) == 2


def test_answers_are_not_read_for_the_table(tmp_path, monkeypatch):
    case = sample_case(400, 900)
    path = tmp_path / "large"
    path.write_text(case_to_json(case))
    assert path.stat().st_size > 2_000_000
    monkeypatch.setattr(file_heads, "document", lambda _: pytest.fail("read whole"))
    assert case_head(path) == of(case)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not complete JSON"),
        (b'{"a": 1', "not complete JSON"),
        (b'{"suite": {}, "a": {}, "b": {}, "overlap": 1, "verdict": {}}', "it has no 'name'"),
        (b'{"suite": 1, "a": 1, "b": 1, "overlap": 1, "verdict": 1}', "it is damaged"),
        (b'{"policy_sha256": 1, "outcomes": [], "exit_code": "x"}', "it has no 'subject'"),
        (b'{"subject": 1, "cohort": 1, "relatives": 1, "reading": 1}', "stands where text"),
        (b'{"schema_version": "9.0", "suite": 1, "a": 1, "b": 1, "overlap": 1, "verdict": 1}',
         "is later than"),
        (b"{" * 100_000, "not complete JSON"),
        (b'{"a":' * 100_000, "not complete JSON"),
        (b"\x08\0\0\0\0\0\0\0{\"a\": 1}", "cut short"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_listed_with_the_reason(tmp_path, content, reason):
    (tmp_path / "file").write_bytes(content)
    listing = Listing.of(ViewedFolder.of(tmp_path))
    assert listing.checks == ()
    for rows in (listing.pairs(), listing.traces(), listing.cohorts()):
        assert list(rows) == []
    (entry,) = listing.not_read
    assert entry.relative == "file"
    assert reason in entry.reason
    assert "\n" not in entry.reason
    assert str(tmp_path) not in entry.reason


@pytest.mark.parametrize("content", [b"", b"\0" * 10, b"text", b"[1]", b"\xff\xfe{", b"{}", b"1"])
def test_files_of_other_kinds_are_only_named(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    listing = Listing.of(ViewedFolder.of(tmp_path))
    assert [place.relative for place in listing.places["other"]] == ["file"]


def cut(path: Path, at: float) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * at)])


@pytest.mark.parametrize("at", [0.001, 0.2, 0.6, 0.98, 0.9999])
def test_a_case_that_was_cut_off_is_told(tmp_path, at):
    path = tmp_path / "case.json"
    path.write_text(case_to_json(sample_case(60)))
    cut(path, at)
    with pytest.raises(InputFileError):
        recognised(path)
        case_head(path)
