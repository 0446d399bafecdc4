"""Baselines: is an endpoint still the model it was?

A baseline is a transcript cut to what a comparison needs: prompts, answers, settings, who
answered. It lies in a repository, holds no key, and is a subject like any other transcript.

Answers at temperature 0 that repeat exactly are compared exactly: one that differs is a difference.
Otherwise a permutation test asks whether old and new answers come from one distribution
(`comparators.sampling`, after Gao, Liang & Guestrin 2024), which takes several answers a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from forensics.errors import InputFileError
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.subjects.backends.chat_protocol import dropped_parameters
from forensics.support.numbers import percent
from forensics.transcripts.transcript import (
    Manifest,
    Response,
    Transcript,
    read_transcript,
    unbroken,
)
from forensics.transcripts.writer import write_transcript

Verdict = Literal["same", "different", "inconclusive", "error"]
# In a baseline's notes: what was drawn at the endpoint's own temperature.
TEMPERATURE_REFUSED = "the endpoint takes no temperature: its own holds"
_SHOWN = 3
Slots = Mapping[str, tuple[Response, ...]]


@dataclass(frozen=True)
class Changed:
    """A prompt whose answer is another one now."""

    prompt_id: str
    before: str
    after: str


@dataclass(frozen=True)
class DriftReport:
    """What a comparison with a baseline found.

    `agreement` is the share of answers that are the same, character by character; `p_value` of the
    hypothesis that old and new answers have one distribution, `detectable` the smallest squared
    MMD that four tests of five would notice; None where there was no test. `changed` shows prompts
    whose first answer differs.
    """

    verdict: Verdict
    reading: str
    prompts: int
    agreement: float
    p_value: float | None = None
    detectable: float | None = None
    changed: tuple[Changed, ...] = ()
    notes: tuple[str, ...] = ()


def save_baseline(path: Path, transcript: Transcript) -> int:
    """Write a baseline and return how many answers it holds.

    Raises:
        InputFileError: some call failed, or too few prompts have an answer.
        OutputError: it cannot be written.
    """
    failed = transcript.count("error")
    if failed:
        raise InputFileError(
            f"{failed} of {len(transcript.responses)} calls failed, so this is not a baseline; "
            "run the same command again: only those are asked again"
        )
    answered = _slots(transcript)
    if len(answered) < MIN_PROMPTS:
        raise InputFileError(
            f"{len(answered)} prompts have an answer; a baseline needs at least {MIN_PROMPTS}"
        )
    if not transcript.manifests:
        raise InputFileError(
            f"{transcript.path} does not say who answered and how, which a baseline needs; "
            "collect it with forensics probe"
        )
    manifest: Manifest = transcript.manifests[0]
    if "temperature" in dropped_parameters(transcript):
        manifest = replace(manifest, notes=(*manifest.notes, TEMPERATURE_REFUSED))
    responses = (_cut(r) for r in transcript.responses)
    return write_transcript(path, manifest, responses)


def _cut(response: Response) -> Response:
    """Leave out what endpoints add to answers: raw replies, ids, token probabilities."""
    return Response(
        prompt=response.prompt,
        text=response.text,
        sample=response.sample,
        status=response.status,
        reasoning=response.reasoning,
        finish_reason=response.finish_reason,
        completed_at=response.completed_at,
        model=response.model,
        provider=response.provider,
        system_fingerprint=response.system_fingerprint,
    )


def read_baseline(path: Path, allow_broken: bool = False) -> Transcript:
    """Read a baseline.

    Args:
        path: the file.
        allow_broken: whether one whose hash chain is broken is taken, with a warning.

    Raises:
        InputFileError: it is none, was changed, or does not say how it was asked.
    """
    transcript = unbroken(read_transcript(path), allow_broken)
    if not transcript.manifests:
        raise InputFileError(
            f"{path} is not a baseline: it does not say how it was asked; make one with "
            "forensics baseline save"
        )
    return transcript


def compare_with_baseline(
    baseline: Transcript, now: Transcript, level: float = 0.01
) -> DriftReport:
    """Tell whether new answers are those of the baseline's model.

    Args:
        baseline: the stored answers.
        now: answers to the same prompts with the same settings, freshly collected.
        level: of the two-sample test.
    """
    failed = now.count("error")
    if failed:
        reading = f"{failed} of {len(now.responses)} calls failed: nothing can be decided"
        return DriftReport("error", reading, 0, 0.0)
    old, new = _slots(baseline), _slots(now)
    shared = [p for p in old if p in new]
    agreement = _agreement([(old[p], new[p]) for p in shared])
    notes = tuple(_notes(baseline, now))
    if len(shared) < MIN_PROMPTS:
        reading = (
            f"{len(shared)} prompts of the baseline have an answer now; at least {MIN_PROMPTS} "
            "are needed"
        )
        return DriftReport("inconclusive", reading, len(shared), agreement, notes=notes)
    changed = tuple(_changed(old, new, shared))
    report = DriftReport("same", "", len(shared), agreement, changed=changed[:_SHOWN], notes=notes)
    if agreement == 1.0:
        reading = f"all answers to {len(shared)} prompts are the same, character by character"
        return replace(report, reading=reading)
    if _greedy(baseline) and _repeats_exactly(old) and _repeats_exactly(new):
        reading = (
            f"answers to {len(changed)} of {len(shared)} prompts have changed, although each side "
            "repeats its own answers exactly"
        )
        return replace(report, verdict="different", reading=reading)
    return _tested(report, old, new, shared, level)


def _tested(
    report: DriftReport, old: Slots, new: Slots, shared: Sequence[str], level: float
) -> DriftReport:
    repeated = [p for p in shared if min(len(old[p]), len(new[p])) > 1]
    if len(repeated) < MIN_PROMPTS:
        reading = (
            f"{percent(report.agreement)} of the answers are the same, and how much the model "
            "differs from itself is unknown: save the baseline with --samples 3 for a test"
        )
        return replace(report, verdict="inconclusive", reading=reading)
    from forensics.evidence.text.sampling import equality_of_texts

    test = equality_of_texts(
        [([r.text for r in old[p]], [r.text for r in new[p]]) for p in repeated]
    )
    differs = test.p_value <= level
    said = "unlikely to be" if differs else "compatible with"
    reading = (
        f"old and new answers to {len(repeated)} prompts are {said} one distribution "
        f"(p = {test.p_value:.2g}, level {level:g}; {percent(report.agreement)} are the same, "
        "character by character)"
    )
    return replace(
        report,
        verdict="different" if differs else "same",
        reading=reading,
        p_value=test.p_value,
        detectable=test.detectable,
    )


def _slots(transcript: Transcript) -> dict[str, tuple[Response, ...]]:
    slots: dict[str, list[Response]] = {}
    for response in sorted(transcript.responses, key=lambda r: r.sample):
        if response.status != "error":
            slots.setdefault(response.prompt.sha256, []).append(response)
    return {prompt: tuple(answers) for prompt, answers in slots.items()}


def _agreement(pairs: Iterable[tuple[Sequence[Response], Sequence[Response]]]) -> float:
    same = [a.text == b.text for old, new in pairs for a, b in zip(old, new, strict=False)]
    return sum(same) / len(same) if same else 0.0


def _repeats_exactly(side: Slots) -> bool:
    repeated = [answers for answers in side.values() if len(answers) > 1]
    return bool(repeated) and all(len({r.text for r in answers}) == 1 for answers in repeated)


def _greedy(transcript: Transcript) -> bool:
    return all(m.settings.get("temperature") == 0 for m in transcript.manifests)


def _changed(old: Slots, new: Slots, shared: Iterable[str]) -> Iterable[Changed]:
    for prompt in shared:
        before, after = old[prompt][0], new[prompt][0]
        if before.text != after.text:
            yield Changed(before.prompt.id, before.text, after.text)


def _notes(baseline: Transcript, now: Transcript) -> Iterable[str]:
    for whose, side in (("the baseline", baseline), ("the new answers", now)):
        if side.broken:
            yield f"the hash chain of {whose} is broken ({side.path}, {side.broken})"
    for field, called in (("model", "model name"), ("system_fingerprint", "fingerprint")):
        before, after = (
            sorted({str(v) for r in side.responses if (v := getattr(r, field)) is not None})
            for side in (baseline, now)
        )
        if before and after and before != after:
            yield f"the endpoint's {called} was {', '.join(before)} and is {', '.join(after)}"
