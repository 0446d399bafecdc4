from __future__ import annotations

from collections.abc import Iterator

import pytest

from forensics.case.document import Case
from forensics.case.evidence import Evidence, Exhibit, Record
from forensics.custody.compared_fields import FIELDS, parts


def _records(root: type[Record]) -> Iterator[type[Record]]:
    yield root
    for field in root.model_fields.values():
        for inner in _inside(field.annotation):
            yield from _records(inner)


def _inside(annotation: object) -> Iterator[type[Record]]:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _inside(inner)


@pytest.mark.parametrize("record", sorted(set(_records(Case)), key=lambda one: one.__name__))
def test_every_field_of_a_case_is_in_exactly_one_list(record: type[Record]) -> None:
    fields = FIELDS[record]
    lists = (fields.data, fields.wording, fields.recorded)
    listed = [name for names in lists for name in names]
    assert sorted(listed) == sorted(record.model_fields)


def test_no_record_is_listed_that_is_not_in_a_case() -> None:
    assert set(FIELDS) == set(_records(Case))


def test_sentences_are_kept_apart_at_any_depth() -> None:
    shown = Exhibit(
        prompt_sha256="0", prompt_id="p", side="for", score=1, sample_a=0, sample_b=0, note="Why."
    )
    details = {"conditions": [{"met": True, "text": "Enough."}], "cohort": "small"}
    found = parts(
        Evidence(comparator="c", title="A title", status="ok", exhibits=(shown,), details=details)
    )
    assert found.data["details"] == {"conditions": [{"met": True}], "cohort": "small"}
    assert found.data["exhibits"]["1"]["side"] == "for"
    assert "title" not in found.data
    assert found.wording["exhibits"]["1"] == {"note": "Why."}
    assert found.wording["details"] == {"conditions": {"1": {"text": "Enough."}}}
    assert found.wording["title"] == "A title"
