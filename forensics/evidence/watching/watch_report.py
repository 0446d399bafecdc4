"""What a look at a watched endpoint reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forensics.evidence.watching.mixed_share import MixedShare

WatchVerdict = Literal["same", "different"]


@dataclass(frozen=True)
class WatchReport:
    """Where a watch stands after a look; `--json` writes its fields.

    `calls` were made and counted so far, `asked` in this look, of which `failed` gave no answer
    that counts. `e_value` is the evidence at its highest against "the same model, settings and
    host", found where it reaches `limit` = 1/level; `p_value` its inverse. `found_after` is the
    number of counted calls that took, `reported_before` whether an earlier look said so.
    """

    subject: str
    baseline: str
    state: str
    verdict: WatchVerdict
    exit_code: int
    level: float
    limit: float
    prompts: int
    calls: int
    asked: int
    failed: int
    strange: int
    strange_expected: float
    e_value: float
    p_value: float
    found_after: int | None
    reported_before: bool
    share: MixedShare | None
    notes: tuple[str, ...] = ()
