"""A small cohort that is calibrated, and subjects to judge against it, all made of word habits."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from forensics.cohorts.cohort import Cohort
from forensics.evaluation.cohort_build import build
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Prompt
from forensics.transcripts.transcript import Response, Transcript
from tests.builders import manifest
from tests.cohorts.builders import answer, facts, outputs, pairs, prompt, word

PROMPTS = 24
NAME = "made"


@cache
def made_cohort() -> Cohort:
    """Give six models under two settings each (m0a, m0b, …) and 16 others (s0, …), all of 2024."""
    models = facts(6, 16)
    cohort = build(outputs(models, PROMPTS), pairs(models), NAME)
    assert cohort.calibration is not None
    return replace(cohort, sha256="0" * 64)


def prompts() -> list[Prompt]:
    return [prompt(number) for number in range(PROMPTS)]


def said(habits: str, seed: str, count: int = PROMPTS, length: int = 60) -> list[str]:
    """Give answers of a model with these habits: `m0` are those of the cohort's m0a and m0b."""
    own = [word(random.Random(f"{habits} {i}")) for i in range(30)]
    return [answer(own, i, random.Random(f"{seed} {i}"), length) for i in range(count)]


def answering(texts: list[str], name: str = "x", **settings: object) -> Examined:
    """Give a subject that answered the cohort's first prompts with these texts."""
    made = tuple(
        Response(prompt=one, text=text) for one, text in zip(prompts(), texts, strict=False)
    )
    told = manifest(name, settings={"temperature": 0.0, "system_prompt": None} | settings)
    return Examined(parse_subject(f"transcript:{name}.jsonl"), Transcript(name, made, (told,)))
