"""Runs the commands of the README's and the documentation's `sh` blocks that are marked to run.

A fenced block that follows the comment `<!-- ci: run -->` runs as it stands, with the project's
environment first on PATH, in one scratch folder for all blocks of a page; the first failure stops
the run. A `text` block that follows `<!-- ci: prints -->` must stand, line by line, in what the
block before it printed.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"<!-- ci: (run|prints) -->\s*```(?:sh|text)\n(.*?)```", re.DOTALL)
ROOT = Path(__file__).resolve().parents[1]


def main(places: list[Path]) -> int:
    """Run every marked block of files, and of folders' pages; return the first code that is not 0.

    A file that is named and has no marked block is a failure: its commands would go unnoticed.
    """
    data = os.environ.get("FORENSICS_DATA", str(ROOT.parent / "shared" / "data"))
    environment = os.environ | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FORENSICS_DATA": data,
    }
    for page in _pages(places):
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        if not blocks and page in places:
            print(f"{page} has no block marked to run")
            return 1
        code = _run(page, blocks, environment)
        if code:
            return code
    return 0


def _pages(places: list[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*.md")) if place.is_dir() else [place]


def _run(page: Path, blocks: list[tuple[str, str]], environment: dict[str, str]) -> int:
    printed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, block in blocks:
            if kind == "prints":
                if not _stands_in(_lines(block), printed):
                    print(f"{page}: this is not what the commands before it print:\n{block}")
                    return 1
                continue
            print(f"{page}\n$ {block.strip()}", flush=True)
            command = ["bash", "-euo", "pipefail", "-c", block]
            done = subprocess.run(
                command, cwd=folder, env=environment, check=False, stdout=subprocess.PIPE, text=True
            )
            print(done.stdout, end="", flush=True)
            printed = _lines(done.stdout)
            if done.returncode:
                return done.returncode
    return 0


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def _stands_in(lines: list[str], printed: list[str]) -> bool:
    return any(printed[at : at + len(lines)] == lines for at in range(len(printed)))


if __name__ == "__main__":
    sys.exit(main([Path(place) for place in sys.argv[1:]]))
