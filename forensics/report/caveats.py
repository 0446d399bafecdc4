"""What limits this very case, and what else than kinship would explain it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from forensics.case.document import Case, CaseSubject
from forensics.report.stability import leaving_one_out
from forensics.support.numbers import number

_FEW = 50
_MUCH = 0.25  # of the differences between prompts that length and formatting explain
_LAYOUT = "Models whose answers are alike in length or layout score higher even without kinship."


@dataclass(frozen=True)
class Caveat:
    """A sentence, and the place in the case that gives rise to it."""

    text: str
    path: str


def caveats(case: Case) -> tuple[Caveat, ...]:
    """Return the limits and alternative explanations that this case itself gives rise to."""
    return (
        *_tripwire(case),
        *_searched(case),
        *_few(case),
        *_sides(case),
        *_languages(case),
        *_comparability(case),
        *_explained(case),
        *_one_category(case),
        *_floors(case),
        *_tiers(case),
        *_deviations(case),
    )


def _tripwire(case: Case) -> Iterator[Caveat]:
    if case.copy_tripwire.tripped:
        yield Caveat(
            "So many long answers are identical that one model under two names, a cache or a proxy "
            "explains the similarity as well as kinship does.",
            "copy_tripwire.identical",
        )


def _searched(case: Case) -> Iterator[Caveat]:
    for index, entry in enumerate(case.ledger):
        if entry.what == "search":
            yield Caveat(
                "The candidate was found by a search on these answers, and the best of many is "
                "similar by chance more often than one chosen beforehand. Confirm it on fresh "
                "prompts.",
                f"ledger.{index}.what",
            )
            return


def _few(case: Case) -> Iterator[Caveat]:
    both = case.overlap.both
    if 0 < both < _FEW:
        prompts = "prompt was" if both == 1 else "prompts were"
        yield Caveat(
            f"Only {both} {prompts} answered by both: the intervals are wide, and a rare trait "
            "may not show at all.",
            "overlap.both",
        )


def _sides(case: Case) -> Iterator[Caveat]:
    sides: tuple[tuple[str, CaseSubject], ...] = (("a", case.a), ("b", case.b))
    for letter, side in sides:
        name = letter.upper()
        if side.truncated:
            yield Caveat(
                f"{side.truncated} of the {side.answers} answers of {name} were cut off at the "
                "token limit: what would have followed was not compared.",
                f"{letter}.truncated",
            )
        if side.errors:
            text = f"Failed calls of {name}, whose prompts are missing: {side.errors}."
            yield Caveat(text, f"{letter}.errors")
        if side.empty:
            yield Caveat(f"Blank answers of {name}, left out: {side.empty}.", f"{letter}.empty")


def _languages(case: Case) -> Iterator[Caveat]:
    languages = {prompt.language for prompt in case.prompts} - {""}
    if len(languages) == 1:
        yield Caveat(
            f"All prompts are in one language ({languages.pop()}): nothing was learned about "
            "other languages.",
            "prompts",
        )


def _comparability(case: Case) -> Iterator[Caveat]:
    for index, note in enumerate(case.comparability):
        yield Caveat(f"Comparability: {note}", f"comparability.{index}")


def _explained(case: Case) -> Iterator[Caveat]:
    for index, entry in enumerate(case.evidence):
        share = entry.explained_by_length_and_formatting
        if share is not None and share.share >= _MUCH:
            yield Caveat(
                f"{entry.title}: length and formatting explain {share.share * 100:.0f} % of how "
                f"the scores differ between prompts. {_LAYOUT}",
                f"evidence.{index}.explained_by_length_and_formatting.share",
            )


def _one_category(case: Case) -> Iterator[Caveat]:
    for index, entry in enumerate(case.evidence):
        stability = leaving_one_out(case, entry) if entry.status == "ok" else None
        if stability is None or entry.interval is None or entry.weight == "low":
            continue
        half = (entry.interval.high - entry.interval.low) / 2
        far = stability.farthest
        if abs(far.mean - stability.mean) > half:
            yield Caveat(
                f'{entry.title} depends most on the category "{far.category}": without it the '
                f"mean per-prompt score is {number(far.mean)}, not {number(stability.mean)}.",
                f"evidence.{index}.per_prompt",
            )


def _floors(case: Case) -> Iterator[Caveat]:
    methods = {
        index: entry.noise_floor.method
        for index, entry in enumerate(case.evidence)
        if entry.status == "ok" and entry.noise_floor is not None
    }
    if set(methods.values()) == {"resampled_prompts"}:
        yield Caveat(
            "No model was asked the same prompt twice, so how much its own answers to one prompt "
            "vary is not known; its answers to other prompts serve as the noise floor.",
            f"evidence.{min(methods)}.noise_floor.method",
        )


def _tiers(case: Case) -> Iterator[Caveat]:
    measured = {e.tier for e in case.evidence if e.status == "ok"}
    if measured == {"text"}:
        yield Caveat(
            "Only text was compared. Token probabilities, tokenizers and weights were not; they "
            "could tell a fine-tune from a model trained on another's outputs.",
            "evidence",
        )


def _deviations(case: Case) -> Iterator[Caveat]:
    plan = case.plan
    for index, deviation in enumerate(plan.deviations if plan else ()):
        text = f"Deviation from the frozen case file: {deviation}"
        yield Caveat(text, f"plan.deviations.{index}")
