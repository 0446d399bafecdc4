"""Build a zoo: tiny models trained from random weights, what becomes of them, and larger ones.

The tiny ones come first and are always made whole: without them there is nothing to compare. The
rest is made while time is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.zoo import disguise, surgery, training
from forensics.zoo.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
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

    From 4 minutes on they have 1.4 million weights.
    """
    if minutes < 4:
        return SMALLEST
    return training.Size(
        width=128,
        units=384,
        layers=6,
        vocabulary=2048,
        context=128,
        batch=8,
        steps=round(16 * minutes),
        tuning_steps=round(4 * minutes),
        tokens=400_000,
    )


def build_tiny(
    folder: Path, size: training.Size, progress: Progress, shares: Sequence[float] = (1.0,)
) -> list[Animal]:
    """Make the tiny models: a base, its descendants, strangers, and students of its text.

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
    for name, how, child in _altered(base, folder, BASE.partition("-")[0]):
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


def _altered(
    base: Checkpoint, folder: Path, name: str
) -> Iterator[tuple[str, str, Callable[[], Checkpoint]]]:
    """Yield (name, how, make) of children that need no training."""
    dropped = range(1, base.layers, 4)
    extended = folder / "models" / f"{name}-extended"
    yield f"{name}-pruned", "30 % smallest weights at zero", lambda: surgery.pruned(base, 0.3)
    yield f"{name}-noised", "1 % noise on every matrix", lambda: surgery.noised(base, 0.01, 8)
    yield f"{name}-int8", "rounded to 8 bits a block", lambda: surgery.quantised(base, 8)
    yield f"{name}-int4", "rounded to 4 bits a block", lambda: surgery.quantised(base, 4)
    yield (
        f"{name}-dropped",
        f"layers {', '.join(map(str, dropped))} left out",
        lambda: surgery.layers_dropped(base, list(dropped)),
    )
    yield (
        f"{name}-extended",
        "8 tokens added",
        lambda: surgery.vocabulary_extended(base, 8, 9, extended),
    )
    yield (
        f"{name}-permuted",
        "units, heads and coordinates permuted and rescaled; the same function",
        lambda: disguise.permuted(base, 10),
    )
    yield (
        f"{name}-disguised",
        "permuted, rescaled, signs turned and coordinates rotated; the same function",
        lambda: disguise.disguised(base, 11),
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


def build_children(
    source: Path, name: str, folder: Path, until: float, progress: Progress
) -> Iterator[Animal]:
    """Yield a model and children of it that need no training, while there is time.

    Args:
        source: the model's folder.
        name: what to call it in the zoo.
        folder: the zoo.
        until: no child is begun after this time (`time.monotonic`).
        progress: called with each model's name before it is made.
    """
    base = read_checkpoint(source)
    yield Animal(name, source, "as published")
    for child, how, make in _altered(base, folder, name):
        if time.monotonic() > until:
            return
        progress(child)
        yield Animal(child, write_checkpoint(make(), folder / "models" / child), how, (name,))
