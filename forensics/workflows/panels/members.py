"""Panel → who is asked: each model's subject, how it is asked, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import InputFileError
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
from forensics.subjects.endpoints import named_subject, read_endpoints
from forensics.subjects.subject import Subject
from forensics.workflows.callbacks import Progress, Silent
from forensics.workflows.panels.panel_file import CohortPanel
from forensics.workflows.panels.panel_format import PanelModel
from forensics.workflows.resolving import resolve_subject
from forensics.workflows.settings import Endpoints, Price, Prompts


@dataclass(frozen=True)
class PanelMember:
    """A model of a panel: who is asked, and how.

    `price` is what its endpoint charges; None where that is not known or nothing is charged.
    """

    name: str
    subject: Subject
    generation: GenerationSettings
    options: BackendOptions
    price: Price | None

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine: such models are asked in turn, and cost nothing."""
        return self.subject.kind in LOCAL_KINDS

    @property
    def is_endpoint(self) -> bool:
        """Whether somebody's server is asked, call by call."""
        return self.subject.kind == "openai"


def panel_members(
    panel: CohortPanel,
    endpoints: Path | None,
    without: Sequence[str] = (),
    price: Price | None = None,
) -> tuple[PanelMember, ...]:
    """Return whom a panel asks: models without a subject are not among them.

    Args:
        panel: the panel; its own `[endpoints]` go before other files.
        endpoints: a file of named endpoints.
        without: models to leave out.
        price: of models that name none, instead of the panel's.

    Raises:
        UsageError: a subject has no known form or address, or `without` names no model.
        InputFileError: a file of endpoints cannot be read, or two models are one subject.
    """
    _check_names(panel, without)
    own_file = _endpoints_file(panel, endpoints)
    chosen = [entry for entry in panel.named if entry.model not in without]
    if not chosen:
        raise InputFileError(f"{panel.path}: no model is left to be asked; leave out fewer")
    members = tuple(_member(panel, entry, own_file, price) for entry in chosen)
    seen: dict[tuple[object, ...], str] = {}
    for member in members:
        key = (replace(member.subject, spec=""), member.generation)
        if member.subject.kind != "transcript" and key in seen:
            raise InputFileError(
                f"{panel.path}: {seen[key]!r} and {member.name!r} ask the same of one subject; "
                "give one of them another subject, body or setting"
            )
        seen[key] = member.name
    return members


def panel_prompts(panel: CohortPanel) -> Prompts:
    """Return which prompts a panel asks."""
    table = panel.table
    return Prompts(table.suite, table.category, table.limit, table.all_prompts)


def _check_names(panel: CohortPanel, without: Sequence[str]) -> None:
    strangers = sorted(set(without) - set(panel.facts))
    if strangers:
        raise InputFileError(
            f"{panel.path} has no model {strangers[0]!r}; it has: {', '.join(panel.facts)}"
        )
    if not panel.named:
        raise InputFileError(
            f'{panel.path}: no model has a subject yet; fill in subject = "openai:ID@ENDPOINT"'
        )


def _endpoints_file(panel: CohortPanel, given: Path | None) -> Path | None:
    return panel.path if read_endpoints(panel.path) else given


def say_addresses(
    panel: CohortPanel, endpoints: Path | None, members: Sequence[PanelMember], progress: Progress
) -> None:
    """Say once an address where answers, and keys, will be sent: the panel may be another's.

    The arguments are those of `panel_members`, and what it returned.
    """
    file = _endpoints_file(panel, endpoints)
    seen: dict[str, str] = {}
    for entry in panel.named:
        named = named_subject(entry.subject or "", file)
        if named is not None and named.name not in seen:
            seen[named.name] = named.subject.base_url or ""
            progress.note(f"endpoint {named.name} is {named.subject.base_url} ({named.file})")
    asked = dict.fromkeys(member.subject.base_url for member in members if member.is_endpoint)
    others = [url for url in asked if url and url not in seen.values()]
    if others:
        progress.note(f"asked at: {', '.join(others)}")


def _member(
    panel: CohortPanel, entry: PanelModel, file: Path | None, usual: Price | None
) -> PanelMember:
    table = panel.table
    subject = resolve_subject(entry.subject or "", Endpoints(file=file), Silent())
    if subject.kind == "cohort":
        raise InputFileError(
            f"{panel.path}: {entry.model!r} is a cohort's model, which cannot be asked; name an "
            "endpoint, a local model or a transcript"
        )
    if entry.body and subject.kind != "openai":
        raise InputFileError(f"{panel.path}: {entry.model!r} has a body, which only endpoints take")
    body = json.dumps(entry.body, sort_keys=True) if entry.body else ""
    temperature = table.temperature if entry.temperature is None else entry.temperature
    generation = GenerationSettings(
        temperature,
        entry.max_tokens or table.max_tokens,
        table.samples,
        table.seed,
        table.system_prompt,
    )
    limits = table.limits
    options = BackendOptions(concurrency=min(limits.each, limits.in_all), timeout=limits.timeout)
    price = panel.price_of(entry, usual)
    if subject.kind in (*LOCAL_KINDS, "transcript"):
        return PanelMember(entry.model, subject, generation, options, None)
    return PanelMember(
        entry.model, replace(subject, body=body), generation, options, price or usual
    )
