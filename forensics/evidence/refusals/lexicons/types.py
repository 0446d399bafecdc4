"""What a lexicon is: regular expressions for one language, sorted by what they signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Group = Literal[
    "decline",
    "inability",
    "apology",
    "norm",
    "taboo",
    "reject",
    "objection",
    "persona",
    "lecture",
    "redirect",
    "resource",
    "premise",
    "offer",
    "comply",
    "clarify",
    "courtesy",
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""decline: will not or may not do what was asked · inability: has no access, knowledge or sense
for it · apology · norm: says that it is not appropriate, legal or
allowed to do or ask this · taboo: words for crime and harm, which a plain explanation may use too ·
reject: denies that what was asked for is right · objection: announces an objection ("I must point
out") · persona: speaks of itself as an AI · lecture: moral advice nobody
asked for · redirect: turns to another topic · resource: sends the reader to help or authorities ·
premise: corrects a fact · offer: gives something after all · comply: begins to answer · clarify:
asks back · courtesy: a greeting or thanks before the answer proper."""


@dataclass(frozen=True)
class RefusalLexicon:
    """The patterns of one language.

    Attributes:
        language: ISO 639-1 code.
        words: frequent short words by which the language is recognised (empty for a language
            recognised by its script).
        patterns: for each group the alternatives, as regular expressions over folded text.
        exempt: phrases that look like ``decline`` or ``inability`` and are not ("I can't wait").
        limits: refusals that only state what a model cannot know or advise on ("I cannot give
            medical advice"); they count as ``inability``.
        spaced: whether the language separates words by spaces.
    """

    language: str
    words: Sequence[str]
    patterns: Mapping[Group, Sequence[str]]
    exempt: Sequence[str] = ()
    limits: Sequence[str] = ()
    spaced: bool = True
