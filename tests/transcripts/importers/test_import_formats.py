"""Small files in other tools' formats, in words of our own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import InputFileError
from forensics.suites.suite import Message, prompt_sha256
from forensics.transcripts.importers import import_file, importers
from forensics.transcripts.importers.registry import recognise
from tests.transcripts.importers.test_import_batch import OUTPUT, rows

# --- AlpacaEval ---------------------------------------------------------------------------------

ALPACA = [
    {
        "dataset": "koala",
        "instruction": "Praise rain.",
        "output": "It waters us.",
        "generator": "g-1",
    },
    {"dataset": "vicuna", "instruction": "Praise sun.", "output": None, "generator": "g-1"},
]


def test_alpaca_eval(importing):
    transcript = importing.one(importing.json("model_outputs.json", ALPACA))
    assert transcript.manifests[0].identity["format"] == "alpaca-eval"
    assert transcript.name == "g-1"
    assert rows(transcript) == [
        ("Praise rain.", 0, "It waters us.", "ok"),
        ("Praise sun.", 0, "", "ok"),
    ]
    assert [r.prompt.category for r in transcript.responses] == ["koala", "vicuna"]


def test_alpaca_eval_without_generator_is_named_after_its_folder(importing):
    records = [{"instruction": "Sort.", "input": "b a", "output": "a b"}]
    transcript = importing.one(importing.json("results/owl-7b/model_outputs.json", records))
    assert transcript.name == "owl-7b"
    assert rows(transcript) == [("Sort.\n\nb a", 0, "a b", "ok")]
    assert any("name no generator" in note for note in transcript.manifests[0].notes)


def test_alpaca_eval_detection_survives_an_answer_longer_than_the_head(importing):
    records = [{"output": "x" * 3_000_000, "generator": "g", "instruction": "Go on."}]
    assert len(importing.one(importing.json("o.json", records)).responses[0].text) == 3_000_000


# --- lm-evaluation-harness ----------------------------------------------------------------------


def lm_sample(doc: int, prompt: Any, resps: Any, **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "doc": {"question": "…", "answer": "…"},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": ["\n\n"]}}},
        "resps": resps,
        "filtered_resps": ["4"],
        "filter": "strict-match",
        "doc_hash": "0" * 64,
        **more,
    }


STAMP = "2025-01-02T03-04-05.678901"


def test_lm_eval(importing):
    importing.json(f"org__owl-7b/results_{STAMP}.json", {"model_name": "org/owl-7b"})
    importing.json("org__owl-7b/results_2024-01-01T00-00-00.0.json", {"model_name": "org/other"})
    path = importing.jsonl(
        f"org__owl-7b/samples_sums_{STAMP}.jsonl",
        [
            lm_sample(0, "2 + 2 =", [["4", "four"]]),
            lm_sample(1, "1 + 2 =", [["<think>easy</think>3"]]),
            lm_sample(0, "2 + 2 =", [["4", "four"]], filter="flexible-extract"),
        ],
    )
    transcript = importing.one(path)
    assert transcript.name == "org/owl-7b"
    assert rows(transcript) == [
        ("2 + 2 =", 0, "4", "ok"),
        ("2 + 2 =", 1, "four", "ok"),
        ("1 + 2 =", 0, "3", "ok"),
    ]
    assert transcript.responses[2].reasoning == "easy"
    assert transcript.responses[2].prompt.id == "sums-1"
    assert transcript.responses[2].prompt.category == "sums"
    assert "1 rows repeat the same answers under another filter" in transcript.manifests[0].notes


def test_lm_eval_chat_prompt_and_name_from_the_folder(importing):
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    sample = lm_sample(0, [json.dumps(turns)], [["4"]])
    transcript = importing.one(importing.jsonl("org__owl-7b/samples_sums.jsonl", [sample]))
    assert transcript.name == "org/owl-7b"
    expected = prompt_sha256([Message("system", "Be brief."), Message("user", "2 + 2?")])
    assert transcript.responses[0].prompt.sha256 == expected


def test_lm_eval_arguments_as_older_versions_wrote_them(importing):
    sample = lm_sample(0, "", [["4"]]) | {"arguments": [["2 + 2 =", {"until": []}]]}
    path = importing.jsonl("samples_sums.jsonl", [sample])
    assert rows(importing.one(path)) == [("2 + 2 =", 0, "4", "ok")]


def test_lm_eval_likelihood_tasks_have_no_text(importing):
    choice = {"arg_0": "The sky is", "arg_1": " blue"}
    sample = lm_sample(0, "", [[["-0.5", "True"]]]) | {"arguments": {"gen_args_0": choice}}
    path = importing.jsonl("samples_quiz.jsonl", [sample])
    with pytest.raises(InputFileError, match=r"line 1: a task scored by likelihood"):
        import_file(path, importing.out)


# --- chat logs ----------------------------------------------------------------------------------


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def test_chat_log_takes_the_last_answer(importing):
    messages = [
        turn("system", "Be kind."),
        turn("user", "Hi"),
        turn("assistant", "Hello"),
        turn("user", "Why?"),
        turn("assistant", "Because.", reasoning_content="think"),
    ]
    path = importing.jsonl("log.jsonl", [{"model": "owl", "messages": messages}])
    (response,) = importing.one(path).responses
    assert (response.text, response.reasoning) == ("Because.", "think")
    assert [m.content for m in response.prompt.messages] == ["Be kind.", "Hi", "Hello", "Why?"]


def test_chat_log_in_anthropic_style(importing):
    blocks = [
        {"type": "thinking", "thinking": "let me see", "signature": "s"},
        {"type": "text", "text": "A cat"},
        {"type": "text", "text": " sat."},
        {"type": "tool_use", "name": "search", "input": {}},
    ]
    image = [{"type": "image", "source": {}}, {"type": "text", "text": "What is it?"}]
    log = {
        "model": "owl",
        "system": "Be brief.",
        "messages": [turn("user", image), turn("assistant", blocks)],
    }
    transcript = importing.one(importing.json("log.json", log))
    (response,) = transcript.responses
    assert (response.text, response.reasoning) == ("A cat sat.", "let me see")
    system, question = response.prompt.messages
    assert tuple(system) == ("system", "Be brief.")
    assert re.fullmatch(r"What is it\?\[image sha256:[0-9a-f]{16}\]", question.content)
    assert "1 answer blocks of type tool_use are left out" in transcript.manifests[0].notes


def test_chat_log_that_is_one_bare_conversation(importing):
    path = importing.json("owl.json", [turn("user", "Hi"), turn("assistant", "Hello")])
    transcript = importing.one(path)
    assert transcript.name == "owl"
    assert rows(transcript) == [("Hi", 0, "Hello", "ok")]


def test_chat_log_keeps_what_was_not_answered(importing):
    logs = [
        {"model": "owl", "messages": [turn("user", "Hi")]},
        {
            "model": "owl",
            "messages": [turn("user", "A"), turn("assistant", "B"), turn("user", "C")],
        },
    ]
    transcript = importing.one(importing.jsonl("log.jsonl", logs))
    assert rows(transcript) == [("Hi", 0, "", "error"), ("A", 0, "B", "ok")]
    assert len(transcript.manifests[0].notes) == 3
    with pytest.raises(InputFileError, match="no conversation has an assistant turn"):
        import_file(importing.jsonl("none.jsonl", logs[:1]), importing.folder / "other")


def test_chat_log_with_an_unknown_role(importing):
    path = importing.jsonl("log.jsonl", [{"messages": [turn("narrator", "Once…")]}])
    with pytest.raises(InputFileError, match=r"line 1, message 1: role 'narrator' is not known"):
        import_file(path, importing.out)


# --- garak --------------------------------------------------------------------------------------


def attempt(uuid: str, prompt: Any, outputs: Any, status: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "entry_type": "attempt",
        "uuid": uuid,
        "seq": 0,
        "status": status,
        "probe_classname": "test.Probe",
        "prompt": prompt,
        "outputs": outputs,
        **more,
    }


def test_garak_of_old_versions(importing):
    lines = [
        {"entry_type": "start_run setup", "plugins.model_name": "org/owl"},
        {"entry_type": "init", "garak_version": "0.9"},
        attempt("1", "Say moo.", ["Moo.", None], status=1),
        attempt("1", "Say moo.", ["Moo.", None], status=2),
        attempt("2", "Say baa.", []),
        {"entry_type": "eval", "probe": "test.Probe", "passed": 1, "total": 2},
    ]
    transcript = importing.one(importing.jsonl("g.report.jsonl", lines))
    assert transcript.name == "org/owl"
    assert rows(transcript) == [("Say moo.", 0, "Moo.", "ok"), ("Say moo.", 1, "", "error")]
    assert transcript.responses[0].prompt.category == "test.Probe"
    notes = transcript.manifests[0].notes
    assert "1 attempts were not answered (nothing to import)" in notes


def test_garak_of_new_versions(importing):
    def message(text: str) -> dict[str, Any]:
        return {"text": text, "lang": "en", "data_path": None, "notes": {}}

    def conversation(*texts: str) -> dict[str, Any]:
        roles = ("user", "assistant") * len(texts)
        turns = [turn(role, message(text)) for role, text in zip(roles, texts, strict=False)]
        return {"turns": turns, "notes": {}}

    lines = [
        {"entry_type": "start_run setup", "plugins.target_name": "org/owl"},
        attempt(
            "1",
            conversation("Say moo."),
            [message("Moo."), message("No.")],
            conversations=[
                conversation("Say moo.", "Moo."),
                conversation("Say moo.", "Hm?", "Say it.", "No."),
            ],
        ),
        attempt("2", conversation("Say baa."), [message("Baa.")], conversations=[]),
    ]
    transcript = importing.one(importing.jsonl("g.report.jsonl", lines))
    assert rows(transcript) == [
        ("Say moo.", 0, "Moo.", "ok"),
        ("[user] Say moo.\n\n[assistant] Hm?\n\n[user] Say it.", 0, "No.", "ok"),
        ("Say baa.", 0, "Baa.", "ok"),
    ]
    assert {r.prompt.language for r in transcript.responses} == {"en"}


# --- detection ----------------------------------------------------------------------------------

SAMPLES: dict[str, Any] = {
    "table": [{"model": "m", "prompt": "p", "output": "o"}],
    "alpaca-eval": ALPACA,
    "lm-eval": [lm_sample(0, "2 + 2 =", [["4"]])],
    "openai-batch": OUTPUT,
    "chat-log": [{"messages": [turn("user", "Hi"), turn("assistant", "Hello")]}],
    "garak": [{"entry_type": "init"}, attempt("1", "Say moo.", ["Moo."])],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_exactly_one_importer_recognises_each_format(importing, name):
    lines = importing.jsonl("file.dat", SAMPLES[name])
    array = importing.json("file.txt", SAMPLES[name])
    for path in (lines, array):
        assert [importer.name for importer in recognise(path)] == [name]


def test_every_importer_describes_itself_and_refuses_rubbish(tmp_path: Path):
    (tmp_path / "rubbish").write_bytes(bytes(range(256)))
    for name, importer in importers().items():
        assert importer.name == name
        assert importer.description
        assert not importer.detect(tmp_path / "rubbish")
        assert not importer.detect(tmp_path / "absent")


def test_a_forced_format_overrides_detection(importing):
    # Both readings make sense of this file, in different ways.
    record = {
        "prompt": "p",
        "output": "from the table",
        "messages": [turn("user", "q"), turn("assistant", "from the chat")],
    }
    path = importing.jsonl("x.jsonl", [record])
    assert importing.one(path, format="table").responses[0].text == "from the table"
    assert importing.one(path, format="chat-log").responses[0].text == "from the chat"
