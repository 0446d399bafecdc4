"""The sections of the page on exposure that are about real models and about growing logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from forensics.evidence.exposure.detectable import FullEffect, detectable_share, pairs_needed
from forensics.evidence.exposure.effects import full_effect
from studies.exposure import kept, real
from studies.exposure.curves import DRAWS, LEVEL, curve, interval, mixed_curve
from studies.exposure.growing import BATCHES, LOGS, LOGS_MISUSED, MISUSES, by_batch, looked_at
from studies.exposure.real import Effect, NullRun
from studies.exposure.twins import ANSWER_TOKENS, PUZZLE_SOURCES, SAMPLES

_PAIRS = (10, 25, 50, 100)
_MIXED_PAIRS = (10, 25, 50)
_MIXED = "topics-50"  # has many pairs of either kind
_SHARES = (1.0, 0.5, 0.1, 0.01)
_LOGS = {
    "topics": "answers of a pruned copy of the same model to prompts about thirty topics",
    "puzzles": f"answers of {len(PUZZLE_SOURCES)} models of 2024 and 2025 to altered puzzles "
    "(its students: 100 of them, by three models)",
}


def real_sections() -> list[str]:
    """Return the lines of all sections."""
    return [*_nulls(), *_students(), *_answers(), *_growing()]


def _students() -> Iterator[str]:
    students = [real.student(name) for name in real.made()]
    yield from (
        "## Students of a real model",
        "",
        "SmolLM2-135M-Instruct was tuned once, in one pass, on one answer a prompt (its first "
        f"{ANSWER_TOKENS} tokens). Every prompt was answered {SAMPLES} times in calls of its own: "
        "one answer was drawn as served, one as withheld, one is spare. Of the share given the "
        "student read the served answer, of all other prompts the spare one, which is in no log. "
        "Logs: "
        + "; ".join(f"*{log}*, {words}" for log, words in _LOGS.items())
        + ". Differences are in nats per token, served minus withheld, less what the untuned model "
        "says; intervals are of 95 %, over pairs, of one student each.",
        "",
        "| log | share | pairs | difference | of pairs it read | of the others | deviation | p | "
        "highest capital |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    for s in students:
        yield (
            f"| {s.log} | {s.share:.0%} | {s.every.pairs} | {_shown(s.every)} | "
            f"{_shown(s.exposed)} | {_shown(s.unexposed)} | {s.every.deviation:.3f} | "
            f"{s.p_value:.2g} | {_capital(s.highest)} |"
        )
    yield from (
        "",
        f"How often p <= {LEVEL:g}, in {DRAWS} random choices of so many logged pairs:",
        "",
        f"| student | {' | '.join(f'{n} pairs' for n in _PAIRS)} |",
        f"|---|{'---|' * len(_PAIRS)}",
    )
    for s in students:
        yield curve(f"{s.log}, {s.share:.0%}", real.rests(s.name)[1], _PAIRS)
    yield ""
    yield from _unseen(students)
    yield from _mixed()
    yield from _needed_pairs(students)


def _mixed() -> Iterator[str]:
    if not kept.path(_MIXED).exists():
        return
    read, unread = real.read_and_unread(_MIXED)
    yield from (
        f"The same for logs put together from the {len(read)} pairs that the student of half the "
        f"topics read and the {len(unread)} that it did not, by the share that it read (drawn pair "
        "by pair):",
        "",
        f"| share read | {' | '.join(f'{n} pairs' for n in _MIXED_PAIRS)} |",
        f"|---|{'---|' * len(_MIXED_PAIRS)}",
    )
    for share in _SHARES:
        yield mixed_curve(f"{share:.0%}", read, unread, share, _MIXED_PAIRS)
    yield ""


def _needed_pairs(students: list[real.StudentResult]) -> Iterator[str]:
    """Yield how many pairs the effect that was measured would need, for every share."""
    yield from (
        "Pairs that show a share with 80 % power, computed from the difference and the deviation "
        "that were measured, and from what the program assumes:",
        "",
        f"| effect | {' | '.join(f'{share:.0%}' for share in _SHARES)} |",
        f"|---|{'---|' * len(_SHARES)}",
    )
    effects = [
        FullEffect(s.every.mean, s.every.deviation, f"{s.log}, measured")
        for s in students
        if s.share == 1.0
    ]
    for of in (*effects, replace(full_effect(None), source="assumed")):
        needed = (f"{pairs_needed(share, of):,}" for share in _SHARES)
        yield f"| {of.source}: {of.size:.2f}, {of.spread:.2f} | {' | '.join(needed)} |"
    yield ""


def _unseen(students: list[real.StudentResult]) -> Iterator[str]:
    for s in students:
        if s.p_value <= LEVEL:
            continue
        share = detectable_share(s.every.pairs, full_effect(None))
        least = "no share" if share is None else f"a share of {share:.0%} or more"
        yield (
            f"Not shown: {s.log}, {s.share:.0%} (p = {s.p_value:.2g}). With 80 % power "
            f"{s.every.pairs} pairs show {least}."
        )
        yield ""


def _nulls() -> Iterator[str]:
    from scipy import stats

    runs = real.null_runs()
    by_kind = Counter(_kind(run) for run in runs)
    crossed = sum(run.highest >= 1 / LEVEL for run in runs)
    low, high = interval(crossed, len(runs))
    uniform = stats.kstest([run.p_value for run in runs], "uniform").pvalue
    rejected = sum(run.p_value <= LEVEL for run in runs)
    yield from (
        "## Real models that learned nothing from a log",
        "",
        f"{len(runs)} runs, each of one model on one log of {min(run.pairs for run in runs)} to "
        f"{max(run.pairs for run in runs)} pairs that it was not tuned on, with a draw of its own: "
        + "; ".join(f"{many} of {kind}" for kind, many in by_kind.items())
        + f". p is uniform (Kolmogorov-Smirnov p = {uniform:.2f}); p <= {LEVEL:g} in {rejected} "
        f"runs; the e-process reached 100 in {crossed} of {len(runs)} (95 % interval {low:.1%} to "
        f"{high:.1%}), its highest value was {max(run.highest for run in runs):.3g}. Several runs "
        "share a model or a log, and those of larger models are dealt twice; the draws are "
        "independent.",
        "",
        "The untuned model on whole logs, dealt as they were for the students below. The share is "
        "what so many pairs would have shown with 80 % power, if training did as much as it did to "
        "the student of all served topics; what the program assumes is less.",
        "",
        "| log | pairs | difference | p | highest capital | share that would have been seen |",
        "|---|---|---|---|---|---|",
    )
    full = real.student("topics-100").every
    measured = FullEffect(full.mean, full.deviation, "measured")
    for row in real.untuned():
        share = detectable_share(row.every.pairs, measured) or 1.0
        yield (
            f"| {row.log} | {row.every.pairs} | {_shown(row.every)} | {row.p_value:.2g} | "
            f"{row.highest:.3g} | {share:.0%} |"
        )
    yield ""


def _kind(run: NullRun) -> str:
    if run.reader.startswith("tiny"):
        return "six tiny models on answers of 26 models to puzzles"
    if run.reader in (kept.BASE, kept.SOURCE):
        return f"the untuned {run.reader}"
    return "students, on prompts of which they read the spare answer"


def _answers() -> Iterator[str]:
    yield from (
        "## From a student's own answers",
        "",
        f"The fully exposed students answered the log's prompts {SAMPLES} times each (temperature "
        "0.7). To which logged answer are theirs nearer, averaged over the three, ties left out?",
        "",
        "| log | measure | pairs without a tie | nearer to the served answer | in common | pairs "
        "for 80 % power |",
        "|---|---|---|---|---|---|",
    )
    for name in kept.FULLY_EXPOSED:
        if not kept.path(name).exists():
            continue
        for row in real.nearer(name):
            low, high = interval(row.nearer, row.pairs)
            yield (
                f"| {kept.STUDENTS[name].log} | {row.how} | {row.pairs} | {row.share:.0%} "
                f"({low:.0%} to {high:.0%}) | {row.in_common:.0%} | {_needed(row.share)} |"
            )
    yield ""


def _needed(share: float) -> str:
    sign = 2 * share - 1
    if sign <= 0:
        return "–"
    return f"{pairs_needed(1.0, FullEffect(sign, (1 - sign**2) ** 0.5, 'measured')):,}"


def _growing() -> Iterator[str]:
    yield from (
        "## Logs that grow",
        "",
        f"{LOGS:,} simulated logs of models that saw nothing ({LOGS_MISUSED} for each wrong use), "
        f"looked at after each of {BATCHES} batches. Whoever looks stops at 100 and lets the next "
        "batch be larger if the last look went well. In how many of them did any look reach 100?",
        "",
        "| how prompts were read | logs that reached 100 | in the program |",
        "|---|---|---|",
    )
    every = [("by batch", looked_at(by_batch))]
    every += [(name, looked_at(use, LOGS_MISUSED)) for name, use in MISUSES.items()]
    for name, seen in every:
        low, high = interval(seen.crossed, seen.logs)
        yield (
            f"| {name} | {seen.crossed / seen.logs:.1%} ({low:.1%} to {high:.1%}) | "
            f"{_IN_PROGRAM[name]} |"
        )
    yield ""


_IN_PROGRAM = {
    "by batch": "what it does",
    "by hash alone": "refused at the second look: `log_changed`",
    "batches reordered, the best one first": "refused: `log_changed`",
    "half of the batches left out, the worst ones": "refused: `batches_missing`, `log_changed`",
}


def _capital(highest: float) -> str:
    return "over 1,000,000" if highest > 1e6 else f"{highest:.3g}"


def _shown(of: Effect | None) -> str:
    return "–" if of is None else f"{of.mean:+.3f} ({of.low:+.3f} to {of.high:+.3f})"
