"""Links as they stand in the repository, and as the site has them."""

from __future__ import annotations

import re
import subprocess

import pytest

from studies.documentation.hooks import GENERATED, SCHEMA_PLACES
from studies.documentation.links import site_links
from tests.studies.documentation.built_site import ROOT

PLACES = {
    "docs/how-to/import.md": "how-to/import.md",
    "docs/index.md": "index.md",
    "reports/ERROR-RATES.md": "studies/error-rates.md",
}


def _of_import(markdown: str) -> str:
    source = "docs/how-to/import.md"
    return site_links(markdown, "how-to/import.md", source, PLACES, {"tests/plugins"}.__contains__)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[a](../index.md)", "[a](../index.md)"),
        ("[a](../index.md#start)", "[a](../index.md#start)"),
        ("[a](../../reports/ERROR-RATES.md#teachers)", "[a](../studies/error-rates.md#teachers)"),
        ("![`a` [b]](../../reports/ERROR-RATES.md)", "![`a` [b]](../studies/error-rates.md)"),
        ("see [the `plugins`](../../tests/plugins) there", "see the `plugins` there"),
        ("[a](../../nowhere.md)", "[a](../../nowhere.md)"),
        ("[a](https://example.org/x.md) [b](#here)", "[a](https://example.org/x.md) [b](#here)"),
        ("```\n[a](../../tests/plugins)\n```\n", "```\n[a](../../tests/plugins)\n```\n"),
    ],
)
def test_a_link_into_the_repository_becomes_one_of_the_site(written: str, shown: str) -> None:
    assert _of_import(written) == shown


def test_links_from_a_page_that_stands_elsewhere() -> None:
    page = site_links(
        "[x](../docs/how-to/import.md)",
        "studies/error-rates.md",
        "reports/ERROR-RATES.md",
        PLACES,
        lambda _: False,
    )
    assert page == "[x](../how-to/import.md)"


def test_links_between_files_of_the_repository_lead_somewhere() -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(
        listed, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    made = {ROOT / "docs" / place for place in (*GENERATED, *SCHEMA_PLACES)}
    dead = []
    for name in names:
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\((?![a-z]+:|#)([^)\s#]+)", text):
            path = (ROOT / name).parent.joinpath(link).resolve()
            if not path.exists() and path not in made:
                dead.append(f"{name}: {link}")
    assert len(names) > 40
    assert dead == []


def test_the_readme_is_one_page() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
