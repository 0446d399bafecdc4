"""Pairs of answers drawn at random, to stand beside the exhibits that were chosen for strength.

The draw is made by the answers themselves: nobody can choose it, and who derives the case again
draws the same pairs.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence

from forensics.case.evidence import Evidence, Exhibit
from forensics.evidence.text.phrasing import shared_wording
from forensics.examination.examined import Examined
from forensics.transcripts.answers import Answer

RANDOM = 3
_SHOWS_WORDING = "phrasing"  # its score is of what is marked


def with_random(evidence: Sequence[Evidence], a: Examined, b: Examined) -> list[Evidence]:
    """Return the evidence, one of it with `RANDOM` pairs drawn from all that it scored.

    They go with the evidence on wording, or with the first on text that scored prompts; where no
    prompt was scored there are none. Pairs drawn before are replaced.

    Args:
        evidence: what was found.
        a: the known subject.
        b: the questioned subject.
    """
    cleared = [_without(entry) for entry in evidence]
    host = _host(cleared)
    if host is None:
        return cleared
    drawn = tuple(_drawn(cleared[host], _first(a), _first(b)))
    shown = (*cleared[host].exhibits, *drawn)
    cleared[host] = cleared[host].model_copy(update={"exhibits": shown})
    return cleared


def _without(evidence: Evidence) -> Evidence:
    chosen = tuple(exhibit for exhibit in evidence.exhibits if exhibit.side != "random")
    if len(chosen) == len(evidence.exhibits):
        return evidence
    return evidence.model_copy(update={"exhibits": chosen})


def _host(evidence: Sequence[Evidence]) -> int | None:
    able = [i for i, entry in enumerate(evidence) if entry.tier == "text" and entry.per_prompt]
    return min(able, key=lambda i: (evidence[i].comparator != _SHOWS_WORDING, i), default=None)


def _first(side: Examined) -> Mapping[str, Answer]:
    """Return each prompt's first usable answer."""
    return {answer.prompt_sha256: answer for answer in reversed(side.answers)}


def _drawn(host: Evidence, a: Mapping[str, Answer], b: Mapping[str, Answer]) -> Sequence[Exhibit]:
    scores = {prompt.prompt_sha256: prompt.score for prompt in host.per_prompt}
    prompts = sorted(p for p in scores if p in a and p in b)
    draw = random.Random(_seed(prompts, a, b))  # noqa: S311 (a draw to be repeated, no secret)
    chosen = draw.sample(prompts, min(RANDOM, len(prompts)))
    return [shared_wording("random", a[prompt], b[prompt], scores[prompt]) for prompt in chosen]


def _seed(prompts: Sequence[str], a: Mapping[str, Answer], b: Mapping[str, Answer]) -> str:
    digest = hashlib.sha256()
    for prompt in prompts:
        for text in (prompt, a[prompt].text, b[prompt].text):
            # Hashed one by one, so that no text can run into the next.
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()
