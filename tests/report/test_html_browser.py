"""The HTML report in a real browser: nothing hostile runs, nothing is loaded or blocked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.report.html import render_html
from forensics.report.sanitise import visible
from tests.report.parsed import parse
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case
from tests.report.test_html import everywhere

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
)


@pytest.fixture(name="chromium", scope="module")
def chromium_fixture() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the report was not loaded in a browser")
    return found


def _load(chromium: str, html: str, folder: Path, *options: str) -> tuple[str, list[str]]:
    """Return the page's DOM after loading, and what it wrote to the console."""
    page = folder / "report.html"
    page.write_text(html, encoding="utf-8")
    command = [chromium, *_QUIET, f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("name", ["screening", "insufficient", "everywhere"])
def test_a_browser_finds_nothing_to_complain_of(chromium: str, tmp_path: Path, name: str) -> None:
    case: Case = {
        "screening": sample_case(),
        "insufficient": insufficient_case(),
        "everywhere": everywhere(" ".join(HOSTILE)),
    }[name]
    dom, console = _load(chromium, render_html(case), tmp_path, "--dump-dom")
    assert console == []
    page = parse(dom)
    assert len(page.of("script")) == len(page.of("style")) == 1
    # Half of the hostile answers would set the title.
    assert page.of("title")[0].text.split() == visible(case.verdict.headline).split()
    assert not [n for e in page.elements for n in e.attributes if n.startswith("on")]


def test_the_script_runs_and_adds_its_tools(chromium: str, tmp_path: Path) -> None:
    dom, _ = _load(chromium, render_html(sample_case()), tmp_path, "--dump-dom")
    page = parse(dom)
    options = [option.text for option in page.of("option")]
    assert "order of the suite" in options
    assert "Shared phrasing" in options
    assert [button.text for button in page.of("button")] == ["Open all"]


def test_the_policy_is_enforced(chromium: str, tmp_path: Path) -> None:
    # The check above could not fail if violations left no trace: here is one, and it is seen.
    html = render_html(sample_case(8)).replace("</main>", "<script>1</script></main>")
    _, console = _load(chromium, html, tmp_path, "--dump-dom")
    assert any("Content Security Policy" in line for line in console)


def test_it_prints(chromium: str, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    _load(chromium, render_html(sample_case(8)), tmp_path, f"--print-to-pdf={pdf}")
    assert pdf.read_bytes().startswith(b"%PDF")
