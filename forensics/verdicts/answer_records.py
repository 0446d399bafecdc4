"""The answers of a case, as its document holds them."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.details.reference import TransferredDetails
from forensics.case.document import CaseSubject
from forensics.case.evidence import Evidence, ReferenceScores
from forensics.case.questions import KnownCases, Question, QuestionAnswer
from forensics.cohorts.lineage.hypotheses import HYPOTHESES
from forensics.verdicts.answer_wording import Grounds, sentences
from forensics.verdicts.answering import ASKED, Answered, answer_all, not_weighed
from forensics.verdicts.brief_wording import in_brief
from forensics.verdicts.decision import Decision, Ratio
from forensics.verdicts.detection_limit import pairs_above, shipped
from forensics.verdicts.next_steps import Asked, next_step
from forensics.verdicts.shifting import SHIFT
from forensics.verdicts.standing import Hypotheses, Standing, signs_of, stand
from forensics.verdicts.tier_readings import SHARED_MANNER


def answers_of(
    decision: Decision,
    evidence: Sequence[Evidence],
    a: CaseSubject,
    b: CaseSubject,
) -> tuple[QuestionAnswer, ...]:
    """Return the answers to the four questions.

    Args:
        decision: what was decided of the evidence.
        evidence: all of the case.
        a: the known subject.
        b: the questioned subject.
    """
    standing = stand(signs_of(decision, evidence))
    detection = _detection(decision, standing)
    grounds = Grounds(decision, standing, tuple(evidence), detection)
    asked = Asked(a, b, decision.screening.overlap)
    return tuple(
        _record(answered, grounds, asked)
        for answered in answer_all(standing, detection is not None)
    )


def _record(answered: Answered, grounds: Grounds, asked: Asked) -> QuestionAnswer:
    ratio = grounds.decision.weighed if answered.question == "close_relatives" else None
    tells_detection = answered.reason in ("would_have_been_seen", "probabilities_silent")
    return QuestionAnswer(
        question=answered.question,
        answer=answered.answer,
        strength=ratio.verbal.tier if ratio and answered.reason.startswith("ratio") else "",
        log10_lr=ratio.value if ratio else None,
        log10_lr_rival=ratio.learned if ratio else None,
        interval=ratio.interval if ratio else None,
        bounds=ratio.bounds if ratio else None,
        error_rate=ratio.error_at_score if ratio else None,
        detection=grounds.detection if tells_detection else None,
        hypotheses=_sorted(ASKED[answered.question]),
        not_weighed=_sorted(
            not_weighed(grounds.standing, answered.question)
            if answered.answer == "supported"
            else frozenset()
        ),
        evidence=_rests_on(answered, grounds),
        reasons=sentences(answered, grounds),
        brief=in_brief(answered, grounds),
        next_step=next_step(answered, asked),
    )


def _sorted(hypotheses: Hypotheses) -> tuple[str, ...]:
    return tuple(name for name in HYPOTHESES if name in hypotheses)


def _rests_on(answered: Answered, grounds: Grounds) -> tuple[str, ...]:
    """Return the comparators of the evidence that an answer rests on."""
    measured = [e for e in grounds.evidence if e.status == "ok"]
    weights = [e.comparator for e in measured if e.tier == "weights"]
    probabilities = [e.comparator for e in measured if e.tier == "logprobs"]
    ratio = grounds.decision.weighed
    by_ratio = [ratio.judged.comparator] if ratio else []
    manner = [e.comparator for e in measured if e.comparator == SHARED_MANNER]
    by_question: dict[Question, list[str]] = {
        "one_model": manner if "manner" in answered.reason else [],
        "close_relatives": by_ratio if answered.reason.startswith("ratio") else [],
        "learned": _of_learning(answered, probabilities, measured),
        "independent": [*weights, *probabilities, *by_ratio, *manner],
    }
    if answered.answer == "cannot be told" and answered.question == "independent":
        return ()
    if "weights" in answered.reason:
        return tuple(weights + (probabilities if answered.question == "learned" else []))
    return tuple(by_question[answered.question])


def _of_learning(
    answered: Answered, probabilities: list[str], measured: Sequence[Evidence]
) -> list[str]:
    if answered.reason.startswith("shift"):
        return [entry.comparator for entry in measured if entry.comparator == SHIFT]
    return probabilities if answered.reason.startswith("probabilities") else []


def _detection(decision: Decision, standing: Standing) -> KnownCases | None:
    """Return in how many known cases kinship would have been seen; None where nobody knows."""
    ratio = decision.weighed
    if ratio is not None and ratio.value < 0:
        return _known_kin(ratio)
    if standing.signs.probabilities != "no":
        return None
    # Of students that learned from nothing else; those that learned less are harder to see.
    taught = max(shipped().rates, key=lambda rate: rate.share)
    return KnownCases(kind="learned", seen=taught.detected, of=taught.n)


def _known_kin(ratio: Ratio) -> KnownCases | None:
    judged = ratio.judged
    if judged.reference is not None and judged.score is not None:
        return _above(judged.reference, judged.score)
    details = judged.details
    if not isinstance(details, TransferredDetails) or not details.error_rates:
        return None
    *_, rates = details.error_rates.values()  # the last of its tests is the strictest
    if not rates.kin_pairs:
        return None
    seen = round(rates.found_above_10 * rates.kin_pairs)
    return KnownCases(kind="close_relatives", seen=seen, of=rates.kin_pairs)


def _above(reference: ReferenceScores, score: float) -> KnownCases | None:
    """Count the pairs of close kin in the bins wholly above a score."""
    of = sum(reference.related)
    if not of or len(reference.edges) != len(reference.related) + 1:
        return None
    seen = pairs_above(reference.edges, reference.related, score)
    return KnownCases(kind="close_relatives", seen=seen, of=of)
