"""How rare the wording that two answers share is among the models of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.case.evidence import Evidence, Exhibit, Rarity
from forensics.cohorts.cohort import PHRASE_WORDS, Cohort
from forensics.examination.examined import Examined
from forensics.transcripts.words import words


def with_rarity(evidence: Sequence[Evidence], known: Examined, cohort: Cohort) -> list[Evidence]:
    """Return the evidence, its exhibits with how rare their marked wording is in the cohort.

    Left as they are: exhibits without five marked words in a row, and those of prompts that the
    cohort did not answer, whose subject would make any wording look rare.

    Args:
        evidence: what was found.
        known: the known subject, whose answers the wording is read from.
        cohort: counts the models.
    """
    answered = {*(prompt.sha256 for prompt in cohort.prompts), *cohort.more_prompts}
    texts = {
        (answer.prompt_sha256, answer.sample): answer.text
        for answer in known.answers
        if answer.prompt_sha256 in answered
    }
    return [_with_rarity(entry, texts, cohort) if entry.exhibits else entry for entry in evidence]


def _with_rarity(
    evidence: Evidence, texts: Mapping[tuple[str, int], str], cohort: Cohort
) -> Evidence:
    shown = [
        exhibit.model_copy(update={"rarity": _rarity(exhibit, texts, cohort)})
        for exhibit in evidence.exhibits
    ]
    return evidence.model_copy(update={"exhibits": tuple(shown)})


def _rarity(
    exhibit: Exhibit, texts: Mapping[tuple[str, int], str], cohort: Cohort
) -> Rarity | None:
    text = texts.get((exhibit.prompt_sha256, exhibit.sample_a))
    counted = cohort.provenance.get("phrases")
    if text is None or not counted:
        return None
    runs = [words(text[start:end]) for start, end in exhibit.spans_a]
    models_of_run = [cohort.rarity(run) for run in runs if len(run) >= PHRASE_WORDS]
    if not models_of_run:
        return None
    added = cohort.provenance.get("added", ())  # later than the count
    listed = [models for models in models_of_run if models is not None]
    return Rarity(
        cohort=cohort.name,
        models=min(listed) if len(listed) == len(models_of_run) else None,
        of=len(cohort.models) - sum(len(run["models"]) for run in added),
        least_clusters=counted["least_clusters"],
    )
