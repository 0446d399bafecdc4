"""Copy tripwire: identical long answers mean one model, a cache, an alias or a proxy."""

from __future__ import annotations

from forensics.case.document import CopyTripwire
from forensics.evidence.features.matched_prompts import group_by_prompt
from forensics.examination.examined import Examined

# Short answers coincide by chance ("Paris."); of this length they hardly do: of 3,386 unrelated
# pairs of the reference data, on 405 prompts each, 7 share one identical answer this long and none
# shares two; the 87 closest relatives share two at most.
MIN_CHARS = 200
# Fewer than this, or than this share of the long answers, and a deterministic fine-tune or a
# quantised copy explains them as well.
MIN_IDENTICAL = 5
MIN_SHARE = 0.2


def copy_tripwire(a: Examined, b: Examined) -> CopyTripwire:
    """Count the prompts to which both gave the same long answer, character by character."""
    first, second = group_by_prompt(a.answers), group_by_prompt(b.answers)
    compared = identical = 0
    for prompt in first.keys() & second.keys():
        long = {x.text.strip() for x in first[prompt] if len(x.text.strip()) >= MIN_CHARS}
        other = {x.text.strip() for x in second[prompt] if len(x.text.strip()) >= MIN_CHARS}
        if long and other:
            compared += 1
            identical += not long.isdisjoint(other)
    limit = max(MIN_IDENTICAL, round(MIN_SHARE * compared))
    return CopyTripwire(
        identical=identical,
        compared=compared,
        limit=limit,
        min_chars=MIN_CHARS,
        tripped=identical >= limit,
    )
