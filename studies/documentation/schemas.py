"""Reference pages of published JSON Schemas: the keys of a policy, the fields of a case."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forensics.case.document import case_schema
from forensics.fleet.job_model import job_schema
from forensics.policy.model import policy_schema
from forensics.workflows.panels.panel_format import panel_schema
from studies.documentation.tables import code, plain, table

Schema = Mapping[str, Any]  # a JSON Schema, as JSON holds it

_POLICY = """# Policy keys

What `forensics.toml`, or `[tool.forensics]` of a `pyproject.toml`, may say for
[`forensics check`](verbs.md#forensics-check). A key that is not listed is refused, and no value is
converted. How a gate is set up is told in [gate a new open model](../tutorials/ci-gate.md). For
editors there is a [JSON Schema](policy.schema.json).
"""
_PANEL = """# Panel keys

What the TOML file of a panel may say, for
[`forensics cohort collect`](verbs.md#forensics-cohort-collect). A key that is not listed is
refused, and no value is converted. How a cohort is collected is told in
[collect a cohort](../how-to/collect-cohort.md).
"""
_FLEET = """# Keys of a fleet's job

What the TOML file of [`forensics fleet run`](verbs.md#forensics-fleet-run) may say. A key that is
not listed is refused, and no value is converted. How a fleet is run is told in
[run a fleet](../how-to/fleet.md); `forensics fleet new` writes a job with comments.
"""
_CASE = """# Case schema

A case is the whole result of a comparison in one JSON document (`compare --json FILE`). Every
report is made from it alone; later versions of the program only add fields. For programs there is a
[JSON Schema](case.schema.json); in Python, `forensics.read_case` returns the same as typed records
([Python](python.md)).
"""
_DETAILS = """## Details of evidence

What each kind of evidence records besides its score, in `details` of [Evidence](#evidence).
"""
# Tables of a policy by the record behind each, as they are written in TOML.
_TABLES = {
    "Policy": "Top level",
    "ReferenceEntry": "`[[against]]`",
    "DeclaredEntry": "`[declared]`",
    "Budget": "`[budget]`",
    "AllowEntry": "`[[allow]]`",
    "UndeclaredKinship": "`[rules.undeclared-kinship]`",
    "ContradictedDeclaration": "`[rules.contradicted-declaration]`",
    "RestrictedTeacher": "`[rules.restricted-teacher]`",
    "Drift": "`[rules.drift]`",
    "MaxSimilarity": "`[rules.max-similarity]`",
}
# Those of a panel.
_PANEL_TABLES = {
    "PanelTable": "Top level",
    "PanelLimits": "`[limits]`",
    "PanelBudget": "`[budget]`",
    "PanelModel": "`[[models]]`",
}
# Those of a fleet's job.
_FLEET_TABLES = {
    "FleetJob": "Top level",
    "JobSubjects": "`[subjects]`",
    "HubQuery": "`[subjects.hub]`",
    "JobAsking": "`[asking]`",
    "JobCompare": "`[compare]`",
    "JobTrace": "`[trace]`",
    "JobCheck": "`[check]`",
    "JobTask": "`[task]`",
    "JobServer": "`[server]`",
}


def policy_page() -> str:
    """Return the page of every key that a policy may hold, table by table.

    Raises:
        LookupError: the policy has a table that this page does not know.
    """
    schema = policy_schema()
    records = {"Policy": schema, **schema["$defs"]}
    unknown = set(records) - set(_TABLES) - {"Rules"}
    if unknown:
        raise LookupError(f"no heading for {', '.join(sorted(unknown))} of the policy")
    return _keys_page(_POLICY, records, _TABLES)


def panel_page() -> str:
    """Return the page of every key that a panel may hold, table by table.

    Raises:
        LookupError: a panel has a table that this page does not know.
    """
    schema = panel_schema()
    records = {"PanelTable": schema, **schema["$defs"]}
    unknown = set(records) - set(_PANEL_TABLES)
    if unknown:
        raise LookupError(f"no heading for {', '.join(sorted(unknown))} of a panel")
    return _keys_page(_PANEL, records, _PANEL_TABLES)


def fleet_page() -> str:
    """Return the page of every key that a fleet's job may hold, table by table.

    Raises:
        LookupError: a job has a table that this page does not know.
    """
    schema = job_schema()
    records = {"FleetJob": schema, **schema["$defs"]}
    unknown = set(records) - set(_FLEET_TABLES)
    if unknown:
        raise LookupError(f"no heading for {', '.join(sorted(unknown))} of a fleet's job")
    return _keys_page(_FLEET, records, _FLEET_TABLES)


def _keys_page(head: str, records: Schema, tables: Mapping[str, str]) -> str:
    lines = [head]
    for name, heading in tables.items():
        record = records[name]
        lines += [f"## {heading}", "", plain(_summary(record)), ""]
        lines += table(("key", "value", "default", "what it says"), _keys(record))
    return "\n".join(lines) + "\n"


def case_page() -> str:
    """Return the page of every record of a case, the case itself first."""
    schema = case_schema()
    records = schema["$defs"]
    details = _details(schema)
    lines = [_CASE, "## Case", "", *_fields(schema)]
    for name in sorted(set(records) - details):
        lines += _record(name, records[name], 2)
    lines += [_DETAILS]
    for name in sorted(details):
        lines += _record(name, records[name], 3)
    return "\n".join(lines) + "\n"


def _details(schema: Schema) -> set[str]:
    """Return the records that only the details of evidence lead to."""
    records = schema["$defs"]
    details = {name for name in records if name.endswith("Details")}
    of_a_case = _reached(records, set(_leads_to(schema["properties"])) - details, details)
    return _reached(records, details, of_a_case)


def _reached(records: Schema, start: set[str], without: set[str]) -> set[str]:
    """Return the records that those of `start` lead to, directly or not, and these themselves."""
    reached, open_ends = set(start), sorted(start)
    while open_ends:
        ends = set(_leads_to(records[open_ends.pop()])) - reached - without
        reached |= ends
        open_ends += sorted(ends)
    return reached


def _leads_to(record: Schema) -> list[str]:
    return re.findall(r'"#/\$defs/(\w+)"', json.dumps(record))


def _record(name: str, record: Schema, level: int) -> list[str]:
    said = plain(record.get("description", ""))
    return [f"{'#' * level} {name}", "", said, "", *_fields(record)]


def _summary(record: Schema) -> str:
    return str(record.get("description", "")).split("\n\n", maxsplit=1)[0]


def _keys(record: Schema) -> Iterator[Sequence[str]]:
    for name, field in record.get("properties", {}).items():
        default = "required" if name in record.get("required", ()) else _default(field)
        yield code(name), _type(field), default, plain(field.get("description", ""))


def _fields(record: Schema) -> list[str]:
    rows = [
        (code(name), _type(field, linked=True), plain(field.get("description", "")))
        for name, field in record.get("properties", {}).items()
    ]
    return (
        table(("field", "value", "what it says"), rows) if rows else ["No fields of its own.", ""]
    )


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value in (None, []) or isinstance(value, dict) else code(json.dumps(value))


def _type(field: Schema, linked: bool = False) -> str:  # noqa: PLR0911 (one for each kind)
    if "$ref" in field:
        name = field["$ref"].rsplit("/", maxsplit=1)[-1]
        return f"[{name}](#{name.lower()})" if linked else "table"
    if "anyOf" in field:
        inner = [_type(choice, linked) for choice in field["anyOf"]]
        return " or ".join(word for word in inner if word != "null" or linked)
    if "enum" in field:
        return ", ".join(code(str(value)) for value in field["enum"])
    if "const" in field:
        return code(str(field["const"]))
    if field.get("type") == "array":
        if "prefixItems" in field:
            return f"[{', '.join(_type(item, linked) for item in field['prefixItems'])}]"
        return f"list of {_type(field.get('items', {}), linked)}"
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return f"table of {_type(values, linked)}" if isinstance(values, dict) else "table"
    return f"{field.get('format') or field.get('type', 'anything')}{_limits(field)}"


def _limits(field: Schema) -> str:
    names = (
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
    )
    limits = [f"{sign} {field[name]:,}" for name, sign in names if name in field]
    return f", {', '.join(limits)}" if limits else ""
