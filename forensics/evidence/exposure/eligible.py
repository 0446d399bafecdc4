"""Which prompts count: rules that are alike for both sides, so that they choose neither.

A prompt is left out if an answer of either side gives the reason. A rule that looks at served
answers only would prefer some of them, and rejects models that saw nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, get_args

from forensics.evidence.exposure.log import LoggedAnswer, LoggedPrompt, order_key
from forensics.transcripts.endings import ending

Fault = Literal["empty", "truncated", "refused", "public", "cached"]
Reason = Literal[Fault, "no_twin", "later_turn", "shared_seed", "duplicate"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Eligible:
    """Prompts that count, and how many were left out for which reason (the first that holds)."""

    prompts: tuple[LoggedPrompt, ...]
    left_out: tuple[tuple[Reason, int], ...]


def with_refusals(prompts: Sequence[LoggedPrompt]) -> dict[str, tuple[bool, ...]]:
    """Return for every prompt which of its answers refuse, by the project's classifier."""
    from forensics.evidence.refusals import classify

    texts = [answer.text for prompt in prompts for answer in prompt.answers]
    asked = [prompt.text for prompt in prompts for _ in prompt.answers]
    judged = iter(classify(texts, asked))
    return {
        prompt.prompt_id: tuple(next(judged).label == "full_refusal" for _ in prompt.answers)
        for prompt in prompts
    }


def faults(answer: LoggedAnswer, refuses: bool) -> tuple[Fault, ...]:
    """Return what is wrong with one answer."""
    holds: dict[Fault, bool] = {
        "empty": not answer.text.strip(),
        "truncated": ending(answer.finish_reason or None).kind != "natural",
        "refused": refuses,
        "public": answer.public,
        "cached": answer.cached,
    }
    return tuple(name for name, true in holds.items() if true)


def eligible(
    prompts: Sequence[LoggedPrompt],
    refusals: dict[str, tuple[bool, ...]],
    later_turns: bool = False,
) -> Eligible:
    """Return the prompts that count.

    What arrives in a later batch is no reason to leave an earlier prompt out: whether that counts
    must not change when a log grows.

    Args:
        prompts: in the order of their places.
        refusals: see `with_refusals`.
        later_turns: keep later turns of conversations, in the order of turns. A later text may
            repeat what was served, which would tell, so it is no reason to leave an earlier one
            out.
    """
    first = _first_turns(prompts)
    chosen, reasons, counted = [], Counter[Reason](), Counter[str]()
    for together in _read_together(prompts, later_turns):
        counted.update(_texts(together))
        for prompt in together:
            later = not later_turns and prompt.conversation and first[prompt.conversation] != prompt
            reason = "later_turn" if later else _reason(prompt, refusals[prompt.prompt_id], counted)
            if reason is None:
                chosen.append(_served_first(prompt))
            else:
                reasons[reason] += 1
    return Eligible(tuple(chosen), tuple(sorted(reasons.items())))


def _read_together(prompts: Sequence[LoggedPrompt], later_turns: bool) -> list[list[LoggedPrompt]]:
    """Return the prompts among which repetitions are looked for at once: batches, or one each."""
    if later_turns:
        return [[prompt] for prompt in sorted(prompts, key=_by_conversation)]
    return [list(batch) for _, batch in groupby(prompts, lambda prompt: prompt.batch)]


def _by_conversation(prompt: LoggedPrompt) -> tuple[int, str, int, str]:
    conversation = order_key(prompt.conversation or prompt.prompt_id)
    return prompt.batch, conversation, prompt.turn, prompt.key


def is_later(prompts: Sequence[LoggedPrompt]) -> tuple[bool, ...]:
    """Tell of each prompt whether one of the same conversation stands before it."""
    seen: set[str] = set()
    later = []
    for prompt in prompts:
        later.append(bool(prompt.conversation) and prompt.conversation in seen)
        seen.add(prompt.conversation)
    return tuple(later)


def turns_unordered(prompts: Sequence[LoggedPrompt]) -> bool:
    """Tell whether turns of a conversation repeat, or a later one arrived before an earlier one."""
    ordered = sorted((p for p in prompts if p.conversation), key=_by_conversation)
    last: dict[str, int] = {}
    for prompt in ordered:
        if last.setdefault(prompt.conversation, -1) >= prompt.turn:
            return True
        last[prompt.conversation] = prompt.turn
    return False


def _reason(prompt: LoggedPrompt, refuses: Sequence[bool], counted: Counter[str]) -> Reason | None:
    if not prompt.served or not prompt.withheld:
        return "no_twin"
    wrong = {
        fault
        for answer, refusing in zip(prompt.answers, refuses, strict=True)
        for fault in faults(answer, refusing)
    }
    for fault in FAULTS:
        if fault in wrong:
            return fault
    seeds = [answer.seed for answer in prompt.answers if answer.seed]
    if len(set(seeds)) < len(seeds):
        return "shared_seed"
    return "duplicate" if any(counted[t] > 1 for t in _texts([prompt])) else None


def _texts(prompts: Sequence[LoggedPrompt]) -> list[str]:
    every = (answer.text for prompt in prompts for answer in prompt.answers)
    return [" ".join(text.split()).casefold() for text in every]


def _first_turns(prompts: Sequence[LoggedPrompt]) -> dict[str, LoggedPrompt]:
    first: dict[str, LoggedPrompt] = {}
    for prompt in prompts:
        known = first.get(prompt.conversation)
        if known is None or _earliest(prompt) < _earliest(known):
            first[prompt.conversation] = prompt
    return first


def _earliest(prompt: LoggedPrompt) -> tuple[int, int, str]:
    return prompt.batch, prompt.turn, prompt.key


def _served_first(prompt: LoggedPrompt) -> LoggedPrompt:
    return replace(prompt, answers=(*prompt.served, *prompt.withheld))
