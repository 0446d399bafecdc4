"""Files that somebody writes to while they are imported."""

from __future__ import annotations

import pytest

from forensics.errors import InputFileError
from forensics.transcripts.importers import import_file, registry
from forensics.transcripts.importers.table import Table

ROW = '{"prompt": "Describe rain.", "response": "It falls."}\n'


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "owl.jsonl"
    path.write_text(ROW)

    class Growing(Table):
        def read(self, path):
            with path.open("a") as file:
                file.write(ROW)
            return super().read(path)

    monkeypatch.setattr(registry, "_BUILT_IN", (Growing(),))
    with pytest.raises(InputFileError, match=r"owl\.jsonl changed while it was read"):
        import_file(path, tmp_path / "out", "table")
    assert not list((tmp_path / "out").glob("**/*.jsonl"))
