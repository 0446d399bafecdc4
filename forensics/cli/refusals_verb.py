"""`forensics refusals`: which answers refuse, fully or in part, and in which words."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.help import Verb, option

if TYPE_CHECKING:
    from forensics.transcripts.transcript import Transcript


@click.command(
    name="refusals",
    cls=Verb,
    examples=(
        "forensics refusals transcripts/model.jsonl",
        "forensics refusals outputs.parquet --json refusals.jsonl",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@option("--json", "json_out", metavar="FILE|-", help="Write one JSON object per answer.")
@option("--format", "format_", metavar="NAME", help="Force the format of another tool's file.")
def command(file: Path, json_out: str | None, format_: str | None) -> None:
    """Judge every answer in FILE: full_compliance, partial_refusal or full_refusal.

    FILE is a transcript, or anything `forensics import` reads. Each JSON object holds model,
    prompt_id, sample, label and phrase (the refusing words, or null).
    """
    from forensics.cli.progress import step_spinner
    from forensics.support.files import write_text

    with step_spinner() as spinner:
        spinner.add_task(f"judging {file.name}", total=None)
        judged = [
            judgement
            for transcript in _transcripts(file, format_)
            for judgement in _judge(transcript)
        ]
    if json_out:
        text = "".join(json.dumps(judgement) + "\n" for judgement in judged)
        if json_out != "-":
            write_text(Path(json_out), text)
        else:
            sys.stdout.write(text)
            return
    _table(judged)


def _transcripts(file: Path, format_: str | None) -> Iterator[Transcript]:
    """Yield the transcripts in a file, importing another tool's file on the way."""
    import tempfile

    from forensics.cli.progress import note
    from forensics.transcripts.importers import import_file
    from forensics.transcripts.transcript import read_transcript

    if format_ is None and _is_transcript(file):
        yield read_transcript(file)
        return
    with tempfile.TemporaryDirectory() as folder:
        files = import_file(file, Path(folder), format_)
        for text in files[0].skipped.lines:
            note(text)
        for imported in files:
            yield read_transcript(imported.path)


def _is_transcript(file: Path) -> bool:
    from forensics.transcripts.importers.registry import is_transcript

    return is_transcript(file) if file.is_file() else file.suffix == ".jsonl"


def _judge(transcript: Transcript) -> Iterator[dict[str, Any]]:
    from forensics.evidence.refusals import classify

    answered = [r for r in transcript.responses if r.status in ("ok", "truncated")]
    judgements = classify([r.text for r in answered], [r.prompt.text for r in answered])
    for response, judgement in zip(answered, judgements, strict=True):
        yield {
            "model": transcript.name,
            "prompt_id": response.prompt.id,
            "sample": response.sample,
            "label": judgement.label,
            "phrase": judgement.phrase,
        }


def _table(judged: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.support.sanitise import one_line

    table = Table(box=None, pad_edge=False)
    table.add_column("model")
    labels = ("full_compliance", "partial_refusal", "full_refusal")
    for label in labels:
        table.add_column(label.replace("_", " "), justify="right")
    for model in dict.fromkeys(judgement["model"] for judgement in judged):
        counts = Counter(judgement["label"] for judgement in judged if judgement["model"] == model)
        table.add_row(Text(one_line(model, 40)), *(str(counts[label]) for label in labels))
    Console().print(table)
