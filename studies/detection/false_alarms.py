"""False alarms of mutual fit: pairs that have nothing of each other's, tested as if in question.

Controls and strangers of a detection curve read none of the teacher's text. Every two of them are
compared with all the others as controls. The pairs share models, so that their number is not one of
independent trials.
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from io import StringIO
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.files import write_text

FILE = "false_alarms.csv"
_COLUMNS = ("a", "b", "p_value")
_UNRELATED = ("control-*", "student-0-*")
Row = tuple[str, str, float]


def false_alarms(folder: Path) -> tuple[Row, ...]:
    """Return the p-value of every two strangers of a detection curve; made where not there yet.

    Args:
        folder: of one curve, with its models and their transcripts.

    Raises:
        InputFileError: the table is no such table.
        BackendError: a model gives NaN.
        OutputError: the table cannot be written.
    """
    table = folder / FILE
    if not table.exists():
        write_text(table, _as_csv(_measured(folder)))
    return _read(table)


def _measured(folder: Path) -> list[Row]:
    from forensics.evidence.probabilities.mutual_fit import Heard, MutualFit
    from forensics.examination.examined import Examined
    from forensics.examination.local_probabilities import text_probabilities
    from forensics.examination.probability_values import answer_key
    from forensics.examination.token_probabilities import asked_of, shared_prompts
    from forensics.subjects.backends.backend import BackendOptions
    from forensics.subjects.subject import parse_subject
    from forensics.transcripts.transcript import read_transcript

    names = sorted(p.name for kind in _UNRELATED for p in (folder / "models").glob(kind))
    sides = [
        Examined(
            parse_subject(f"hf:{folder / 'models' / name}"),
            read_transcript(folder / "transcripts" / f"{name}.jsonl"),
        )
        for name in names
    ]
    prompts = shared_prompts(*sides)
    asked = [asked_of(side, prompts) for side in sides]
    keys = [{answer.prompt_sha256: answer_key(answer) for answer, _ in one} for one in asked]
    read = [
        replace(
            text_probabilities(side.subject, BackendOptions(), asked), written=tuple(own.values())
        )
        for side, own in zip(sides, keys, strict=True)
    ]
    rows = []
    for i, j in itertools.combinations(range(len(names)), 2):
        rest = tuple(one for k, one in enumerate(read) if k not in (i, j))
        found = MutualFit().compare(Heard(read[i], rest, keys[i]), Heard(read[j], rest, keys[j]))
        if found.p_value is not None:
            rows.append((names[i], names[j], found.p_value))
    return rows


def _as_csv(rows: list[Row]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _read(table: Path) -> tuple[Row, ...]:
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            return tuple((row["a"], row["b"], float(row["p_value"])) for row in rows)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputFileError(f"{table}: not a table of false alarms ({error})") from error
