from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import BackendError, InputFileError, UsageError
from forensics.examination.collect import collect, only_asked, plan, transcript_name
from forensics.subjects.backends.backend import GenerationSettings, Request, Sink, request_key
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt, Suite
from forensics.support.slug import slug
from forensics.transcripts.transcript import Response, read_transcript
from tests.builders import prompt, write

SUITE = Suite("test", "1", "Test", tuple(prompt(i) for i in range(6)))
SUBJECT = parse_subject("openai:m@http://h/v1")
SETTINGS = GenerationSettings(max_tokens=8)


@dataclass
class Parrot:
    """A backend that repeats the question, and stops after `until` answers."""

    who: str = "parrot"
    until: int = 10**6
    asked: list[str] = field(default_factory=list)

    def identity(self) -> Mapping[str, Any]:
        return {"kind": "parrot", "model": self.who}

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        for request in requests:
            if len(self.asked) >= self.until:
                raise BackendError("gone")
            self.asked.append(request.key)
            sink(
                Response(
                    prompt=request.prompt,
                    text=request.prompt.text,
                    sample=request.sample,
                    key=request.key,
                )
            )


def test_everything_is_asked_once_and_told(tmp_path):
    told: list[Response] = []
    path = tmp_path / "t.jsonl"
    transcript = collect(SUITE, SUBJECT, Parrot(), SETTINGS, path, told.append)
    assert len(transcript.responses) == len(told) == 6
    assert transcript.manifests[0].suite["sha256"] == SUITE.sha256


def test_what_another_run_wrote_meanwhile_is_not_asked_again(tmp_path):
    path = tmp_path / "t.jsonl"
    other = Parrot()

    class Late(Parrot):
        looks = 0

        def identity(self) -> Mapping[str, Any]:
            self.looks += 1
            if self.looks == 2:  # the plan is made, and the file not locked yet
                collect(SUITE, SUBJECT, other, SETTINGS, path)
            return super().identity()

    late = Late()
    transcript = collect(SUITE, SUBJECT, late, SETTINGS, path)
    assert (len(other.asked), len(late.asked)) == (6, 0)
    assert len(path.read_bytes().splitlines()) == len(transcript.responses) == 6


def test_a_run_that_broke_off_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "t.jsonl"
    first, second = Parrot(until=2), Parrot()
    with pytest.raises(BackendError):
        collect(SUITE, SUBJECT, first, SETTINGS, path)
    assert len(read_transcript(path).responses) == 2
    collect(SUITE, SUBJECT, second, SETTINGS, path)
    assert len(second.asked) == 4
    assert not set(first.asked) & set(second.asked)


@pytest.mark.parametrize("keep", [1, 14, 100])
def test_a_run_killed_in_its_first_line_can_be_started_again(tmp_path, keep):
    path = tmp_path / "t.jsonl"
    collect(SUITE, SUBJECT, Parrot(), SETTINGS, path)
    path.write_bytes(path.read_bytes()[:keep])
    assert len(collect(SUITE, SUBJECT, Parrot(), SETTINGS, path).responses) == 6


def test_another_tools_file_is_never_taken_for_a_killed_run(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("one line, no newline")
    with pytest.raises(InputFileError):
        collect(SUITE, SUBJECT, Parrot(), SETTINGS, path)
    assert path.read_text() == "one line, no newline"


def test_a_first_line_without_newline_counts_as_answered(tmp_path):
    path = tmp_path / "t.jsonl"
    with pytest.raises(BackendError):
        collect(SUITE, SUBJECT, Parrot(until=1), SETTINGS, path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    again = Parrot()
    collect(SUITE, SUBJECT, again, SETTINGS, path)
    assert len(again.asked) == 5


def test_more_samples_join_the_file_and_fewer_are_cut_from_the_result(tmp_path):
    path = tmp_path / "t.jsonl"
    collect(SUITE, SUBJECT, Parrot(), SETTINGS, path)
    more = Parrot()
    twice = GenerationSettings(max_tokens=8, samples=2)
    assert len(collect(SUITE, SUBJECT, more, twice, path).responses) == 12
    assert len(more.asked) == 6
    assert len(collect(SUITE, SUBJECT, Parrot(), SETTINGS, path).responses) == 6


@pytest.mark.parametrize(
    ("who", "settings"),
    [
        ("other", SETTINGS),
        ("parrot", GenerationSettings(max_tokens=9)),
        ("parrot", GenerationSettings(max_tokens=8, temperature=0.5)),
        ("parrot", GenerationSettings(max_tokens=8, seed=1)),
        ("parrot", GenerationSettings(max_tokens=8, system_prompt="Be brief.")),
    ],
)
def test_two_experiments_never_share_a_file(tmp_path, who, settings):
    path = tmp_path / "t.jsonl"
    collect(SUITE, SUBJECT, Parrot(), SETTINGS, path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="other answers"):
        collect(SUITE, SUBJECT, Parrot(who), settings, path)
    assert path.read_bytes() == before


def test_the_plan_counts_calls_and_bounds_tokens(tmp_path):
    todo = plan(SUITE, Parrot().identity(), GenerationSettings(samples=3), tmp_path / "none.jsonl")
    assert (len(todo.requests), todo.answered) == (18, 0)
    assert todo.max_output_tokens == 18 * 256
    assert todo.max_input_tokens >= sum(len(p.text) for p in SUITE.prompts) * 3
    assert len({request.key for request in todo.requests}) == 18


def test_a_prompts_own_token_limit_holds_unless_one_is_given():
    short = Prompt("s", (Message("user", "x"),), max_tokens=5)
    assert GenerationSettings().tokens_for(short) == 5
    assert GenerationSettings(max_tokens=50).tokens_for(short) == 50


def test_keys_tell_apart_whatever_can_change_an_answer():
    base = {"kind": "openai", "model": "m", "base_url": "http://one/v1"}
    variants = [
        (base, SETTINGS, prompt(0), 0),
        (base | {"base_url": "http://two/v1"}, SETTINGS, prompt(0), 0),
        (base | {"model": "n"}, SETTINGS, prompt(0), 0),
        (base, GenerationSettings(max_tokens=9), prompt(0), 0),
        (base, GenerationSettings(max_tokens=8, system_prompt="x"), prompt(0), 0),
        (base, SETTINGS, prompt(1), 0),
        (base, SETTINGS, prompt(0), 1),
    ]
    assert len({request_key(*variant) for variant in variants}) == len(variants)
    more = GenerationSettings(max_tokens=8, samples=9)
    assert request_key(base, more, prompt(0), 0) == request_key(*variants[0])


def test_one_name_at_two_addresses_makes_two_files():
    one, two = ({"kind": "openai", "model": "m", "base_url": u} for u in ("http://1", "http://2"))
    names = {transcript_name(SUBJECT, identity, SETTINGS) for identity in (one, two)}
    assert len(names) == 2


@pytest.mark.parametrize("name", ["../../etc/x", "a b\0c", "…", "", "\ud800", "x" * 500, ".hidden"])
def test_file_names_are_safe(name):
    made = slug(name)
    assert made
    assert len(made) <= 100
    assert not made.startswith(".")
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz._+-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def test_answers_to_other_prompts_stay_out_of_the_result(tmp_path):
    path = write(tmp_path / "t.jsonl", ["x"] * 9)
    kept = only_asked(read_transcript(Path(path)), SUITE, SETTINGS)
    assert len(kept.responses) == 6


def test_a_backend_without_answers_is_an_error_not_an_empty_file(tmp_path):
    class Mute(Parrot):
        def answer(self, requests, settings, sink) -> None:
            return

    path = tmp_path / "t.jsonl"
    with pytest.raises((BackendError, InputFileError)):
        collect(SUITE, SUBJECT, Mute(), SETTINGS, path)


def test_settings_are_in_the_manifest(tmp_path):
    path = tmp_path / "t.jsonl"
    collect(SUITE, SUBJECT, Parrot(), GenerationSettings(system_prompt="\ud800"), path)
    first = json.loads(path.read_bytes().splitlines()[0])
    assert first["manifest"]["settings"]["system_prompt"] == "\ud800"
