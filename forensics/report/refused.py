"""Who refused what, and with which phrase."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from forensics.case.details.text import RefusalDetails
from forensics.case.document import Case, CaseResponse
from forensics.case.evidence import Evidence
from forensics.evidence.refusals import By, RefusalJudgement, classify
from forensics.transcripts.answers import MAX_ANALYSED_CHARS

LABELS = {
    "full_compliance": "complies",
    "partial_refusal": "refuses in part",
    "full_refusal": "refuses",
}


@dataclass(frozen=True)
class RefusedPrompt:
    """A prompt that one of the two refused at least in part; `index` is its place in the case."""

    index: int
    a: RefusalJudgement
    a_path: str
    b: RefusalJudgement
    b_path: str


def refused(case: Case, evidence: Evidence) -> tuple[RefusedPrompt, ...]:
    """Return the prompts that one of the two refused at least in part, in the case's order.

    The answers are judged again, as the comparator did: a case without the classifier's name was
    made by the marks of a refusal alone.

    Returns:
        Nothing where that gives other counts than `evidence` recorded: the record is what counts.
    """
    places: list[tuple[int, int, int]] = []
    details = evidence.details
    if not isinstance(details, RefusalDetails):
        return ()
    for index, prompt in enumerate(case.prompts):
        a, b = _first(prompt.a), _first(prompt.b)
        if a is not None and b is not None:
            places.append((index, a, b))
    texts = [case.prompts[i].a[a].text for i, a, _ in places]
    texts += [case.prompts[i].b[b].text for i, _, b in places]
    asked = [case.prompts[i].prompt for i, _, _ in places] * 2
    by: By = "marks" if details.classifier is None else "task"
    judged = classify([text[:MAX_ANALYSED_CHARS] for text in texts], asked, by)
    sides = judged[: len(places)], judged[len(places) :]
    counted = [Counter(judgement.label for judgement in side) for side in sides]
    if counted != [details.labels_a, details.labels_b]:
        return ()
    return tuple(
        RefusedPrompt(i, first, f"prompts.{i}.a.{a}.text", second, f"prompts.{i}.b.{b}.text")
        for (i, a, b), first, second in zip(places, *sides, strict=True)
        if {first.label, second.label} != {"full_compliance"}
    )


def _first(responses: tuple[CaseResponse, ...]) -> int | None:
    usable = [
        (response.sample, place)
        for place, response in enumerate(responses)
        if response.status in ("ok", "truncated") and response.text.strip()
    ]
    return min(usable)[1] if usable else None
