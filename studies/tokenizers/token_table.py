"""Build the table of known tokenizers: `python -m studies.tokenizers.token_table NAME=FILE …`.

FILE is a `tokenizer.json`.

What is written are counts of the suite's strings; nothing of a tokenizer itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from forensics.errors import UsageError
from forensics.examination.token_counting import SUITE, from_tokenizer_file, suite
from forensics.support.files import write_text
from forensics.support.resources import data_folder


def build_table(named: Sequence[str]) -> str:
    """Return the table as JSON.

    Args:
        named: `NAME=PATH` of each tokenizer.json.

    Raises:
        UsageError: an entry without a name or path.
        BackendError: a file is damaged.
    """
    rows = []
    for entry in sorted(named):
        name, _, path = entry.partition("=")
        if not name or not path:
            raise UsageError(f"{entry!r} is not NAME=tokenizer.json")
        counts = from_tokenizer_file(Path(path))
        if counts.problem:
            raise UsageError(f"{name}: {counts.problem}")
        rows.append(f"    {json.dumps(name)}: {json.dumps(dict(sorted(counts.counts.items())))}")
    asked = suite()
    head = {"suite": asked.name, "version": asked.version, "sha256": asked.sha256}
    fields = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    return "{\n" + fields + '  "tokenizers": {\n' + ",\n".join(rows) + "\n  }\n}\n"


def main() -> None:
    """Write the table beside its suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizers", nargs="+", metavar="NAME=tokenizer.json")
    table = build_table(parser.parse_args().tokenizers)
    write_text(data_folder("probes") / SUITE / "known.json", table)


if __name__ == "__main__":
    main()
