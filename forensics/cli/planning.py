"""Case file → command line: running what a plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forensics.case.document import Case, CasePlan
    from forensics.custody.plan import Planned
    from forensics.transcripts.transcript import Transcript


def by_plan(
    path: Path | None, specs: tuple[str | None, str | None], options: Mapping[str, Any]
) -> tuple[CasePlan | None, list[str], dict[str, Any]]:
    """Return the plan, both subjects and all options; the command line wins over the plan.

    Args:
        path: the case file; None without one.
        specs: the subjects as given.
        options: of `compare`.

    Raises:
        InputFileError: the case file was changed, or is none.
        UsageError: a subject is missing.
    """
    context = click.get_current_context()
    if path is None:
        for name, spec in zip(("KNOWN", "QUESTIONED"), specs, strict=True):
            if spec is None:
                raise click.UsageError(f"Missing argument '{name}'.", context)
        return None, [spec for spec in specs if spec is not None], dict(options)
    from forensics.cli.progress import note
    from forensics.custody.case_file import read_case_file
    from forensics.custody.plan import planned

    case_file = read_case_file(path)
    if case_file.cut_off:
        note(f"{path}: a note that was cut off while being written is left out")
    plan = case_file.plan
    wanted = planned(plan)
    if not options["blind"]:
        # The file may be somebody else's: say who will be asked, and where a key will be sent.
        note(f"planned: {wanted.known.spec} (known), {wanted.questioned.spec} (questioned)")
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    names = (wanted.known.spec, wanted.questioned.spec)
    subjects = [name if spec is None else spec for spec, name in zip(specs, names, strict=True)]
    return plan, subjects, {**options, **_options(wanted), **given}


def _options(wanted: Planned) -> dict[str, Any]:
    suite, cohort = wanted.suite, wanted.cohort
    return {
        "suite_name": suite.chosen if suite else None,
        "category": suite.category if suite else (),
        "limit": suite.limit if suite else None,
        "every": suite.every if suite else False,
        **wanted.generation.model_dump(),
        **wanted.backend.model_dump(),
        "api": _api(wanted),
        "only": wanted.comparators,
        "without": (),
        "tiers": wanted.tiers,
        "controls": tuple(control.spec for control in wanted.controls),
        "bases": tuple(base.spec for base in wanted.bases),
        "all_embeddings": wanted.all_embeddings,
        "cohort_name": cohort.chosen if cohort else _without_cohort(wanted),
        "known_released": wanted.known.released or None,
        "questioned_released": wanted.questioned.released or None,
    }


def _without_cohort(wanted: Planned) -> str | None:
    # With no cohort asked for, nothing is calibrated; with none found, the transferred lines are.
    return None if wanted.transferred else "none"


def _api(wanted: Planned) -> str | None:
    """Return what endpoints are spoken to by; None where the two subjects differ or have none."""
    identities = (wanted.known.identity or {}, wanted.questioned.identity or {})
    apis = {identity["api"] for identity in identities if identity.get("api")}
    return str(apis.pop()) if len(apis) == 1 else None


def with_plan(case: Case, plan: CasePlan | None, transcripts: Sequence[Transcript | None]) -> Case:
    """Return the case with its plan, and say on stderr how many deviations there are."""
    if plan is None:
        return case
    from forensics.cli.progress import note
    from forensics.custody.plan import with_deviations

    case = with_deviations(case, plan, transcripts)
    deviations = len(case.plan.deviations) if case.plan else 0
    note(f"plan frozen at {plan.frozen_at}, sha256 {plan.sha256}; deviations: {deviations}")
    return case
