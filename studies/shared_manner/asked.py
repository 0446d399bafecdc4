"""Embedded models asked as the default is: one model twice, and beside a pruned copy of it.

forensics probe demo:smollm2 --max-tokens 64 --seed 1 -o FOLDER/smollm2-seed-1.jsonl
forensics probe demo:smollm2 --max-tokens 64 --seed 2 -o FOLDER/smollm2-seed-2.jsonl
forensics probe demo:smollm2-pruned --max-tokens 64 --seed 1 -o FOLDER/pruned-seed-1.jsonl
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from forensics.case.details.shared_manner import MannerDetails
from forensics.evidence.text.shared_manner.manner_evidence import SharedManner
from forensics.evidence.text.shared_manner.repeated import Repeated
from forensics.transcripts.answers import usable_answers
from forensics.transcripts.transcript import read_transcript


def asked_section(folder: Path) -> Iterator[str]:
    """Yield the section on every two transcripts of a folder."""
    yield "## The default way of asking, on an embedded model"
    yield ""
    yield (
        "SmolLM2-135M answered 64 prompts of the suite `core` three times at temperature 0.7, "
        "with answers cut at 64 tokens. It then answered again with another seed, and so did a "
        "copy with 20 % of its weights pruned. No cohort answered these prompts."
    )
    yield ""
    yield "| pair | prompts | shared manner | 90 % interval | reading |"
    yield "|---|---:|---|---|---|"
    sides = {
        path.stem: Repeated.of(usable_answers(read_transcript(path).responses))
        for path in sorted(folder.glob("*.jsonl"))
    }
    for a, b in combinations(sides, 2):
        found = SharedManner().compare(sides[a], sides[b])
        if not isinstance(found.details, MannerDetails):
            continue
        test = found.details.one_model
        reading = test.reading.replace("_", " ")
        yield (
            f"| {a} · {b} | {found.n} | {100 * found.details.share:.0f} % | "
            f"{100 * test.low:.0f} % to {100 * test.high:.0f} % | {reading} |"
        )
    yield ""
    yield (
        "A pruned copy lies within reach of the margin: it is not read as one model, but on so "
        "few prompts it is not told apart either. If weights are available, they decide."
    )
    yield ""
