"""What is published of the formats is what the code reads and writes."""

from __future__ import annotations

import json

import jsonschema
import pytest

from forensics.report.schemas import SCHEMAS
from forensics.support.resources import data_folder


def test_every_published_schema_is_made_here():
    published = {path.name for path in data_folder("reports").glob("*.schema.json")}
    assert published == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_published_schema_is_that_of_the_code(name):
    text = (data_folder("reports") / name).read_text(encoding="utf-8")
    assert json.loads(text) == SCHEMAS[name](), "regenerate it: make schemas"
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
