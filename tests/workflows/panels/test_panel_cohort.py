"""What a collected cohort is good for: subjects are asked the suite that its models were asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.pack_files import write_cohort
from forensics.evaluation.cohort_build import build
from forensics.suites.loading import load_suite
from forensics.workflows.resolving import SuiteChoice
from forensics.workflows.settings import Prompts
from tests.cohorts.builders import facts, outputs


def test_a_subject_is_asked_what_the_cohorts_models_were_asked(tmp_path: Path) -> None:
    core = load_suite("core").select(limit=9)
    made = replace(outputs(facts(1, 3), prompts=9), prompts=core.prompts)
    cohort = build(made, (), "mine", provenance={"suite": "core"})
    path = tmp_path / "mine.safetensors"
    write_cohort(path, cohort)
    again = find_cohort(str(path))
    asked = SuiteChoice(Prompts()).of_cohort(again)
    assert {p.sha256 for p in asked.prompts} == {p.sha256 for p in core.prompts}
    assert asked.name == "core"
    assert len(SuiteChoice(Prompts(limit=4)).of_cohort(again).prompts) == 4
    assert len(SuiteChoice(Prompts(every=True)).of_cohort(again).prompts) == 202
    # A shipped cohort's own suite goes first.
    other = replace(cohort, name="alpaca-eval")
    assert SuiteChoice(Prompts()).of_cohort(other).name == "alpaca-eval"
