"""What was chosen and asked: typed where it is read, written again entry for entry."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.case.document import Case, LedgerEntry
from forensics.case.run_records import CaseManifest, CaseSuite, LedgerSettings

ARTEFACTS = Path(__file__).parents[1] / "compatibility" / "frozen" / "artefacts"


def _documents() -> Iterator[dict[str, Any]]:
    for path in (ARTEFACTS / "cases").glob("*.json"):
        yield json.loads(path.read_bytes())
    for path in (ARTEFACTS / "bundles").glob("*.zip"):
        with zipfile.ZipFile(path) as bundle:
            yield json.loads(bundle.read("case.json"))


def test_old_cases_are_read_by_name_and_written_as_they_were() -> None:
    manifests = 0
    for document in _documents():
        case = Case.model_validate(document)
        again = case.model_dump()
        assert json.dumps(again["suite"]) == json.dumps(document["suite"])
        assert case.suite.sha256 == document["suite"]["sha256"]
        for letter, side in (("a", case.a), ("b", case.b)):
            written = document[letter]["manifests"]
            assert json.dumps(again[letter]["manifests"]) == json.dumps(written)
            for manifest, entry in zip(side.manifests, written, strict=True):
                assert manifest.identity.model == entry["identity"].get("model", "")
                assert manifest.subject == entry["subject"] != ""
                manifests += 1
        for entry, written in zip(again["ledger"], document["ledger"], strict=True):
            assert json.dumps(entry["settings"]) == json.dumps(written["settings"])
        for entry, written in zip(case.ledger, document["ledger"], strict=True):
            assert entry.settings.cut == written["settings"].get("cut")
    assert manifests > 10


@pytest.mark.parametrize(
    "odd",
    [{"name": 3}, {"sha256": ["x"], "name": "core"}, {"version": None}, {"z": {"\ud800": 1.0}}, {}],
)
def test_an_entry_of_another_form_reads_as_absent_and_stays(odd: dict[str, Any]) -> None:
    suite = CaseSuite.model_validate(odd)
    assert suite.model_dump() == odd
    assert json.dumps(suite.written()) == json.dumps(odd)
    assert suite.sha256 is None
    assert suite.name == (odd.get("name") if isinstance(odd.get("name"), str) else "")


def test_a_nested_entry_of_another_form_leaves_its_neighbours_readable() -> None:
    given = {"identity": {"model": 7, "commit": "c" * 40}, "later": True, "subject": "hf:x/y"}
    manifest = CaseManifest.model_validate(given)
    assert (manifest.identity.model, manifest.identity.commit) == ("", "c" * 40)
    assert json.dumps(manifest.model_dump()) == json.dumps(given)


def test_what_was_not_chosen_is_not_in_the_ledger() -> None:
    chosen = LedgerSettings(cut=False, suite=None, only=("style",), limit=None, blind=False)
    assert json.dumps(chosen.as_chosen().written()) == json.dumps(
        {"cut": False, "suite": None, "only": ["style"]}
    )


def test_a_copy_keeps_what_was_given_and_reads_mappings() -> None:
    entry = LedgerEntry(at="now", what="compare", settings=LedgerSettings(cut=True, suite="core"))
    copy = entry.model_copy(update={"settings": {"cut": False, "later": 1}})
    assert copy.settings.cut is False
    assert copy.model_dump()["settings"] == {"cut": False, "later": 1}
    limited = entry.settings.model_copy(update={"limit": 3})
    assert limited.written() == {"cut": True, "suite": "core", "limit": 3}
    assert limited.limit == 3
    assert limited != entry.settings
