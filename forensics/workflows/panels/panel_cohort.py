"""Collected answers and facts → a cohort, and what its calibration still lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.cohorts.lineage.columns import models_table
from forensics.cohorts.lineage.hypotheses import LabelledPair, best_confidence, read_pairs
from forensics.cohorts.lineage.labelling import label_pairs, labelled_pairs, pairs_table
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.errors import InputFileError
from forensics.support.files import write_text
from forensics.transcripts.transcript import Response
from forensics.workflows.panels.collecting import CollectedModel, MemberPlan
from forensics.workflows.panels.members import PanelMember
from forensics.workflows.panels.panel_file import CohortPanel
from forensics.workflows.panels.spending_ledger import priced

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort

_TWINS_NAMED = 6


@dataclass(frozen=True)
class PanelCohort:
    """A cohort made of a panel's answers, and the tables it was made from."""

    cohort: Cohort
    pairs: tuple[LabelledPair, ...]
    models_file: Path
    pairs_file: Path


def build_panel_cohort(
    panel: CohortPanel,
    plans: Sequence[MemberPlan],
    collected: Sequence[CollectedModel],
    path: Path,
    folder: Path,
    pairs: Path | None = None,
    date: str = "",
) -> PanelCohort:
    """Build and write the cohort of all models whose answers are complete.

    The tables of models and pairs that it is built from are written too: facts are corrected in the
    panel, and a corrected table of pairs is given back.

    Args:
        panel: the panel.
        plans: who was asked, and how.
        collected: what became of each model.
        path: the cohort's file.
        folder: where the tables go.
        pairs: a table of pairs to use instead of the derived one.
        date: to record; none if empty.

    Raises:
        InputFileError: too few models or prompts are complete, or the table of pairs is damaged.
        OutputError: a file cannot be written.
    """
    from forensics.cohorts.outputs import MIN_MODELS, arrange
    from forensics.cohorts.pack_files import write_cohort
    from forensics.evaluation.cohort_build import build

    answers = {
        # Answers stand on file as they arrived; the same answers are to give the same cohort.
        model.name: sorted(model.transcript.responses, key=_place)
        for model in collected
        if model.transcript
    }
    if len(answers) < MIN_MODELS:
        raise InputFileError(
            f"{len(answers)} models of {panel.path} have all their answers; at least {MIN_MODELS} "
            "are needed for a cohort"
        )
    settings = {entry.member.name: entry.member for entry in plans}
    facts = {
        name: _asked_as(fact, settings[name])
        for name, fact in panel.facts.items()
        if name in answers
    }
    models_file = folder / f"{path.stem}.models.csv"
    write_text(models_file, models_table(facts))
    pairs_file = pairs or folder / f"{path.stem}.pairs.csv"
    if pairs is None:
        labels = label_pairs(facts, panel.unverified)
        labelled = labelled_pairs(labels)
        write_text(pairs_file, pairs_table(labels))
    else:
        known = read_pairs(pairs, panel.facts, independent="best")
        labelled = tuple(pair for pair in known if pair.a in facts and pair.b in facts)
    cohort = build(
        arrange(facts, answers),
        labelled,
        path.stem,
        provenance=_provenance(panel, facts, labelled, date),
    )
    return PanelCohort(write_cohort(path, cohort), labelled, models_file, pairs_file)


def _place(response: Response) -> tuple[str, int]:
    return response.prompt.sha256, response.sample


def _asked_as(fact: ModelFacts, member: PanelMember) -> ModelFacts:
    """Return the facts with how the model was asked; a transcript says that itself."""
    if member.subject.kind == "transcript":
        return fact
    settings = member.generation
    return replace(
        fact,
        system_prompt=settings.system_prompt or "",
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
    )


def _provenance(
    panel: CohortPanel,
    facts: Mapping[str, ModelFacts],
    labelled: Sequence[LabelledPair],
    date: str,
) -> dict[str, Any]:
    unverified = sorted(panel.unverified & set(facts))
    noted = {
        "source": panel.table.source or panel.path.name,
        "date": date,
        "command": "forensics cohort collect",
        # A cohort is shared: where its suite's file lies is nobody's concern.
        "suite": Path(panel.table.suite).name,
        "unrelated_confidence": best_confidence(labelled),
        "facts_not_verified": unverified,
    }
    return {key: value for key, value in noted.items() if value}


@dataclass(frozen=True)
class TwinOffer:
    """A model of which a twin would add a lineage cluster with close relatives.

    `how` says which twin; `calls` and `cost` are what asking it takes at most, None without a
    price.
    """

    model: str
    how: str
    calls: int
    cost: float | None


@dataclass(frozen=True)
class MissingKin:
    """How many lineage clusters have close relatives, how many are needed, and cheap additions."""

    clusters: int
    needed: int
    offers: tuple[TwinOffer, ...]


def missing_kin(built: PanelCohort, plans: Sequence[MemberPlan]) -> MissingKin | None:
    """Return what a calibration lacks of close relatives; None where it lacks none.

    The twins offered are of models that have no relative in the cohort, the cheapest first.

    Args:
        built: the cohort.
        plans: who was asked: a twin costs what its model does.
    """
    from forensics.cohorts.calibration import count_clusters
    from forensics.cohorts.fitting import CLOSE_KIN, MIN_KIN_CLUSTERS

    numbers = clusters(built.cohort.facts)
    kin = [pair for pair in built.pairs if pair.hypothesis in CLOSE_KIN]
    sides = [(numbers[pair.a], numbers[pair.b]) for pair in kin]
    count = count_clusters(*zip(*sides, strict=True)) if sides else 0
    if count >= MIN_KIN_CLUSTERS:
        return None
    related = {number for side in sides for number in side}
    alone = [
        entry
        for entry in plans
        if entry.member.name in numbers and numbers[entry.member.name] not in related
    ]
    offers = sorted((_offer(entry) for entry in alone), key=_cheapest)
    return MissingKin(count, MIN_KIN_CLUSTERS, tuple(offers[:_TWINS_NAMED]))


def _offer(entry: MemberPlan) -> TwinOffer:
    member = entry.member
    how = "another quantisation or a fine-tune" if member.is_local else "a second host"
    if member.is_endpoint and (member.generation.max_tokens or 0) >= 1_000:
        how = "reasoning switched off, or a second host"
    if member.price is None:
        return TwinOffer(member.name, how, entry.total, None)
    cost = float(priced(entry.most, member.price).cost)
    return TwinOffer(member.name, how, entry.total, cost)


def _cheapest(offer: TwinOffer) -> tuple[bool, float, int, str]:
    """Order by cost; models without a price after those with one, local ones by calls."""
    return offer.cost is None, offer.cost or 0.0, offer.calls, offer.model
