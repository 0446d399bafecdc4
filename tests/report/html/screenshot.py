"""A picture of a report: `python -m tests.report.html.screenshot REPORT.html OUT.png`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.report.html.browser import Browser, chromium

_WIDTH, _SCALE = 1360, 0.7
# From where this pair falls to the end of the first pair of passages.
_AREA = """
(() => {
  const top = document.querySelector("#falls").getBoundingClientRect().top;
  const exhibit = document.querySelector(".exhibit") || document.querySelector("#exhibits");
  return [top + scrollY, exhibit.getBoundingClientRect().bottom - top];
})()
"""


def main(report: Path, picture: Path) -> None:
    """Write what a part of `report` looks like to `picture`."""
    command = chromium()
    if command is None:
        sys.exit("no Chromium on this machine: install one to take the picture")
    with tempfile.TemporaryDirectory() as profile, Browser(command, Path(profile)) as browser:
        browser.look(_WIDTH)
        browser.load(report)
        top, height = browser.evaluate(_AREA)
        area = {"x": 0, "y": top - 16, "width": _WIDTH, "height": height + 32, "scale": _SCALE}
        browser.screenshot(picture, area)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
