"""Whatever is forged in a bundle, all hashes made anew: found, or named as not derived again."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.custody.bundle import make_bundle
from forensics.custody.verification import BundleReport, verify_bundle
from forensics.evidence.comparator import MIN_PROMPTS
from tests.chained import make_case, probe
from tests.custody.test_bundle import members_of, with_fitting_hashes, write_zip

Place = tuple[str | int, ...]
_SAMPLE = 40


@pytest.fixture(scope="module", name="members")
def members_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("forged")
    few = (MIN_PROMPTS,)
    a, b = probe(folder, "first", counts=few), probe(folder, "second", counts=few)
    make_case(folder, a, b, "--only", "phrasing")
    make_bundle(folder / "case.json", folder / "case.zip")
    return members_of(folder / "case.zip")


def _leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*place, key))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, (*place, number))
        yield place  # an item less
    else:
        yield place


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        # A hash stays a hash.
        return ("1" if value[:1] == "0" else "0") + value[1:] if len(value) == 64 else value + " x"
    if value is None:
        return "x"
    return value[:-1] if value else ["x"]


def _forged(document: Any, place: Place) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = _other(inner[place[-1]])
    return changed


def _verified(
    members: dict[str, bytes], name: str, document: Any, path: Path
) -> BundleReport | None:
    changed = members | {name: json.dumps(document).encode()}
    if name != "manifest.json":
        changed = with_fitting_hashes(changed)
    try:
        return verify_bundle(write_zip(path, changed))
    except Exception as error:
        # What cannot be read is refused in one line.
        assert type(error).__name__ in ("InputFileError", "UsageError"), error
        return None


def _is_named(report: BundleReport, place: Place) -> bool:
    """Tell whether the report says that this field, or what it stands in, was not derived."""
    names = [str(step + 1) if isinstance(step, int) else str(step) for step in place]
    said = [text.split(" (")[0].split(":")[0] for text in report.underived]
    return any(" › ".join(names[: n + 1]) in said for n in range(len(names)))


def test_what_is_forged_in_a_case_is_found_or_named(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    places = list(_leaves(json.loads(members["case.json"])))
    # Of places of one kind, such as each answer's text, only some.
    chosen = random.Random(14).sample(places, _SAMPLE)
    chosen += [place for place in places if len(place) == 1]
    document = json.loads(members["case.json"])
    missed = []
    for place in chosen:
        report = _verified(members, "case.json", _forged(document, place), tmp_path / "x.zip")
        if report and report.result == "identical" and not _is_named(report, place):
            missed.append(place)
    assert not missed


@pytest.mark.parametrize(
    ("name", "named"),
    [("suite.json", {"license", "max_tokens"}), ("manifest.json", {"version", "versions"})],
)
def test_what_is_forged_beside_the_case_is_found_or_named(
    members: dict[str, bytes], tmp_path: Path, name: str, named: set[str]
) -> None:
    document = json.loads(members[name])
    missed = []
    places = list(_leaves(document))
    for place in random.Random(14).sample(places, min(20, len(places))):
        report = _verified(members, name, _forged(document, place), tmp_path / "x.zip")
        if report and report.result == "identical" and not named & set(place):
            missed.append(place)
    assert not missed
    said = " ".join(_verified(members, name, document, tmp_path / "x.zip").underived)  # type: ignore[union-attr]
    assert "suite.json: license and token limits" in said
    assert "manifest.json: versions of program and libraries" in said


def _case_changed(
    members: dict[str, bytes], path: Path, change: Callable[[dict[str, Any]], object]
) -> BundleReport:
    case = json.loads(members["case.json"])
    change(case)
    report = _verified(members, "case.json", case, path)
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda case: case.update(ledger=[]), "the ledger has no entry"),
        (lambda case: case.update(masked=True), "the case is masked"),
        (lambda case: case["a"].update(name="gpt-4o"), "name of A"),
        (
            lambda case: case["b"].update(spec="openai:gpt-4o@https://x/v1"),
            "not a subject of its kind",
        ),
        (lambda case: case["b"].update(kind="demo"), "not a subject of its kind"),
        (lambda case: case["b"].update(transcript_path="z.jsonl"), "is not the file"),
        (
            lambda case: case["evidence"].append(case["evidence"][0]),
            "two entries of evidence called phrasing",
        ),
        (
            lambda case: (case["a"], case["b"]) == case.update(a=case["b"], b=case["a"]),
            "transcript A is not the file",
        ),
    ],
)
def test_contradictions_are_named(
    members: dict[str, bytes], tmp_path: Path, change: Callable[[Any], object], says: str
) -> None:
    report = _case_changed(members, tmp_path / "x.zip", change)
    assert report.result == "different"
    assert any(says in problem for problem in report.problems), report.problems


def test_relatives_without_a_cohort_are_found(members: dict[str, bytes], tmp_path: Path) -> None:
    kin = [{"name": "gpt-4o", "developer": "OpenAI", "score": 9.5}]
    invented = {"cohort": "alpaca-eval", "a": kin, "b": kin, "newick": None}
    report = _case_changed(members, tmp_path / "x.zip", lambda c: c.update(relatives=invented))
    assert report.result == "different"


def test_evidence_that_was_left_out_is_missed(tmp_path: Path) -> None:
    make_case(tmp_path, probe(tmp_path, "first"), probe(tmp_path, "second"), "--without", "style")
    make_bundle(tmp_path / "case.json", tmp_path / "case.zip")
    members = members_of(tmp_path / "case.zip")
    manifest = json.loads(members["manifest.json"])

    def without_refusals(case: dict[str, Any]) -> None:
        case["evidence"] = [e for e in case["evidence"] if e["comparator"] != "refusal"]

    manifest["comparators"].remove("refusal")
    members |= {"manifest.json": json.dumps(manifest).encode()}
    report = _case_changed(members, tmp_path / "x.zip", without_refusals)
    assert any("refusal: the ledger asks for it" in problem for problem in report.problems)

    def unmeasured(case: dict[str, Any]) -> None:
        [entry] = [e for e in case["evidence"] if e["comparator"] == "phrasing"]
        entry |= {"status": "not_measured", "score": None, "per_prompt": [], "exhibits": []}

    report = _case_changed(members_of(tmp_path / "case.zip"), tmp_path / "x.zip", unmeasured)
    assert report.result == "different" or any("phrasing" in text for text in report.missing)


def test_a_field_that_this_version_does_not_know_is_named(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    report = _case_changed(
        members, tmp_path / "x.zip", lambda c: c["verdict"].update(certainty="beyond doubt")
    )
    assert report.result == "partly"
    assert report.missing == ("verdict › certainty: this version does not know it",)


def test_a_field_that_stands_there_twice_is_found(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    doubled = members["case.json"].replace(b'"verdict": {', b'"verdict": {}, "verdict": {', 1)
    assert doubled != members["case.json"]
    path = write_zip(tmp_path / "x.zip", with_fitting_hashes(members | {"case.json": doubled}))
    assert "case.json has one field twice" in " ".join(verify_bundle(path).problems)


def test_a_member_that_the_manifest_lists_but_no_bundle_has_is_found(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["README.md"] = hashlib.sha256(b"B is a copy.").hexdigest()
    more = {"README.md": b"B is a copy.", "manifest.json": json.dumps(manifest).encode()}
    report = verify_bundle(write_zip(tmp_path / "x.zip", members | more))
    assert "README.md is not part of a bundle" in report.problems


def test_a_new_whole_is_said_to_be_seen_by_the_seal_only(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "x.zip", members)
    found = verify_bundle(path)
    assert any("rewritten as a whole" in note for note in found.notes)
    assert not any("rewritten" in note for note in verify_bundle(path, found.seal).notes)
