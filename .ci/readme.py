"""Runs the commands of the README's and the documentation's `sh` blocks that are marked to run.

A fenced block that follows the comment `<!-- ci: run -->` runs as it stands, with the project's
environment first on PATH, in one scratch folder for all blocks of a page; the first failure stops
the run.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"<!-- ci: run -->\s*```sh\n(.*?)```", re.DOTALL)
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


def _run(page: Path, blocks: list[str], environment: dict[str, str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks:
            print(f"{page}\n$ {block.strip()}", flush=True)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, check=False
            )
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(place) for place in sys.argv[1:]]))
