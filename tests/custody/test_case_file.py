from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.case.document import CasePlan
from forensics.cohorts.lineage.hypotheses import SENTENCES
from forensics.custody.case_file import (
    CaseFile,
    append_note,
    freeze,
    plan_sha256,
    read_case_file,
    seal_problem,
)
from forensics.custody.claims import KINDS, claim, propositions
from forensics.custody.verification import verify_case_file
from forensics.errors import InputFileError, UsageError
from forensics.support.hash_chain import CHAIN_START, encode_line

HOSTILE = "<script>\x00\x1b[31m [bold] =cmd() \ud800"


def made(folder: Path, notes: int = 0, **changes: object) -> tuple[Path, CaseFile]:
    plan = CasePlan(path="", sha256="", frozen_at="", title=HOSTILE, propositions=("h1", "h2"))
    given_claim = claim(HOSTILE, "distilled", f"https://x.example/{HOSTILE}", "2026-01-02")
    plan = plan.model_copy(
        update={"claims": (given_claim,), "settings": {"x": [0.0, 1e-7, None]}, **changes}
    )
    path = folder / "case.jsonl"
    freeze(path, plan)
    for number in range(notes):
        append_note(path, f"note {number} {HOSTILE}")
    return path, read_case_file(path)


def test_what_was_frozen_is_read_back_whatever_it_holds(tmp_path):
    path, found = made(tmp_path, notes=2)
    assert found.plan.title == HOSTILE
    assert found.plan.claims[0].text == HOSTILE
    assert found.plan.settings == {"x": [0.0, 1e-7, None]}
    assert [note.text for note in found.plan.notes] == [f"note {i} {HOSTILE}" for i in range(2)]
    assert found.plan.sha256 == json.loads(path.read_bytes().splitlines()[0])["chain"]


def test_the_hash_follows_from_the_plan_alone_also_after_json(tmp_path):
    plan = made(tmp_path, notes=1)[1].plan
    again = CasePlan.model_validate(json.loads(json.dumps(plan.model_dump())))
    assert plan_sha256(again) == plan.sha256
    changed = again.model_copy(update={"title": "another"})
    assert plan_sha256(changed) != plan.sha256


def test_a_note_leaves_what_was_there_byte_for_byte(tmp_path):
    path, _ = made(tmp_path)
    before = path.read_bytes()
    append_note(path, "one")
    assert path.read_bytes().startswith(before)


def test_twelve_notes_at_once_are_twelve_notes(tmp_path):
    path, _ = made(tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(append_note, [(path, f"note {number}") for number in range(12)])
    found = read_case_file(path)
    assert sorted(note.text for note in found.plan.notes) == sorted(f"note {n}" for n in range(12))
    assert verify_case_file(path).result == "intact"


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_note_that_was_cut_off_is_left_out_and_set_aside_by_the_next(tmp_path, kept):
    path, before = made(tmp_path, notes=2)
    whole = path.read_bytes()
    append_note(path, "a note of which a full disk took half")
    half = path.read_bytes()[len(whole) : -1][:kept]
    path.write_bytes(whole + half)
    found = read_case_file(path)
    assert (found.chains, found.cut_off) == (before.chains, True)
    assert path.read_bytes() == whole + half
    assert verify_case_file(path).result == "changed"
    append_note(path, "the next one")
    assert path.with_name("case.jsonl.cut-off").read_bytes() == half
    assert [note.text for note in read_case_file(path).plan.notes][2:] == ["the next one"]
    assert verify_case_file(path).result == "intact"
    path.write_bytes(path.read_bytes() + b'{"kind":"no')
    append_note(path, "and one more")
    assert path.with_name("case.jsonl.cut-off").read_bytes() == half + b'\n{"kind":"no'


def test_a_note_whose_line_end_alone_is_missing_is_a_note(tmp_path):
    path, before = made(tmp_path, notes=2)
    path.write_bytes(path.read_bytes()[:-1])
    assert read_case_file(path).chains == before.chains
    assert len(append_note(path, "third").plan.notes) == 3
    assert not path.with_name("case.jsonl.cut-off").exists()


def test_a_plan_that_was_cut_off_is_refused_and_left_alone(tmp_path):
    path, _ = made(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputFileError, match="line 1: it is cut off"):
        append_note(path, "x")
    assert len(path.read_bytes()) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="limits a file's size as Linux does")
def test_a_note_that_finds_no_room_leaves_the_file_as_it_was(tmp_path):
    path, _ = made(tmp_path, notes=1)
    before = path.read_bytes()
    script = (
        "import resource, signal; from pathlib import Path\n"
        "from forensics.custody.case_file import append_note\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 20}, -1))\n"
        f"append_note(Path({str(path)!r}), 'no room for this')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert "OutputError: cannot write" in done.stderr
    assert path.read_bytes() == before


def test_what_is_frozen_is_never_replaced(tmp_path):
    path, found = made(tmp_path)
    with pytest.raises(UsageError, match="never replaced"):
        freeze(path, found.plan)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_an_edit_is_refused_with_its_line(tmp_path, line):
    path, _ = made(tmp_path, notes=2)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"<script>", b"<Script>", 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputFileError, match=f"line {line + 1}: .*was changed"):
        read_case_file(path)
    with pytest.raises(InputFileError):
        append_note(path, "more")
    assert verify_case_file(path).result == "changed"


@given(at=st.integers(0, 10_000), byte=st.binary(min_size=1, max_size=1))
@settings(max_examples=200)
def test_no_changed_byte_goes_unseen(tmp_path_factory, at, byte):
    path, found = made(tmp_path_factory.mktemp("byte"), notes=1)
    raw = path.read_bytes()
    at %= len(raw)
    path.write_bytes(raw[:at] + byte + raw[at + 1 :])
    if raw[at : at + 1] == byte:
        assert read_case_file(path) == found
        return
    with pytest.raises(InputFileError):
        read_case_file(path)


def test_removed_notes_show_against_the_seal_and_the_plan_hash_fits_throughout(tmp_path):
    path, found = made(tmp_path, notes=2)
    assert seal_problem(found.chains, found.plan.sha256) is None
    assert seal_problem(found.chains, found.seal) is None
    assert "added since" in str(seal_problem(found.chains, found.chains[1]))
    assert "rewritten" in str(seal_problem(found.chains, "0" * 64))
    with pytest.raises(UsageError, match="64 hex digits"):
        seal_problem(found.chains, "sha256")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert verify_case_file(path).result == "intact"
    assert verify_case_file(path, found.seal).result == "changed"
    assert verify_case_file(path, found.plan.sha256.upper()).result == "intact"


@pytest.mark.parametrize(
    "content",
    [
        {"frozen_at": 5},
        {"title": "t", "propositions": "no list", "claims": [], "settings": {}},
        {"format_version": 2},
    ],
)
def test_a_file_of_another_form_is_named(tmp_path, content):
    path = tmp_path / "case.jsonl"
    head = {"kind": "model-forensics case file", "format_version": 1, **content}
    path.write_bytes(encode_line(head, CHAIN_START)[0])
    with pytest.raises(InputFileError, match=r"case\.jsonl"):
        read_case_file(path)


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff\xfe", b'{"kind":"note"}\n'])
def test_any_other_file_is_no_case_file(tmp_path, raw):
    path = tmp_path / "x"
    path.write_bytes(raw)
    with pytest.raises(InputFileError, match="not a case file"):
        read_case_file(path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputFileError, match="cannot read case file"):
        read_case_file(tmp_path / "none")


def test_every_kind_of_claim_says_what_would_settle_it():
    for name, kind in KINDS.items():
        assert kind.needs, name
        assert kind.hypothesis is None or kind.hypothesis in SENTENCES


def test_absence_and_permission_are_not_testable_from_answers():
    assert not any(
        KINDS[name].testable for name in ("trained-from-scratch", "copied-weights", "terms-broken")
    )
    assert any("API logs" in need for need in KINDS["distilled"].needs)


@pytest.mark.parametrize("kinds", [[], ["other"], ["training-data"], ["trained-from-scratch"]])
def test_claims_that_name_no_kinship_are_weighed_against_every_one(kinds):
    assert len(propositions(kinds)) == len(SENTENCES)


def test_propositions_always_hold_independence():
    assert [p.split(":")[0] for p in propositions(["distilled", "terms-broken"])] == [
        "common teacher",
        "independent",
    ]
    assert len(propositions([])) == len(propositions(["trained-from-scratch"])) == len(SENTENCES)
