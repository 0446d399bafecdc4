"""What was measured of one reference, in the terms that rules ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from forensics.case.document import Case, CaseResponse
from forensics.case.evidence import Evidence, Exhibit
from forensics.cohorts.cohort import Cohort
from forensics.policy.outcomes import ExhibitRef
from forensics.verdicts.decision import Kin
from forensics.verdicts.tier_readings import read_tiers
from forensics.verdicts.tier_wording import tier_clause

_KIN = ("same_model", "close_descent")
_SHARED = 240
Says = Literal["kin", "independent", "undecided"]
_SAYS: Mapping[Kin, Says] = {"yes": "kin", "no": "independent", "open": "undecided"}


@dataclass(frozen=True)
class Search:
    """What a search of a cohort says of one of its models.

    `named`: it passed the search's family-wise limit; `unmet`: conditions of the population that
    do not hold; `candidates` were searched.
    """

    cohort: str
    candidates: int
    named: bool
    family_wise: float | None
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """One reference and what came of it: a case, or what prevented one.

    `name` is the reference as the policy names it, `names` are all that mean it, and `kin` are
    names of its lineage and family; `number` is its case's place in the result; `damaged` says
    that the error is a model's file that is damaged or incomplete; `unmeasured` says why there was
    nothing to measure although nothing failed, and `next_step` what would give something. `cohort`
    is the one that the policy judges by, or that the reference belongs to, as it was read.
    """

    name: str
    names: tuple[str, ...]
    kin: tuple[str, ...] = ()
    case: Case | None = None
    number: int | None = None
    search: Search | None = None
    error: str = ""
    damaged: bool = False
    unmeasured: str = ""
    next_step: str = ""
    cohort: Cohort | None = None


def kin_log10_lr(case: Case) -> float | None:
    """Return log10 of the likelihood ratio for close kinship; None where there is none."""
    ratios = [v for k, v in (case.verdict.log10_lr or {}).items() if k in _KIN]
    return max(ratios, default=None)


@dataclass(frozen=True)
class ByWeights:
    """What the weights say, and in words the figure that decided."""

    says: Says
    words: str


def by_weights(case: Case, bound: float) -> ByWeights | None:
    """Return what evidence of the tier `weights` says; None where none was measured.

    p-values say no more here than in the verdict: what it leaves open decides no rule.

    Args:
        case: of the reference and the subject.
        bound: log10 LR from which a likelihood ratio decides, in either direction.
    """
    tested, _ = read_tiers(case.evidence)  # as the verdict reads them: the two never disagree
    says = _SAYS.get(tested.kin)
    ratios = [
        (lr, e.title)
        for e in case.evidence
        if e.tier == "weights" and e.status == "ok" and (lr := _lr(e)) is not None
    ]
    if says is not None and (says == "kin" or not ratios):
        return ByWeights(says, tier_clause(tested))
    if not ratios:
        return None
    lr, title = max(ratios)
    says = "kin" if lr >= bound else "independent" if lr <= -bound else "undecided"
    return ByWeights(says, f"{title}: log10 LR {lr:+.2f} for kinship")


def _lr(evidence: Evidence) -> float | None:
    return max((v for k, v in (evidence.log10_lr or {}).items() if k in _KIN), default=None)


def telling_exhibit(measured: Measured, comparators: Iterable[str] = ()) -> ExhibitRef | None:
    """Return the strongest exhibit for kinship, with its place in the document.

    One with a shared passage comes before one without.

    Args:
        measured: a reference.
        comparators: whose exhibits to take; every one's, by default.
    """
    exhibits = list(_exhibits(measured, set(comparators)))
    return next(
        (exhibit for exhibit in exhibits if exhibit.shared), exhibits[0] if exhibits else None
    )


def _exhibits(measured: Measured, comparators: set[str]) -> Iterator[ExhibitRef]:
    if measured.case is None:
        return
    answers = {p.prompt_sha256: p.a for p in measured.case.prompts}
    for place, evidence in enumerate(measured.case.evidence):
        if comparators and evidence.comparator not in comparators:
            continue
        for number, exhibit in enumerate(evidence.exhibits):
            if exhibit.side == "for" and exhibit.prompt_sha256 in answers:
                yield ExhibitRef(
                    path=f"cases.{measured.number}.evidence.{place}.exhibits.{number}",
                    comparator=evidence.comparator,
                    prompt_id=exhibit.prompt_id,
                    shared=_shared(exhibit, answers[exhibit.prompt_sha256]),
                )


def _shared(exhibit: Exhibit, answers: Iterable[CaseResponse]) -> str:
    """Return the longest passage that both share, as the reference has it."""
    text = next((answer.text for answer in answers if answer.sample == exhibit.sample_a), "")
    start, end = max(exhibit.spans_a, key=lambda span: span[1] - span[0], default=(0, 0))
    return text[start:end][:_SHARED]
