"""Masking: names of models and makers in a text → neutral labels, with a map of the places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import regex

from forensics.evidence.text.identity import MAKERS

# Names beyond the comparator's list: here a missing one would be a leak.
_OTHERS: Mapping[str, str] = {
    "Amazon": r"\bamazon (?:nova|titan|q\b|web services|bedrock)|\balexa\b",
    "Apple": r"\bapple (?:intelligence|inc)\b|\bsiri\b|openelm",
    "Alibaba": r"alibaba|qwen|tongyi|通义千问|通义|千问|阿里巴巴|阿里",
    "Tencent": r"tencent|hunyuan|腾讯|混元",
    "ByteDance": r"bytedance|doubao|字节跳动|豆包",
    "MiniMax": r"minimax",
    "Baichuan": r"baichuan|百川",
    "Shanghai AI Laboratory": r"intern-?lm|shanghai ai lab|书生",
    "iFlytek": r"iflytek|sparkdesk|科大讯飞|讯飞",
    "01.AI (Yi)": r"\byi-(?:\d|large|lightning|chat)",
    "EleutherAI": r"eleuther|pythia-|gpt-neox",
    "BigScience": r"bigscience|\bbloomz?-|\bbloomz\b",
    "MosaicML": r"mosaic\s?ml|\bmpt-\d",
    "Stanford": r"\balpaca-\d|stanford alpaca",
    "WizardLM": r"wizard-?lm",
    "OpenChat": r"open-?chat\b",
    "Upstage": r"upstage|\bsolar-\d",
    "LG AI Research": r"\bexaone\b|lg ai research",
    "AI21": r"\bai21\b|jurassic-\d|\bjamba\b",
    "Inflection AI": r"inflection ai|inflection-\d",
    "Perplexity": r"perplexity ai|\bsonar-",
    "Reka": r"\breka\b(?: ai)?",
    "Snowflake": r"snowflake arctic",
    "Aleph Alpha": r"aleph alpha|\bluminous-",
    "Nomic": r"\bnomic ai\b|gpt4all",
    "Together AI": r"together\.?ai|together computer",
    "OpenBuddy": r"open\s?buddy",
    "Xwin": r"\bxwin\b",
    "Starling": r"starling-lm|nexusflow",
    "Yandex": r"yandex|яндекс",
    "Sber": r"giga\s?chat|сбер",
    "Naver": r"hyperclova|\bnaver\b",
    "Silo AI": r"silo ai|\bporo-\d|\bviking-\d",
    "Liquid AI": r"liquid ai|\blfm\d",
    "Arcee": r"\barcee\b",
    "Writer": r"palmyra",
}
# What belongs to a name once its core is found: `-4o-mini`, ` 3.5 Sonnet`.
_TAIL = (
    r"[\p{Latin}\p{N}_]*(?:[-.][\p{Latin}\p{N}]+)*(?: v?\d+(?:\.\d+)*[a-z]{0,2}\b)?"
    r"(?: (?-i:AI)\b|云)?"
    r"(?:[ -](?:sonnet|opus|haiku|turbo|flash|ultra|nano|mini|instruct)\b)?"
)
_NAME = r"(?-i:\p{Lu}[\w.&'’-]*(?: (?:(?:of|for|the) )?\p{Lu}[\w&'’-]*){0,5})"
# A speaker who names what no list knows: the words by which it does so give the name away.
_INTRODUCED = tuple(
    regex.compile(pattern, regex.IGNORECASE)
    for pattern in (
        rf"\bmy name(?: is|'s|’s)\s+(?P<name>{_NAME})",
        rf"\b(?:you can|please|just)? ?call me\s+(?P<name>{_NAME})",
        rf"\bI(?:'m|’m| am)\s+(?P<name>{_NAME})(?=,? (?:an?|the|your) )",
        r"\bI(?:'m|’m| am| was|'ve been|’ve been| have been)\b[^.!?\n]{0,100}?"
        r"\b(?:by|(?:model|assistant|AI|bot|chatbot|LLM|developed|created|trained|built|made) "
        rf"(?:from|at))\s+(?:the\s+)?(?P<name>{_NAME})",
        rf"\b(?:my (?:creators?|developers?|makers?)(?: is| are|,)?)\s+(?P<name>{_NAME})",
    )
)
_NO_NAMES = frozenset({"i", "god", "name", "earth"})
# Parts of model names that any model's name may have; alone they name none.
_GENERIC = frozenset(
    """adapter aligned alpha api archive assistant awq base beta big bf16 bnb case cases chat code
    coder concise dataset demo demos deep distill distilled dpo eval exp experimental export fast
    final fine finetune finetuned float16 float32 folder fp16 fp8 ggml gguf gptq greedy helper high
    hub http https huge import imported instruct instruction int4 int8 json jsonl known langs
    language large latest learn local localhost long lora low main math max medium merged mini
    model models moe multilingual nano new none old open original output outputs parquet plus
    preview pro probe prune pruned public quant quantised quantized questioned reason reasoning
    reference release remote result results run runs safe sample samples server sft short small
    stable students subject subjects system tablet teacher temp test tests text the thinking tiny
    tmp tool tools train trained transcript transcripts tune tuned turbo ultra user users util
    v1 v2 v3 verbose version vision weights with""".split()
)


@dataclass(frozen=True)
class _Maker:
    """A maker's names; a text holds none of them unless it holds a cue (lower case)."""

    name: str
    cues: tuple[str, ...]
    pattern: regex.Pattern[str]


def _makers() -> tuple[_Maker, ...]:
    table = {**MAKERS, **_OTHERS}
    return tuple(
        _Maker(name, _cues(table[name]), regex.compile(f"(?:{table[name]}){_TAIL}", regex.I))
        for name in table
    )


def _cues(pattern: str) -> tuple[str, ...]:
    """Return the longest run of letters of each alternative: to look for it first is quick."""
    plain = regex.sub(r"\\.|.\?|\[[^\]]*\]", " ", pattern)
    runs = (regex.findall(r"[^\W_]+", piece) for piece in plain.split("|"))
    return tuple(
        {max(runs_of_letters, key=len).lower() for runs_of_letters in runs if runs_of_letters}
    )


_MAKERS = _makers()


@dataclass(frozen=True)
class Masked:
    """A masked text; `moves` are `(start, end, new start, new end)` of what was replaced."""

    text: str
    moves: tuple[tuple[int, int, int, int], ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `[start, end)` of the old text is now; a name cut by it is taken whole."""
        return self._place(start, first=True), self._place(end, first=False)

    def _place(self, at: int, first: bool) -> int:
        shift = 0
        for low, high, new_low, new_high in self.moves:
            if at <= low:
                break
            if at < high:
                return new_low if first else new_high
            shift = new_high - high
        return at + shift


class Masker:
    """Replaces names; each maker gets a number in the order in which it is first met.

    A maker's number says nothing about who it is, and shows that two passages name the same one.

    Args:
        own: the subjects' own names, each with the label that takes its place (`[MODEL A]`).
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        """Prepare the patterns."""
        # The longest first, so that `name-chat` is not taken for `name`.
        ordered = sorted(labels.items(), key=lambda pair: (-len(pair[0]), pair))
        patterns = [(name_pattern(name), label) for name, label in ordered]
        self._labels = [label for pattern, label in patterns if pattern]
        parts = [f"({pattern})" for pattern, _ in patterns if pattern]
        self._own = regex.compile("|".join(parts), regex.IGNORECASE) if parts else None
        self._numbers: dict[str, int] = {}

    def mask(self, text: str) -> Masked:
        """Return `text` without names."""
        spans: list[tuple[int, int, str]] = []
        if self._own is not None:
            for match in self._own.finditer(text):
                _take(spans, match.span(), self._labels[(match.lastindex or 1) - 1])
        lowered = text.lower()
        for maker in _MAKERS:
            if any(cue in lowered for cue in maker.cues):
                for match in maker.pattern.finditer(text):
                    _take(spans, (_word_start(text, match.start()), match.end()), maker.name)
        for pattern in _INTRODUCED:
            for match in pattern.finditer(text):
                if match["name"].casefold() not in _NO_NAMES:
                    _take(spans, match.span("name"), match["name"].casefold())
        return _replace(text, [(low, high, self._label(name)) for low, high, name in sorted(spans)])

    def text(self, text: str) -> str:
        """Return `text` without names."""
        return self.mask(text).text

    def value(self, value: Any) -> Any:
        """Return a JSON value without names in its strings and keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        result: dict[str, Any] = {}
        for key, item in value.items():
            masked = self.text(str(key))
            while masked in result:
                masked += "′"
            result[masked] = self.value(item)
        return result

    def _label(self, name: str) -> str:
        if name in self._labels:
            return name
        return f"[MAKER {self._numbers.setdefault(name, len(self._numbers) + 1)}]"


def _take(spans: list[tuple[int, int, str]], span: tuple[int, int], name: str) -> None:
    start, end = span
    if start < end and all(end <= low or start >= high for low, high, _ in spans):
        spans.append((start, end, name))


def _word_start(text: str, at: int) -> int:
    """Return where the word begins in which a name starts at `at`: `TinyLlama` is one name."""
    while at > 0 and text[at - 1].isascii() and (text[at - 1].isalnum() or text[at - 1] == "_"):
        at -= 1
    return at


def _replace(text: str, spans: list[tuple[int, int, str]]) -> Masked:
    pieces: list[str] = []
    moves: list[tuple[int, int, int, int]] = []
    end = length = 0
    for low, high, label in spans:
        pieces += [text[end:low], label]
        length += low - end
        moves.append((low, high, length, length + len(label)))
        length += len(label)
        end = high
    return Masked("".join([*pieces, text[end:]]), tuple(moves))


def distinctive_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a name that name a model by themselves: `qwen` of `qwen2.5-7b-chat`."""
    parts = regex.findall(r"\p{L}+", name.casefold())
    return tuple(dict.fromkeys(p for p in parts if p not in _GENERIC and _long_enough(p)))


def _long_enough(part: str) -> bool:
    return len(part) >= (3 if part.isascii() else 2)


def name_pattern(name: str) -> str | None:
    """Return a pattern for a name however its parts are joined; None for one too short to tell."""
    parts = regex.findall(r"\p{L}+|\p{N}+", name)
    if sum(map(len, parts)) < 2 or (len(name) < 3 and not any(p.isnumeric() for p in parts)):
        return None
    # A name of nothing but common words (`model-b`) is met in prose when its joints may vary.
    free = bool(distinctive_parts(name))
    pattern = r"[\W_]{0,3}".join(parts) if free else regex.escape(name)
    # Other scripts join words to their neighbours without a space.
    return rf"(?<![\p{{Latin}}\p{{N}}]){pattern}(?![\p{{Latin}}])[\p{{N}}.]*(?<![.])"
