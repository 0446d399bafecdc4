"""What a likelihood ratio says, in parts of sentences."""

from __future__ import annotations

from forensics.verdicts.decision import Ratio
from forensics.verdicts.detection_limit import pairs_above


def times(log10_lr: float) -> str:
    """Return how many times likelier one of two things is, as people write it: `86`, `1,200`."""
    size = 10 ** abs(log10_lr)
    if size < 10:
        return f"{size:.2g}"
    digits = len(str(int(size))) - 2
    return f"{round(size, -digits if digits > 0 else 0):,.0f}"


def most(ratio: Ratio) -> str:
    """Return that a ratio is the greatest that so many lineages can show, in brackets."""
    clusters = ratio.error_at_score.clusters if ratio.error_at_score else 0
    by = f"{clusters} lineages" if clusters else "these models"
    return f" (the most that {by} can show)"


def elsewhere(ratio: Ratio) -> str:
    """Return that a ratio was learned elsewhere, in a sentence; empty of a cohort's."""
    if ratio.calibration == "matched":
        return ""
    return "This ratio was fitted on other prompts and other models than these."


def lineages(ratio: Ratio) -> str:
    """Return how many unrelated lineages score as high, in a sentence; empty if not measured."""
    error = ratio.error_at_score
    if error is None or not error.clusters:
        return ""
    return (
        f"{error.clusters_in_error or 'None'} of {error.clusters} unrelated lineages "
        f"{'scores' if error.clusters_in_error <= 1 else 'score'} as high."
    )


def higher(ratio: Ratio) -> str:
    """Return how many unrelated lineages, or pairs, score higher; empty where nobody knows."""
    error, reference, score = ratio.error_at_score, ratio.judged.reference, ratio.judged.score
    if error is not None and error.clusters_in_error:
        scores = "scores" if error.clusters == 1 else "score"
        return f"{error.clusters_in_error} of {error.clusters} unrelated lineages {scores} higher."
    if reference is None or score is None or not sum(reference.unrelated):
        return ""
    above = pairs_above(reference.edges, reference.unrelated, score)
    return f"{above:,} of {sum(reference.unrelated):,} unrelated pairs score higher."


def other_prompts(ratio: Ratio) -> str:
    """Return what a ratio learned on other prompts says, where that settles nothing."""
    likelier = ("unrelated models", "relatives")[:: 1 if ratio.value < 0 else -1]
    return (
        f"By a calibration fitted on other prompts, such similarity is {times(ratio.value)} times "
        f"as likely between {likelier[0]} as between {likelier[1]}."
    )


def told_from_students(ratio: Ratio) -> str:
    """Return how well likeness tells kin from students, where it does."""
    if ratio.learned is None:
        return ""
    return (
        f"It is {times(ratio.learned)} times as likely between relatives as between models that "
        "learned from one another's answers."
    )


def students_alike(ratio: Ratio) -> str:
    """Return how well likeness tells kin from students, where that is too little."""
    if ratio.learned is None:
        return (
            "How similar models become by learning from one another's answers is not known on "
            "such prompts."
        )
    if ratio.learned <= 0:
        return "Models that learned from one another's answers are just as similar."
    return (
        f"It is only {times(ratio.learned)} times as likely between relatives as between models "
        "that learned from one another's answers; more than 10 times is needed."
    )


def text_or_kinship() -> list[str]:
    """Return why likeness points to learning where descent explains it as well."""
    return [
        "Their answers are more similar than those of unrelated models, and learning explains "
        "that as well as descent does.",
        "Text cannot distinguish the other model's answers from public text that both models "
        "learned from.",
    ]
