from __future__ import annotations

import json

import jsonschema
import pytest

from forensics.case.document import Case, case_schema, case_to_json, read_case
from forensics.errors import InputFileError
from forensics.evidence import load_comparators
from forensics.suites.suite import Suite
from forensics.support.files import write_text
from forensics.testing import HOSTILE_TEXTS
from forensics.verdicts.compare import compare, measure, restrict
from tests.builders import essays, examined, prompt


def _case(a: list[str], b: list[str], **options: object) -> Case:
    comparators = load_comparators(without=["embedding"])
    return compare(examined(a, "a"), examined(b, "b"), comparators, **options)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (essays(20), essays(20, 1)),
        (essays(20), [""] * 20),
        (list(HOSTILE_TEXTS), list(HOSTILE_TEXTS)[::-1]),
        ([], essays(3)),
    ],
)
def test_every_case_follows_the_schema_and_survives_the_disk(tmp_path, a, b):
    case = _case(a, b)
    text = case_to_json(case)
    validator = jsonschema.Draft202012Validator(case_schema())
    validator.validate(json.loads(text))
    path = tmp_path / "case.json"
    write_text(path, text)
    assert read_case(path) == case
    assert text.isascii()


def test_lone_surrogates_in_answers_are_not_lost(tmp_path):
    path = tmp_path / "case.json"
    write_text(path, case_to_json(_case(list(HOSTILE_TEXTS), list(HOSTILE_TEXTS))))
    texts = {response.text for prompt in read_case(path).prompts for response in prompt.a}
    assert set(HOSTILE_TEXTS) == texts


def test_the_same_answers_give_the_same_case_but_for_the_time():
    one, two = (_case(essays(20), essays(20, 1)) for _ in range(2))
    timeless = {"created_at": "", "ledger": ()}
    assert one.model_copy(update=timeless) == two.model_copy(update=timeless)


def test_counts_of_blank_and_failed_answers_are_kept():
    case = _case(essays(10) + [""] * 5, essays(15, 1))
    assert (case.a.answers, case.a.empty, case.overlap.both) == (10, 5, 10)
    assert len(case.prompts) == 15


def test_fields_of_later_minor_versions_are_ignored(tmp_path):
    document = json.loads(case_to_json(_case(essays(10), essays(10, 1))))
    document |= {"schema_version": "1.7", "new_field": 1}
    document["verdict"]["other"] = [1]
    path = tmp_path / "case.json"
    path.write_text(json.dumps(document))
    assert read_case(path).schema_version == "1.7"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a case"),
        (b"null", "not a case"),
        (b"{}", "not a case"),
        (b'{"schema_version": "2.0"}', "upgrade"),
        (b'{"schema_version": "1.0", "created_at": 5}', "not a case"),
    ],
)
def test_what_is_no_case_is_explained_in_one_line(tmp_path, content, says):
    path = tmp_path / "case.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=says) as caught:
        read_case(path)
    assert "\n" not in str(caught.value)


def test_a_suite_cuts_the_comparison_and_lends_its_ids():
    suite = Suite("s", "1", "S", tuple(prompt(i) for i in range(5, 15)))
    cut = restrict(examined(essays(20)), suite)
    assert {a.prompt_sha256 for a in cut.answers} == {p.sha256 for p in suite.prompts}
    case = _case(essays(20), essays(20, 1), suite=suite)
    assert (case.overlap.both, case.suite["name"]) == (10, "s")


def test_a_need_that_is_not_met_is_a_status_not_a_crash():
    class Weights:
        name, title, tier = "weights", "Weights", "weights"
        needs, symmetric = frozenset({"weights"}), True

    evidence = measure(Weights(), examined(essays(9)), examined(essays(9)))
    assert (evidence.status, evidence.reason) == ("not_measured", "needs weights of both")
