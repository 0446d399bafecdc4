from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensics.transcripts.importers import import_file

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_import_of_the_alpaca_eval_table(benchmark, tmp_path):
    source = Path(os.environ.get("FORENSICS_DATA", _DEFAULT)) / "alpaca_eval_outputs.parquet"
    if not source.is_file():
        pytest.skip(f"reference data not found at {source} (set FORENSICS_DATA)")
    files = benchmark.pedantic(import_file, (source, tmp_path), rounds=3, iterations=1)
    assert sum(file.responses for file in files) == 66_009
