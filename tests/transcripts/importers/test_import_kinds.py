"""Kinds of files that people have: who a prompt is, where answers stand, what is damaged."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.errors import InputFileError
from forensics.suites.suite import Message, prompt_sha256, text_sha256
from forensics.transcripts.importers import import_file
from tests.cli.cli import forensics
from tests.transcripts.importers.test_import_batch import batch_input, batch_line, completion
from tests.transcripts.importers.test_import_formats import ALPACA, attempt, lm_sample, turn
from tests.transcripts.importers.test_import_inspect import FAILED, HEADER, sample

# --- who a prompt is ----------------------------------------------------------------------------


def asked_with(*blocks: Any, **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "What is it?"}, *blocks]
    return {"model": "m", "messages": [turn("user", content), turn("assistant", "A cat.")], **more}


def hashes(transcript: Any) -> list[str]:
    return [r.prompt.sha256 for r in transcript.responses]


@pytest.mark.parametrize("kind", ["image", "input_audio", "file", "tool_result", "novel"])
def test_what_is_no_text_tells_prompts_apart(importing, kind):
    logs = [asked_with({"type": kind, "data": data}) for data in ("AAAA", "BBBB", "AAAA")]
    first, second, third = hashes(importing.one(importing.jsonl("log.jsonl", logs)))
    assert first == third != second
    assert text_sha256("What is it?") not in (first, second)


def test_tools_that_were_offered_tell_prompts_apart(importing):
    def offered(name: str) -> list[Any]:
        return [{"type": "function", "function": {"name": name, "parameters": {}}}]

    logs = [asked_with(tools=offered(name)) for name in ("f", "g")]
    logs += [asked_with(functions=offered("f")), asked_with(tools=[]), asked_with(tools=None)]
    found = hashes(importing.one(importing.jsonl("log.jsonl", logs)))
    assert found[3] == found[4] == text_sha256("What is it?")
    assert len(set(found[:2])) == 2
    assert found[0] == found[2] not in found[3:]


def test_media_beside_the_text_tell_prompts_apart(importing):
    def ask(picture: str) -> list[Any]:
        asked = {"role": "user", "content": "What is it?"}
        return [
            {"messages": [asked | {"images": [picture]}, turn("assistant", "A cat.")]},
            {"messages": [asked, turn("assistant", "A cat.")], "images": [picture]},
        ]

    logs = [*ask("AAAA"), *ask("BBBB"), {"messages": [turn("user", "What is it?")]}]
    found = hashes(importing.one(importing.jsonl("log.jsonl", logs)))
    assert len(set(found)) == 5
    rows = [{"prompt": "What is it?", "image": i, "output": "A cat."} for i in ("a", "b", None)]
    for name in ("t.jsonl", "t.parquet"):
        importing.out = importing.folder / f"out-{name}"
        path = importing.folder / name
        if name == "t.parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        else:
            importing.jsonl(name, rows)
        found = hashes(importing.one(path))
        assert len(set(found)) == 3 and found[2] == text_sha256("What is it?")


def test_media_of_garak_and_of_the_harness_tell_prompts_apart(importing):
    lines: list[Any] = [{"entry_type": "init"}]
    for number, path in enumerate(("a.png", "b.png", None)):
        message = {"text": "What is it?", "lang": "en", "data_path": path, "notes": {}}
        lines.append(attempt(str(number), {"turns": [turn("user", message)]}, ["A cat."]))
    found = hashes(importing.one(importing.jsonl("g.report.jsonl", lines)))
    assert len(set(found)) == 3 and found[2] == text_sha256("What is it?")
    samples = [lm_sample(n, "What is it?", [["A cat."]]) for n in range(3)]
    for sample_, visual in zip(samples, ("a", "b", None), strict=True):
        sample_["arguments"]["gen_args_0"]["arg_2"] = visual and {"visual": [visual]}
    found = hashes(importing.one(importing.jsonl("samples_a.jsonl", samples)))
    assert len(set(found)) == 3 and found[2] == text_sha256("What is it?")


def test_calls_that_stand_in_a_file_twice_are_one_generation(importing):
    line = batch_line("a", completion("Red"))
    again = batch_line("b", completion("Red"))
    transcript = importing.one(importing.jsonl("out.jsonl", [line, again, line]))
    assert [r.prompt.id for r in transcript.responses] == ["a", "b"]
    doubled = [
        sample(1, 1, "A.", uuid="u"),
        sample(1, 2, "A.", uuid="v"),
        sample(1, 1, "A.", uuid="u"),
    ]
    log = importing.one(importing.json("log.json", HEADER | {"samples": doubled}))
    assert [r.sample for r in log.responses] == [0, 1]


def test_hashes_of_text_alone_stay_as_they_are(importing):
    messages = [turn("system", "Be kind."), turn("user", "Hi"), turn("assistant", "Hello")]
    log = {"model": "m", "messages": [*messages, turn("user", "Why?"), turn("assistant", "So.")]}
    found = hashes(importing.one(importing.jsonl("log.jsonl", [log])))
    sent = [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Why?")]
    assert found == [prompt_sha256([Message(role, text) for role, text in sent])]  # type: ignore[arg-type]


def test_a_batch_input_with_a_picture(importing):
    asked = [batch_input("a", "What?"), batch_input("b", "What?")]
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    asked[1]["body"]["messages"][0]["content"] = [{"type": "text", "text": "What?"}, picture]
    importing.jsonl("x_input.jsonl", asked)
    lines = [batch_line("a", completion("A")), batch_line("b", completion("B"))]
    first, second = hashes(importing.one(importing.jsonl("x_output.jsonl", lines)))
    assert first == text_sha256("What?") != second


# --- one generation, many rows ------------------------------------------------------------------


def old_row(doc: int, text: str, filtered: str) -> dict[str, Any]:
    row = lm_sample(doc, f"{doc} + 1 =", [[text]], filtered_resps=[filtered])
    del row["filter"]
    return row


def test_rows_of_filters_without_a_name_are_one_generation(importing):
    rows = [old_row(n, f"so {n + 1}", f"so {n + 1}") for n in range(3)]
    rows += [old_row(n, f"so {n + 1}", f"{n + 1}") for n in range(2)]
    rows += [old_row(2, "so 3", "so 3")]  # this filter found nothing to cut
    transcript = importing.one(importing.jsonl("samples_sums.jsonl", rows))
    assert [(r.prompt.text, r.sample) for r in transcript.responses] == [
        ("0 + 1 =", 0),
        ("1 + 1 =", 0),
        ("2 + 1 =", 0),
    ]
    notes = transcript.manifests[0].notes
    assert "3 rows repeat the same answers under another filter" in notes


def test_equal_texts_of_real_repeats_stay_samples(importing):
    rows = [old_row(n, "so", "so") for n in (0, 1, 0, 1)]
    transcript = importing.one(importing.jsonl("samples_sums.jsonl", rows))
    assert [r.sample for r in transcript.responses] == [0, 0, 1, 1]
    table = [{"model": "m", "prompt": "p", "output": "o"}] * 2
    assert len(importing.one(importing.jsonl("t.jsonl", table)).responses) == 2


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none/none", "none", "unknown", "mockllm/model", ""])
def test_a_placeholder_in_a_log_gives_way_to_the_model_that_answered(importing, name):
    spec = HEADER["eval"] | {"model": name}  # type: ignore[operator]
    log = HEADER | {"eval": spec, "samples": [sample(1, 1, "A river.")]}
    assert importing.one(importing.json("log.json", log)).name == "owl-2025"


def test_samples_that_failed_belong_to_the_only_model_with_a_role(importing):
    roles = {"writer": {"model": "org/owl-2025"}}
    spec = HEADER["eval"] | {"model": "none/none", "model_roles": roles}  # type: ignore[operator]
    log = HEADER | {"eval": spec, "samples": [FAILED | {"output": {}}]}
    assert importing.one(importing.json("log.json", log)).name == "org/owl-2025"


def test_placeholders_of_tables_and_chats_are_no_names(importing):
    rows = [{"model": "none", "prompt": "p", "output": "o"}, {"prompt": "q", "output": "o"}]
    assert list(importing.read(importing.jsonl("owl.jsonl", rows))) == ["owl"]
    log = {"model": "unknown", "messages": [turn("user", "Hi"), turn("assistant", "Ho", model="m")]}
    assert list(importing.read(importing.jsonl("chat.jsonl", [log]))) == ["m"]


# --- answers beside what was sent ---------------------------------------------------------------

CHAT = {"model": "m-1", "choices": [{"message": {"content": "So."}, "finish_reason": "length"}]}


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"response": "So."}, ("So.", "ok", "m")),
        ({"completion": "So."}, ("So.", "ok", "m")),
        ({"output": [{"role": "assistant", "content": "So."}]}, ("So.", "ok", "m")),
        ({"answer": {"role": "assistant", "content": "So."}}, ("So.", "ok", "m")),
        ({"response": CHAT}, ("So.", "truncated", "m")),
        ({"choices": CHAT["choices"]}, ("So.", "truncated", "m")),
        ({"response": {}, "error_str": "content_filter: no"}, ("", "filtered", "m")),
        ({"response": None, "error": {"message": "down"}}, ("", "error", "m")),
        ({"response": CHAT, "model": None}, ("So.", "truncated", "m-1")),
    ],
)
def test_the_answer_beside_the_messages(importing, beside, expected):
    sent = [turn("user", "Hi"), turn("assistant", "Ho"), turn("user", "Why?")]
    log = {"model": "m", "messages": sent} | beside
    transcript = importing.one(importing.jsonl("log.jsonl", [log]))
    (response,) = transcript.responses
    assert (response.text, response.status, transcript.name) == expected
    assert [m.content for m in response.prompt.messages] == ["Hi", "Ho", "Why?"]


def test_a_conversation_that_ends_with_its_answer_keeps_it(importing):
    log = {"messages": [turn("user", "Hi"), turn("assistant", "Ho")], "answer": "the reference"}
    assert importing.one(importing.jsonl("log.jsonl", [log])).responses[0].text == "Ho"


def test_a_table_of_messages_in_json_and_in_parquet(importing):
    rows = [
        {
            "model": "m",
            "prompt": [turn("system", "Be kind."), turn("user", "Hi")],
            "completion": [turn("assistant", "<think>hm</think>Ho")],
        },
        {"model": "m", "prompt": turn("user", "Hi"), "completion": turn("assistant", "Ho")},
    ]
    for name in ("a.jsonl", "b.parquet"):
        if name.endswith(".jsonl"):
            path, expected = importing.jsonl(name, rows), ["[system] Be kind.\n\n[user] Hi", "Hi"]
        else:
            path, expected = importing.folder / name, ["[system] Be kind.\n\n[user] Hi"]
            pq.write_table(pa.Table.from_pylist(rows[:1]), path)
        importing.out = importing.folder / f"out-{name}"
        found = importing.one(path).responses
        assert [r.prompt.text for r in found] == expected
        assert {r.text for r in found} == {"Ho"} and found[0].reasoning == "hm"


def test_a_row_of_several_samples(importing):
    rows = [{"model": "m", "prompt": "p", "completion": ["one", {"generated_text": "two"}]}]
    found = importing.one(importing.jsonl("x.jsonl", rows)).responses
    assert [(r.sample, r.text) for r in found] == [(0, "one"), (1, "two")]


# --- damaged records ----------------------------------------------------------------------------

GOOD = {"model": "m", "messages": [turn("user", "Hi"), turn("assistant", "Ho")]}
BAD_LINES = [
    json.dumps({"model": "m", "messages": [turn("narrator", "Once"), turn("assistant", "x")]}),
    json.dumps({"model": "m", "messages": [{"role": "user"}, turn("assistant", "x")]}),
    json.dumps({"model": "m", "messages": "none"}),
    json.dumps([1]),
    '{"model": "m", "messages": [',
    '"caf\udcff"',
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_one_bad_record_costs_one_record(importing, bad):
    lines = [json.dumps(GOOD), bad, json.dumps(GOOD)]
    path = importing.raw("log.jsonl", "\n".join(lines).encode("utf-8", "surrogateescape"))
    (written,) = import_file(path, importing.out)
    assert (written.responses, written.skipped.records) == (2, 1)
    assert "line 2" in written.skipped.reasons[0]
    with pytest.raises(InputFileError, match=r"1 records cannot be read; the first: .*line 2"):
        import_file(path, importing.folder / "strict", strict=True)
    assert not list((importing.folder / "strict").glob("*"))


@pytest.mark.parametrize("bad", [line for line in BAD_LINES if line[0] != "["])
def test_a_file_of_nothing_but_bad_records_is_refused(importing, bad):
    path = importing.raw("x.jsonl", f"{bad}\n{bad}".encode("utf-8", "surrogateescape"))
    with pytest.raises(InputFileError, match="line 1"):
        import_file(path, importing.out, format="chat-log")


def test_every_importer_leaves_out_only_what_is_bad(importing):
    attempts = [attempt("1", "Say moo.", ["Moo."]), attempt("2", "Say baa.", "none")]
    files = {
        "alpaca-eval": importing.json("model_outputs.json", [ALPACA[0], {"instruction": "x"}]),
        "lm-eval": importing.jsonl("samples_a.jsonl", [lm_sample(0, "1", [["2"]]), {"doc_id": 1}]),
        "garak": importing.jsonl("g.report.jsonl", [{"entry_type": "init"}, *attempts]),
        "inspect": importing.json("l.json", HEADER | {"samples": [sample(1, 1, "A."), {"id": 2}]}),
        "openai-batch": importing.jsonl(
            "out.jsonl", [batch_line("a", completion("A")), batch_line("b", {"object": "list"})]
        ),
    }
    for format, path in files.items():
        written = import_file(path, importing.folder / format)[0]
        assert written.skipped.records == 1, format


@pytest.mark.parametrize("role", ["ipython", "Tool", "environment", "observation", "tool_result"])
def test_turns_of_tools_come_from_outside(importing, role):
    sent = [turn("user", "Hi"), turn("assistant", "", tool_calls=[{"id": "1"}]), turn(role, "sun")]
    log = {"messages": [*sent, turn("ASSISTANT", "Warm.")]}
    (response,) = importing.one(importing.jsonl("log.jsonl", [log])).responses
    assert response.text == "Warm."
    assert [m.role for m in response.prompt.messages] == ["user", "assistant", "user"]


def test_missing_values_of_data_frames(importing):
    lines = (
        '{"model":NaN,"prompt_id":1.0,"prompt":"p","output":NaN,"reasoning":NaN,"category":NaN}\n'
        '{"model":"m","prompt":NaN,"output":"o"}\n'
    )
    (written,) = import_file(importing.text("x.jsonl", lines), importing.out)
    assert (written.model, written.responses, written.blank) == ("x", 1, 1)
    assert "no prompt" in written.skipped.reasons[0]


def test_keys_that_stand_twice_are_reported(importing):
    line = '{"model": "m", "prompt": "p", "output": "first", "output": "second"}\n'
    path = importing.text("x.jsonl", line)
    (written,) = import_file(path, importing.out)
    assert written.skipped.odd == 1
    assert "line 1: the key 'output' stands there twice" in written.skipped.oddities[0]
    with pytest.raises(InputFileError, match="hold a key twice"):
        import_file(path, importing.folder / "strict", strict=True)


def test_the_command_counts_what_it_left_out(importing):
    path = importing.text("log.jsonl", f"{json.dumps(GOOD)}\n{BAD_LINES[0]}\n")
    arguments = ("import", path, "-o", importing.out)
    done = forensics(*arguments, cwd=importing.folder)
    assert done.code == 0
    assert "1 records could not be read and are left out:" in done.err
    assert "role 'narrator' is not known" in done.err
    refused = forensics(*arguments, "--strict", cwd=importing.folder)
    assert refused.code == 2
    assert "1 records cannot be read" in refused.complaint


# --- how answers ended --------------------------------------------------------------------------


def test_a_batch_reports_what_it_does_not_know(importing):
    lines = [
        batch_line("a", completion("Half", reason="novel_reason")),
        batch_line("b", completion("Half", reason="abort")),
        batch_line("c", completion("", reason="SAFETY")),
        batch_line("d", {"error": {"code": "content_filter", "message": "no"}}, 400),
        batch_line("e", {"error": {"code": "invalid", "message": "no"}}, 400),
        batch_line("f", {"error": {"message": "moderation is busy"}}, 429),
    ]
    transcript = importing.one(importing.jsonl("out.jsonl", lines))
    assert [r.status for r in transcript.responses] == [
        *("truncated", "truncated", "filtered", "filtered", "error", "error")
    ]
    notes = transcript.manifests[0].notes
    assert any("'novel_reason', a finish reason that is not known" in note for note in notes)


def test_thinking_without_an_end_is_a_truncated_answer(importing):
    rows = [{"model": "m", "prompt": "p", "output": "<think>I wonder"}]
    (response,) = importing.one(importing.jsonl("x.jsonl", rows)).responses
    assert (response.text, response.reasoning, response.status) == ("", "I wonder", "truncated")
