"""What pages say of the code is so: made pages hold all of it, written ones miss nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from forensics.cli import VERBS
from forensics.evidence import BUILT_IN
from forensics.exitcodes import ExitCode
from forensics.fleet.job_model import job_schema
from forensics.policy.model import policy_schema
from forensics.report.formats import BUILT_IN as REPORT_FORMATS
from forensics.report.glossary import TERMS
from forensics.subjects.subject import BUILT_IN_KINDS
from forensics.transcripts.importers.registry import formats
from forensics.workflows.panels.panel_format import panel_schema
from studies.documentation.evidence import comparators_page, formats_page
from studies.documentation.glossary import glossary_page
from studies.documentation.schemas import case_page, fleet_page, panel_page, policy_page
from studies.documentation.tables import plain, table
from studies.documentation.verbs import verbs_page
from tests.studies.documentation.built_site import ROOT

REFERENCE = ROOT / "docs" / "reference"


def _cells(page: str) -> Iterator[list[str]]:
    for line in page.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def _first_cells(page: str) -> set[str]:
    return {cells[0].strip("`") for cells in _cells(page)}


def _written(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_every_verb_has_its_options_and_examples() -> None:
    page = verbs_page()
    for verb in VERBS:
        assert f"\n## `forensics {verb}`\n" in page
    assert "### `forensics cohort build`" in page
    assert "| `--max-output-tokens N` | Refuse to ask for more answer tokens than this." in page
    assert "\nforensics compare transcript:a.jsonl transcript:b.jsonl --json case.json\n" in page


def test_every_exit_code_stands_beside_every_verb() -> None:
    page = _written("exit-codes.md")
    assert {str(int(code)) for code in ExitCode} <= _first_cells(page)
    assert set(VERBS) <= _first_cells(page)
    assert _first_cells(page) <= {str(int(c)) for c in ExitCode} | set(VERBS) | {"code", "verb"} | {
        "---"
    }


def test_every_variable_that_the_program_reads_is_named() -> None:
    read = {
        name
        for path in (ROOT / "forensics").rglob("*.py")
        for name in re.findall(
            r"environ(?:\.get\(|\[)\s*[\"'](\w+)[\"']", path.read_text(encoding="utf-8")
        )
    }
    assert {"FORENSICS_CACHE", "FORENSICS_DEBUG"} <= read
    assert read <= set(re.findall(r"`(\w+)`", _written("environment.md")))


def test_every_kind_of_subject_is_told() -> None:
    page = _written("subjects.md")
    assert all(f"| `{kind}:" in page for kind in BUILT_IN_KINDS)


def test_every_key_of_a_policy_is_listed_with_what_it_says() -> None:
    page, schema = policy_page(), policy_schema()
    records = [schema, *(record for name, record in schema["$defs"].items() if name != "Rules")]
    keys = {key for record in records for key in record.get("properties", {})}
    assert keys <= _first_cells(page)
    assert [cells for cells in _cells(page) if len(cells) != 4 or not cells[-1]] == []


def test_every_key_of_a_panel_is_listed_with_what_it_says() -> None:
    page, schema = panel_page(), panel_schema()
    keys = {key for record in (schema, *schema["$defs"].values()) for key in record["properties"]}
    assert keys <= _first_cells(page)
    assert [cells for cells in _cells(page) if len(cells) != 4 or not cells[-1]] == []


def test_every_key_of_a_fleets_job_is_listed_with_what_it_says() -> None:
    page, schema = fleet_page(), job_schema()
    keys = {key for record in (schema, *schema["$defs"].values()) for key in record["properties"]}
    assert keys <= _first_cells(page)
    assert [cells for cells in _cells(page) if len(cells) != 4 or not cells[-1]] == []


def test_every_field_of_a_case_is_listed() -> None:
    page = case_page()
    assert {"schema_version", "verdict", "log10_lr", "per_prompt", "next_step"} <= _first_cells(
        page
    )
    links = set(re.findall(r"\]\(#(\w+)\)", page))
    headings = re.findall(r"^###? (\w+)$", page, re.MULTILINE)
    assert links <= {heading.lower() for heading in headings}
    records, details = page.split("\n## Details of evidence\n")
    assert "\n## QuestionAnswer\n" in records and "\n## Interval\n" in records
    assert "\n### MannerDetails\n" in details and "\n### MannerFoil\n" in details


def test_every_comparator_says_what_it_looks_at() -> None:
    rows = {cells[0].strip("`"): cells for cells in _cells(comparators_page())}
    assert set(BUILT_IN) <= set(rows)
    for name in BUILT_IN:
        assert len(rows[name][2].split()) >= 6, rows[name]


def test_every_format_is_listed() -> None:
    assert {known.name for known in formats()} | set(REPORT_FORMATS) <= _first_cells(formats_page())


def test_every_term_of_a_report_is_in_the_glossary() -> None:
    page = glossary_page()
    for term, sentence in TERMS.items():
        assert f"### {term}\n\n{plain(sentence)}" in page
    assert "| 10 to 100 | moderate support |" in page
    assert "| 1 to 2 | no support |" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a <b> [c] x_y", "a \\<b\\> \\[c\\] x\\_y"), ("`a_b` c_d", "`a_b` c\\_d")],
)
def test_text_of_the_program_is_shown_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_bar_stays_in_its_cell() -> None:
    assert table(("a", "b"), [("`x|y`", "one | two\nlines")])[2] == "| `x|y` | one \\| two lines |"


def test_pages_count_the_formats_that_there_are() -> None:
    numbers = {18: "eighteen", 19: "nineteen", 20: "twenty", 21: "twenty-one"}
    said = f"any of {numbers[len(formats())]} formats"
    for name in ("README.md", "docs/index.md"):
        assert said in " ".join((ROOT / name).read_text(encoding="utf-8").split()), name
