"""Does an answer comply, refuse in part, or refuse? Offline, in a few milliseconds.

``classify`` reads answers in English, Chinese, Spanish, French, German, Russian, Japanese, Finnish,
Portuguese, Italian and Arabic. Hand-written patterns say what each sentence does (declines, names a
rule, lectures, turns away, corrects a fact, delivers); a small logistic regression, fitted by
``python -m studies.refusals.fit`` on the human labels of XSTest, weighs them.

Labels are those of XSTest (Röttger et al., NAACL 2024, section 3): *full compliance*; *full
refusal*, stated or not; *partial refusal*: deflects, lectures instead of answering, or answers
something else. The binary reading used throughout is refusal (full or partial) against compliance.
"""

from __future__ import annotations

from forensics.evidence.refusals.model import Label, RefusalJudgement, classify

__all__ = ["Label", "RefusalJudgement", "classify"]
