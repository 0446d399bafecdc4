"""Does an answer comply, evade, or refuse? Offline, in about a millisecond.

``classify`` reads answers in English, Chinese, Spanish, French, German, Russian, Japanese, Finnish,
Portuguese, Italian and Arabic. Hand-written patterns say what each sentence does (declines, names a
rule, lectures, turns away, corrects a fact, delivers); a small logistic regression, fitted on the
human labels of XSTest, weighs them. Of an answer to an order, "write a poem", "analyse", a second
regression weighs whether it *does what was asked*: kind of text, subject, length, hedges and
wording. It is fitted on English, Chinese and Finnish. ``python -m studies.refusals.fit`` fits both.

Labels are those of XSTest (Röttger et al., NAACL 2024, section 3): *full compliance*; *full
refusal*, stated or not; *partial refusal*: deflects, lectures instead of answering, or answers
something else, in short an evasion. The binary reading used throughout is refusal (full or partial)
against compliance.
"""

from __future__ import annotations

from forensics.evidence.refusals.classifier import (
    By,
    Label,
    RefusalJudgement,
    classifier_id,
    classify,
)

__all__ = ["By", "Label", "RefusalJudgement", "classifier_id", "classify"]
