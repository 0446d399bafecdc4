"""Importing into a folder that holds transcripts: joined, replaced, or stopped; never lost."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.custody.transcript_chain import examine
from forensics.errors import UsageError
from forensics.transcripts.importers import import_file
from tests.transcripts.importers.test_import_batch import batch_input, batch_line, completion


def row(prompt: str, text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": prompt, "output": text, **more}


def found(transcript: Any) -> list[tuple[str, int, str]]:
    return [(r.prompt.text, r.sample, r.text) for r in transcript.responses]


def test_another_source_of_the_same_model_joins(importing):
    importing.one(importing.jsonl("one.jsonl", [row("a", "1"), row("b", "2")]))
    (written,) = import_file(importing.jsonl("two.jsonl", [row("c", "3")]), importing.out)
    both = importing.one(importing.folder / "two.jsonl")
    assert found(both) == [("a", 0, "1"), ("b", 0, "2"), ("c", 0, "3")]
    assert len({m.identity["source_sha256"] for m in both.manifests}) == 2
    assert (written.responses, written.joined) == (1, 2)
    assert examine(written.path.read_bytes()).result == "intact"


def test_the_lines_that_stay_keep_their_bytes(importing):
    (before,) = import_file(importing.jsonl("one.jsonl", [row("a", "1")]), importing.out)
    old = before.path.read_bytes()
    import_file(importing.jsonl("two.jsonl", [row("b", "2")]), importing.out)
    assert before.path.read_bytes().startswith(old)


def test_the_same_source_again_replaces_only_itself(importing):
    one = importing.jsonl("one.jsonl", [row("a", "1")])
    two = importing.jsonl("two.jsonl", [row("b", "2")])
    for path in (one, two, one, two, two):
        (written,) = import_file(path, importing.out)
    assert sorted(found(importing.one(one))) == [("a", 0, "1"), ("b", 0, "2")]
    assert examine(written.path.read_bytes()).result == "intact"


def test_a_source_under_another_name_is_the_same_by_its_content(importing):
    importing.one(importing.jsonl("one.jsonl", [row("a", "1")]))
    again = importing.one(importing.jsonl("copy/renamed.jsonl", [row("a", "1")]))
    assert found(again) == [("a", 0, "1")]


def test_a_log_that_grew_replaces_its_earlier_self(importing):
    importing.one(importing.jsonl("log.jsonl", [row("a", "1")]))
    grown = importing.one(importing.jsonl("log.jsonl", [row("a", "1"), row("b", "2")]))
    assert found(grown) == [("a", 0, "1"), ("b", 0, "2")]


def test_parts_of_one_name_in_other_folders_join(importing):
    importing.one(importing.jsonl("part-1/output.jsonl", [row("a", "1")]))
    both = importing.one(importing.jsonl("part-2/output.jsonl", [row("b", "2")]))
    assert found(both) == [("a", 0, "1"), ("b", 0, "2")]


def test_other_answers_to_the_same_prompts_stop_and_nothing_is_lost(importing):
    (written,) = import_file(importing.jsonl("one.jsonl", [row("a", "1")]), importing.out)
    before = written.path.read_bytes()
    message = r"holds 1 answers from another file, which answers 1 of the same prompts"
    with pytest.raises(UsageError, match=message):
        import_file(importing.jsonl("two.jsonl", [row("a", "?"), row("b", "2")]), importing.out)
    assert written.path.read_bytes() == before


def test_a_part_that_asks_again_what_failed_joins(importing):
    failed = batch_line("b", {"error": {"message": "down"}}, 500)
    importing.jsonl("x_input.jsonl", [batch_input("a", "A?"), batch_input("b", "B?")])
    first = importing.jsonl("part-1.jsonl", [batch_line("a", completion("Red")), failed])
    second = importing.jsonl("part-2.jsonl", [batch_line("b", completion("Blue"))])
    importing.one(first)
    both = importing.one(second)
    assert found(both) == [("A?", 0, "Red"), ("B?", 0, "Blue")]
    assert [r.status for r in both.responses] == ["ok", "ok"]


def test_nothing_is_joined_to_a_transcript_that_was_changed(importing):
    (written,) = import_file(importing.jsonl("one.jsonl", [row("a", "1")]), importing.out)
    changed = written.path.read_bytes().replace(b'"text":"1"', b'"text":"9"')
    written.path.write_bytes(changed)
    with pytest.raises(UsageError, match=r"line 1: .*hash chain is broken"):
        import_file(importing.jsonl("two.jsonl", [row("b", "2")]), importing.out)
    assert written.path.read_bytes() == changed


def test_all_models_of_a_file_or_none(importing):
    importing.one(importing.jsonl("a/o.jsonl", [row("a", "1")]))
    mixed = [row("z", "2", model="other"), row("a", "changed")]
    with pytest.raises(UsageError, match="another file"):
        import_file(importing.jsonl("b/o.jsonl", mixed), importing.out)
    assert [path.name for path in importing.out.iterdir()] == ["m.jsonl"]
