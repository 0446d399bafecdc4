"""What an answer commits itself to: an arbitrary pick, or specifics that the prompt does not give.

Everything is normalised (width, case, markdown, punctuation, articles), keeps its place in the
answer, and carries a weight between 0 and 1: how surprising it is that two models should agree on
it. The weight of a pick is log p / log 0.01, at most 1, where p is how common the pick is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, log

import regex

from forensics.evidence.features.general_english import general_english
from forensics.transcripts.words import words

MAX_PICK_WORDS = 8
_RAREST = 0.01
_FREQUENT = 1e-4

# Everybody's favourites: rough shares of chat models that pick them when free to pick anything of
# the kind, from public knowledge, not measured. What stands here is thereby made to score little.
_COMMON = {
    0.6: "heads paris apple blue owl",
    0.4: """42 7 7️⃣ 😊 red tails banana orange serendipity elara cat dog house haus baum maison
        casa""",
    0.25: """37 73 47 27 17 1234 luna shadow smokey smoky misty ash echoes whispers green purple
        teal m k q a e x rome venice knight fox kael lyra aria thorne voss vance chen sarah elena
        eldoria willowbrook eldergrove 🌟 ✨ 🚀 😀 😄 🎉 🌈 pineapple umbrella ephemeral apfel""",
    0.12: """57 72 67 83 23 64 7392 4729 4782 3847 7284 4738 5823 3721 8472 4821 cerulean turquoise
        indigo azure crimson violet maya emma olivia amelia evelyn lily mia sophia isabella eleanor
        clara nova kai ethan liam jack james john michael aris reed hayes hart blackwood smith
        johnson müller schmidt florence prague kyoto barcelona lisbon grapes mango strawberry raven
        lion wolf bear lantern whisper butterfly elephant sunshine ocean mountain bridge forgotten
        fragments remember lost solara lumina helios aetheria eldertown oakhaven ravenwood
        silverwood mistwood everwood orbital celestial stellar cosmic star solutions repair""",
}
COMMON: Mapping[str, float] = {
    pick: share for share, picks in reversed(_COMMON.items()) for pick in picks.split()
}
_ARTICLES = frozenset("a an the der die das ein eine le la les un une el los las il lo".split())
_TITLES = frozenset("dr mr mrs ms miss prof professor captain sir lady".split())
_MARKDOWN = regex.compile(r"[*_`#>~]+")
_EMPHASISED = regex.compile(r"\*\*([^*\n]{1,80})\*\*|[\"“«「《]([^\"”»」》\n]{1,80})[\"”»」》]")
_AFTER_COLON = regex.compile(r"[:：]\s*([^\n:：]{1,80})\s*(?:\n|$)")
# What leads up to a pick: "Sure! Here is one:", "I choose", "The number is".
_LEAD = regex.compile(
    r"\s*(?:(?:sure|certainly|of course|okay|ok|great|absolutely)\b[!.,:]*\s*)?"
    r"(?:(?:i(?:[’']d| would| will|[’']ll)?|my|the|here|it)\b[^.!?\n:]{0,40}?"
    r"\b(?:is|was|be|(?:pick|choose|chose|say|go with|select|suggest)(?: is)?)\b\s*:?\s*)?",
    regex.IGNORECASE,
)
_LIST_MARK = regex.compile(r"[,;，、；\n]+")
_NUMBER = regex.compile(r"(?<![\w.])\d(?:[\d,.]*\d)?")
_QUOTED = regex.compile(r"[\"“«「《]([^\"“”«»「」《》\n]{3,80})[\"”»」》]")
_NAME = regex.compile(r"\b\p{Lu}[\p{L}\p{M}’'-]+(?:[ ]\p{Lu}[\p{L}\p{M}’'-]+){0,4}")
_SENTENCE_START = regex.compile(r"(?:^|[.!?:;\n…”\"*#>)\]-])\s*$")

# The premise is called false, or the thing unknown; matched near the start of the answer.
_BALKS = regex.compile(
    r"\b(?:no (?:record|evidence|information|such|known|widely|reliable|historical|novel|book)"
    r"|(?:not|n[’']t) (?:aware|familiar|exist|find|a (?:real|known|recognized|recognised|standard)"
    r"|appear|correspond|have any|widely|actually|able to find|recogni[sz]e)"
    r"|do(?:es)? not (?:exist|appear|actually|have)|(?:am|is|are) un(?:able|aware|familiar)"
    r"|fictional|fictitious|made[- ]up|invented|hypothetical|misconception|non-?existent"
    r"|there (?:is|are|was|were) no|could you (?:clarify|provide)|cannot (?:find|verify)"
    r"|existe pas|aucune?|inconnue?|no existe|nicht (?:bekannt|existier)|kein[e]? )"
    r"|不存在|没有找到|并没有|没有.{0,6}记载|ない|存在しない|не существует|لا يوجد",
    regex.IGNORECASE,
)
_BALK_CHARS = 600


@dataclass(frozen=True)
class Marks:
    """What an answer commits itself to: normalised form → weight, and form → place.

    `parts` are the words of a pick, which count where the picks as such differ; None for specifics.
    `accepts` is False where the answer calls the premise false, or the thing unknown.
    """

    weights: Mapping[str, float]
    spans: Mapping[str, tuple[int, int]]
    parts: Mapping[str, float] | None = None
    accepts: bool = True

    def shared(self, other: Marks) -> list[str]:
        """Return the forms both have, the rarest first."""
        common = self.weights.keys() & other.weights.keys()
        return sorted(common, key=lambda form: (-self.weights[form], form))


def similarity(first: Marks, second: Marks) -> float:
    """Return the weight of what two answers share, 0 to 1.

    Picks: the mean weight of the equal ones, or half the weight of an equal word of theirs.
    Specifics: the weighted share of equal ones (Dice), none unless both accept the premise.
    """
    specifics = first.parts is None or second.parts is None
    if specifics and first.weights.keys().isdisjoint(second.weights):
        return 0.0  # nearly all pairs of mismatched prompts
    common = first.weights.keys() & second.weights.keys()
    # Exactly rounded, since a set of strings has another order in every process.
    total = fsum(first.weights[form] for form in common)
    if specifics:
        both = sum(first.weights.values()) + sum(second.weights.values())
        accepted = first.accepts and second.accepts
        return 2 * total / both if accepted and both > 0 else 0.0
    if common:
        return total / max(len(first.weights), len(second.weights))
    mine, others = first.parts or {}, second.parts or {}
    return max((mine[word] for word in mine.keys() & others.keys()), default=0.0)


def normalise(text: str) -> str:
    """Return a pick in the form in which picks are compared."""
    plain = _MARKDOWN.sub(" ", unicodedata.normalize("NFKC", text)).casefold().split()
    bare = [form for form in map(_strip, plain) if form]
    while len(bare) > 1 and bare[0] in _ARTICLES:
        bare = bare[1:]
    return " ".join(bare)


def _strip(form: str) -> str:
    start, end = 0, len(form)
    while start < end and unicodedata.category(form[start])[0] in "PZC":
        start += 1
    while end > start and unicodedata.category(form[end - 1])[0] in "PZC":
        end -= 1
    return form[start:end]


def rarity(pick: str) -> float:
    """Return how surprising it is that two models make this pick, 0 to 1."""
    return min(1.0, log(_share(pick)) / log(_RAREST))


def _share(pick: str) -> float:
    if pick in COMMON:
        return COMMON[pick]
    if pick.isdigit():
        return {1: 0.15, 2: 0.04}.get(len(pick), 0.02)
    if len(pick) == 1:
        return 0.08
    if " " in pick:
        return _share_of_words(pick.split())
    # A plain English word is a likelier pick than one that had to be thought up.
    return 0.03 if pick in general_english().frequencies else _RAREST


def _share_of_words(forms: Sequence[str]) -> float:
    """Return how common a pick of several words is, as if they were picked one by one."""
    product = 1.0
    for form in forms:
        if form not in _TITLES and form not in general_english().function_words:
            product *= _share(form)
    return product if product < 1 else _RAREST


def is_short(text: str) -> bool:
    """Tell whether an answer is no longer than a pick."""
    return len(text) <= 200 and sum(form.isalnum() for form in words(text)) <= MAX_PICK_WORDS


def pick_of(text: str, prompt: str) -> Marks | None:
    """Return the pick an answer makes, or None where it makes none that can be told.

    The pick is what stands in bold, in quotes, or after a colon to the end of a line; else a short
    answer without what leads up to it. Several picks in a list count as a set.
    """
    place = _place(text)
    if place is None:
        return None
    start, end = place
    items = _items(text, start, end)
    asked = set(words(prompt))
    spans = {form: span for form, span in items if form}
    if not spans:
        return None
    parts = {
        word: min(rarity(word), 0.5)
        for form in spans
        for word in form.split()
        if " " in form and not _says_nothing(word, asked)
    }
    return Marks({form: rarity(form) for form in spans}, spans, parts)


def _says_nothing(word: str, asked: set[str]) -> bool:
    return word in asked or word in _TITLES or word in general_english().function_words


def _place(text: str) -> tuple[int, int] | None:
    for pattern in (_EMPHASISED, _AFTER_COLON):
        match = pattern.search(text[:2_000])
        if match is not None:
            group = next(i for i, said in enumerate(match.groups(), 1) if said is not None)
            if is_short(match.group(group)):
                return match.span(group)
    if not is_short(text):
        return None
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None and text[lead.end() :].strip() else 0
    return start, len(text)


def _items(text: str, start: int, end: int) -> Iterable[tuple[str, tuple[int, int]]]:
    items, at = [], start
    for match in _LIST_MARK.finditer(text, start, end):
        items.append((at, match.start()))
        at = match.end()
    items.append((at, end))
    named = [(normalise(text[i:j]), (i, j)) for i, j in items if text[i:j].strip()]
    if len(named) > 1 and all(len(form.split()) <= 3 for form, _ in named):
        return named
    return [(normalise(text[start:end]), (start, end))]


def specifics_of(text: str, prompt: str, premise: bool = True) -> Marks:
    """Return numbers, names and quoted titles of an answer that the prompt does not hold.

    Args:
        text: the answer.
        prompt: the prompt's text.
        premise: whether the prompt rests on something false, which an answer may call so.
    """
    asked = set(words(prompt))
    given = prompt.casefold()
    specifics: dict[str, tuple[float, tuple[int, int]]] = {}
    for match in _NUMBER.finditer(text):
        form = match.group().replace(",", "")
        if form not in asked and form not in given:
            specifics.setdefault(form, (_number_weight(form), match.span()))
    for match in _QUOTED.finditer(text):
        form = normalise(match.group(1))
        if form and form not in given and len(form.split()) <= MAX_PICK_WORDS:
            specifics.setdefault(form, (1.0, match.span(1)))
    for match in _NAME.finditer(text):
        new = [form for form in words(match.group()) if form.isalpha() and form not in asked]
        single = " " not in match.group()
        if not new or (
            single and _SENTENCE_START.search(text[max(0, match.start() - 8) : match.start()])
        ):
            continue
        weight = max(map(_name_weight, new))
        if weight > 0:
            specifics.setdefault(normalise(match.group()), (weight, match.span()))
    accepts = not premise or _BALKS.search(text[:_BALK_CHARS]) is None
    weights = {form: weight for form, (weight, _) in specifics.items()}
    return Marks(weights, {form: span for form, (_, span) in specifics.items()}, accepts=accepts)


def _number_weight(form: str) -> float:
    digits = sum(character.isdigit() for character in form)
    return {1: 0.1, 2: 0.3, 3: 0.6}.get(digits, 0.8)


@lru_cache(maxsize=2**14)
def _name_weight(form: str) -> float:
    """Return 0 for a word of one in 10,000 of general English, 1 for one outside the table."""
    english = general_english()
    return max(0.0, log(english.word(form) / _FREQUENT) / log(english.rarest_word / _FREQUENT))
