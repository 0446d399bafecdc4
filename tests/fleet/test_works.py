"""Each kind of work does to a subject what its verb does, and keeps the same documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from forensics.cli import run as command
from forensics.fleet.drivers import FOLDER as DRIVERS
from forensics.fleet.listing import listed_subjects
from forensics.fleet.result_store import open_store
from forensics.fleet.subject_result import SubjectFinding, SubjectResult, read_result
from forensics.transcripts.transcript import read_transcript
from tests.builders import essays, write
from tests.fleet.jobs import COMPARE, contents, make_job, make_subjects, run_here
from tests.fleet.s3_server import S3Server
from tests.loopback import Loopback, chat_reply, error_reply
from tests.subjects.backends.tiny_model import make_tiny_model

HEAD = (
    'results = "{results}"\nwork = "WORK"\nscratch = "scratch"\n[subjects]\nfile = "subjects.txt"\n'
)


def _run(here: Path, work: str, subjects: str, rest: str = "") -> dict[str, SubjectResult]:
    """Run a job here; return subject → result, of failed ones too."""
    (here / "subjects.txt").write_text(subjects)
    run_here(make_job(here, HEAD.replace("WORK", work) + rest))
    folders = [here / "results" / name for name in ("results", "failed")]
    files = [content for f in folders if f.is_dir() for content in contents(f).values()]
    results = [result for content in files if (result := read_result(content))]
    return {result.subject: result for result in results}


def _one(results: dict[str, SubjectResult], subject: str) -> SubjectFinding:
    result = results[subject]
    assert result.status == "done", result.reason
    (finding,) = result.findings
    return finding


def _documents(here: Path, result: SubjectResult) -> dict[str, bytes]:
    held = contents(here / "results" / "documents" / result.key)
    assert sorted(held) == sorted(result.documents)
    return held


def test_examine_reads_files_and_asks_nobody(here: Path) -> None:
    folder = make_tiny_model(here / "tiny")
    (folder / "README.md").write_text("---\nbase_model: org/parent\n---\n")
    write(here / "a.jsonl", essays(6))
    spec = f"hf:{folder.relative_to(here)}"
    results = _run(here, "examine", f"{spec}\ntranscript:a.jsonl\nopenai:m@http://127.0.0.1:9/v1\n")
    model = _one(results, spec)
    assert (model.model_format, model.architecture) == ("safetensors", "LlamaForCausalLM")
    assert model.parameters is not None
    assert model.parameters > 10_000
    assert len(model.weights_sha256) == 64
    assert model.declared_parents == ("org/parent",)
    assert _one(results, "transcript:a.jsonl").answers == 6
    assert "has no files to examine" in results["openai:m@http://127.0.0.1:9/v1"].reason


def test_probe_keeps_answers_and_a_failing_endpoint_is_a_reason(
    here: Path, loopback: Callable[..., Loopback]
) -> None:
    well = loopback(lambda call: chat_reply(f"About {call.prompt[:20]}"))
    ill = loopback(lambda call: error_reply(401, "no such key"))
    subjects = [f"openai:m@{server.url}" for server in (well, ill)]
    asking = '[asking]\nsuite = "core"\nlimit = 3\nsamples = 2\n'
    results = _run(here, "probe", "\n".join(subjects), asking)
    finding = _one(results, subjects[0])
    assert (finding.answers, finding.errors) == (6, 0)
    (here / "t.jsonl").write_bytes(_documents(here, results[subjects[0]])["transcript.jsonl"])
    assert len(read_transcript(here / "t.jsonl").responses) == 6
    assert results[subjects[1]].status == "failed"
    assert "401" in results[subjects[1]].reason or "key" in results[subjects[1]].reason
    calls = len(well.calls)
    _run(here, "probe", "\n".join(subjects), asking)
    assert len(well.calls) == calls


def test_trace_names_the_likeliest_relative_as_the_verb_does(here: Path) -> None:
    subject = "cohort:alpaca-eval/vicuna-13b"
    results = _run(here, "trace", f"{subject}\n", '[trace]\ncohort = "alpaca-eval"\n')
    finding = _one(results, subject)
    document = json.loads(_documents(here, results[subject])["trace.json"])
    assert command(["trace", subject, "--cohort", "alpaca-eval", "--json", "verb.json"]) == 0
    assert document == json.loads((here / "verb.json").read_text())
    assert finding.candidate == document["relatives"][0]["model"]
    assert finding.candidate_named is (finding.candidate in document["named"])


def test_check_holds_every_subject_against_one_policy(here: Path) -> None:
    write(here / "known.jsonl", essays(12))
    write(here / "copy.jsonl", essays(12))
    write(here / "other.jsonl", essays(12, 5))
    (here / "policy.toml").write_text(
        'comparators = ["lexicon"]\ncohort = "none"\n[[against]]\nsubject = '
        '"transcript:known.jsonl"\n[rules.max-similarity]\nlimits = { lexicon = 0.3 }\n'
    )
    subjects = "transcript:copy.jsonl\ntranscript:other.jsonl\n"
    results = _run(here, "check", subjects, '[check]\npolicy = "policy.toml"\n')
    assert _one(results, "transcript:copy.jsonl").outcome == "violated"
    assert _one(results, "transcript:other.jsonl").outcome == "pass"
    document = json.loads(_documents(here, results["transcript:copy.jsonl"])["check.json"])
    assert document["status"] == "violated"


def test_results_in_object_storage_are_those_of_a_folder(here: Path) -> None:
    make_subjects(here, 4, broken=1)
    counted = run_here(make_job(here))
    with S3Server() as server:
        place = server.uri("bucket/job")
        assert run_here(make_job(here, results=place)) == counted
        store = open_store(place)
        for folder in ("results", "failed"):
            held = {name: store.read(f"{folder}/{name}") for name in store.names(folder)}
            assert held == contents(here / "results" / folder)
        assert run_here(make_job(here, results=place)).before == 4
        keys = {subject.key for subject in listed_subjects(make_job(here).job.subjects)}
        assert [store.names(f"claims/{key}") for key in keys] == [[]] * 4
        assert len(store.names(DRIVERS)) == 2
        assert command(["fleet", "status", "job.toml"]) == 0


def test_a_reference_that_has_to_be_asked_is_asked_once_for_all_subjects(
    here: Path, loopback: Callable[..., Loopback]
) -> None:
    server = loopback(lambda call: chat_reply(f"About {call.prompt[:20]}, in a few words."))
    make_subjects(here, 2)
    live = COMPARE.replace("transcript:known.jsonl", f"openai:known@{server.url}")
    counted = run_here(make_job(here, live))
    assert (counted.done, counted.failed) == (2, 0)
    assert len(server.calls) == 36  # 12 prompts of the subjects' own, three answers each
