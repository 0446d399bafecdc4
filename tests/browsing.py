"""Fixtures: a Chromium that shows pages, and the script that checks their accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.report.html.browser import Browser, chromium


@pytest.fixture(name="chromium", scope="session")
def chromium_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    command = chromium()
    if command is None:
        pytest.skip("no Chromium on this machine: nothing was opened in a browser")
    with Browser(command, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(name="browser")
def browser_fixture(chromium: Browser) -> Browser:
    """Give the running browser with a window, colours and medium as it has them by itself."""
    chromium.look_as_usual()
    return chromium


@pytest.fixture(name="axe", scope="session")
def axe_fixture() -> str:
    # Only the script inside the package is used, which needs none of what the package depends on.
    package = find_spec("axe_playwright_python")
    if package is None or not package.submodule_search_locations:
        pytest.skip("axe-playwright-python is not installed: accessibility was not checked")
    folder = Path(package.submodule_search_locations[0])
    return (folder / "axe.min.js").read_text(encoding="utf-8")
