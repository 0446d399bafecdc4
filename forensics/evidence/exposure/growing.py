"""A log that grows between looks: what a look leaves behind, and what the next must find again.

Prompts are read in the order of their batches, and within a batch by their hash. What arrives later
stands behind everything that was read, so the capital of the first look is the beginning of that of
the second, and all looks together are one betting process: 1 over its highest value is valid
however often one looks (Ville 1939). That holds only if nobody changes what was already read. The
log's own column says what arrived when; the result of the earlier look says what it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from forensics.evidence.e_process import EProcess
from forensics.evidence.exposure.exposure_record import ExposureResult, RefusalName
from forensics.evidence.exposure.log import LoggedPrompt

_SAME_CAPITAL = 0.01  # relative; a model that is read again gives numbers equal up to rounding


def grows(prompts: Sequence[LoggedPrompt]) -> bool:
    """Tell whether a log says in which batch its prompts arrived."""
    return any(prompt.batch for prompt in prompts)


def batches_missing(prompts: Sequence[LoggedPrompt]) -> bool:
    """Tell whether batches are not numbered 1, 2, 3 and so on: one of them was left out."""
    numbers = sorted({prompt.batch for prompt in prompts})
    return grows(prompts) and numbers != list(range(1, len(numbers) + 1))


def prompts_sha256(prompts: Sequence[LoggedPrompt]) -> str:
    """Return a digest of prompts and their answers, in their order.

    In which order a prompt's answers are written in the file changes nothing.
    """
    digest = hashlib.sha256()
    for prompt in prompts:
        answers = sorted(
            [a.served, a.text, a.finish_reason, str(a.sampled_at), a.public, a.cached, a.seed]
            for a in prompt.answers
        )
        head = [prompt.prompt_id, [[m.role, m.content] for m in prompt.messages]]
        place = [prompt.conversation, prompt.turn, prompt.account, prompt.batch]
        digest.update(json.dumps([head, place, answers]).encode("ascii") + b"\n")
    return digest.hexdigest()


def of_log(earlier: ExposureResult, prompts: Sequence[LoggedPrompt]) -> Iterator[RefusalName]:
    """Yield what speaks against a log that an earlier look has read.

    Args:
        earlier: result of that look.
        prompts: as they are read now, in their order.
    """
    before = earlier.pairs.read
    if len(prompts) < before or prompts_sha256(prompts[:before]) != earlier.prompts_sha256:
        yield "log_changed"


def of_question(earlier: ExposureResult, now: ExposureResult) -> Iterator[RefusalName]:
    """Yield whether another question is asked than at the earlier look."""
    for field in ("subject", "base", "controls", "statistic", "design"):
        if getattr(earlier, field) != getattr(now, field):
            yield "look_differs"
            return
    if earlier.pairs.declared != now.pairs.declared:
        yield "look_differs"


def of_capital(earlier: ExposureResult, process: EProcess) -> Iterator[RefusalName]:
    """Yield whether the same prompts gave another capital than at the earlier look."""
    if earlier.watched is None or not earlier.watched.bets:
        return
    bets, final = earlier.watched.bets, earlier.watched.final
    now = process.capital[bets - 1] if bets <= len(process.capital) else 0.0
    if abs(now - final) > _SAME_CAPITAL * final:
        yield "path_changed"
