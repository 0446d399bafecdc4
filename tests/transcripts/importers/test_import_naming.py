from __future__ import annotations

import hashlib
import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError, UsageError
from forensics.transcripts.importers import import_file
from forensics.transcripts.importers.naming import file_names
from forensics.transcripts.transcript import read_transcript


def digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8")).hexdigest()[:8]


def test_plain_names_stay_plain():
    assert file_names(["gpt4_1106_preview", "a/b"]) == {
        "gpt4_1106_preview": "gpt4_1106_preview.jsonl",
        "a/b": "a_b.jsonl",
    }


def test_names_that_would_be_one_file_all_get_their_hash_in_any_order():
    models = ["a/b", "a b", "A_B", "other"]
    expected = {
        "a/b": f"{digest('a/b')}-a_b.jsonl",
        "a b": f"{digest('a b')}-a_b.jsonl",
        "A_B": f"{digest('A_B')}-A_B.jsonl",
        "other": "other.jsonl",
    }
    for order in permutations(models):
        assert file_names(order) == expected


def test_a_model_named_like_a_prefixed_file_cannot_take_its_place():
    forged = f"{digest('a/b')}-a_b"
    names = file_names(["a/b", "a b", forged])
    assert len({name.casefold() for name in names.values()}) == 3


@pytest.mark.parametrize(
    "name",
    ["CON", "nul", "com1.5", "LPT9", "--help", "😀", "", "...", "../../etc/passwd", "x" * 300],
)
def test_dangerous_names_become_harmless_files(importing, name):
    path = importing.jsonl("source.jsonl", [{"model": name, "prompt": "p", "output": "o"}])
    (written,) = import_file(path, importing.out)
    assert written.path.parent == importing.out
    file = written.path.name
    assert len(file) <= 120
    assert file.isascii()
    assert not file.startswith(("-", "."))
    assert file.split(".")[0].upper() not in {"CON", "NUL", "COM1", "LPT9"}
    assert read_transcript(written.path).name == (name or "source")


@given(models=st.sets(st.text(st.characters(codec=None, exclude_categories=())), min_size=1))
def test_no_two_models_ever_share_a_file(models):
    names = file_names(models)
    assert set(names) == models
    assert len({name.casefold() for name in names.values()}) == len(models)
    assert all("/" not in name and "\\" not in name for name in names.values())


def record(model: str, text: str) -> dict[str, str]:
    return {"model": model, "prompt": "p", "output": text}


def test_another_models_file_is_never_overwritten_and_nothing_else_is_written(importing):
    importing.one(importing.jsonl("one.jsonl", [record("a/b", "mine")]))
    second = importing.jsonl("two.jsonl", [record("z", "new"), record("a b", "theirs")])
    with pytest.raises(UsageError, match=r"a_b\.jsonl exists and holds imported answers of 'a/b'"):
        import_file(second, importing.out)
    assert [path.name for path in importing.out.iterdir()] == ["a_b.jsonl"]
    assert read_transcript(importing.out / "a_b.jsonl").responses[0].text == "mine"


@pytest.mark.parametrize("content", ["", "notes of mine\n", "[]", "[" * 100_000, "{}", "null"])
def test_a_file_that_is_no_import_is_never_overwritten(importing, content):
    importing.text("out/m.jsonl", content)
    with pytest.raises(UsageError, match="something else"):
        import_file(importing.jsonl("x.jsonl", [record("m", "new")]), importing.out)
    assert (importing.out / "m.jsonl").read_text(encoding="utf-8") == content


def test_collected_answers_are_never_overwritten(importing):
    line = {
        "prompt_id": "1",
        "prompt_sha256": "0" * 64,
        "sample": 0,
        "text": "t",
        "status": "ok",
        "manifest": {"provenance": "collected", "identity": {"model": "m"}},
    }
    importing.text("out/m.jsonl", json.dumps(line) + "\n")
    with pytest.raises(UsageError, match="something else"):
        import_file(importing.jsonl("x.jsonl", [record("m", "new")]), importing.out)


def test_collected_answers_appended_to_an_import_are_never_overwritten(importing):
    importing.one(importing.jsonl("x.jsonl", [record("m", "old")]))
    target = importing.out / "m.jsonl"
    session = {"manifest": {"provenance": "collected", "identity": {"model": "m"}}}
    with target.open("a", encoding="utf-8") as file:
        file.write(json.dumps(session, separators=(",", ":")) + "\n")
    with pytest.raises(UsageError, match="something else"):
        import_file(importing.jsonl("y.jsonl", [record("m", "new")]), importing.out)


def test_a_transcript_is_not_imported_again(importing):
    importing.one(importing.jsonl("x.jsonl", [record("m", "old")]))
    with pytest.raises(InputFileError, match="is a transcript already"):
        import_file(importing.out / "m.jsonl", importing.folder / "elsewhere")


def test_unknown_format_and_meaningless_prompts(importing):
    path = importing.jsonl("x.jsonl", [record("m", "o")])
    with pytest.raises(UsageError, match=r"no import format 'xml'; formats: table, alpaca-eval"):
        import_file(path, importing.out, format="xml")
    with pytest.raises(UsageError, match="--prompts has no meaning for the format table"):
        import_file(path, importing.out, prompts=path)


def test_progress_adds_up_to_all_answers(importing):
    path = importing.jsonl("x.jsonl", [record(f"m{i % 3}", str(i)) for i in range(10)])
    seen: list[int] = []
    import_file(path, importing.out, progress=seen.append)
    assert seen == [4, 3, 3]


def test_an_output_folder_that_cannot_be_made(importing):
    from forensics.errors import OutputError

    blocker = importing.text("file", "x")
    with pytest.raises(OutputError, match="cannot write to"):
        import_file(importing.jsonl("x.jsonl", [record("m", "o")]), blocker / "out")
