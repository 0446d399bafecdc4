"""Runs the commands of the README's `sh` blocks that are marked to run in CI.

A fenced block that follows the comment `<!-- ci: run -->` runs as it stands, with the project's
environment first on PATH, in one scratch folder for all blocks; the first failure stops the run.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"<!-- ci: run -->\s*```sh\n(.*?)```", re.DOTALL)


def main(readme: Path) -> int:
    """Run every marked block; return the first exit code that is not 0."""
    root = readme.resolve().parent
    data = os.environ.get("FORENSICS_DATA", str(root.parent / "shared" / "data"))
    environment = os.environ | {
        "PATH": f"{root / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FORENSICS_DATA": data,
    }
    blocks = BLOCK.findall(readme.read_text(encoding="utf-8"))
    if not blocks:
        print(f"{readme} has no block marked to run")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks:
            print(f"$ {block.strip()}", flush=True)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, check=False
            )
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
