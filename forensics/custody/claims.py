"""Kinds of claims about two models: what answers can tell of each, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from forensics.case.document import Claim
from forensics.cohorts.lineage.hypotheses import SENTENCES, Hypothesis
from forensics.support.secrets import redacted

_WEIGHTS = "the weight files of both models"
_TRAINING_DATA = "the questioned model's training data and training logs"
_API_LOGS = "the known model's API logs: who asked what, and when"
_TERMS = "the terms or agreement in force, and who accepted them"


@dataclass(frozen=True)
class ClaimKind:
    """What is known of a kind of claim beforehand.

    `testable`: the answers of two models can speak for or against it. `needs` is what would test
    what answers cannot. `hypothesis` is the one that a verdict names it by.
    """

    means: str
    testable: bool
    needs: tuple[str, ...]
    hypothesis: Hypothesis | None = None


KINDS: Mapping[str, ClaimKind] = MappingProxyType(
    {
        "related": ClaimKind("the two models are related in some way", True, (_WEIGHTS,)),
        "same-model": ClaimKind(
            "both are one model under two names",
            True,
            ("the sha256 of the weights served at both places",),
            "same_model",
        ),
        "fine-tuned": ClaimKind(
            "one was made from the other's weights",
            True,
            (_WEIGHTS, "both models' configuration and tokenizer files"),
            "close_descent",
        ),
        # Likeness of answers can be tested; whose requests they came from cannot.
        "distilled": ClaimKind(
            "one was trained on the other's outputs",
            True,
            (
                f"{_API_LOGS} (answers alone do not tell this from public data that holds outputs)",
                _TRAINING_DATA,
            ),
            "common_teacher",
        ),
        "same-base": ClaimKind(
            "both were tuned from one pretrained model", True, (_WEIGHTS,), "same_base"
        ),
        "same-developer": ClaimKind(
            "both come from one developer",
            True,
            ("the developers' own records of both models",),
            "same_developer",
        ),
        # Little similarity does not show independence, so no measurement of answers confirms it.
        "trained-from-scratch": ClaimKind(
            "the questioned model owes nothing to the known one",
            False,
            (_TRAINING_DATA, "checkpoints from the whole training run", _WEIGHTS),
            "independent",
        ),
        "copied-weights": ClaimKind(
            "the weights themselves were copied",
            False,
            (_WEIGHTS, "access logs of the place where the known weights were kept"),
            "close_descent",
        ),
        "training-data": ClaimKind(
            "the questioned model was trained on a certain data set",
            False,
            ("the data set, and " + _TRAINING_DATA,),
        ),
        "terms-broken": ClaimKind("terms of use were broken", False, (_TERMS, _API_LOGS)),
        "other": ClaimKind(
            "anything else", False, ("a statement of what would show it, from whoever claims it",)
        ),
    }
)


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
    return Claim(text=text, source=source, date=date, testable=known.testable, needs=known.needs)


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
