"""Kinds of claims about two models: what answers can tell of each, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from forensics.case.document import Claim
from forensics.case.questions import Question
from forensics.cohorts.lineage.hypotheses import SENTENCES, Hypothesis
from forensics.support.secrets import redacted

_WEIGHTS = "the weight files of both models"
_TRAINING_DATA = "the questioned model's training data and training logs"
_API_LOGS = "the known model's API logs: who asked what, and when"
_TERMS = "the terms or agreement in force, and who accepted them"


Material = Literal["answers", "repeated answers", "token probabilities and weights", "weights"]


@dataclass(frozen=True)
class ClaimKind:
    """What is known of a kind of claim beforehand.

    `question` is the one that the claim comes to, None where no measurement of two models can test
    it. `tested_from` is the least material from which this version can support it, None where it
    can support it from none. `needs` is what would test what answers cannot. `hypothesis` is the
    one that a verdict names it by.
    """

    means: str
    question: Question | None
    tested_from: Material | None
    needs: tuple[str, ...]
    hypothesis: Hypothesis | None = None

    @property
    def testable(self) -> bool:
        """Whether the answers of two models alone can support it."""
        return self.tested_from in ("answers", "repeated answers")


KINDS: Mapping[str, ClaimKind] = MappingProxyType(
    {
        "related": ClaimKind(
            "the two models are related in some way", "close_relatives", "answers", (_WEIGHTS,)
        ),
        "same-model": ClaimKind(
            "both are one model under two names",
            "one_model",
            "repeated answers",
            ("the sha256 of the weights served at both places",),
            "same_model",
        ),
        "fine-tuned": ClaimKind(
            "one was made from the other's weights",
            "close_relatives",
            "answers",
            (_WEIGHTS, "both models' configuration and tokenizer files"),
            "close_descent",
        ),
        # Likeness of answers can be tested; whose requests they came from cannot.
        "distilled": ClaimKind(
            "one was trained on the other's outputs",
            "learned",
            "token probabilities and weights",
            (
                f"{_API_LOGS} (answers alone do not tell this from public data that holds outputs)",
                _TRAINING_DATA,
            ),
            "common_teacher",
        ),
        "same-base": ClaimKind(
            "both were tuned from one pretrained model",
            "close_relatives",
            "weights",
            (_WEIGHTS,),
            "same_base",
        ),
        "same-developer": ClaimKind(
            "both come from one developer",
            None,
            None,
            ("the developers' own records of both models",),
            "same_developer",
        ),
        # Little similarity does not show independence, so no measurement of answers confirms it.
        "trained-from-scratch": ClaimKind(
            "the questioned model owes nothing to the known one",
            "independent",
            None,
            (_TRAINING_DATA, "checkpoints from the whole training run", _WEIGHTS),
            "independent",
        ),
        "copied-weights": ClaimKind(
            "the weights themselves were copied",
            "close_relatives",
            "weights",
            (_WEIGHTS, "access logs of the place where the known weights were kept"),
            "close_descent",
        ),
        "training-data": ClaimKind(
            "the questioned model was trained on a certain data set",
            None,
            None,
            ("the data set, and " + _TRAINING_DATA,),
        ),
        "terms-broken": ClaimKind("terms of use were broken", None, None, (_TERMS, _API_LOGS)),
        "other": ClaimKind(
            "anything else",
            None,
            None,
            ("a statement of what would show it, from whoever claims it",),
        ),
    }
)


def kind_of(claim: Claim) -> ClaimKind:
    """Return a claim's kind; of a claim that recorded none, the one that it needs the same for."""
    if claim.kind in KINDS:
        return KINDS[claim.kind]
    same = (kind for kind in KINDS.values() if kind.needs == claim.needs)
    return next(same, KINDS["other"])


def claim(text: str, kind: str, source: str, date: str) -> Claim:
    """Return a claim with what is known of its kind.

    Args:
        text: the claim, word for word.
        kind: one of `KINDS`.
        source: where it was made.
        date: when, as `YYYY-MM-DD`.
    """
    known = KINDS[kind]
    source = redacted(source)
    return Claim(
        text=text,
        source=source,
        date=date,
        kind=kind,
        testable=known.testable,
        needs=known.needs,
    )


def propositions(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the propositions that claims of these kinds set against each other, in sentences.

    Independence is always among them: evidence is weighed against it.
    """
    named = {KINDS[kind].hypothesis for kind in kinds} - {None, "independent"}
    # Claims that name no kinship are weighed against every one.
    shown = {*named, "independent"} if named else {*SENTENCES}
    return tuple(
        f"{name.replace('_', ' ')}: {sentence}"
        for name, sentence in SENTENCES.items()
        if name in shown
    )
