"""Policies and measured references to judge."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.evidence import load_comparators
from forensics.policy.measured import Measured
from forensics.policy.reading import PolicyFile, read_policy
from forensics.verdicts.compare import compare
from tests.builders import essays, examined
from tests.made_cohort import answering, made_cohort, said

REFERENCE = '[[against]]\nsubject = "org/known"\n'


def policy(folder: Path, rules: str) -> PolicyFile:
    path = folder / "forensics.toml"
    path.write_text(REFERENCE + rules, encoding="utf-8")
    return read_policy(path)


@cache
def screened(shift: int = 0) -> Case:
    """Give a case without a cohort: the same answers, or others."""
    comparators = load_comparators(only=["phrasing", "openings"])
    return compare(examined(essays(20), "a"), examined(essays(20, shift), "b"), comparators)


@cache
def calibrated(habits: str) -> Case:
    """Give a case judged against a small cohort: `new` is kin, anything else a stranger."""
    known, questioned = answering(said("new", "one")), answering(said(habits, "two"))
    comparators = load_comparators(only=["phrasing"])
    months = ("2024-06", "2024-06")
    return compare(known, questioned, comparators, cohort=made_cohort(), released=months)


def by_weights(
    p_value: float | None = None, log10_lr: float | None = None, approximate: bool = False
) -> Case:
    """Give a screening case with evidence from the weights."""
    evidence = Evidence(
        comparator="weights",
        title="Hidden units",
        tier="weights",
        status="ok",
        score=0.5,
        n=4,
        p_value=p_value,
        log10_lr=None if log10_lr is None else {"close_descent": log10_lr},
        details={"p_value_is_approximate": approximate},
    )
    case = screened(1)
    return case.model_copy(update={"evidence": (*case.evidence, evidence)})


def measured(case: Case | None, error: str = "") -> Measured:
    number = None if case is None else 0
    return Measured("org/known", ("org/known",), case=case, number=number, error=error)
