"""A policy's way through `check`: what CONTRIBUTING says of it, and cohorts that are files."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from types import FrameType

import forensics
from forensics.policy.judgements import Judgement
from forensics.policy.measured import Measured
from forensics.policy.model import Policy, Rules
from forensics.policy.outcomes import CheckResult, Outcome
from forensics.policy.reading import PolicyFile
from forensics.support.resources import data_folder
from forensics.workflows.policy_run import PolicyRun, ResolvedReference
from tests.cli.cli import ROOT

OF_POLICIES = (PolicyFile, Policy, Rules, PolicyRun, ResolvedReference)
OF_RESULTS = (Measured, Judgement, Outcome, CheckResult)
POLICY = """
comparators = ["phrasing"]
[[against]]
subject = "a.jsonl"
[[against]]
cohort = "alpaca-eval"
[budget]
max_calls = 10
[rules.undeclared-kinship]
"""


def test_alarms_are_counted_on_pairs_held_out_of_a_cohort_that_is_a_file(here):
    shutil.copy(data_folder("probes") / "alpaca-eval" / "cohort.safetensors", "copy.safetensors")
    text = (
        'comparators = ["phrasing"]\ncohort = "copy.safetensors"\n'
        '[[against]]\nsubject = "cohort:Meta-Llama-3-8B-Instruct"\n'
        "[rules.undeclared-kinship]\n"
    )
    (here / "forensics.toml").write_text(text, encoding="utf-8")
    (alarms,) = forensics.check("cohort:vicuna-13b").false_alarms
    assert "unrelated pairs held out reach the bound" in alarms.basis
    assert alarms.per_100 is not None and alarms.upper is not None
    assert 0 < alarms.per_100 < alarms.upper


def test_a_policy_travels_as_contributing_says(cli, here):
    (here / "forensics.toml").write_text(POLICY, encoding="utf-8")
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## How a policy travels through `check`")[2].partition("\n## ")[0]
    listed = re.findall(r"^\d+\. `forensics/([\w/.]+)`", section, re.MULTILINE)
    assert 0 < len(listed) <= 15
    assert all((ROOT / "forensics" / name).is_file() for name in listed)
    called, holding = _files(lambda: cli("check", "b.jsonl"))
    assert holding <= {*listed, "report/check/terminal.py"}
    assert set(listed) <= called


def _files(call: Callable[[], object]) -> tuple[set[str], set[str]]:
    """Return the package's files that a call runs, and those that are handed part of a policy."""
    folder = f"{ROOT / 'forensics'}/"
    called: set[str] = set()
    holding: set[str] = set()

    def watch(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(folder) or frame.f_code.co_name == "<module>":
            return
        called.add(file.removeprefix(folder))
        if _holds(frame):
            holding.add(file.removeprefix(folder))

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return called, holding


def _holds(frame: FrameType) -> bool:
    for value in frame.f_locals.values():
        first = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(first, (*OF_POLICIES, *OF_RESULTS)):
            return True
    return False
