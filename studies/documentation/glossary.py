"""The glossary: the terms of reports, and where each is explained."""

from __future__ import annotations

import math

from forensics.cohorts.calibration.verbal import verbal_tier
from forensics.report.glossary import TERMS
from studies.documentation.tables import plain, table

_HEAD = """# Glossary

The terms of a report, in the words in which the report itself explains them.
"""
_WORDS = """## Words for a likelihood ratio

The words follow the ENFSI guideline.
[What a likelihood ratio is](../explanations/likelihood-ratio.md) says how to read them.
"""
_FROM_TO = ((1, 2), (2, 10), (10, 100), (100, 1_000), (1_000, 10_000), (10_000, 1_000_000))
# Where a term has a page that says more.
_PAGES = {
    "calibration": "populations.md",
    "cohort": "populations.md",
    "copy tripwire": "reading-a-report.md",
    "error rate": "likelihood-ratio.md",
    "exhibit": "reading-a-report.md",
    "interval": "reading-a-report.md",
    "likelihood ratio": "likelihood-ratio.md",
    "lineage cluster": "populations.md",
    "noise floor": "reading-a-report.md",
    "screening": "populations.md",
    "shared manner": "shared-manner.md",
    "tier": "tiers.md",
}


def glossary_page() -> str:
    """Return the page of terms, and the words for likelihood ratios.

    Raises:
        LookupError: a page is given for a term that reports do not explain.
    """
    unknown = set(_PAGES) - set(TERMS)
    if unknown:
        raise LookupError(f"no term of reports: {', '.join(sorted(unknown))}")
    lines = [_HEAD]
    for term, sentence in TERMS.items():
        page = _PAGES.get(term)
        more = f" [More](../explanations/{page})" if page else ""
        lines += [f"### {term}", "", f"{plain(sentence)}{more}", ""]
    rows = [(f"{low:,} to {high:,}", _called(low)) for low, high in _FROM_TO]
    rows.append((f"above {_FROM_TO[-1][1]:,}", _called(2 * _FROM_TO[-1][1])))
    lines += [_WORDS, *table(("the findings are … times as probable if related", "called"), rows)]
    return "\n".join(lines) + "\n"


def _called(ratio: float) -> str:
    tier = verbal_tier(math.log10(ratio)).tier
    return tier if tier == "no support" else f"{tier} support"
