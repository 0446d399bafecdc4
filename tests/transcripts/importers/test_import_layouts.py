"""Layouts of benchmarks and data sets: model answers, conversations, tables of messages."""

from __future__ import annotations

import bz2
import datetime
import gzip
import json
import lzma
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.errors import InputFileError
from forensics.suites.suite import prompt_sha256
from forensics.transcripts.importers import import_file
from forensics.transcripts.importers.registry import recognise
from tests.transcripts.importers import layouts
from tests.transcripts.importers.test_import_batch import rows


def sent(transcript: Any) -> list[list[tuple[str, str]]]:
    return [[tuple(m) for m in response.prompt.messages] for response in transcript.responses]


@pytest.mark.parametrize("name", layouts.LAYOUTS)
def test_exactly_one_importer_recognises_each_layout(importing, name):
    for document in layouts.LAYOUTS[name]:
        files = [importing.jsonl("file.dat", document), importing.json("file.txt", document)]
        if len(document) == 1:
            files.append(importing.json("one.json", document[0]))
        for path in files:
            assert [importer.name for importer in recognise(path)] == [name]


# --- FastChat and Arena-Hard ----------------------------------------------------------------------


def test_fastchat_without_questions_is_matched_by_question_and_turn(importing):
    path = importing.jsonl("model_answer/owl.jsonl", layouts.FASTCHAT)
    transcript = importing.one(path)
    found = [(r.prompt.id, r.sample, r.text) for r in transcript.responses]
    assert found == [
        ("7-1", 0, "It drips."),
        ("7-2", 0, "It pours."),
        ("7-1", 1, "It falls."),
        ("7-2", 1, "It stops."),
        ("8-1", 0, "Snow."),
    ]
    assert any("matched by question and turn only" in n for n in transcript.manifests[0].notes)
    other = importing.jsonl("model_answer/elk.jsonl", [layouts.FASTCHAT[0] | {"model_id": "elk"}])
    shared = importing.one(other).prompts.keys() & transcript.prompts.keys()
    assert len(shared) == 2


@pytest.mark.parametrize("place", ["mt_bench", "mt_bench/model_answer"])
def test_fastchat_finds_its_questions_beside(importing, place):
    importing.jsonl(f"{place}/question.jsonl", layouts.QUESTIONS)
    transcript = importing.one(importing.jsonl("mt_bench/model_answer/o.jsonl", layouts.FASTCHAT))
    check_questions(transcript)


def test_fastchat_with_questions_named(importing):
    questions = importing.jsonl("asked.jsonl", layouts.QUESTIONS)
    check_questions(importing.one(importing.jsonl("o.jsonl", layouts.FASTCHAT), prompts=questions))


def check_questions(transcript: Any) -> None:
    first, second, _, other, snow = sent(transcript)
    assert first == [("user", "What does rain do?")]
    assert second == [*first, ("assistant", "It drips."), ("user", "And then?")]
    assert other == [*first, ("assistant", "It falls."), ("user", "And then?")]
    assert snow == [("user", "What is white?")]
    assert transcript.responses[0].prompt.category == "writing"
    assert transcript.manifests[0].notes == ("provenance unverified",)


def test_fastchat_questions_that_lack_an_answered_one(importing):
    questions = importing.jsonl("asked.jsonl", layouts.QUESTIONS[:1])
    path = importing.jsonl("o.jsonl", layouts.FASTCHAT)
    with pytest.raises(InputFileError, match=r"1 of 2 questions are not in it \(first: '8'\)"):
        import_file(path, importing.out, prompts=questions)


def test_fastchat_first_layout_and_failed_answers(importing):
    records = [
        {"question_id": 1, "text": "<think>hm</think>Moss.", "answer_id": "a", "model_id": "owl"},
        {"question_id": 2, "choices": [{"index": 0, "turns": ["$ERROR$"]}], "model_id": "owl"},
    ]
    transcript = importing.one(importing.jsonl("o.jsonl", records))
    assert [(r.text, r.reasoning, r.status) for r in transcript.responses] == [
        ("Moss.", "hm", "ok"),
        ("", None, "error"),
    ]


def test_arena_hard(importing):
    transcript = importing.one(importing.jsonl("owl.jsonl", layouts.ARENA_HARD))
    assert rows(transcript) == [
        ("Name a bird.", 0, "A wren.", "ok"),
        ("Name a fish.", 0, "", "error"),
    ]
    assert transcript.responses[0].prompt.id == "u1"
    assert transcript.responses[0].reasoning == "small ones"


# --- conversations --------------------------------------------------------------------------------


def test_sharegpt_reads_every_answer(importing):
    found = importing.read(importing.json("chats.json", layouts.SHAREGPT))
    assert sent(found["owl"]) == [
        [("system", "Be kind."), ("user", "Name a tree.")],
        [
            ("system", "Be kind."),
            ("user", "Name a tree."),
            ("assistant", "An elm."),
            ("user", "Another."),
        ],
    ]
    assert [r.text for r in found["owl"].responses] == ["An elm.", "An ash."]
    assert [(r.text, r.status) for r in found["chats"].responses] == [("", "error")]


def test_sharegpt_with_system_and_tools_beside(importing):
    chat = {
        "model": "owl",
        "system": "Be brief.",
        "tools": "[]",
        "conversations": [
            {"from": "human", "value": "Weather?"},
            {"from": "function_call", "value": "{}"},
            {"from": "observation", "value": "rain"},
            {"from": "gpt", "value": "It rains."},
        ],
    }
    (response,) = importing.one(importing.json("chats.json", [chat])).responses
    assert response.text == "It rains."
    assert [m.role for m in response.prompt.messages if m.content][-1] == "user"
    importing.out = importing.folder / "other"
    plain = importing.json("plain.json", [{k: chat[k] for k in ("model", "conversations")}])
    (other,) = importing.one(plain).responses
    assert other.prompt.sha256 != response.prompt.sha256


def test_a_speaker_that_nobody_knows_costs_its_conversation_only(importing):
    odd = {"conversations": [{"from": "narrator", "value": "Once."}], "model": "owl"}
    transcript = importing.one(importing.json("chats.json", [layouts.SHAREGPT[0], odd]))
    assert len(transcript.responses) == 2


def test_conversations_with_roles(importing):
    record = {"model": "owl", "conversations": layouts.LMSYS[0]["conversation"]}
    assert rows(importing.one(importing.json("chats.json", [record]))) == [
        ("Name a river.", 0, "The Ems.", "ok")
    ]


def test_lmsys_arena_and_wildchat(importing):
    found = importing.read(importing.jsonl("chats.jsonl", layouts.LMSYS))
    assert {model: rows(transcript) for model, transcript in found.items()} == {
        "owl": [("Name a river.", 0, "The Ems.", "ok")],
        "elk": [("Name a lake.", 0, "Ladoga.", "ok")],
        "yak": [("Name a lake.", 0, "Peipus.", "ok")],
    }


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("lmsys", [layouts.LMSYS[0]]),
        ("sharegpt", layouts.SHAREGPT),
        ("chat-log", [{"model": "owl", "messages": layouts.LMSYS[0]["conversation"]}]),
        ("table", layouts.MESSAGE_TABLE),
        ("fastchat", layouts.FASTCHAT[:1]),
        ("anthropic-batch", layouts.ANTHROPIC_BATCH[:1]),
    ],
)
def test_parquet_gives_the_same_as_json(importing, tmp_path, name, records):
    path = tmp_path / "file.parquet"
    pq.write_table(pa.Table.from_pylist(records), path)
    assert [importer.name for importer in recognise(path)] == [name]
    lines = importing.read(importing.jsonl("file.jsonl", records))
    importing.out = tmp_path / "other"
    assert {m: rows(t) for m, t in lines.items()} == {
        m: rows(t) for m, t in importing.read(path).items()
    }


def test_a_parquet_row_that_is_no_text_costs_itself(importing, tmp_path):
    turns = layouts.LMSYS[0]["conversation"]
    bad = [{"role": "user", "content": "A\ud800".encode("utf-8", "surrogatepass")}]
    kind = pa.list_(pa.struct([("role", pa.binary()), ("content", pa.binary())]))
    text = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    raw = pa.array([bad, turns], kind).cast(text, safe=False)
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"model": ["owl", "owl"], "conversation": raw}), path)
    assert rows(importing.one(path)) == [("Name a river.", 0, "The Ems.", "ok")]


def test_prompts_and_completions_as_messages(importing):
    transcript = importing.one(importing.jsonl("data.jsonl", layouts.MESSAGE_TABLE))
    assert sent(transcript) == [[("system", "Be kind."), ("user", "Who?")]]
    expected = prompt_sha256(transcript.responses[0].prompt.messages)
    assert transcript.responses[0].prompt.sha256 == expected
    assert transcript.responses[0].text == "Me."


# --- what is not read, and packed files -----------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, "holds preferences"),
        ({"prompt": "p", "chosen": [], "rejected": [], "output": "o"}, "holds preferences"),
        ({"question_id": 1, "judge": "j", "judgment": "so"}, "a judge's verdicts"),
        ({"custom_id": "a", "method": "POST", "url": "/v1", "body": {}}, "is batch input"),
        ({"custom_id": "a", "params": {}}, "holds batch requests"),
        (
            {
                **{"goal": "g", "prompt": {"turns": []}, "output": {"text": "o"}, "score": 1.0},
                **{"generator": "x", "probe": "p", "detector": "d"},
            },
            "is garak's hit log, which holds only the hits; import the report",
        ),
    ],
)
def test_what_holds_no_answers_is_named(importing, record, message):
    for path in (importing.jsonl("file.jsonl", [record]), importing.json("file.json", [record])):
        with pytest.raises(InputFileError, match=message):
            import_file(path, importing.out)


def test_preferences_in_parquet(importing, tmp_path):
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"prompt": ["p"], "chosen": ["a"], "rejected": ["b"]}), path)
    with pytest.raises(InputFileError, match="holds preferences"):
        import_file(path, importing.out)


def test_a_file_that_could_be_two_formats_names_both(importing):
    both = layouts.FASTCHAT[0] | {"conversations": [{"from": "human", "value": "Hi"}]}
    path = importing.jsonl("file.jsonl", [both])
    with pytest.raises(InputFileError, match=r"fastchat and sharegpt; choose with --format"):
        import_file(path, importing.out)


PACK = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda raw: pa.compress(raw, "zstd", asbytes=True),
}


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("name", ["sharegpt", "fastchat", "helm", "gemini-batch"])
def test_packed_files_give_the_same_models_and_answers(importing, ending, name):
    document = layouts.LAYOUTS[name][0]
    plain = importing.jsonl("plain/answers.jsonl", document)
    packed = importing.raw(f"packed/answers.jsonl.{ending}", PACK[ending](plain.read_bytes()))
    assert {m: rows(t) for m, t in importing.read(plain).items()} == {
        m: rows(t) for m, t in importing.read(packed).items()
    }


def test_a_packed_table_is_named_after_the_file_without_endings(importing):
    raw = json.dumps({"prompt": "p", "output": "o"}).encode() + b"\n"
    assert importing.one(importing.raw("owl.jsonl.gz", gzip.compress(raw))).name == "owl"
    csv = importing.raw("elk.csv.gz", gzip.compress(b"prompt,output\np,o\n"))
    assert importing.one(csv).name == "elk"


CHAT = json.dumps([{"role": "user", "content": "Why?"}])
REPLY = json.dumps([{"role": "assistant", "content": "So."}])


def test_messages_written_as_json_text(importing):
    quoted = [cell.replace('"', '""') for cell in (CHAT, REPLY)]
    table = importing.text("t.csv", f'prompt,output\n"{quoted[0]}","{quoted[1]}"\nHow?,[1] x\n')
    assert rows(importing.one(table)) == [("Why?", 0, "So.", "ok"), ("How?", 0, "[1] x", "ok")]
    for name, key in (("chat-log", "messages"), ("lmsys", "conversation")):
        whole = json.dumps(json.loads(CHAT) + json.loads(REPLY))
        path = importing.jsonl(f"{name}.jsonl", [{"model": name, key: whole}])
        assert rows(importing.one(path)) == [("Why?", 0, "So.", "ok")]


def test_messages_in_python_s_notation_are_refused(importing):
    path = importing.text("t.csv", "prompt,output\n\"[{'role': 'user', 'content': 'q'}]\",a\n")
    with pytest.raises(InputFileError, match="messages in Python's notation"):
        import_file(path, importing.out)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b""), "is empty"),
        (b" \n", "is empty"),
        ('{"prompt": "p"}'.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04" + bytes(40), "a zip archive; unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
    ids=["packed", "blank", "utf-16", "zip", "pointer"],  # gzip writes the time into its bytes
)
def test_what_is_no_file_of_answers_is_named(importing, content, message):
    with pytest.raises(InputFileError, match=message):
        import_file(importing.raw("file.jsonl", content), importing.out)


def test_preferences_in_csv(importing):
    path = importing.text("t.csv", "prompt,chosen,rejected\np,a,b\n")
    with pytest.raises(InputFileError, match="holds preferences"):
        import_file(path, importing.out)


def test_wildchat_keeps_nothing_of_who_asked(importing, tmp_path):
    turns = [
        {"role": "user", "content": "Hi?", "hashed_ip": "a1b2", "country": "Elsewhere"},
        {"role": "assistant", "content": "Hello.", "hashed_ip": None, "country": None},
    ]
    when = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)
    record = {"model": "owl", "timestamp": when, "hashed_ip": "a1b2", "conversation": turns}
    path = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pylist([record]), path)
    assert rows(importing.one(path)) == [("Hi?", 0, "Hello.", "ok")]
    (written,) = importing.out.iterdir()
    assert "a1b2" not in written.read_text()
    assert "Elsewhere" not in written.read_text()
