from __future__ import annotations

import subprocess
import sys


def test_help(benchmark):
    command = [sys.executable, "-m", "forensics", "--help"]
    done = benchmark(subprocess.run, command, capture_output=True, check=True)
    assert b"compare" in done.stdout
