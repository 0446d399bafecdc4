"""`forensics fleet`: the same work on many models, on this machine or a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.help import VerbFamily, option

FILE = click.Path(path_type=Path)
JOB = click.argument("job", metavar="JOB.toml", type=FILE)
_MOSTLY = 2  # a run fails as a whole where more than one in two subjects did


@click.group(name="fleet", cls=VerbFamily)
def command() -> None:
    """Do the same work on many models, on this machine or a cluster, and collect the results."""


@command.command(examples=("forensics fleet new job.toml",))
@JOB
def new(job: Path) -> None:
    """Write a job to JOB.toml, with a comment for each setting, to be edited."""
    from forensics.cli.progress import note
    from forensics.errors import UsageError
    from forensics.fleet.job_file import TEMPLATE
    from forensics.support.files import write_text

    if job.exists():
        raise UsageError(f"{job} is there already; name a new file")
    write_text(job, TEMPLATE)
    note(f"{job}: edit it, then forensics fleet run {job}")


@command.command(
    examples=(
        "forensics fleet run job.toml",
        "forensics fleet run job.toml --address ray-head:6379",
    )
)
@JOB
@option("--address", metavar="HOST:PORT", help="Ray cluster to use [a Ray on this machine].")
@option(
    "--cpus",
    type=click.IntRange(min=1),
    help="Processors that a Ray on this machine uses [all].",
)
@option("--retry", is_flag=True, help="Do subjects again that failed.")
@option("--dry-run", is_flag=True, help="List the subjects and what is open; start nothing.")
def run(job: Path, address: str | None, cpus: int | None, retry: bool, dry_run: bool) -> int:
    """Do the work of JOB.toml on each of its subjects.

    Run the same command again after an interruption: subjects with a result are not done twice,
    and several runs at once share the work. A subject that fails is recorded with its reason and
    does not end the job; the exit code is 4 if more than half of a run's subjects failed.
    """
    from forensics.cli.progress import OnStderr, note
    from forensics.exitcodes import ExitCode
    from forensics.fleet.job_file import read_job
    from forensics.fleet.launching import FleetSettings, run_fleet

    file = read_job(job)
    if dry_run:
        return _list(job)
    count = run_fleet(file, FleetSettings(address, cpus, retry), OnStderr())
    before = f"; {count.before} had a result before" if count.before else ""
    note(f"{file.job.results}: {count.done} subjects done, {count.failed} failed{before}")
    mostly = _MOSTLY * count.failed > count.done + count.failed
    return ExitCode.FAILURE if mostly else ExitCode.OK


def _list(job: Path) -> int:
    from forensics.fleet.job_file import read_job
    from forensics.fleet.job_run import open_subjects
    from forensics.fleet.listing import listed_subjects
    from forensics.fleet.result_store import open_store
    from forensics.support.sanitise import one_line

    file = read_job(job)
    subjects = listed_subjects(file.job.subjects)
    waiting = open_subjects(open_store(file.job.results), subjects, retry=False)
    for subject in waiting:
        click.echo(one_line(subject.spec, 500))
    click.echo(f"{len(waiting)} of {len(subjects)} subjects have no result", err=True)
    return 0


@command.command(examples=("forensics fleet status job.toml",))
@JOB
def status(job: Path) -> None:
    """Say how many subjects of JOB.toml are done, failed, begun and waiting."""
    from forensics.fleet.job_file import read_job
    from forensics.fleet.job_status import job_status
    from forensics.fleet.result_store import open_store

    at = job_status(open_store(read_job(job).job.results))
    click.echo(
        f"{at.listed} subjects: {at.finished} done, {at.failed} failed, {at.begun} begun, "
        f"{at.waiting} waiting; {at.drivers} runs under way"
    )


@command.command(examples=("forensics fleet failed job.toml",))
@JOB
def failed(job: Path) -> None:
    """List the subjects of JOB.toml that failed, each with its reason on the same line."""
    from forensics.fleet.job_file import read_job
    from forensics.fleet.job_run import failures
    from forensics.fleet.result_store import open_store
    from forensics.support.sanitise import one_line

    for subject, reason in failures(open_store(read_job(job).job.results)):
        click.echo(f"{one_line(subject, 500)}\t{one_line(reason, 500)}")


@command.command(examples=("forensics fleet results job.toml --parquet results.parquet",))
@JOB
@option("--parquet", required=True, type=FILE, help="File to write the table to.")
def results(job: Path, parquet: Path) -> None:
    """Write the results of JOB.toml as one table: a row for each subject and reference."""
    from forensics.cli.progress import note
    from forensics.fleet.job_file import read_job
    from forensics.fleet.result_store import open_store
    from forensics.fleet.results_table import results_table, write_table

    table = results_table(open_store(read_job(job).job.results))
    write_table(table, parquet)
    note(f"{parquet}: {table.num_rows} rows")
