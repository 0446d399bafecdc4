"""The result of a check as other programs read it: JSON by a published schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from forensics.support.resources import data_folder
from tests.builders import essays, write
from tests.cli.cli import forensics
from tests.loopback import error_reply

SCHEMA = data_folder("reports") / "check.schema.json"
POLICY = 'comparators = ["openings"]\n[[against]]\nsubject = "a.jsonl"\n'
SIMILAR = "[rules.max-similarity]\nlimits = { openings = 0.2 }\n"
KINSHIP = "[rules.undeclared-kinship]\n"


@pytest.fixture(name="check")
def check_fixture(tmp_path):
    """Give a run of the command in a process of its own that returns its JSON document."""
    write(tmp_path / "a.jsonl", essays(20))
    write(tmp_path / "b.jsonl", essays(20, 1))
    write(tmp_path / "same.jsonl", [f"{text} \ud800<script>" for text in essays(20)])

    def call(policy: str, *arguments: object, code: int) -> Any:
        (tmp_path / "forensics.toml").write_text(POLICY + policy)
        result = forensics("check", *arguments, "--json", "-", cwd=tmp_path)
        assert result.code == code, result.err
        return json.loads(result.out)

    return call


def _validator() -> jsonschema.Draft202012Validator:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    return jsonschema.Draft202012Validator(published)


def test_every_result_follows_it_whatever_came_out(check, loopback):
    server = loopback(lambda call: error_reply(400, "no"))
    allowed = (
        '[[allow]]\nrule = "max-similarity"\nreason = "ours"\nexpires = 2999-12-31\n[declared]\n'
        'base_models = ["org/x"]\n'
    )
    for policy, arguments, code in (
        (SIMILAR, ("b.jsonl",), 0),
        (SIMILAR, ("same.jsonl",), 1),
        (SIMILAR + allowed, ("same.jsonl",), 0),
        (KINSHIP, ("b.jsonl", "--strict"), 3),
        (KINSHIP, (f"openai:m@{server.url}",), 4),
    ):
        document = check(policy, *arguments, code=code)
        _validator().validate(document)
        assert document["exit_code"] == code


def test_a_document_of_another_form_is_refused(check):
    document = check(SIMILAR, "same.jsonl", code=1)
    for change in (
        {"exit_code": 5},
        {"status": "fine"},
        {"outcomes": [{"rule": "none"}]},
        {"cases": [{"verdict": "guilty"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            _validator().validate(document | change)
