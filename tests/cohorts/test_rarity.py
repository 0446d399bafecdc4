"""Shared wording: how many of a cohort's models use it, and where that cannot be told."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from forensics.case.evidence import Evidence, Exhibit, Rarity
from forensics.cohorts.rarity import with_rarity
from forensics.evaluation.cohort_build import build
from forensics.evidence.comparator import exhibit
from forensics.examination.examined import Examined
from forensics.report.formats import rendered, report_format
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Response, Transcript
from forensics.transcripts.words import words
from tests.cohorts.builders import facts, outputs
from tests.report.sample_case import sample_case

SAID = "Everyone here says these seven words today. "
SEEN = ["s0", "s1", "s2", "s3"]


@pytest.fixture(name="made", scope="module")
def made_fixture():
    """Give outputs in which four models begin every answer with the same words."""
    plain = outputs(facts(0, 6), prompts=20)
    texts = tuple(
        tuple(
            tuple((SAID if model in SEEN else "") + text for text in samples)
            for model, samples in zip(plain.models, row, strict=True)
        )
        for row in plain.texts
    )
    return replace(plain, texts=texts)


@pytest.fixture(name="cohort", scope="module")
def cohort_fixture(made):
    return build(made, (), "said", prompts=16)


def _exhibits(cohort, prompt, text: str, spans) -> tuple[Exhibit, ...]:
    known = Examined(
        parse_subject("transcript:known.jsonl"),
        Transcript("known", (Response(prompt=prompt, text=text),)),
    )
    shown = exhibit("for", known.answers[0], known.answers[0], 1.0, spans_a=spans, spans_b=spans)
    evidence = Evidence(comparator="phrasing", title="Wording", status="ok", exhibits=(shown,))
    return with_rarity([evidence], known, cohort)[0].exhibits


def _rarity(cohort, prompt, text: str, *spans: tuple[int, int]) -> Rarity | None:
    return _exhibits(cohort, prompt, text, spans)[0].rarity


def test_the_models_that_use_it_are_counted(made, cohort):
    for prompt in made.prompts:  # those that were not sketched count too
        found = _rarity(cohort, prompt, SAID, (0, len(SAID)))
        assert found == Rarity(cohort="said", models=4, of=6, least_clusters=3)


def test_of_several_passages_the_rarest_counts(made, cohort):
    own = "which no other model of all of these has ever written down"
    both = _rarity(
        cohort, made.prompts[0], SAID + own, (0, len(SAID)), (len(SAID), len(SAID) + len(own))
    )
    assert both == Rarity(cohort="said", models=None, of=6, least_clusters=3)


def test_short_passages_and_foreign_prompts_have_none(made, cohort):
    start = len(" ".join(words(SAID)[:3]))
    assert _rarity(cohort, made.prompts[0], SAID, (0, start)) is None
    foreign = replace(made.prompts[0], known_as="0" * 64)
    assert _rarity(cohort, foreign, SAID, (0, len(SAID))) is None


def test_models_added_later_are_not_among_those_counted(made, cohort):
    grown = replace(cohort, provenance={**cohort.provenance, "added": [{"models": ["s4", "s5"]}]})
    found = _rarity(grown, made.prompts[0], SAID, (0, len(SAID)))
    assert found is not None
    assert found.of == 4


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (None, "; of 6 other models hardly any uses it (at most 2 lineages)."),
        (1, "; of 6 other models 1 uses the rarest five of them."),
        (4, "; of 6 other models 4 use the rarest five of them."),
    ],
)
def test_every_report_tells_it(models, said):
    case = sample_case()
    rarity = Rarity(cohort="said", models=models, of=6, least_clusters=3)
    evidence = [
        one.model_copy(
            update={
                "exhibits": tuple(x.model_copy(update={"rarity": rarity}) for x in one.exhibits)
            }
        )
        for one in case.evidence
    ]
    case = case.model_copy(update={"evidence": tuple(evidence)})
    for name in ("html", "markdown", "text"):
        text = rendered(report_format(name), case)
        if name == "html":
            text = re.sub(r"<[^>]+>", "", text)
        assert said in " ".join(text.split()), name
