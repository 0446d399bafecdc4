"""`forensics verify`: is a transcript or bundle what was written, and does the verdict follow?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.help import Verb, option
from forensics.exitcodes import ExitCode

if TYPE_CHECKING:
    from forensics.custody.transcript_chain import Contents, Custody
    from forensics.custody.verification import BundleReport

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_SHOWN = 20
_CODES = {
    "intact": ExitCode.OK,
    "identical": ExitCode.OK,
    "reworded": ExitCode.OK,
    "changed": ExitCode.DIFFERENT,
    "different": ExitCode.DIFFERENT,
    "unchained": ExitCode.INCONCLUSIVE,
    "partly": ExitCode.INCONCLUSIVE,
}


@click.command(
    name="verify",
    cls=Verb,
    examples=(
        "forensics verify transcripts/model.jsonl --case case.json",
        "forensics verify bundle.zip --json -",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@option(
    "--seal",
    metavar="HEX",
    help="Seal kept elsewhere: it reveals a removed end or a rewritten file.",
)
@option(
    "--case",
    "case_path",
    type=click.Path(path_type=Path),
    help="Case made from this transcript: is the file still the one it was made from?",
)
@option("--json", "json_out", metavar="FILE|-", help="Write the result as JSON.")
def command(file: Path, seal: str | None, case_path: Path | None, json_out: str | None) -> int:
    """Check FILE, a transcript, a case file or a bundle, for any change since it was written.

    A transcript's lines are hash-chained: an edited, inserted, removed or moved line shows, with
    its number. Lines removed from the end, or a file rewritten as a whole, show only against its
    seal (--seal) or a case (--case). The seal of a case file is the hash that `case init` or the
    last `case note` printed. In a bundle, every hash and chain is checked, then evidence and
    verdict are derived again from the transcripts, offline.

    Exit code: 0 intact, or identical, or the same data in other words than this version's; 1
    changed, or derived otherwise; 2 unreadable; 3 nothing wrong was found but not everything could
    be checked (a transcript without chain, a comparator that is not installed here, a last digit
    that differs).
    """
    from forensics.custody.case_file import is_case_file
    from forensics.errors import InputFileError, UsageError

    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a transcript or a bundle")
    try:
        with file.open("rb") as opened:
            start = opened.read(64)
    except OSError as error:
        raise InputFileError(f"cannot read {file}: {error.strerror}") from error
    if start[:4] in _ZIP or is_case_file(start):
        if case_path is not None:
            raise UsageError(f"--case is for transcripts, and {file} is not one; drop it")
        report = _case_file(file, seal) if is_case_file(start) else _bundle(file, seal)
    else:
        report = _transcript(file, seal, case_path)
    if json_out:
        _write(json_out, {"file": str(file), **report.document})
    if json_out != "-":
        _print([f"{file}: {report.headline}", *report.lines])
    return _CODES[report.result]


@dataclass(frozen=True)
class _Report:
    result: str
    headline: str
    lines: Sequence[str]
    document: dict[str, Any]


def _transcript(file: Path, seal: str | None, case_path: Path | None) -> _Report:
    from forensics.custody.verification import verify_transcript

    custody, problems = verify_transcript(file, seal, case_path)
    result = "changed" if problems else custody.result
    lines = [f"line {fault.line}: {fault.what}" for fault in custody.faults[:_SHOWN]]
    if len(custody.faults) > _SHOWN:
        lines.append(f"and {len(custody.faults) - _SHOWN} more lines")
    lines += problems
    if custody.seal:
        lines.append(f"seal {custody.seal} ({custody.lines} lines)")
    if result == "intact" and not (seal or case_path):
        lines.append(
            "Lines removed from the end, or a rewritten file, cannot be seen from the file "
            "alone: compare the seal with one kept elsewhere (--seal) or a case (--case)."
        )
    lines += _content_lines(custody.contents, custody.lines)
    document = asdict(custody) | {"result": result, "seal": custody.seal, "problems": problems}
    del document["chains"]
    return _Report(result, _headline(result, custody), lines, {"kind": "transcript", **document})


def _case_file(file: Path, seal: str | None) -> _Report:
    from forensics.custody.verification import verify_case_file

    report = verify_case_file(file, seal)
    lines = list(report.problems)
    if report.chains:
        lines.append(f"frozen plan {report.chains[0]}")
        lines.append(f"seal {report.chains[-1]} ({len(report.chains) - 1} notes)")
    if report.result == "intact" and not seal:
        lines.append(
            "A rewritten file cannot be seen from the file alone: compare its hash with one "
            "kept elsewhere (--seal)."
        )
    headline = {
        "intact": "intact: the plan is as it was frozen, notes were only added",
        "changed": "CHANGED: not the case file that was frozen",
    }[report.result]
    return _Report(report.result, headline, lines, {"kind": "case file", **asdict(report)})


def _headline(result: str, custody: Custody) -> str:
    if result == "unchained":
        return (
            f"not chained: {custody.lines} lines, none with a chain, so nothing can be said about "
            "edits (files this program writes always have one)"
        )
    if result == "changed":
        return f"CHANGED: not the {custody.lines} lines that were written"
    return f"intact: {custody.lines} lines, each follows from the one before"


def _content_lines(contents: Contents, lines: int) -> list[str]:
    checked = [f"prompt hashes that fit their messages were checked on {contents.prompts_checked}"]
    if contents.answers_checked:
        checked.append(f"answers beside their raw body on {contents.answers_checked}")
    if contents.raw_hashes:
        checked.append(
            f"raw bodies with a recorded hash on {contents.raw_hashes}, of which "
            f"{contents.raw_confirmed} reproduce it when written out again (the spacing of the "
            "others is not kept)"
        )
    text = [f"Of {lines} lines: {'; '.join(checked)}."]
    if contents.first:
        text.append(
            f"Answered {contents.first} to {contents.last} in {contents.sessions} sessions; "
            f"{contents.request_ids} request ids."
        )
    if len(contents.fingerprints) > 1:
        text.append(
            f"The provider's system fingerprint changed: {', '.join(contents.fingerprints)}."
        )
    return text


def _bundle(file: Path, seal: str | None) -> _Report:
    from forensics.cli.progress import step_spinner
    from forensics.custody.verification import verify_bundle

    with step_spinner() as spinner:
        task = spinner.add_task("deriving again", total=None)
        report = verify_bundle(file, seal, lambda title: spinner.update(task, description=title))
    headline = {
        "identical": "identical: the same evidence and verdict follow from the transcripts; the "
        "fields named below as not derived again were not checked",
        "reworded": "the same data: every number, name and passage follows from the transcripts; "
        f"made by version {report.version}; wording differs",
        "different": "DIFFERENT: this is not what the transcripts give, or not what was packed",
        "partly": "nothing differs beyond the last digits, but not everything could be derived",
    }[report.result]
    return _Report(report.result, headline, _bundle_lines(report), report.document)


def _bundle_lines(report: BundleReport) -> list[str]:
    lines = [*report.problems[:_SHOWN], *report.shown_differences(_SHOWN)]
    lines += [f"could not be derived again: {text}" for text in report.missing]
    lines += report.shown_wording(_SHOWN)
    if report.underived:
        lines.append(
            f"not derived again, because no transcript holds it: {'; '.join(report.underived)}"
        )
    return [*lines, *report.notes]


def _print(lines: Sequence[str]) -> None:
    from forensics.support.sanitise import encodable, one_line

    for line in lines:
        click.echo(encodable(one_line(line, 4_000), sys.stdout.encoding or "utf-8"))


def _write(target: str, document: dict[str, Any]) -> None:
    from forensics.support.files import write_text

    text = json.dumps(document, ensure_ascii=True, indent=1) + "\n"
    if target == "-":
        click.echo(text, nl=False)
    else:
        write_text(Path(target), text)
