"""Details of evidence: typed where their form is known, written again as they were read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from forensics.case.details.details_record import Details, OtherDetails
from forensics.case.details.kinds import KINDS, read_details
from forensics.case.details.reference import LikenessDetails
from forensics.case.details.tokenizer import SharedMerges
from forensics.case.document import case_schema
from forensics.case.evidence import Evidence

ARTEFACTS = Path(__file__).parents[1] / "compatibility" / "frozen" / "artefacts"
COUNTED = {"labels_a": {"full_refusal": 2}, "phrases_a": [["no", 2]]}
COUNTED |= {"labels_b": {"full_refusal": 1}, "phrases_b": []}


def _documents() -> Iterator[Mapping[str, Any]]:
    for path in (ARTEFACTS / "cases").glob("*.json"):
        yield json.loads(path.read_bytes())
    for path in (ARTEFACTS / "bundles").glob("*.zip"):
        with zipfile.ZipFile(path) as bundle:
            yield json.loads(bundle.read("case.json"))


def _evidence(comparator: str, details: object) -> Evidence:
    return Evidence.model_validate(
        {"comparator": comparator, "title": "A title", "status": "ok", "details": details}
    )


def test_details_of_old_cases_are_typed_and_written_as_they_were() -> None:
    kinds = set()
    for document in _documents():
        for entry in document["evidence"]:
            evidence = Evidence.model_validate(entry)
            written = json.dumps(evidence.model_dump()["details"])
            assert written == json.dumps(entry["details"])
            assert json.dumps(evidence.details.written()) == written
            if entry["details"]:
                assert type(evidence.details) is KINDS[entry["comparator"]]
                kinds.add(entry["comparator"])
    assert len(kinds) > 15


@pytest.mark.parametrize(
    "details",
    [
        {"labels_a": "of a later version"},
        COUNTED | {"labels_a": {"full_refusal": 2.0}},
        COUNTED | {"labels_a": {"full_refusal": True}},
        COUNTED | {"agreement_by_language": {"en": float("nan")}},
    ],
)
def test_details_of_another_form_stay_what_they_are(details: dict[str, Any]) -> None:
    found = read_details("refusal", details)
    assert type(found) is Details
    assert json.dumps(found.written()) == json.dumps(details)


def test_entries_of_later_versions_stay_beside_those_that_are_known() -> None:
    found = read_details("refusal", COUNTED | {"later": [{"x": 1}]})
    assert type(found) is KINDS["refusal"]
    assert found.written() == COUNTED | {"later": [{"x": 1}]}


def test_what_a_plugin_records_is_kept_and_read_where_it_is_known() -> None:
    evidence = _evidence("of_a_plugin", {"p_value_is_approximate": True, "copy": 1, "x": [1.0]})
    assert isinstance(evidence.details, OtherDetails)
    assert evidence.details.p_value_is_approximate
    assert evidence.details.written() == {"p_value_is_approximate": True, "copy": 1, "x": [1.0]}
    changed = evidence.model_copy(update={"details": {"reading": "one vocabulary"}})
    assert changed.details == OtherDetails(reading="one vocabulary")
    assert type(changed.model_copy(update={"details": {"reading": 3}}).details) is Details


def test_a_name_that_is_no_unicode_loses_only_what_is_not() -> None:
    found = read_details("of_a_plugin", {"name \ud800": "text \ud800", "x": {"key \ud800": 1}})
    assert found.written() == {"name ?": "text \ud800", "x": {"key \ud800": 1}}


def test_what_is_not_given_is_not_written() -> None:
    setting = {"cohort": "small", "cohort_sha256": "0"}
    setting |= {"known_as": {"a": None, "b": "s3"}, "released": {"a": "", "b": "2024-06"}}
    evidence = _evidence("likeness", setting)
    assert isinstance(evidence.details, LikenessDetails)
    assert evidence.details.log10_lr_bounds is None
    assert evidence.model_dump()["details"] == setting
    assert SharedMerges(a=1, b=2, shared=0, share_of_fewer=0.0).written()["share_of_fewer"] == 0.0


def test_the_schema_describes_every_kind() -> None:
    definitions = case_schema()["$defs"]
    for kind in (*KINDS.values(), OtherDetails):
        assert set(kind.model_fields) == set(definitions[kind.__name__]["properties"])
    listed = definitions["Evidence"]["properties"]["details"]["anyOf"]
    assert listed[-1] == {"$ref": "#/$defs/Details"}
