"""Batches and logs of APIs, and runs of evaluation tools: what was sent and what came back."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.errors import InputFileError
from forensics.transcripts.importers import import_file
from forensics.transcripts.importers.registry import recognise
from tests.transcripts.importers import layouts
from tests.transcripts.importers.test_import_batch import rows
from tests.transcripts.importers.test_import_layouts import sent


def told(transcript: Any) -> list[tuple[str, str, str | None]]:
    return [(r.text, r.status, r.error) for r in transcript.responses]


def test_anthropic_batch_without_requests(importing):
    transcript = importing.one(importing.jsonl("results.jsonl", layouts.ANTHROPIC_BATCH))
    assert transcript.name == "owl-3"
    assert told(transcript) == [
        ("Rivers flow.", "truncated", None),
        ("", "error", "busy"),
        ("", "error", "the request expired"),
    ]
    assert transcript.responses[0].reasoning == "short"
    assert transcript.responses[0].output_tokens == 3
    assert any("matched by custom_id only" in note for note in transcript.manifests[0].notes)


@pytest.mark.parametrize("as_document", [False, True])
def test_anthropic_batch_with_its_requests_beside(importing, as_document):
    if as_document:
        importing.json("requests.json", {"requests": layouts.ANTHROPIC_REQUESTS})
    else:
        importing.jsonl("batch_requests.jsonl", layouts.ANTHROPIC_REQUESTS)
    transcript = importing.one(importing.jsonl("results.jsonl", layouts.ANTHROPIC_BATCH))
    assert sent(transcript)[0] == [("system", "Be brief."), ("user", "What do rivers do?")]
    assert sent(transcript)[1] == [("user", "And seas?")]


def test_anthropic_requests_that_lack_one(importing):
    requests = importing.jsonl("asked.jsonl", layouts.ANTHROPIC_REQUESTS[:2])
    path = importing.jsonl("results.jsonl", layouts.ANTHROPIC_BATCH)
    with pytest.raises(InputFileError, match=r"1 of 3 ids are not in it \(first: 'three'\)"):
        import_file(path, importing.out, prompts=requests)


def test_two_files_of_requests_that_contradict_each_other(importing):
    importing.jsonl("a_requests.jsonl", layouts.ANTHROPIC_REQUESTS)
    other = {"custom_id": "one", "params": {"messages": [{"role": "user", "content": "Else?"}]}}
    importing.jsonl("b_requests.jsonl", [other])
    path = importing.jsonl("results.jsonl", layouts.ANTHROPIC_BATCH)
    with pytest.raises(InputFileError, match="another prompt in a second file"):
        import_file(path, importing.out)


def test_gemini_batch(importing):
    request = {"contents": [{"parts": [{"text": "What do hills do?"}]}]}
    requests = [{"key": name, "request": request} for name in ("one", "two", "three")]
    importing.jsonl("input.jsonl", requests)
    transcript = importing.one(importing.jsonl("results.jsonl", layouts.GEMINI_BATCH))
    assert transcript.name == "gem-2"
    assert told(transcript) == [
        ("Hills rise.", "ok", None),
        ("", "error", "quota"),
        ("", "filtered", None),
    ]
    assert transcript.responses[0].reasoning == "hm"
    assert sent(transcript)[0] == [("user", "What do hills do?")]


def test_gemini_batch_inline(importing):
    inline = [{"metadata": {"key": "a"}, "response": layouts.GEMINI_BATCH[0]["response"]}]
    path = importing.json("batch.json", {"inlinedResponses": inline})
    assert told(importing.one(path)) == [("Hills rise.", "ok", None)]


def test_vertex_batch(importing):
    transcript = importing.one(importing.jsonl("predictions.jsonl", layouts.VERTEX))
    assert sent(transcript)[0] == [("system", "Be brief."), ("user", "What do hills do?")]
    assert told(transcript) == [("They", "truncated", None), ("", "error", "Bad Request: no")]


def test_stored_completions(importing):
    transcript = importing.one(importing.json("stored.json", layouts.OPENAI_LOG[0]))
    assert transcript.name == "owl-4"
    assert sent(transcript) == [[("user", "Name a cloud.")], []]
    assert [(r.text, r.status) for r in transcript.responses] == [
        ("Cirrus.", "ok"),
        ("Stratus.", "truncated"),
    ]


def test_stored_completions_as_lines(importing):
    path = importing.jsonl("stored.jsonl", layouts.OPENAI_LOG[0]["data"])
    assert len(importing.one(path).responses) == 2


def test_responses_log(importing):
    transcript = importing.one(importing.jsonl("log.jsonl", layouts.RESPONSES_LOG))
    assert sent(transcript) == [[("system", "Be brief."), ("user", "Why?")], [("user", "How?")]]
    assert told(transcript) == [("So.", "ok", None), ("", "error", "slow down")]
    assert transcript.responses[0].reasoning == "hm"


def test_a_log_of_anthropic_calls(importing):
    message = layouts.ANTHROPIC_BATCH[0]["result"]["message"]
    request = layouts.ANTHROPIC_REQUESTS[0]["params"]
    path = importing.jsonl("log.jsonl", [{"request": request, "response": message}])
    transcript = importing.one(path)
    assert sent(transcript) == [[("system", "Be brief."), ("user", "What do rivers do?")]]
    assert told(transcript) == [("Rivers flow.", "truncated", None)]


def test_litellm(importing):
    transcript = importing.one(importing.jsonl("log.jsonl", layouts.LITELLM))
    assert rows(transcript) == [
        ("Name a stone.", 0, "Flint.", "ok"),
        ("Name a metal.", 0, "Tin.", "ok"),
        ("Name a gas.", 0, "", "error"),
    ]
    assert any("write no text" in note for note in transcript.manifests[0].notes)


def test_litellm_that_was_told_not_to_log_what_was_said(importing):
    hidden = layouts.LITELLM[0] | {
        "messages": [{"role": "user", "content": "redacted-by-litellm"}],
        "response": {"choices": [{"message": {"content": "redacted-by-litellm"}}]},
    }
    with pytest.raises(InputFileError, match="told not to log"):
        import_file(importing.jsonl("log.jsonl", [hidden]), importing.out)


def test_langfuse(importing):
    transcript = importing.one(importing.jsonl("observations.jsonl", layouts.LANGFUSE))
    assert rows(transcript) == [
        ("Name a colour.", 0, "Teal.", "ok"),
        ("Name a shape.", 0, '{"shape": "An oval."}', "ok"),
        ("Name a sound.", 0, "", "error"),
    ]


def test_langfuse_traces_and_parsed_answers(importing):
    parsed = layouts.LANGFUSE[0] | {"output": {"colour": "teal"}}
    traces = [{"id": "t", "input": "x", "output": "y", "observations": [parsed]}]
    transcript = importing.one(importing.json("traces.json", traces))
    assert rows(transcript) == [("Name a colour.", 0, '{"colour": "teal"}', "ok")]
    assert any("written back as JSON text" in note for note in transcript.manifests[0].notes)


def test_langfuse_answers_wrapped_as_a_text(importing):
    wrapped = [layouts.LANGFUSE[0] | {"output": {"text": "Teal."}}]
    transcript = importing.one(importing.jsonl("observations.jsonl", wrapped))
    assert rows(transcript) == [("Name a colour.", 0, "Teal.", "ok")]


def test_langfuse_without_generations(importing):
    with pytest.raises(InputFileError, match="no observation of type GENERATION"):
        import_file(importing.jsonl("o.jsonl", [layouts.LANGFUSE[2]]), importing.out)


def test_helm(importing):
    transcript = importing.one(importing.json("scenario_state.json", layouts.HELM[0]))
    assert transcript.name == "org/owl"
    assert rows(transcript) == [
        ("Q: 2 + 2?\nA:", 0, " 4", "ok"),
        ("Q: 2 + 2?\nA:", 1, " fo", "truncated"),
        ("Hi", 0, "", "error"),
    ]
    assert transcript.responses[0].prompt.id == "id1"


def test_helm_tasks_scored_by_likelihood_are_refused(importing):
    scored = layouts.HELM[0] | {"adapter_spec": {"method": "multiple_choice_separate_original"}}
    with pytest.raises(InputFileError, match="scored by likelihood"):
        import_file(importing.json("scenario_state.json", scored), importing.out)


@pytest.mark.parametrize("form", ["summary", "version 3", "version 1", "lines", "nested", "array"])
def test_promptfoo(importing, form):
    results = layouts.PROMPTFOO[0]["results"]["results"]
    if form == "lines":
        path = importing.jsonl("results.jsonl", results)
    else:
        document: Any = {
            "version 3": layouts.PROMPTFOO[0],
            "summary": {
                **{"version": 3, "timestamp": "2025", "prompts": [{"raw": "x" * 200_000}]},
                "results": results,
            },
            "version 1": {"results": results, "stats": {}},
            "nested": {"evalId": "x", "results": {"version": 4, "results": results, "stats": {}}},
            "array": results,
        }[form]
        path = importing.json("results.json", document)
    found = importing.read(path)
    assert rows(found["openai:owl"]) == [
        ("Name a herb.", 0, "Sage.", "ok"),
        ("Name a spice.", 0, '{"name": "clove"}', "ok"),
    ]
    assert told(found["elk"]) == [("", "error", "API error: 500")]


def test_two_providers_of_one_id_are_two_models(importing):
    result = layouts.PROMPTFOO[0]["results"]["results"][0]
    providers = [{"id": "https://x.example", "label": label} for label in ("cold", "hot")]
    path = importing.jsonl("results.jsonl", [result | {"provider": one} for one in providers])
    assert set(importing.read(path)) == {"https://x.example (cold)", "https://x.example (hot)"}


def test_an_answer_from_a_cache_is_one_sample(importing):
    result = layouts.PROMPTFOO[0]["results"]["results"][0]
    again = result | {"response": result["response"] | {"cached": True}}
    transcript = importing.one(importing.jsonl("results.jsonl", [again, again, result]))
    assert [r.sample for r in transcript.responses] == [0, 1]
    hit = layouts.LITELLM[0] | {"cache_hit": True}
    transcript = importing.one(importing.jsonl("log.jsonl", [layouts.LITELLM[0], hit]))
    assert len(transcript.responses) == 1
    assert any("came from a cache" in note for note in transcript.manifests[0].notes)


def test_earlier_turns_that_only_the_server_has_count(importing):
    pair = layouts.RESPONSES_LOG[0]
    later = {**pair, "request": pair["request"] | {"previous_response_id": "resp_1"}}
    transcript = importing.one(importing.jsonl("log.jsonl", [pair, later]))
    assert len(transcript.prompts) == 2


@pytest.mark.parametrize("answer", ["So.", {"choices": [{"message": {"content": "So."}}]}])
def test_logs_of_gateways(importing, answer):
    request = {"model": "owl", "messages": [{"role": "user", "content": "Why?"}]}
    path = importing.jsonl("log.jsonl", [{"request_body": request, "response_body": answer}])
    assert rows(importing.one(path)) == [("Why?", 0, "So.", "ok")]


def test_results_of_lm_eval_are_not_promptfoo_s(importing):
    path = importing.json("results_2025.json", {"results": {"gsm8k": {}}, "config": {"model": "m"}})
    assert recognise(path) == []
