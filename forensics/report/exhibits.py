"""Exhibits as reports show them: as many against kinship as for it, and pairs drawn at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from forensics.case.document import Case, CasePrompt, CaseResponse
from forensics.case.evidence import Evidence, Exhibit
from forensics.report.quoted import own_chars
from forensics.support.sanitise import one_line
from forensics.transcripts.words import is_word, novel_words, words

Side = Literal["for", "against", "random"]
SIDES: tuple[Side, ...] = get_args(Side)
_RANDOM = 3
_COMMON = 0.2  # of a cohort's models, from which wording is common
_RUN_WORDS = 5  # from which wording in common is a run of words
PASSAGE_CHARS = 30  # what is shown as speaking for kinship is a passage, not a word
SIDE_TITLES: Mapping[str, str] = {
    "for": "Passages that speak for kinship",
    "against": "Passages that speak against kinship",
    "random": "Pairs drawn at random",
}
EXHIBITS_ARE = "Exhibits illustrate the scores and carry no weight of their own."


@dataclass(frozen=True)
class ShownExhibit:
    """An exhibit with the answers it points at, and where all of it lies in the case.

    `index` is the place of its evidence.
    """

    exhibit: Exhibit
    evidence: Evidence
    prompt: CasePrompt
    a: CaseResponse
    b: CaseResponse
    index: int
    path: str
    prompt_path: str
    a_path: str
    b_path: str


@dataclass(frozen=True)
class Fewer:
    """Evidence, by its place, of which fewer exhibits speak against kinship than for it."""

    index: int
    speak_for: int
    speak_against: int


@dataclass(frozen=True)
class ShownExhibits:
    """What is shown of both sides and of chance; `fewer` says where the sides are not even."""

    speaks_for: tuple[ShownExhibit, ...]
    speaks_against: tuple[ShownExhibit, ...]
    random: tuple[ShownExhibit, ...]
    fewer: tuple[Fewer, ...] = ()

    def of(self, side: Side) -> tuple[ShownExhibit, ...]:
        """Return those of one side."""
        if side == "random":
            return self.random
        return self.speaks_for if side == "for" else self.speaks_against

    @property
    def rarity_known(self) -> bool:
        """Whether a cohort says of any of them how rare its wording is."""
        return any(shown.exhibit.rarity for side in SIDES for shown in self.of(side))

    @property
    def balance(self) -> str:
        """In words, whether the sides are even; empty where they are."""
        if not self.speaks_for:
            alone = "No passage speaks for kinship, so only passages against it are shown."
            return alone if self.speaks_against else ""
        count_for, count_against = len(self.speaks_for), len(self.speaks_against)
        if count_against < count_for:
            return (
                f"{count_for} for and {count_against} against are shown: no further passage "
                "speaks against."
            )
        return "Passages from other evidence fill the side against." if self.fewer else ""


def balance_words(case: Case, shown: ShownExhibits) -> str:
    """Return whether the sides are even, with the evidence of which they are not."""
    of_each = [
        f"{one_line(case.evidence[uneven.index].title, 60)}: {uneven.speak_for} for, "
        f"{uneven.speak_against} against."
        for uneven in shown.fewer
    ]
    return " ".join([shown.balance, *of_each]).strip()


def caption(shown: ShownExhibit) -> str:
    """Return what the marked wording is, in plain words; empty where no run of words is marked."""
    said = _run_words(shown)
    rarity = shown.exhibit.rarity
    if rarity is None:
        return f"{said}." if said else ""
    if rarity.models is None:
        most = rarity.least_clusters - 1
        lineages = f"at most {most} lineage{'' if most == 1 else 's'}"
        used = f"hardly any uses it ({lineages})"
    else:
        used = f"{rarity.models} use{'s' if rarity.models == 1 else ''} the rarest five of them"
    return f"{said or 'Wording in common'}; of {rarity.of} other models {used}."


def _run_words(shown: ShownExhibit) -> str:
    """Count the longest marked run of words, and how many of them are the prompt's."""
    runs = [words(shown.a.text[start:end]) for start, end in shown.exhibit.spans_a]
    longest = max(runs, key=len, default=[])
    count = sum(map(is_word, longest))
    if count < _RUN_WORDS:
        return ""
    novel = novel_words(longest, words(shown.prompt.prompt))
    if novel == count:
        return f"{count} words in a row that the prompt does not use"
    of_them = f"{novel} of them" if novel else "none of them"
    return f"{count} words in a row, {of_them} beyond what the prompt says"


def shown_exhibits(case: Case, limit: int) -> ShownExhibits:
    """Return up to `limit` exhibits for kinship, as many against, and those drawn at random.

    Scores of different comparators share no scale, so each gives its strongest in turn, those of
    normal weight first, and no prompt stands twice on a side. Each exhibit for kinship is set
    against one of the same comparator, or of another where it has none left. Where nothing speaks
    for kinship, up to `limit` that speak against it stand alone.
    """
    speaks_for = _take_turns(_queues(case, "for"), limit)
    speaks_against = _counterparts(case, speaks_for, limit)
    drawn = _take_turns(_queues(case, "random"), _RANDOM)
    fewer = _fewer(speaks_for, speaks_against)
    return ShownExhibits(speaks_for, speaks_against, drawn, fewer)


Queues = dict[int, list[ShownExhibit]]


def _queues(case: Case, side: Side) -> Queues:
    """Return the exhibits of each evidence, strongest first, evidence of normal weight first."""
    order = sorted(enumerate(case.evidence), key=lambda pair: pair[1].weight == "low")
    return {index: list(_of_side(case, index, side)) for index, _ in order}


def _take_turns(queues: Queues, limit: int) -> tuple[ShownExhibit, ...]:
    chosen: list[ShownExhibit] = []
    waiting = list(queues)
    while waiting and len(chosen) < limit:
        for index in list(waiting):
            fresh = _fresh(queues[index], chosen)
            if fresh is None:
                waiting.remove(index)
            else:
                chosen.append(fresh)
    return tuple(chosen[:limit])


def _fresh(queue: Sequence[ShownExhibit], chosen: Sequence[ShownExhibit]) -> ShownExhibit | None:
    seen = {exhibit.prompt.prompt_sha256 for exhibit in chosen}
    return next((x for x in queue if x.prompt.prompt_sha256 not in seen), None)


def _counterparts(
    case: Case, speaks_for: Sequence[ShownExhibit], limit: int
) -> tuple[ShownExhibit, ...]:
    queues = _queues(case, "against")
    if not speaks_for:
        return _take_turns(queues, limit)
    # A prompt that is shown for kinship is not shown against it too.
    shown = list(speaks_for)
    for exhibit in speaks_for:
        same = _fresh(queues[exhibit.index], shown)
        if same is not None:
            shown.append(same)
    while len(shown) < 2 * len(speaks_for):
        other = next((x for queue in queues.values() if (x := _fresh(queue, shown))), None)
        if other is None:
            break
        shown.append(other)
    return tuple(shown[len(speaks_for) :])


def _fewer(
    speaks_for: Sequence[ShownExhibit], speaks_against: Sequence[ShownExhibit]
) -> tuple[Fewer, ...]:
    found_for, found_against = (
        Counter(x.index for x in side) for side in (speaks_for, speaks_against)
    )
    return tuple(
        Fewer(index, count, found_against[index])
        for index, count in found_for.items()
        if found_against[index] < count
    )


def _of_side(case: Case, index: int, side: Side) -> Iterator[ShownExhibit]:
    evidence = case.evidence[index]
    of_side = [(i, e) for i, e in enumerate(evidence.exhibits) if e.side == side]
    if side != "random":
        of_side.sort(key=lambda pair: pair[1].score, reverse=side == "for")
    for position_, exhibit in of_side:
        shown = _resolve(case, index, position_, exhibit)
        if shown is not None and (side != "for" or _speaks(shown)):
            yield shown


def _speaks(shown: ShownExhibit) -> bool:
    """Tell whether both answers share a passage that is their own, and not everybody's.

    Single words in common convince nobody; such likeness stands in the evidence table. What both
    quote is somebody else's, and what many models write is public text or a set phrase.
    """
    exhibit = shown.exhibit
    rarity = exhibit.rarity
    if rarity and rarity.models is not None and rarity.models > _COMMON * rarity.of:
        return False
    sides = [(shown.a.text, exhibit.spans_a), (shown.b.text, exhibit.spans_b)]
    longest = [max(own_chars(text, span) for span in spans) for text, spans in sides if spans]
    return bool(longest) and min(longest) >= PASSAGE_CHARS


def _resolve(case: Case, index: int, position_: int, exhibit: Exhibit) -> ShownExhibit | None:
    wanted = exhibit.prompt_sha256
    at = next((i for i, p in enumerate(case.prompts) if p.prompt_sha256 == wanted), None)
    if at is None:
        return None
    prompt = case.prompts[at]
    a = next((i for i, r in enumerate(prompt.a) if r.sample == exhibit.sample_a), None)
    b = next((i for i, r in enumerate(prompt.b) if r.sample == exhibit.sample_b), None)
    if a is None or b is None:
        return None
    return ShownExhibit(
        exhibit=exhibit,
        evidence=case.evidence[index],
        prompt=prompt,
        a=prompt.a[a],
        b=prompt.b[b],
        index=index,
        path=f"evidence.{index}.exhibits.{position_}",
        prompt_path=f"prompts.{at}",
        a_path=f"prompts.{at}.a.{a}",
        b_path=f"prompts.{at}.b.{b}",
    )
