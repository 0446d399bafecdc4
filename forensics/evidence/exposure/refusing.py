"""Which logs and outcomes are refused, and by which name; decided here, worded in `wording`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.evidence.exposure.balance import SideCheck
from forensics.evidence.exposure.eligible import Eligible, turns_unordered
from forensics.evidence.exposure.exposure_record import MeanDifference, RefusalName
from forensics.evidence.exposure.growing import batches_missing
from forensics.evidence.exposure.log import LogHeader, ServedLog

GUARD_LEVEL = 0.01
_AFTER_THE_FACT = ("date", "author", "topic", "quality")


def of_header(header: LogHeader) -> Iterator[RefusalName]:
    """Yield what speaks against a log already in its header."""
    if header.assigned_by in _AFTER_THE_FACT:
        yield "split_after_the_fact"
    if header.assigned_by == "user_choice":
        yield "both_served"
    if header.served_filters != header.withheld_filters:
        yield "filters_differ"
    if not header.independent_calls:
        yield "calls_not_independent"
    attested = (header.weights, header.system_prompt, header.tools, header.decoding)
    if header.design == "sampled_again_later" and not all(attested):
        yield "not_attested"


def of_prompts(log: ServedLog, chosen: Eligible) -> Iterator[RefusalName]:
    """Yield what speaks against the prompts themselves."""
    if log.header.withheld_on_served_prefix and turns_unordered(log.prompts):
        yield "turns_unordered"
    if batches_missing(log.prompts):
        yield "batches_missing"
    reasons = dict(chosen.left_out)
    read = len(log.prompts)
    if reasons.get("no_twin", 0) > read / 2:
        yield "no_twins"
    # Independent calls seldom give the same words twice, or the same seed.
    shared = reasons.get("shared_seed", 0) + reasons.get("duplicate", 0)
    if read and shared > read / 2:
        yield "calls_not_independent"


def of_sides(sides: Sequence[SideCheck]) -> Iterator[RefusalName]:
    """Yield every property in which the sides differ."""
    for side in sides:
        if side.adjusted <= GUARD_LEVEL:
            yield side.name


def above_controls(subject: MeanDifference, controls: MeanDifference | None) -> bool:
    """Tell whether the subject's lower bound lies above the controls' upper bound."""
    return controls is None or subject.low > controls.high
