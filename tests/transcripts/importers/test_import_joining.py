"""Importing into a folder that holds transcripts: joined, replaced, or stopped; never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.custody.transcript_chain import examine
from forensics.errors import UsageError
from forensics.transcripts.importers import import_file


def row(prompt: str, text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": prompt, "output": text, **more}


def found(transcript: Any) -> list[tuple[str, int, str]]:
    return [(r.prompt.text, r.sample, r.text) for r in transcript.responses]


def test_another_source_of_the_same_model_joins(importing):
    importing.one(importing.jsonl("one.jsonl", [row("a", "1"), row("b", "2")]))
    (written,) = import_file(importing.jsonl("two.jsonl", [row("c", "3")]), importing.out)
    both = importing.one(importing.folder / "two.jsonl")
    assert found(both) == [("a", 0, "1"), ("b", 0, "2"), ("c", 0, "3")]
    assert [m.identity["source"] for m in both.manifests] == ["one.jsonl", "two.jsonl"]
    assert written.joined.lines == ("joined with 2 answers imported before from one.jsonl",)
    assert written.responses == 1
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


def test_other_answers_under_the_same_name_stop_and_nothing_is_lost(importing):
    (written,) = import_file(importing.jsonl("a/o.jsonl", [row("a", "1")]), importing.out)
    before = written.path.read_bytes()
    with pytest.raises(UsageError, match=r"holds 1 answers from another version of o\.jsonl"):
        import_file(importing.jsonl("b/o.jsonl", [row("a", "other")]), importing.out)
    assert written.path.read_bytes() == before


def test_repeats_from_another_source_are_further_samples(importing):
    importing.one(importing.jsonl("one.jsonl", [row("a", "1"), row("a", "2"), row("b", "3")]))
    (written,) = import_file(
        importing.jsonl("two.jsonl", [row("a", "1"), row("a", "4")]), importing.out
    )
    both = importing.one(importing.folder / "two.jsonl")
    assert found(both) == [
        ("a", 0, "1"),
        ("a", 1, "2"),
        ("b", 0, "3"),
        ("a", 2, "1"),
        ("a", 3, "4"),
    ]
    assert any("2 prompts were answered there already" in line for line in written.joined.lines)
    assert any("1 of these samples have the same text" in line for line in written.joined.lines)


def test_nothing_is_joined_to_a_transcript_that_was_changed(importing):
    (written,) = import_file(importing.jsonl("one.jsonl", [row("a", "1")]), importing.out)
    changed = written.path.read_bytes().replace(b'"text":"1"', b'"text":"9"')
    written.path.write_bytes(changed)
    with pytest.raises(UsageError, match=r"line 1: the hash chain is broken"):
        import_file(importing.jsonl("two.jsonl", [row("b", "2")]), importing.out)
    assert written.path.read_bytes() == changed


def test_all_models_of_a_file_or_none(importing):
    importing.one(importing.jsonl("a/o.jsonl", [row("a", "1")]))
    mixed = [row("z", "2", model="other"), row("a", "changed")]
    with pytest.raises(UsageError, match="another version"):
        import_file(importing.jsonl("b/o.jsonl", mixed), importing.out)
    assert [path.name for path in importing.out.iterdir()] == ["m.jsonl"]


def test_an_import_of_an_earlier_version_knows_no_name(importing):
    """Transcripts written before sources were named: joined where nothing can be lost."""
    (written,) = import_file(importing.jsonl("one.jsonl", [row("a", "1")]), importing.out)
    _forget_the_name(written.path)
    both = importing.one(importing.jsonl("two.jsonl", [row("b", "2")]))
    assert found(both) == [("a", 0, "1"), ("b", 0, "2")]
    _forget_the_name(written.path)
    with pytest.raises(UsageError, match="another version"):
        import_file(importing.jsonl("three.jsonl", [row("a", "other")]), importing.out)


def _forget_the_name(path: Path) -> None:
    from forensics.support.hash_chain import CHAIN_START, encode_line

    chain, lines = CHAIN_START, []
    for raw in path.read_text().splitlines():
        line = json.loads(raw)
        line.pop("chain")
        if "manifest" in line:
            line["manifest"]["identity"].pop("source", None)
        encoded, chain = encode_line(line, chain)
        lines.append(encoded)
    path.write_bytes(b"".join(lines))
