"""What `import forensics` gives: the verbs' own results, from Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import forensics
from forensics.cohorts.pack_files import write_cohort
from forensics.errors import BackendError, ForensicsError, InputFileError, UsageError
from forensics.policy.outcomes import check_to_json
from forensics.transcripts.writer import write_transcript
from tests.builders import essays, write
from tests.cli.cli import ROOT
from tests.loopback import chat_reply, error_reply
from tests.made_cohort import answering, made_cohort, said

ALWAYS_NEW = {"created_at", "command", "at"}
POLICY = """
comparators = ["phrasing"]
released = "2024-05"
[[against]]
subject = "a.jsonl"
[[against]]
cohort = "made.safetensors"
[rules.max-similarity]
limits = { phrasing = 0.2 }
[rules.undeclared-kinship]
"""


def lasting(value: Any) -> Any:
    """Return a JSON value without what is new in every run."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in ALWAYS_NEW}
    return [lasting(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(name="made")
def made_fixture(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a cohort's file too, and answers to its prompts."""
    monkeypatch.setenv("FORENSICS_CACHE", str(here / "cache"))
    write_cohort(here / "made.safetensors", made_cohort())
    for name, habits in (("kin", "m0"), ("stranger", "z")):
        transcript = answering(said(habits, name), name).transcript
        write_transcript(here / f"{name}.jsonl", transcript.manifests[0], transcript.responses)
    return here


def test_a_comparison_is_the_command_lines(cli, made):
    options = ("--without", "embedding", "--cohort", "made.safetensors", "--json", "-")
    dated = ("--questioned-released", "2024-6")
    by_command = json.loads(cli("compare", "stranger.jsonl", "kin.jsonl", *options, *dated).out)
    case = forensics.compare(
        "stranger.jsonl",
        Path("kin.jsonl"),
        without="embedding",
        cohort="made.safetensors",
        questioned_released="2024-6",
    )
    assert lasting(json.loads(case.to_json())) == lasting(by_command)
    assert case.verdict.status == by_command["verdict"]["status"]
    assert case.command == "forensics.compare() in Python"


def test_what_was_read_already_is_compared_and_searched(made):
    cohort = forensics.read_cohort("made.safetensors")
    kin, stranger = (forensics.read_transcript(f"{name}.jsonl") for name in ("kin", "stranger"))
    by_name = forensics.compare(
        "stranger.jsonl", "kin.jsonl", without=["embedding"], cohort="made.safetensors"
    )
    case = forensics.compare(stranger, kin, without=["embedding"], cohort=cohort)
    assert case.evidence == by_name.evidence
    assert case.verdict == by_name.verdict
    found = forensics.trace(kin, cohort=cohort, released="2024-06")
    assert set(found.named) == {"m0a", "m0b"}
    member = forensics.compare("cohort:m0a", kin, cohort=cohort)
    assert member.a.kind == "cohort" and member.evidence[0].status == "ok"


def test_a_trace_is_the_command_lines(cli, made):
    arguments = ("kin.jsonl", "--cohort", "made.safetensors", "--released", "2024-06")
    by_command = json.loads(cli("trace", *arguments, "--json", "-").out)
    found = forensics.trace("kin.jsonl", cohort=Path("made.safetensors"), released="2024-06")
    assert json.loads(json.dumps(asdict(found))) | {"covered": found.covered} == by_command


def test_a_check_is_the_command_lines(cli, made):
    (made / "forensics.toml").write_text(POLICY, encoding="utf-8")
    by_command = cli("check", "b.jsonl", "--strict", "--json", "-")
    result = forensics.check("b.jsonl", strict=True)
    assert lasting(json.loads(check_to_json(result))) == lasting(json.loads(by_command.out))
    assert result.exit_code == by_command.code
    named = forensics.check(forensics.read_transcript("b.jsonl"), Path("forensics.toml"))
    assert [one.status for one in named.outcomes] == [one.status for one in result.outcomes]


def test_a_check_reads_each_name_once(made, monkeypatch):
    from forensics.cohorts import finding
    from forensics.subjects import subject
    from forensics.workflows import resolving

    parsed: list[str] = []
    read: list[str] = []
    parse, find = subject.parse_subject, finding.read_cohort

    def parse_and_count(spec: str, *rest: Any) -> Any:
        parsed.append(spec)
        return parse(spec, *rest)

    def find_and_count(path: Path) -> Any:
        read.append(path.name)
        return find(path)

    monkeypatch.setattr(resolving, "parse_subject", parse_and_count)
    monkeypatch.setattr(finding, "read_cohort", find_and_count)
    write(made / "other.jsonl", essays(20, 3))
    text = f'cohort = "made.safetensors"\n{POLICY}[[against]]\nsubject = "other.jsonl"\n'
    (made / "forensics.toml").write_text(text, encoding="utf-8")
    result = forensics.check("b.jsonl")
    assert {one.reference for one in result.outcomes} >= {"a.jsonl", "other.jsonl"}
    assert sorted(parsed) == ["a.jsonl", "b.jsonl", "other.jsonl"]
    assert read == ["made.safetensors"]  # to judge by, and to search


def test_a_probe_asks_once_and_tells_of_every_answer(here, loopback):
    server = loopback(lambda call: chat_reply(f"An answer to {call.prompt}."))
    subject = f"openai:m@{server.url}"
    told: list[forensics.ProgressEvent] = []
    transcript = forensics.probe(
        subject, output="p.jsonl", limit=4, samples=2, concurrency=1, progress=told.append
    )
    assert len(transcript.responses) == len(server.calls) == 8
    assert [(event.done, event.total) for event in told] == [(n, 8) for n in range(1, 9)]
    assert str(told[-1]) == "m: 8 of 8"
    again: list[forensics.ProgressEvent] = []
    more = forensics.probe(subject, output="p.jsonl", limit=5, samples=2, progress=again.append)
    assert (len(more.responses), len(server.calls)) == (10, 10)
    assert "8 of 10 answers are on file" in str(again[0])


def test_a_run_asks_no_more_than_it_may(here, loopback):
    server = loopback()
    subject = f"openai:m@{server.url}"
    for run in (
        lambda **how: forensics.probe(subject, output="p.jsonl", **how),
        lambda **how: forensics.compare(subject, "a.jsonl", only="openings", **how),
    ):
        with pytest.raises(UsageError, match="max_calls"):
            run(limit=5, max_calls=4)
        with pytest.raises(UsageError, match="max_output_tokens"):
            run(limit=5, max_tokens=10, max_output_tokens=49)
    assert server.calls == []
    forensics.probe(subject, output="p.jsonl", limit=5, samples=1, max_calls=5)
    assert len(server.calls) == 5


def test_a_probe_of_which_most_calls_fail_raises_and_keeps_what_came(here, loopback):
    server = loopback(
        lambda call: chat_reply("Yes.") if call.number == 0 else error_reply(400, "no")
    )
    with pytest.raises(BackendError, match="3 of 4 calls to openai:m@"):
        subject = f"openai:m@{server.url}"
        forensics.probe(subject, output="p.jsonl", limit=4, samples=1, concurrency=1)
    kept = forensics.read_transcript("p.jsonl")
    assert [one.text for one in kept.responses if one.status == "ok"] == ["Yes."]


def test_outputs_are_imported_into_a_folder_or_nowhere(here):
    rows = [
        {"model": model, "prompt": f"Question {number}?", "output": text}
        for shift, model in enumerate(("owl", "elk"))
        for number, text in enumerate(essays(12, shift))
    ]
    text = "".join(json.dumps(row) + "\n" for row in (*rows, {"model": "owl", "prompt": 3}))
    (here / "outputs.jsonl").write_text(text, encoding="utf-8")
    told: list[str] = []
    loose = forensics.import_outputs(
        "outputs.jsonl", progress=lambda event: told.append(str(event))
    )
    assert [(one.path, len(one.responses)) for one in loose] == [(None, 12)] * 2
    assert any("left out" in line or "skipped" in line for line in told), told
    files = {path.name for path in here.iterdir()}
    assert files == {"a.jsonl", "b.jsonl", "outputs.jsonl"}
    written = forensics.import_outputs(here / "outputs.jsonl", "imported")
    assert sorted(Path(one.path or "").name for one in written) == ["elk.jsonl", "owl.jsonl"]
    cases = [forensics.compare(*pair, only=["openings"]) for pair in (loose, written)]
    assert cases[0].evidence == cases[1].evidence
    assert cases[0].overlap.both == 12
    with pytest.raises(InputFileError):
        forensics.import_outputs("outputs.jsonl", strict=True)


def test_an_evaluation_is_the_command_lines(cli, here):
    import csv

    from tests.cohorts.builders import facts, outputs, pairs

    known = facts(10, 6)
    made = outputs(known, 10)
    tables = {
        "out.csv": [
            ("model", "prompt_id", "prompt", "output"),
            *(
                (model, prompt.id, prompt.text, text)
                for prompt, row in zip(made.prompts, made.texts, strict=True)
                for model, samples in zip(made.models, row, strict=True)
                for text in samples
            ),
        ],
        "models.csv": [
            ("model", "weights_id", "released"),
            *((one.model, one.weights_id, one.released) for one in known.values()),
        ],
        "pairs.csv": [
            ("model_a", "model_b", "relation"),
            *((one.a, one.b, one.relation) for one in pairs(known)),
        ],
    }
    for name, rows in tables.items():
        with (here / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    options = ("--pairs", "pairs.csv", "--models", "models.csv", "--prompts", 9)
    by_command = json.loads(cli("evaluate", "out.csv", *options, "--json", "-").out)
    found = forensics.evaluate("out.csv", pairs="pairs.csv", models="models.csv", prompts=9)
    assert dict(found.figures) | {"seconds": 0} == by_command | {"seconds": 0}
    assert found.to_frame().shape[0] > 0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"samples": 0}, "samples is 0; give at least 1"),
        ({"limit": -3}, "limit is -3"),
        ({"temperature": float("nan")}, "temperature is nan; give a number from 0 to 5"),
        ({"timeout": 0}, "timeout is 0; give at least 0.1"),
        ({"dtype": "float16"}, "dtype is 'float16'; give one of float32, bfloat16"),
        ({"tiers": ["words"]}, "tiers is 'words'; give one of text, logprobs"),
        ({"only": "nonsense"}, "nonsense"),
        ({"cohort": "nosuch"}, "no cohort 'nosuch'"),
        ({"known_released": "May"}, "known_released 'May' is not a month"),
        ({"base_url": "ftp://h"}, "base_url: "),
        ({"controls": "a.jsonl"}, "is not a local model"),
        ({"suite": "nosuch"}, "no suite 'nosuch'"),
    ],
)
def test_what_means_nothing_is_a_usage_error(here, capfd, how, message):
    with pytest.raises(UsageError, match=message):
        forensics.compare("a.jsonl", "b.jsonl", **how)
    assert capfd.readouterr() == ("", "")


def test_an_argument_that_does_not_exist_is_a_type_error(here):
    with pytest.raises(TypeError, match="unexpected keyword argument 'sample'"):
        forensics.compare("a.jsonl", "b.jsonl", sample=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'samples'"):
        forensics.check("a.jsonl", samples=3)


def test_nothing_is_printed_and_failures_are_the_packages(made, capfd):
    forensics.compare("a.jsonl", "b.jsonl", without=["embedding"], progress=lambda _: None)
    forensics.trace("kin.jsonl", cohort="made.safetensors")
    for failing in (
        lambda: forensics.compare("missing.jsonl", "b.jsonl"),
        lambda: forensics.trace("what is this"),
        lambda: forensics.check("a.jsonl", "missing.toml"),
        lambda: forensics.read_case("a.jsonl"),
        lambda: forensics.read_cohort("a.jsonl"),
        lambda: forensics.read_transcript("missing.jsonl"),
        lambda: forensics.import_outputs("missing.parquet"),
    ):
        with pytest.raises(ForensicsError) as raised:
            failing()
        assert "\n" not in str(raised.value)
    assert forensics.errors.ForensicsError is ForensicsError
    assert capfd.readouterr() == ("", "")


def test_the_door_loads_nothing():
    code = (
        "import sys, forensics; before = set(sys.modules);"
        "heavy = {'numpy', 'pydantic', 'click', 'rich', 'torch', 'pandas'} & before;"
        "from forensics import *; print(sorted(heavy), forensics.compare.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[] compare\n"


@pytest.mark.slow
def test_types_are_seen_through_the_door(tmp_path):
    script = tmp_path / "notebook.py"
    script.write_text(
        "import forensics\n"
        'case = forensics.compare("a.jsonl", "b.jsonl", without=["embedding"], samples=2)\n'
        "reveal_type(case)\nreveal_type(forensics.trace)\n"
        'forensics.compare("a.jsonl", "b.jsonl", samples="2")\n'
        'forensics.compare("a.jsonl", sample=2)\n',
        encoding="utf-8",
    )
    seen = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert 'Revealed type is "forensics.case.document.Case"' in seen
    assert "forensics.cohorts.trace.Trace" in seen
    assert 'Argument "samples" to "compare" has incompatible type "str"' in seen
    assert 'Unexpected keyword argument "sample"' in seen


def _without_torch(folder: Path, code: str) -> list[str]:
    """Run Python where torch raises when it is imported; return the lines that it prints."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text("raise OSError('libtorch_cpu.so')\n")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        # A cache of its own: embeddings that are on disk need no torch.
        env=os.environ
        | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "FORENSICS_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_lines_of_a_notebook_print_a_frame_where_torch_is_broken(here):
    lines = _without_torch(
        here,
        "import forensics, sys\n"
        'case = forensics.compare("a.jsonl", "b.jsonl", without=["embedding"])\n'
        "print(case.to_frame()); print(case.verdict.status)\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))",
    )
    assert "evidence" in lines[0]
    assert any("phrasing" in line for line in lines)
    assert lines[-2:] == ["screening", "[]"]


def test_what_was_left_out_is_told_to_the_callback(here):
    (line,) = _without_torch(
        here,
        "import forensics\n"
        'forensics.compare("a.jsonl", "b.jsonl", only=["embedding", "openings"], '
        "progress=lambda event: print(event) if 'left out' in str(event) else None)",
    )
    assert "libtorch_cpu.so" in line
