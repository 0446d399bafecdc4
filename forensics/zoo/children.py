"""What becomes of a published model: altered copies, and a few that are tuned a little further."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import UsageError
from forensics.zoo import disguise, surgery, training
from forensics.zoo.checkpoint import EMBEDDING, Checkpoint, read_checkpoint, write_checkpoint
from forensics.zoo.tables import Animal

# So much a core does in half a minute with 135 million weights.
_TUNING = training.Size(context=64, batch=4, tokens=20_000)
_STEPS = 12
_RATE, _LORA_RATE = 2e-5, 1e-3
_CHARACTERS = 100_000
# Larger models take too much memory to tune whole, and too much disk in 32 bits.
_LARGE = 200_000_000
# What can be made of any one model, as the name of the child ends.
CHANGES = (
    *("pruned", "permuted", "int4", "dropped", "extended", "disguised", "noised", "int8"),
    *("lora", "tuned"),
)
_WITH_TOKENIZER = ("extended", "lora", "tuned")
Progress = Callable[[str], None]
Child = tuple[str, str, Callable[[], Checkpoint], tuple[str, ...]]


@dataclass(frozen=True)
class Published:
    """A model that others made: its folder, and what to call it in the zoo."""

    name: str
    folder: Path


def build_children(
    sources: Sequence[Published], folder: Path, open_still: Callable[[], bool], progress: Progress
) -> Iterator[Animal]:
    """Yield models and their children, one of each source in turn, while there is time.

    Args:
        sources: the models.
        folder: the zoo.
        open_still: asked before every child, which is not begun once it says no.
        progress: called with each model's name before it is made.
    """
    for source in sources:
        yield Animal(source.name, source.folder, "as published")
    rows = [_children(source, folder) for source in sources]
    while rows:
        for row in tuple(rows):
            child = next(row, None)
            if child is None:
                rows.remove(row)
                continue
            if not open_still():
                return
            name, how, make, parents = child
            progress(name)
            target = write_checkpoint(_stored(make()), folder / "models" / name)
            yield Animal(name, target, how, parents)


def build_child(source: Published, change: str, target: Path) -> str:
    """Write one child of a model; return how it was made.

    Args:
        source: the model.
        change: one of `CHANGES`.
        target: the child's folder.

    Raises:
        UsageError: that change cannot be made to such a model.
        BackendError: no such model, or pickles only.
        InputFileError: a file is damaged.
    """
    base = read_checkpoint(source.folder)
    wanted = f"{source.name}-{change}"
    problem = _why_not(base, change)
    if problem:
        raise UsageError(f"{source.name} cannot be {change}: {problem}")
    if change in ("lora", "tuned"):
        made = {name: (how, make) for name, how, make, _ in _tuned(base, source.name)}
    else:
        made = {name: (how, make) for name, how, make in altered(base, target, source.name)}
    how, make = made[wanted]
    write_checkpoint(_stored(make()), target)
    return how


def _why_not(base: Checkpoint, change: str) -> str:
    if change == "tuned" and _is_large(base):
        return "it has more than 200 million weights; take lora"
    if not all(name in base.tensors for name in _needed(base)):
        return "its tensors are not named as Llama's and Gemma's are"
    if change in _WITH_TOKENIZER and not (base.tokenizer / "tokenizer.json").is_file():
        return "its folder holds no tokenizer.json"
    known = {"permuted": disguise.PERMUTABLE, "disguised": disguise.ROTATABLE}.get(change, ())
    if known and base.config.get("model_type") not in known:
        return f"it is not a model of the type {' or '.join(known)}"
    if known and any(name.endswith(".bias") for name in base.tensors):
        return "its layers have biases, which would have to change along"
    return ""


def _needed(base: Checkpoint) -> list[str]:
    parts = ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj")
    layers = range(int(base.config.get("num_hidden_layers") or 1))
    return [EMBEDDING, *(f"model.layers.{i}.{part}.weight" for i in layers for part in parts)]


def _children(source: Published, folder: Path) -> Iterator[Child]:
    base = read_checkpoint(source.folder)
    extended = folder / "models" / f"{source.name}-extended"
    first, *others = ((*child, (source.name,)) for child in altered(base, extended, source.name))
    if _is_large(base):  # to tune it takes a minute or two
        yield from (first, *others, *_tuned(base, source.name))
    else:
        yield from (first, *_tuned(base, source.name), *others)


def _is_large(model: Checkpoint) -> bool:
    return sum(values.numel() for values in model.tensors.values()) > _LARGE


def _stored(model: Checkpoint) -> Checkpoint:
    """Return a model as it is written: a large one in half the bytes."""
    if not _is_large(model):
        return model
    half = model.changed(lambda _, values: values.bfloat16())
    return replace(half, config={**model.config, "dtype": "bfloat16"})


def _tuned(base: Checkpoint, name: str) -> Iterator[Child]:
    tokens = training.encode(base.tokenizer, training.texts("code", _CHARACTERS), _TUNING)
    training_described = f"{_STEPS} steps of {_TUNING.batch} x {_TUNING.context} tokens of code"
    made: list[Checkpoint] = []

    def remembered(model: Checkpoint) -> Checkpoint:
        made.append(model)
        return model

    lora, tuned = f"{name}-lora", f"{name}-tuned"
    yield (
        lora,
        f"a rank-4 adapter trained on {training_described}, merged",
        lambda: remembered(training.trained_lora(base, tokens, _TUNING, _STEPS, 12, _LORA_RATE)[0]),
        (name,),
    )
    if _is_large(base):
        return
    yield (
        tuned,
        f"all weights tuned on {training_described}",
        lambda: remembered(training.trained(base, tokens, _TUNING, _STEPS, 13, _RATE)),
        (name,),
    )
    both = (lora, tuned)
    yield (
        f"{name}-merge",
        "the mean of two tunings",
        lambda: surgery.merged(made[0], made[1], 0.5),
        both,
    )
    yield (
        f"{name}-slerp",
        "SLERP of two tunings",
        lambda: surgery.merged_slerp(made[0], made[1], 0.5),
        both,
    )


def altered(
    base: Checkpoint, extended: Path, name: str
) -> Iterator[tuple[str, str, Callable[[], Checkpoint]]]:
    """Yield (name, how, make) of children that need no training.

    Args:
        base: the model.
        extended: folder of the child with more tokens, for its tokenizer.
        name: of the model; its children's names begin with it.
    """
    dropped = range(1, base.layers, 4)
    yield f"{name}-pruned", "30 % smallest weights at zero", lambda: surgery.pruned(base, 0.3)
    yield (
        f"{name}-permuted",
        "units, heads and coordinates permuted and rescaled; the same function",
        lambda: disguise.permuted(base, 10),
    )
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
    if base.config.get("model_type") in disguise.ROTATABLE:
        yield (
            f"{name}-disguised",
            "permuted, rescaled, signs turned and coordinates rotated; the same function",
            lambda: disguise.disguised(base, 11),
        )
    yield f"{name}-noised", "1 % noise on every matrix", lambda: surgery.noised(base, 0.01, 8)
    yield f"{name}-int8", "rounded to 8 bits a block", lambda: surgery.quantised(base, 8)
