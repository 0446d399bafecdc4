"""What MkDocs calls while it builds the site (`hooks` of `mkdocs.yml`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from forensics.report.schemas import SCHEMAS
from studies.documentation.evidence import comparators_page, formats_page
from studies.documentation.glossary import glossary_page
from studies.documentation.links import site_links
from studies.documentation.schemas import case_page, fleet_page, panel_page, policy_page
from studies.documentation.verbs import verbs_page

ROOT = Path(__file__).resolve().parents[2]
# Pages made from the code, by their place on the site.
GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/verbs.md": verbs_page,
    "reference/policy.md": policy_page,
    "reference/panel.md": panel_page,
    "reference/fleet.md": fleet_page,
    "reference/case.md": case_page,
    "reference/comparators.md": comparators_page,
    "reference/formats.md": formats_page,
    "reference/glossary.md": glossary_page,
}
# Files of the repository that stand outside docs/ → their place on the site.
OUTSIDE: Mapping[str, str] = {
    "reports/ERROR-RATES.md": "studies/error-rates.md",
    "reports/SHARED-MANNER.md": "studies/shared-manner.md",
    "reports/ROBUSTNESS.md": "studies/robustness.md",
    "reports/DETECTION.md": "studies/detection.md",
    "reports/SHIFT.md": "studies/shift.md",
    "reports/cases/deepseek-2025.md": "studies/cases/deepseek-2025.md",
    "reports/cases/deepseek-2025.html": "studies/cases/report-deepseek-2025.html",
    "reports/EXPOSURE.md": "studies/exposure.md",
    "reports/WATCH.md": "studies/watch.md",
    "reports/SCALE.md": "studies/scale.md",
    "reports/STUDENTS.md": "studies/students.md",
    "probes/core/DATASHEET.md": "studies/datasheets/core.md",
    "probes/misguided-attention/DATASHEET.md": "studies/datasheets/misguided-attention.md",
    "probes/longform/DATASHEET.md": "studies/datasheets/longform.md",
    "probes/slop-score/DATASHEET.md": "studies/datasheets/slop-score.md",
    "probes/farel/DATASHEET.md": "studies/datasheets/farel.md",
    "probes/passages/DATASHEET.md": "studies/datasheets/passages.md",
    "probes/token-counts/DATASHEET.md": "studies/datasheets/token-counts.md",
    "probes/watch/DATASHEET.md": "studies/datasheets/watch.md",
    "studies/README.md": "project/studies.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
    "reports/examples/report.png": "examples/report.png",
    "reports/examples/smollm2-pruned.html": "examples/smollm2-pruned.html",
    "reports/examples/smollm2-gemma3.html": "examples/smollm2-gemma3.html",
}
# Published schemas: place on the site → in the repository.
SCHEMA_PLACES = {f"reference/{name}": f"reports/{name}" for name in SCHEMAS}
_SOURCES = {place: source for source, place in OUTSIDE.items()} | SCHEMA_PLACES


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add to the pages of docs/ those that are made, and those that stand elsewhere."""
    for place, make in GENERATED.items():
        files.append(File.generated(config, place, content=make()))
    for name, make_schema in SCHEMAS.items():
        content = json.dumps(make_schema(), indent=2) + "\n"
        files.append(File.generated(config, f"reference/{name}", content=content))
    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    place = page.file.src_uri
    if place in GENERATED:
        return markdown
    places = {_source(file.src_uri): file.src_uri for file in files}
    return site_links(markdown, place, _source(place), places, _is_there)


def _is_there(path: str) -> bool:
    return (ROOT / path).exists()


def _source(place: str) -> str:
    """Return where in the repository a file of the site stands."""
    return _SOURCES.get(place, f"docs/{place}")
