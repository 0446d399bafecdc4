from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError, OutputError, UsageError
from forensics.support.hash_chain import CHAIN_START, encode_line
from forensics.transcripts.transcript import Response, ad_hoc_suite, iter_keys, read_transcript
from forensics.transcripts.writer import TranscriptWriter, write_transcript
from tests.builders import lines, manifest, prompt, responses, write
from tests.damage import damage

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


def _append(path: Path, *answers: Response, **fields: object) -> None:
    with TranscriptWriter(path, manifest(**fields)) as writer:
        for answer in answers:
            writer.write(answer)


def test_every_line_is_a_response_and_says_what_the_contract_asks(tmp_path):
    path = write(tmp_path / "m.jsonl", ["one", "two"])
    for line in lines(path):
        assert {"prompt_id", "prompt_sha256", "sample", "text", "status"} <= line.keys()
    assert [("manifest" in line) for line in lines(path)] == [True, False]


def test_the_hash_chain_is_that_of_an_independent_reading(tmp_path):
    path = write(tmp_path / "m.jsonl", ["one", "\ud800", "drei ü"])
    chain = CHAIN_START
    for raw in path.read_text(encoding="ascii").splitlines():
        body, _, stored = raw.rpartition(',"chain":"')
        chain = hashlib.sha256((chain + body + "}").encode("ascii")).hexdigest()
        assert stored == f'{chain}"}}'


def test_appending_goes_on_with_the_chain_and_names_the_new_session(tmp_path):
    whole, grown = tmp_path / "whole.jsonl", tmp_path / "grown.jsonl"
    answers = responses(["one", "two", "three"])
    _append(whole, *answers)
    _append(grown, *answers[:2])
    _append(grown, answers[2])
    assert [line["text"] for line in lines(grown)] == ["one", "two", "three"]
    assert [("manifest" in line) for line in lines(grown)] == [True, False, True]
    last = lines(grown)[-1]
    previous = lines(grown)[-2]["chain"]
    content = {key: value for key, value in last.items() if key != "chain"}
    assert encode_line(content, previous)[1] == last["chain"]


@given(text=ANY_TEXT, reasoning=st.none() | ANY_TEXT, question=ANY_TEXT, name=ANY_TEXT)
def test_any_text_survives_a_round_trip(tmp_path_factory, text, reasoning, question, name):
    path = tmp_path_factory.mktemp("t") / "m.jsonl"
    answer = Response(prompt=replace(prompt(0, question), id=name), text=text, reasoning=reasoning)
    write_transcript(path, manifest(), [answer])
    read = read_transcript(path).responses[0]
    assert (read.text, read.reasoning, read.prompt.id) == (text, reasoning, name)
    assert read.prompt.text == (question or "Question 0?")
    assert read.prompt.sha256 == answer.prompt.sha256


def test_a_half_written_last_line_is_left_out_with_a_warning(tmp_path):
    path = write(tmp_path / "m.jsonl", ["one", "two"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    transcript = read_transcript(path)
    assert [r.text for r in transcript.responses] == ["one"]
    assert any("line 2 was cut off" in warning for warning in transcript.warnings)
    assert path.read_bytes() == whole[:-20]


def test_a_cut_off_line_is_kept_aside_when_writing_goes_on(tmp_path):
    path = write(tmp_path / "m.jsonl", ["one", "two"])
    whole = path.read_bytes()
    cut = whole.splitlines()[1][:-20]
    path.write_bytes(whole.splitlines(keepends=True)[0] + cut)
    _append(path, *responses(["new"], first=1))
    assert [r.text for r in read_transcript(path).responses] == ["one", "new"]
    assert (tmp_path / "m.jsonl.cut-off").read_bytes() == cut


def test_a_complete_last_line_without_newline_is_kept(tmp_path):
    path = write(tmp_path / "m.jsonl", ["one", "two"])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    _append(path, *responses(["three"], first=2))
    transcript = read_transcript(path)
    assert [r.text for r in transcript.responses] == ["one", "two", "three"]
    assert not transcript.warnings


def test_an_answer_wins_over_an_error_and_a_later_one_over_an_earlier(tmp_path):
    path = tmp_path / "m.jsonl"
    failed = replace(responses([""])[0], status="error", error="HTTP 500")
    _append(path, failed, *responses(["first"]), *responses(["second"]), failed)
    assert [r.text for r in read_transcript(path).responses] == ["second"]


def test_errors_are_asked_again_and_answers_are_not(tmp_path):
    path = tmp_path / "m.jsonl"
    good, bad = responses(["fine", ""])
    _append(path, replace(good, key="k1"), replace(bad, key="k2", status="error"))
    assert list(iter_keys(read_transcript(path))) == ["k1"]


def test_duplicate_prompt_ids_are_matched_by_hash_and_flagged(tmp_path):
    path = tmp_path / "m.jsonl"
    same_id = [replace(r, prompt=replace(r.prompt, id="same")) for r in responses(["one", "two"])]
    write_transcript(path, manifest(), same_id)
    transcript = read_transcript(path)
    assert len(transcript.responses) == 2
    assert any("prompt ids stand for several prompts" in w for w in transcript.warnings)


LINE = {"prompt_id": "p", "prompt_sha256": "0" * 64, "sample": 0, "text": "t", "status": "ok"}
MANIFEST = manifest().to_json()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no responses"),
        (b"\n\n", "no responses"),
        (b'{"prompt_id": "p", "te', "no responses"),
        (b"caf\xe9\n", "not UTF-8"),
        (b"model,prompt\nx,y\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"[" * 100_000, "no responses"),
        (b"[1]\n", "not a JSON object"),
        (b"\x00\x01\x02\n", "not JSON"),
        (b"{}\n", "missing 'status'"),
        (json.dumps(LINE | {"status": "great"}).encode() + b"\n", "'great'"),
        (json.dumps(LINE | {"text": 5}).encode() + b"\n", "line 1"),
        (json.dumps(LINE | {"sample": "x"}).encode() + b"\n", "line 1"),
        (json.dumps(LINE).replace('"sample": 0', '"sample": 1e999').encode() + b"\n", "line 1"),
        (json.dumps(LINE | {"messages": [["user", 5]]}).encode() + b"\n", "not text"),
        (json.dumps(LINE | {"messages": [["user"]]}).encode() + b"\n", "line 1"),
        (json.dumps(LINE | {"messages": 7}).encode() + b"\n", "line 1"),
        (json.dumps(LINE | {"manifest": "x"}).encode() + b"\n", "line 1"),
        (json.dumps(LINE | {"manifest": {}}).encode() + b"\n", "provenance"),
        (
            json.dumps(LINE | {"manifest": MANIFEST | {"provenance": "found"}}).encode() + b"\n",
            "'found'",
        ),
        (
            json.dumps(LINE | {"manifest": MANIFEST | {"settings": {"t": float("nan")}}}).encode()
            + b"\n",
            "line 1",
        ),
        (json.dumps(LINE | {"manifest": MANIFEST | {"identity": 3}}).encode() + b"\n", "line 1"),
    ],
)
def test_what_is_no_transcript_is_explained_in_one_line(tmp_path, content, says):
    path = tmp_path / "m.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"m\.jsonl") as caught:
        read_transcript(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


INTACT = responses([f"answer {i} \ud800\n" for i in range(4)])


@pytest.fixture(name="intact", scope="module")
def intact_fixture(tmp_path_factory):
    path = tmp_path_factory.mktemp("intact") / "m.jsonl"
    write_transcript(path, manifest(), INTACT)
    return path


def _survivors(path: Path) -> set[tuple[str, str]] | None:
    """Read; None where the file is refused, which must take one line."""
    try:
        return {(r.prompt.sha256, r.text) for r in read_transcript(path).responses}
    except InputFileError as error:
        assert "\n" not in str(error)
        return None


@given(data=st.data())
def test_any_value_replaced_or_removed_loses_no_other_line(intact, tmp_path_factory, data):
    content = lines(intact)
    hit = data.draw(st.integers(0, len(content) - 1))
    damage(content[hit], data)
    path = tmp_path_factory.mktemp("damaged") / "m.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in content))
    found = _survivors(path)
    whole = {(r.prompt.sha256, r.text) for i, r in enumerate(INTACT) if i != hit}
    assert found is None or whole <= found


@given(data=st.data())
def test_flipped_and_missing_bytes_lose_no_other_line(intact, tmp_path_factory, data):
    raw = bytearray(intact.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    cut = data.draw(st.none() | st.integers(0, len(raw)))
    path = tmp_path_factory.mktemp("damaged") / "m.jsonl"
    path.write_bytes(bytes(raw[:cut]))
    found = _survivors(path)
    kept = set(bytes(raw[:cut]).splitlines())
    same = [line in kept for line in intact.read_bytes().splitlines()]
    whole = {(r.prompt.sha256, r.text) for r, there in zip(INTACT, same, strict=True) if there}
    assert found is None or whole <= found


@given(raw=st.binary(max_size=300))
def test_random_bytes_are_refused_in_one_line(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("random") / "m.jsonl"
    path.write_bytes(raw)
    assert _survivors(path) is None


def test_numbers_where_an_endpoint_should_send_text_are_read_as_text(tmp_path):
    path = tmp_path / "m.jsonl"
    odd = LINE | {"model": 7, "request_id": 8.5, "reasoning": ["x"], "category": 3, "later": 1}
    path.write_text(json.dumps(odd) + "\n")
    response = read_transcript(path).responses[0]
    assert (response.model, response.request_id, response.prompt.category) == ("7", "8.5", "3")
    assert isinstance(response.reasoning, str)


def test_missing_files_and_folders_are_told_apart_from_content(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InputFileError, match="cannot read"):
            read_transcript(path)


def test_two_writers_cannot_share_a_file(tmp_path):
    path = tmp_path / "m.jsonl"
    with (
        TranscriptWriter(path, manifest()),
        pytest.raises(UsageError, match="another run"),
        TranscriptWriter(path, manifest()),
    ):
        pass


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OutputError, match="cannot write"),
        TranscriptWriter(tmp_path / "file" / "m.jsonl", manifest()),
    ):
        pass
    with pytest.raises(OutputError, match="cannot write"):
        write_transcript(tmp_path / "file" / "m.jsonl", manifest(), responses(["x"]))


def test_a_failed_import_leaves_the_old_file(tmp_path):
    path = write(tmp_path / "m.jsonl", ["old"])

    def broken():
        yield from responses(["new"])
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space"):
        write_transcript(path, manifest(), broken())
    assert [r.text for r in read_transcript(path).responses] == ["old"]


def test_an_ad_hoc_suite_holds_every_prompt_once(tmp_path):
    one = read_transcript(write(tmp_path / "a.jsonl", ["x", "y"]))
    two = read_transcript(write(tmp_path / "b.jsonl", ["x", "y"], first=1))
    assert {p.id for p in ad_hoc_suite([one, two]).prompts} == {"p000", "p001", "p002"}
