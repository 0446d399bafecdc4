from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forensics.cli import run
from forensics.custody.bundle import make_bundle, read_bundle, suite_from_json, suite_to_json
from forensics.custody.transcript_chain import examine
from forensics.custody.verification import verify_bundle
from forensics.errors import InputFileError
from forensics.evidence.refusals import classifier_id
from forensics.suites.suite import Message, Prompt, Suite
from forensics.support.hash_chain import CHAIN_START, encode_line
from tests.asking import ONCE
from tests.chained import PROMPTS, make_case, probe, speaker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two transcripts and the case made of them."""
    folder = tmp_path_factory.mktemp("bundle")
    make_case(folder, probe(folder, "first"), probe(folder, "second"))
    return folder


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    make_bundle(folder / "case.json", folder / "case.zip")
    return folder / "case.zip"


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_fitting_hashes(members: dict[str, bytes]) -> dict[str, bytes]:
    """Forge the manifest, so that only the evidence itself can tell."""
    manifest = json.loads(members["manifest.json"])
    for name in manifest["members"]:
        manifest["members"][name] = hashlib.sha256(members[name]).hexdigest()
    for side in ("a", "b"):
        seen = examine(members[manifest[side]["transcript"]])
        manifest[side] |= {"sha256": seen.sha256, "lines": seen.lines, "seal": seen.seal}
    return members | {"manifest.json": json.dumps(manifest).encode()}


def rechained(raw: bytes, at: int, change: Mapping[str, object]) -> bytes:
    chain, result = CHAIN_START, b""
    for number, line in enumerate(map(json.loads, raw.splitlines())):
        del line["chain"]
        if number == at:
            line.update(change)
            del line["raw"]
        new, chain = encode_line(line, chain)
        result += new
    return result


def test_a_bundle_holds_everything_and_is_identical(bundle: Path) -> None:
    assert sorted(members_of(bundle)) == [
        "case.json", "manifest.json", "suite.json", "transcripts/a.jsonl", "transcripts/b.jsonl",
    ]  # fmt: skip
    report = verify_bundle(bundle)
    assert report.result == "identical"
    assert not report.problems and not report.differences and not report.missing
    assert "transcript A: 16 lines, chain intact" in report.notes
    manifest = read_bundle(bundle).manifest
    assert manifest.versions["python"] and manifest.versions["numpy"]
    assert "phrasing" in manifest.comparators


def test_the_same_files_give_the_same_bytes(folder: Path, bundle: Path) -> None:
    made = make_bundle(folder / "case.json", folder / "again.zip")
    assert (folder / "again.zip").read_bytes() == bundle.read_bytes()
    assert made.seal == hashlib.sha256(members_of(bundle)["manifest.json"]).hexdigest()


def test_one_changed_answer_is_found_and_named(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    changed = members["transcripts/b.jsonl"].replace(b'"text":"About', b'"text":"Around', 1)
    report = verify_bundle(
        write_zip(tmp_path / "x.zip", members | {"transcripts/b.jsonl": changed})
    )
    assert report.result == "different"
    assert any("does not have the hash" in text for text in report.problems)
    assert any(text.startswith("transcript B, line 1: it was edited") for text in report.problems)
    assert any("'Around Tell" in str(d) for d in report.differences)
    assert any(d.where.startswith("evidence › phrasing › score") for d in report.differences)


def test_an_answer_changed_with_all_hashes_made_anew_is_found(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    forged = rechained(members["transcripts/a.jsonl"], 3, {"text": "Quite another answer."})
    members |= {"transcripts/a.jsonl": forged}
    case = json.loads(members["case.json"])
    case["a"]["transcript_sha256"] = hashlib.sha256(forged).hexdigest()
    members |= {"case.json": json.dumps(case).encode()}
    report = verify_bundle(write_zip(tmp_path / "x.zip", with_fitting_hashes(members)))
    assert report.result == "different"
    assert not report.problems
    assert any("Quite another" in str(d) for d in report.differences)


def test_a_changed_score_or_verdict_is_found(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    case = json.loads(members["case.json"])
    case["evidence"][0]["score"] += 0.01
    case["verdict"]["headline"] = "They are the same model."
    members |= {"case.json": json.dumps(case).encode()}
    report = verify_bundle(write_zip(tmp_path / "x.zip", with_fitting_hashes(members)))
    [score] = report.differences
    assert score.where == f"evidence › {case['evidence'][0]['comparator']} › score"
    assert [d.where for d in report.wording] == ["verdict › headline, from character 1 on"]
    assert report.result == "different"


def _with_case(bundle: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write the bundle with a case that was changed, all hashes made anew."""
    members = members_of(bundle)
    case = json.loads(members["case.json"])
    change(case)
    return write_zip(path, with_fitting_hashes(members | {"case.json": json.dumps(case).encode()}))


def test_other_words_for_the_same_data_are_said_to_be_just_that(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def in_old_words(case: dict[str, Any]) -> None:
        case["version"] = "0.0.9"
        case["verdict"]["headline"] = "In the words of another time."
        case["evidence"][0]["caveats"] = ["It was said otherwise."]

    path = _with_case(bundle, tmp_path / "x.zip", in_old_words)
    report = verify_bundle(path)
    assert report.result == "reworded"
    assert not report.problems and not report.differences and not report.missing
    assert run(["verify", str(path)]) == 0
    said = capsys.readouterr().out
    assert "made by version 0.0.9; wording differs" in said
    assert "identical" not in said
    assert "In the words of another" in said


def test_what_another_version_did_not_record_yet_is_no_difference(
    bundle: Path, tmp_path: Path
) -> None:
    def of_an_earlier_version(case: dict[str, Any]) -> None:
        case["version"] = "0.0.9"
        del case["evidence"][0]["noise_floor"]

    report = verify_bundle(_with_case(bundle, tmp_path / "x.zip", of_an_earlier_version))
    assert (report.result, report.differences) == ("reworded", ())
    assert any("noise_floor" in note for note in report.notes)


def test_what_this_version_would_have_recorded_is_missed(bundle: Path, tmp_path: Path) -> None:
    def cut(case: dict[str, Any]) -> None:
        del case["evidence"][0]["noise_floor"]

    report = verify_bundle(_with_case(bundle, tmp_path / "x.zip", cut))
    assert report.result == "different"
    assert [d.where.split(" › ")[-1] for d in report.differences] == ["noise_floor"]


def test_evidence_that_stands_there_twice_is_found(bundle: Path, tmp_path: Path) -> None:
    def twice(case: dict[str, Any]) -> None:
        case["evidence"].insert(0, case["evidence"][0] | {"score": 0.99})

    report = verify_bundle(_with_case(bundle, tmp_path / "x.zip", twice))
    assert report.result == "different"


def test_a_last_digit_is_neither_identical_nor_different(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    case = json.loads(members["case.json"])
    case["evidence"][0]["score"] *= 1 + 1e-12
    members |= {"case.json": json.dumps(case).encode()}
    path = write_zip(tmp_path / "x.zip", with_fitting_hashes(members))
    assert verify_bundle(path).result == "partly"
    assert run(["verify", str(path)]) == 3


def test_a_comparator_that_is_not_here_is_said_not_to_be_derived(
    folder: Path, tmp_path: Path
) -> None:
    case = json.loads((folder / "case.json").read_text())
    [first] = [e for e in case["evidence"] if e["comparator"] == "identity"]
    case["evidence"].insert(0, first | {"comparator": "elsewhere", "title": "Elsewhere"})
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    make_bundle(path, tmp_path / "x.zip", [folder / "first.jsonl", folder / "second.jsonl"])
    report = verify_bundle(tmp_path / "x.zip")
    assert [text.split(":")[0] for text in report.missing] == ["elsewhere"]
    assert all(not d.where.startswith("evidence") for d in report.differences)


def test_live_subjects_cut_to_part_of_a_suite_and_a_file_that_grew(tmp_path: Path) -> None:
    probe(tmp_path, "recorded")
    case = tmp_path / "case.json"
    with speaker("live") as server:
        live = ["compare", f"transcript:{tmp_path / 'recorded.jsonl'}"]
        live += [f"openai:live@{server.url}", "--transcripts", str(tmp_path / "kept")]
        live += ["--suite", str(tmp_path / "suite.json"), "--without", "embedding"]
        assert run([*live, "--limit", "10", *ONCE, "--json", str(case)]) == 0
        assert run([*live, *ONCE, "--samples", "2", "--json", str(tmp_path / "later.json")]) == 0
    [grown] = (tmp_path / "kept").glob("*.jsonl")
    assert grown.read_bytes().count(b"\n") == 2 * PROMPTS
    make_bundle(case, tmp_path / "x.zip")
    read = read_bundle(tmp_path / "x.zip")
    assert read.manifest.suite.cut
    assert read.manifest.b.lines == 10
    assert verify_bundle(tmp_path / "x.zip").result == "identical"
    make_bundle(tmp_path / "later.json", tmp_path / "later.zip")
    assert verify_bundle(tmp_path / "later.zip").result == "identical"


def test_a_live_subject_asked_a_transcripts_prompts(tmp_path: Path) -> None:
    probe(tmp_path, "recorded")
    case = tmp_path / "case.json"
    with speaker("live") as server:
        subjects = [f"transcript:{tmp_path / 'recorded.jsonl'}", f"openai:live@{server.url}"]
        options = ["--transcripts", str(tmp_path), "--without", "embedding", "--limit", "10"]
        options += ONCE
        assert run(["compare", *subjects, *options, "--json", str(case)]) == 0
    make_bundle(case, tmp_path / "x.zip")
    assert verify_bundle(tmp_path / "x.zip").result == "identical"


def test_a_transcript_is_found_by_its_hash_wherever_it_is(folder: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"moved-{name}.jsonl").write_bytes((folder / f"{name}.jsonl").read_bytes())
    case = json.loads((folder / "case.json").read_text())
    for side in ("a", "b"):
        case[side] |= {"spec": "transcript:gone.jsonl", "name": "gone", "transcript_path": None}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    with pytest.raises(InputFileError, match=r"transcript of A .* not found; name it with"):
        make_bundle(path, tmp_path / "x.zip")
    moved = [tmp_path / "moved-second.jsonl", tmp_path / "moved-first.jsonl"]
    make_bundle(path, tmp_path / "x.zip", moved)
    assert verify_bundle(tmp_path / "x.zip").result == "identical"
    moved[0].write_bytes(moved[0].read_bytes()[5:])
    with pytest.raises(InputFileError, match=r"transcript of B .* changed since"):
        make_bundle(path, tmp_path / "x.zip", moved)


def test_a_suite_that_changed_is_refused(tmp_path: Path) -> None:
    a, b = probe(tmp_path, "a"), probe(tmp_path, "b")
    case = make_case(tmp_path, a, b, "--suite", str(tmp_path / "suite.json"))
    text = (tmp_path / "suite.json").read_text()
    (tmp_path / "suite.json").write_text(text.replace("Tell me", "Say something"))
    with pytest.raises(InputFileError, match="changed since"):
        make_bundle(case, tmp_path / "x.zip")
    (tmp_path / "old.json").write_text(text)
    make_bundle(case, tmp_path / "x.zip", suite=str(tmp_path / "old.json"))
    assert verify_bundle(tmp_path / "x.zip").result == "identical"


def test_the_seal_tells_one_bundle_from_another(bundle: Path) -> None:
    seal = read_bundle(bundle).seal
    assert verify_bundle(bundle, seal.upper()).result == "identical"
    report = verify_bundle(bundle, "0" * 64)
    assert report.result == "different"
    assert "seal" in report.problems[0]


def test_added_and_missing_members_are_named(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    added = write_zip(tmp_path / "x.zip", members | {"notes.txt": b"hello"})
    assert read_bundle(added).problems == (
        "notes.txt is not listed in manifest.json: it was added",
    )
    del members["suite.json"]
    with pytest.raises(InputFileError, match=r"has no suite\.json"):
        read_bundle(write_zip(tmp_path / "y.zip", members))


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil", "a/../../evil", "..\\evil", "C:evil", "x\x1b[31m", "."]
)
def test_member_names_that_leave_the_folder_are_refused(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    path = write_zip(tmp_path / "x.zip", members_of(bundle) | {name: b"x"})
    with pytest.raises(InputFileError, match="a member named") as caught:
        read_bundle(path)
    assert "\x1b" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("case.json", b"0" * (80 << 20))
    return buffer.getvalue()


def _many() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(100):
            archive.writestr(f"{i}", b"")
    return buffer.getvalue()


def _twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("case.json", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("case.json", b"2")
    return buffer.getvalue()


def _link() -> bytes:
    buffer = io.BytesIO()
    info = zipfile.ZipInfo("case.json")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, b"/etc/passwd")
    return buffer.getvalue()


def _lying_size() -> bytes:
    """A member that says it is small: what is inflated must not exceed that."""
    raw = bytearray(_bomb())
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(raw)


def test_a_lying_size_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(_lying_size())
    tracemalloc.start()
    with pytest.raises(InputFileError):
        read_bundle(path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [_bomb, _many, _twice, _link, _lying_size, lambda: b"PK\x03\x04", lambda: b"PK\x03\x04" * 99,
     lambda: b"PK\x05\x06" + b"\0" * 18],
)  # fmt: skip
def test_hostile_zips_give_one_line(
    content: object, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert callable(content)
    path = tmp_path / "x.zip"
    path.write_bytes(content())
    assert run(["verify", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("forensics: ") and err.count("\n") == 1
    assert "internal error" not in err


@pytest.mark.parametrize(
    "name", ["manifest.json", "case.json", "suite.json", "transcripts/a.jsonl"]
)
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 50_000, b"\xff\xfe", b'{"a":NaN}', b'{"prompts":[1]}']
)
def test_hostile_members_give_one_line(
    bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    path = write_zip(tmp_path / "x.zip", members_of(bundle) | {name: content})
    assert run(["verify", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("forensics: ") and err.count("\n") == 1
    assert "internal error" not in err
    assert str(tmp_path.parent) not in err.replace(str(path), "")


def test_a_bit_flipped_in_the_zip_is_found(bundle: Path, tmp_path: Path) -> None:
    raw = bytearray(bundle.read_bytes())
    raw[200] ^= 1
    path = tmp_path / "x.zip"
    path.write_bytes(raw)
    with pytest.raises(InputFileError, match="not a readable ZIP"):
        read_bundle(path)


def test_a_suite_goes_into_a_bundle_and_comes_back() -> None:
    prompts = (
        Prompt("Any id / at all", (Message("user", "\ud800 lone"),), "c", "en"),
        Prompt("two", (Message("system", "s"), Message("user", "u")), "c", "fi"),
    )
    suite = Suite("ad-hoc", "1", "t", prompts)
    back = suite_from_json(suite_to_json(suite))
    assert back.prompts == prompts
    assert back.sha256 == suite.sha256
    textless = Prompt("ref", ())
    textless.__dict__["sha256"] = "a" * 64
    again = suite_from_json(suite_to_json(Suite("r", "1", "t", (textless,))))
    assert again.prompts[0].sha256 == "a" * 64


def test_another_refusal_classifier_is_named_and_not_called_a_difference(
    bundle: Path, tmp_path: Path
) -> None:
    members = members_of(bundle)
    case = json.loads(members["case.json"])
    (refusal,) = (one for one in case["evidence"] if one["comparator"] == "refusal")
    assert refusal["details"]["classifier"] == classifier_id()
    refusal["details"]["classifier"] = "0123456789abcdef"
    changed = with_fitting_hashes(members | {"case.json": json.dumps(case).encode()})
    report = verify_bundle(write_zip(tmp_path / "other.zip", changed))
    assert report.result == "partly"
    assert report.differences == ()
    assert [why for why in report.missing if "another refusal classifier" in why]
