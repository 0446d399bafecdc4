"""Build a zoo's tiny models: trained from random weights, what becomes of them, and students."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.zoo import surgery, training
from forensics.zoo.checkpoint import Checkpoint, write_checkpoint
from forensics.zoo.children import altered
from forensics.zoo.tables import Animal, write_tables

if TYPE_CHECKING:
    import torch

SHARES = (0.0, 0.001, 0.01, 0.1, 1.0)
# For tests: every kind of relation in about half a minute of one core.
SMALLEST = training.Size(layers=3, batch=12, steps=80, tuning_steps=20, tokens=100_000)
BASE = "tiny-base"
_CHARACTERS_PER_TOKEN = 4  # more than any of these tokenizers needs
Progress = Callable[[str], None]


@dataclass
class _Builder:
    """Makes models one by one and remembers how they are related."""

    folder: Path
    size: training.Size
    progress: Progress
    animals: list[Animal] = field(default_factory=list)

    def add(
        self,
        name: str,
        how: str,
        make: Callable[[], Checkpoint],
        parents: Sequence[str] = (),
        teachers: Sequence[tuple[str, float]] = (),
    ) -> Checkpoint:
        self.progress(name)
        made = make()
        target = write_checkpoint(made, self.folder / "models" / name)
        self.animals.append(Animal(name, target, how, tuple(parents), tuple(teachers)))
        return made


def size_for(minutes: float) -> training.Size:
    """Return how large tiny models may be, and how long they train, in a zoo of so many minutes.

    From 4 minutes on they have 1.1 million weights.
    """
    if minutes < 4:
        return SMALLEST
    return training.Size(
        width=160,
        units=480,
        layers=3,
        vocabulary=1024,
        steps=round(16 * minutes),
        tuning_steps=round(4 * minutes),
    )


def build_tiny(
    folder: Path, size: training.Size, progress: Progress, shares: Sequence[float] = (1.0,)
) -> list[Animal]:
    """Make the tiny models: a base, its descendants, unrelated ones, and students of its text.

    Args:
        folder: to write to; `models/NAME` each, and the two tables.
        size: of the models and of their training.
        progress: called with each model's name before it is made.
        shares: which share of a student's training text the teacher wrote, a student each.

    Raises:
        OutputError: something cannot be written.
    """
    import torch

    zoo = _Builder(folder, size, progress)
    enough = size.tokens * _CHARACTERS_PER_TOKEN
    prose, code = (training.texts(kind, enough) for kind in ("prose", "code"))
    sample = prose[: enough // 8] + code[: enough // 8]
    tokenizer = training.make_tokenizer(folder / "tokenizer", size, sample)
    first, second = (training.encode(tokenizer, text, size) for text in (prose, code))
    halves = torch.tensor_split(first, 2)

    def from_scratch(seed: int, tokens: torch.Tensor) -> Checkpoint:
        start = training.untrained(size, tokenizer, seed)
        return training.trained(start, tokens, size, size.steps, seed)

    base = zoo.add(BASE, "trained from random weights on prose", lambda: from_scratch(1, first))
    zoo.add("tiny-other-seed", "as the base, other random weights", lambda: from_scratch(2, first))
    zoo.add(
        "tiny-untrained",
        "random weights of the same configuration",
        lambda: training.untrained(size, tokenizer, 3),
    )
    _tune(zoo, base, second, halves[1])
    kind = BASE.partition("-")[0]
    for name, how, child in altered(base, folder / "models" / f"{kind}-extended", kind):
        zoo.add(name, how, child, [BASE])
    _teach(zoo, base, first, shares, from_scratch)
    write_tables(folder, zoo.animals)
    return zoo.animals


def _tune(zoo: _Builder, base: Checkpoint, code: torch.Tensor, prose: torch.Tensor) -> None:
    size, steps = zoo.size, zoo.size.tuning_steps

    def tuned(start: Checkpoint, tokens: torch.Tensor, seed: int) -> Callable[[], Checkpoint]:
        return lambda: training.trained(start, tokens, size, steps, seed, 1e-3)

    full = zoo.add("tiny-tuned", "fine-tuned on code", tuned(base, code, 4), [BASE])
    zoo.add(
        "tiny-lora",
        "a rank-4 adapter trained on code, merged",
        lambda: training.trained_lora(base, code, size, steps, 5)[0],
        [BASE],
    )
    zoo.add(
        "tiny-chain", "the tuned model tuned again on prose", tuned(full, prose, 6), ["tiny-tuned"]
    )
    other = zoo.add("tiny-tuned-prose", "fine-tuned on other prose", tuned(base, prose, 7), [BASE])
    both = ["tiny-tuned", "tiny-tuned-prose"]
    zoo.add("tiny-merge", "the mean of two tunings", lambda: surgery.merged(full, other, 0.5), both)
    zoo.add(
        "tiny-slerp", "SLERP of two tunings", lambda: surgery.merged_slerp(full, other, 0.5), both
    )


def _teach(
    zoo: _Builder,
    base: Checkpoint,
    prose: torch.Tensor,
    shares: Sequence[float],
    from_scratch: Callable[[int, torch.Tensor], Checkpoint],
) -> None:
    if not shares:
        return
    size = zoo.size
    zoo.progress("the teacher's text")
    rows = max(1, round(max(shares) * size.tokens / 4 / size.context))
    starts = prose[:: max(1, len(prose) // rows)][:rows]
    written = training.sampled(base, starts, size.context, 12)
    for number, share in enumerate(shares):
        mixture = training.mixed([(written, share), (prose, 1 - share)], size, 20 + number)
        zoo.add(
            f"tiny-student-{share * 100:g}",
            f"trained from random weights; {share * 100:g} % of its text is {BASE}'s",
            partial(from_scratch, 30 + number, mixture),
            teachers=[(BASE, share)],
        )
