"""A picture of a report.

    python -m tests.report.html.screenshot REPORT.html OUT.png [WIDTH HEIGHT]

With a width and a height, in pixels, it is the first screen of a window of that size.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.report.html.browser import Browser, chromium

_WIDTH, _SCALE = 1360, 0.7
_PHONE, _SMALLER = 600, 0.8  # first screens of wider windows are made smaller, and so lighter
# Where this pair falls, kind by kind of evidence.
_AREA = """
(() => {
  const top = document.querySelector("#falls").getBoundingClientRect().top;
  const next = document.querySelector("#exhibits").getBoundingClientRect().top;
  return [top + scrollY, next - top];
})()
"""


def main(report: Path, picture: Path, window: tuple[int, int] | None) -> None:
    """Write what a part of `report`, or its first screen in a `window`, looks like to `picture`."""
    command = chromium()
    if command is None:
        sys.exit("no Chromium on this machine: install one to take the picture")
    with tempfile.TemporaryDirectory() as profile, Browser(command, Path(profile)) as browser:
        browser.look(window[0] if window else _WIDTH)
        browser.load(report)
        if window:
            width, height = window
            scale = _SMALLER if width > _PHONE else 1
            area = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
            browser.screenshot(picture, area)
            return
        top, height = browser.evaluate(_AREA)
        area = {"x": 0, "y": top - 16, "width": _WIDTH, "height": height, "scale": _SCALE}
        browser.screenshot(picture, area)


if __name__ == "__main__":
    sides = [int(number) for number in sys.argv[3:5]]
    main(Path(sys.argv[1]), Path(sys.argv[2]), (sides[0], sides[1]) if sides else None)
