"""Reference pages of what can be extended: comparators, formats read and formats written."""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

from forensics.case.evidence import Tier
from forensics.evidence import BUILT_IN, load_comparators
from forensics.evidence.comparator import Comparator
from forensics.report.formats import BUILT_IN as REPORT_FORMATS
from forensics.transcripts.importers.registry import formats
from studies.documentation.tables import code, plain, table

_COMPARATORS = """# Comparators

A comparator measures one kind of evidence about a pair of models. `--only` and `--without` choose
among them, and `--tiers` chooses whole [tiers](../explanations/tiers.md). One that lacks what it
needs is left out, and the report says so. To add one, see [write a plugin](../how-to/plugin.md).
"""
_TIERS: dict[Tier, str] = {
    "text": "Text: needs answers only",
    "logprobs": "Token probabilities: needs the models, or an endpoint that gives them",
    "tokenizer": "Tokenizer: needs its files, or an endpoint that counts tokens",
    "weights": "Weights: needs the weight files of both",
}
_FORMATS = """# Formats

## Files of answers that are read

`forensics import` makes transcripts of them, and `forensics compare` takes a file that one importer
recognises as it is ([import](../how-to/import.md)). Each may be packed with gzip, bzip2, xz or
Zstandard.
"""
_REPORTS = """## Reports that are written

`compare --report NAME=FILE` writes one beside the comparison, `report CASE.json --format NAME`
makes one of a stored case.
"""


def comparators_page() -> str:
    """Return the page of comparators: what each looks at, tier by tier."""
    loaded = [known for known in load_comparators() if known.name in BUILT_IN]
    lines = [_COMPARATORS]
    for tier, heading in _TIERS.items():
        rows = [
            (code(known.name), plain(known.title), plain(_sees(known)))
            for known in loaded
            if known.tier == tier
        ]
        lines += [f"## {heading}", "", *table(("name", "in reports", "what it looks at"), rows)]
    return "\n".join(lines) + "\n"


def formats_page() -> str:
    """Return the page of formats: importers with an example file each, and report formats."""
    read = [(code(f.name), plain(f.description), code(f.example)) for f in formats()]
    written = []
    for name, target in REPORT_FORMATS.items():
        module = importlib.import_module(target.partition(":")[0])
        written.append((code(name), plain(_after_colon(inspect.getdoc(module) or ""))))
    lines = [_FORMATS, *table(("format", "what it is", "for example"), read)]
    return "\n".join([*lines, _REPORTS, *table(("name", "what it is"), written)]) + "\n"


def _sees(known: Comparator[Any]) -> str:
    return _after_colon(inspect.getdoc(sys.modules[type(known).__module__]) or "")


def _after_colon(text: str) -> str:
    """Return the first paragraph of a module's docstring, without the name before its colon."""
    paragraph = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    name, colon, rest = paragraph.partition(": ")
    said = rest if colon and len(name.split()) <= 4 else paragraph
    return said[:1].upper() + said[1:]
