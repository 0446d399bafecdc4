"""`forensics probe`: ask one subject a suite, keep the answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import backend_options, generation_options, suite_options
from forensics.workflows.settings import backend_options_from, settings_from

if TYPE_CHECKING:
    from forensics.transcripts.transcript import Transcript


@click.command(
    name="probe",
    cls=Verb,
    examples=(
        "forensics probe demo:smollm2 --limit 32 -o smollm2.jsonl",
        "forensics probe openai:my-model@http://localhost:8000/v1 --dry-run",
    ),
)
@click.argument("subject", shell_complete=completion.subjects)
@option(
    "-o", "--output", section="Output", type=click.Path(path_type=Path), help="Transcript file."
)
@suite_options
@generation_options
@backend_options
@option("--dry-run", section="Cost", is_flag=True, help="Say what would be asked, and ask nothing.")
def command(subject: str, output: Path | None, dry_run: bool, **options: Any) -> None:
    """Ask SUBJECT the prompts of a suite and append each answer to a transcript.

    Run the same command again after an interruption: no answered prompt is asked twice. Where more
    than half of the calls failed the exit code is 4; what was answered is kept.
    """
    from forensics.errors import BackendError
    from forensics.examination.collect import plan, transcript_name
    from forensics.subjects.backends import open_backend
    from forensics.suites.references import with_texts
    from forensics.transcripts.transcript import unknown_endings
    from forensics.workflows.obtaining import Asking, chosen_suite, collect_answers, subject_from
    from forensics.workflows.progress import note

    parsed = subject_from(subject, options)
    suite = chosen_suite(options)
    assert suite is not None  # noqa: S101 (probe has a default suite)
    asking = Asking(
        settings_from(options), backend_options_from(options), Path(), options["suite_text"], True
    )
    if dry_run:
        identity = open_backend(parsed, asking.options).identity()
        path = output or Path(transcript_name(parsed, identity, asking.settings))
        # With their texts: their length is what the prompt tokens are counted by.
        todo = plan(with_texts(suite, asking.texts), identity, asking.settings, path)
        click.echo(
            f"{len(todo.requests)} calls to {parsed.spec} ({todo.answered} already answered in "
            f"{path}); at most {todo.max_input_tokens} prompt tokens and "
            f"{todo.max_output_tokens} answer tokens"
        )
        return
    transcript = collect_answers(parsed, suite, asking, output)
    counts = {status: transcript.count(status) for status in ("ok", "truncated", "filtered")}
    errors = transcript.count("error")
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    note(f"{transcript.path}: {told or 'no answers'}{f', {errors} failed' if errors else ''}")
    for warning in unknown_endings(transcript.responses):
        note(warning)
    if 2 * errors > len(transcript.responses):
        raise BackendError(_why(parsed.spec, transcript))


def _why(spec: str, transcript: Transcript) -> str:
    said = [r.error or "no reason given" for r in transcript.responses if r.status == "error"]
    failed, total = len(said), len(transcript.responses)
    share = "every call" if failed == total else f"{failed} of {total} calls"
    reason, times = Counter(said).most_common(1)[0]
    return (
        f"{share} to {spec} failed, {times} of them with: {reason}; answers so far are kept, run "
        "again to ask only what is missing"
    )
