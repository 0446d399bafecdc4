from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.custody.transcript_chain import check_seal, examine, prefix_with_hash
from forensics.errors import UsageError
from forensics.suites.suite import Message, Prompt
from forensics.support.hash_chain import CHAIN_START, encode_line
from forensics.transcripts.transcript import Manifest, Response
from forensics.transcripts.writer import TranscriptWriter, write_transcript
from tests.chained import PROMPTS, probe

MANIFEST = Manifest(
    subject="demo:x",
    identity={"kind": "demo", "model": "x"},
    suite={"name": "s", "version": "1", "sha256": "0" * 64},
    settings={},
    provenance="collected",
    started_at="2025-01-01T00:00:00Z",
    version="0",
)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A transcript that two sessions collected from a server."""
    folder = tmp_path_factory.mktemp("custody")
    return probe(folder, "model", counts=(10, PROMPTS)).read_bytes()


def lines_of(raw: bytes) -> list[bytes]:
    return raw.splitlines(keepends=True)


def first_fault(raw: bytes) -> int:
    custody = examine(raw)
    assert custody.result == "changed"
    return custody.faults[0].line


def test_a_collected_transcript_is_intact_over_two_sessions(raw: bytes) -> None:
    custody = examine(raw)
    assert custody.result == "intact"
    assert custody.lines == PROMPTS
    assert custody.seal == json.loads(lines_of(raw)[-1])["chain"]
    found = custody.contents
    assert found.sessions == 2
    assert found.prompts_checked == found.answers_checked == found.request_ids == PROMPTS
    # The server wrote its JSON the usual way, so that the hashed bytes can be made again.
    assert found.raw_hashes == found.raw_confirmed == PROMPTS
    assert found.fingerprints == ("fp_model",)


def test_every_line_says_when_and_from_where(raw: bytes) -> None:
    for line in map(json.loads, lines_of(raw)):
        assert line["requested_at"].endswith("Z")
        assert line["completed_at"] >= line["requested_at"]
        assert line["request_id"].startswith("req-")
        assert line["system_fingerprint"] == "fp_model"
        body = json.dumps(line["raw"]).encode()
        assert line["raw_sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("at", [0, 1, 11, PROMPTS - 1])
def test_an_edited_character_names_its_line_and_no_other(raw: bytes, at: int) -> None:
    lines = lines_of(raw)
    lines[at] = lines[at].replace(b"About", b"about", 1)
    assert [f.line for f in examine(b"".join(lines)).faults] == [at + 1]


@pytest.mark.parametrize("at", [0, 5, PROMPTS - 2])
def test_a_removed_line_shows_where_it_was(raw: bytes, at: int) -> None:
    lines = lines_of(raw)
    del lines[at]
    [fault] = examine(b"".join(lines)).faults
    assert fault.line == at + 1
    assert "removed" in fault.what


def test_swapped_lines_say_where_they_belong(raw: bytes) -> None:
    lines = lines_of(raw)
    lines[4], lines[5] = lines[5], lines[4]
    faults = examine(b"".join(lines)).faults
    assert [f.line for f in faults] == [5, 6, 7]
    assert "written after line 6, not after line 4" in faults[0].what


def test_an_inserted_line_is_named(raw: bytes) -> None:
    lines = lines_of(raw)
    value = json.loads(lines[3]) | {"text": "I am ChatGPT."}
    del value["chain"], value["raw"]
    forged, _ = encode_line(value, "f" * 64)
    faults = examine(b"".join([*lines[:7], forged, *lines[7:]])).faults
    assert [f.line for f in faults] == [8, 9]
    assert "written after line 7, not after line 8" in faults[1].what


def test_a_repeated_line_is_named(raw: bytes) -> None:
    lines = lines_of(raw)
    [fault] = examine(b"".join([*lines[:3], lines[2], *lines[3:]])).faults
    assert fault.line == 4
    assert "written after line 2" in fault.what


def test_an_edited_chain_value_names_its_line_only(raw: bytes) -> None:
    lines = lines_of(raw)
    chain = json.loads(lines[6])["chain"].encode()
    for wrong in (bytes(reversed(chain)), b"none", chain.upper()):
        edited = [*lines]
        edited[6] = lines[6].replace(chain, wrong)
        assert [f.line for f in examine(b"".join(edited)).faults] == [7]


def test_a_line_without_chain_among_others_is_named(raw: bytes) -> None:
    lines = lines_of(raw)
    plain = json.dumps({k: v for k, v in json.loads(lines[0]).items() if k != "chain"}).encode()
    for at in (0, 9, PROMPTS):
        edited = b"".join([*lines[:at], plain + b"\n", *lines[at:]])
        assert [f.line for f in examine(edited).faults] == [at + 1]
    assert first_fault(b"".join([*lines[:9], b"\n", *lines[9:]])) == 10


def test_written_again_with_other_spacing_or_order_is_an_edit(raw: bytes) -> None:
    lines = lines_of(raw)
    value = json.loads(lines[8])
    for same in (json.dumps(value), json.dumps(value, sort_keys=True, separators=(",", ":"))):
        edited = [*lines]
        edited[8] = same.encode() + b"\n"
        assert first_fault(b"".join(edited)) == 9
    assert first_fault(raw.replace(b"\n", b"\r\n")) == 1


def test_a_cut_end_within_a_line_shows_and_whole_lines_need_the_seal(raw: bytes) -> None:
    lines = lines_of(raw)
    seal = examine(raw).seal or ""
    assert first_fault(raw[:-1]) == PROMPTS
    assert first_fault(raw[:-40]) == PROMPTS
    short = examine(b"".join(lines[:-3]))
    assert short.result == "intact"
    assert "removed from its end" in (check_seal(short, seal) or "")
    assert check_seal(examine(raw), seal.upper()) is None
    assert f"line {PROMPTS - 3}" in (check_seal(examine(raw), short.seal or "") or "")
    with pytest.raises(UsageError, match="64 hex digits"):
        check_seal(short, "abc")


def test_a_file_written_anew_fits_its_own_chain_but_not_the_seal(raw: bytes) -> None:
    chain, forged = CHAIN_START, b""
    for line in map(json.loads, lines_of(raw)):
        del line["chain"]
        new, chain = encode_line(line | {"sample": 0}, chain)
        forged += new
    assert examine(forged).seal == examine(raw).seal  # the same content: the very same file
    assert forged == raw
    value = json.loads(lines_of(raw)[0]) | {"finish_reason": "length"}
    del value["chain"]
    assert check_seal(examine(encode_line(value, CHAIN_START)[0]), examine(raw).seal or "")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"text": "I was made by somebody else."}, "raw body"),
        ({"messages": [["user", "Another question?"]]}, "prompt_sha256"),
    ],
)
def test_a_chain_made_anew_does_not_hide_an_inconsistent_line(
    raw: bytes, change: dict[str, object], what: str
) -> None:
    chain, forged = CHAIN_START, b""
    for number, line in enumerate(map(json.loads, lines_of(raw))):
        del line["chain"]
        new, chain = encode_line(line | (change if number == 4 else {}), chain)
        forged += new
    [fault] = examine(forged).faults
    assert fault.line == 5
    assert what in fault.what


def test_a_mended_file_goes_on_with_the_chain(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "killed.jsonl"
    path.write_bytes(raw[:-30])
    prompt = Prompt("extra", (Message("user", "One more?"),))
    with TranscriptWriter(path, MANIFEST) as writer:
        writer.write(Response(prompt=prompt, text="Yes."))
    custody = examine(path.read_bytes())
    assert custody.result == "intact"
    assert custody.lines == PROMPTS


def test_without_any_chain_nothing_is_claimed(raw: bytes) -> None:
    plain = b"".join(
        json.dumps({k: v for k, v in json.loads(line).items() if k != "chain"}).encode() + b"\n"
        for line in lines_of(raw)
    )
    custody = examine(plain)
    assert custody.result == "unchained"
    assert custody.seal is None
    assert check_seal(custody, examine(raw).seal or "")


def test_hostile_lines_never_raise() -> None:
    deep = b'{"raw":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for raw in (b"\xff\xfe\n", b"[]\n", b"null", b"\x00\n", deep, b'{"status":[],"text":1}\n'):
        assert examine(raw).result == "changed"


def test_imported_answers_with_lone_surrogates_are_chained_too(tmp_path: Path) -> None:
    prompt = Prompt("p", (Message("user", "\ud800?"),))
    path = tmp_path / "t.jsonl"
    write_transcript(path, MANIFEST, [Response(prompt=prompt, text="\udfff \x00 [bold]")])
    assert examine(path.read_bytes()).result == "intact"


def test_the_part_of_a_grown_file_that_was_hashed_is_found(raw: bytes) -> None:
    part = b"".join(lines_of(raw)[:9])
    assert prefix_with_hash(raw, hashlib.sha256(part).hexdigest()) == part
    assert prefix_with_hash(raw, hashlib.sha256(raw).hexdigest()) == raw
    assert prefix_with_hash(raw, "0" * 64) is None


@given(data=st.data())
def test_any_edit_is_seen_at_the_line_where_it_begins(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) - 1))
    length = data.draw(st.integers(0, 2_000))
    new = data.draw(st.binary(max_size=30))
    edited = raw[:at] + new + raw[at + length :]
    custody = examine(edited) if edited != raw else None
    if custody is None:
        return
    if custody.result != "changed":
        # Only whole lines from the end can go unseen, and then the seal shows it.
        assert raw.startswith(edited)
        assert edited.endswith(b"\n") or not edited
        assert custody.chains == () or check_seal(custody, examine(raw).seal or "")
        return
    same = next(
        (i for i, (x, y) in enumerate(zip(raw, edited, strict=False)) if x != y),
        min(len(raw), len(edited)),
    )
    assert custody.faults[0].line <= edited.count(b"\n", 0, same) + 1
    assert custody.faults[0].line >= raw.count(b"\n", 0, same)


@given(seed=st.integers(0, 2**32))
def test_any_other_order_of_lines_is_seen(raw: bytes, seed: int) -> None:
    lines = lines_of(raw)
    rng = random.Random(seed)
    picked = rng.sample(lines, rng.randint(2, len(lines)))
    if picked == lines[: len(picked)]:
        return
    moved = next(i for i, (x, y) in enumerate(zip(picked, lines, strict=False)) if x != y)
    assert first_fault(b"".join(picked)) == moved + 1
