"""Tensors that are the same in two models, byte for byte, and what that says of direction.

Direction is told only from changes that cannot be undone: a zero does not remember the weight it
was, a rounded weight not its last digits, and rows or layers that are left out are gone. Which came
first is then known; that anything came of the other still rests on the tests of kinship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forensics.evidence.weights.numerics.correspondence import Opened
from forensics.evidence.weights.numerics.tensor import Floats, Tensor

Direction = Literal["a_to_b", "b_to_a", "undetermined"]

_LOOKED_AT = 1 << 12  # bytes that show whether a tensor is constant, or worth comparing whole
_AT_ONCE = 1 << 19  # bytes compared in one go: what stays in a core's cache
LEAST_SIZE = 256  # smaller tensors can be equal by chance or by convention
_MORE_ZEROS = 0.05
_SAME_SHARE = 0.9
_STEPS = 256  # values of one row that was rounded to eight bits


@dataclass(frozen=True)
class Identical:
    """Tensors of B whose bytes stand in A too; `pairs` are (name in A, name in B)."""

    pairs: tuple[tuple[str, str], ...]
    parameters: int
    share: float
    compared: int


def identical_tensors(a: Opened, b: Opened) -> Identical:
    """Find tensors of B that A has too, under whatever name; constant and small ones do not count.

    Raises:
        InputFileError: weights that cannot be read.
    """
    by_key: dict[tuple[str, tuple[int, ...], bytes], list[Tensor]] = {}
    for tensor in _telling(a):
        by_key.setdefault(_key(tensor), []).append(tensor)
    pairs, same, total, count = [], 0, 0, 0
    for tensor in _telling(b):
        total, count = total + tensor.size, count + 1
        for other in by_key.get(_key(tensor), ()):
            if _begins_with(tensor, other):
                pairs.append((other.name, tensor.name))
                same += tensor.size
                break
    return Identical(tuple(pairs), same, same / total if total else 0.0, count)


def _telling(model: Opened) -> Iterator[Tensor]:
    for tensor in model.parts.weights.tensors.values():
        if tensor.size < LEAST_SIZE:
            continue
        if np.count_nonzero(np.bincount(tensor.stored()[:_LOOKED_AT], minlength=256)) > 8:
            yield tensor


def _key(tensor: Tensor) -> tuple[str, tuple[int, ...], bytes]:
    return tensor.kind, tensor.shape, tensor.stored()[:_LOOKED_AT].tobytes()


def _begins_with(longer: Tensor, shorter: Tensor) -> bool:
    """Tell whether the bytes of one are those of the other, and perhaps more behind them."""
    a, b = longer.stored()[: shorter.stored().size], shorter.stored()
    same = all(
        np.array_equal(a[i : i + _AT_ONCE], b[i : i + _AT_ONCE]) for i in range(0, len(b), _AT_ONCE)
    )
    longer.release()
    shorter.release()
    return same


def direction(a: Opened, b: Opened, identical: Identical) -> tuple[Direction, str]:
    """Return who came first, and what shows it; `undetermined` where nothing does.

    Raises:
        InputFileError: weights that cannot be read.
    """
    for rule in (_fewer_layers, _more_tokens, _zeros, _rounded):
        if rule(a, b, identical):
            return "a_to_b", _REASONS[rule].format(old="A", new="B")
        if rule(b, a, _turned(identical)):
            return "b_to_a", _REASONS[rule].format(old="B", new="A")
    return "undetermined", ""


def _turned(identical: Identical) -> Identical:
    pairs = tuple((b, a) for a, b in identical.pairs)
    return Identical(pairs, identical.parameters, identical.share, identical.compared)


def _fewer_layers(old: Opened, new: Opened, identical: Identical) -> bool:
    """Tell whether every layer of `new` stands in `old` and `old` has others, no copies of them."""
    layers = {layer.label: layer for layer in new.parts.layers}
    if not layers or len(old.parts.layers) <= len(layers):
        return False
    taken = {tensor for tensor, _ in identical.pairs}
    there = {other for _, other in identical.pairs}
    whole = all(
        piece.tensor in there
        for layer in layers.values()
        for part, piece in layer.pieces.items()
        if "norm" not in part
    )
    left = [
        piece.tensor
        for layer in old.parts.layers
        for part, piece in layer.pieces.items()
        if part == "down" and piece.tensor not in taken
    ]
    keys = {_key(old.parts.weights.tensors[name]) for name in taken}
    return whole and any(_key(old.parts.weights.tensors[name]) not in keys for name in left)


def _more_tokens(old: Opened, new: Opened, identical: Identical) -> bool:
    """Tell whether `new` has all of `old`'s embedding rows, byte for byte, and more behind them."""
    if old.parts.embedding is None or new.parts.embedding is None:
        return False
    first = old.parts.weights.tensors[old.parts.embedding]
    second = new.parts.weights.tensors[new.parts.embedding]
    if first.kind != second.kind or first.shape[1:] != second.shape[1:]:
        return False
    return second.shape[0] > first.shape[0] and _begins_with(second, first)


def _zeros(old: Opened, new: Opened, identical: Identical) -> bool:
    """Tell whether `new` is `old` with more weights at exactly zero."""
    for rows, other_rows in _samples(old, new):
        zero = other_rows == 0
        if zero.mean() <= (rows == 0).mean() + _MORE_ZEROS or zero.all():
            return False
        if (rows[~zero] == other_rows[~zero]).mean() < _SAME_SHARE:
            return False
    return _comparable(old, new)


def _rounded(old: Opened, new: Opened, identical: Identical) -> bool:
    """Tell whether `new` is `old`, rounded: few values a block, each within half a step of old's.

    Errors of rounding fill the half step evenly, so their mean is a quarter of a step; where `old`
    was trained from a rounded `new` its changes are much smaller or much larger than that.
    """
    for rows, other_rows in _samples(old, new):
        blocks = other_rows[:, : other_rows.shape[1] // 32 * 32].reshape(-1, 32)
        before = rows[:, : rows.shape[1] // 32 * 32].reshape(-1, 32)
        steps = np.diff(np.sort(blocks, axis=1), axis=1)
        width = np.ptp(blocks, axis=1)
        usual = np.where(steps > width[:, None] * 1e-4, steps, np.inf).min(axis=1)
        on_grid = (width > 0) & (width <= usual * _STEPS) & np.isfinite(usual)
        if on_grid.mean() < _SAME_SHARE:
            return False
        ratio = (np.abs(blocks - before) / usual[:, None])[on_grid]
        if not 0.15 < ratio.mean() < 0.35 or np.quantile(ratio, 0.99) > 0.55:
            return False
    return _comparable(old, new)


_REASONS: dict[Callable[[Opened, Opened, Identical], bool], str] = {
    _fewer_layers: "every layer of {new} is found unchanged in {old}, which has more",
    _more_tokens: "{new} has all embedding rows of {old} unchanged, followed by more",
    _zeros: "{new} is {old} with more weights at exactly zero",
    _rounded: "{new} lies on a coarse grid, within half a step of {old}",
}


def _samples(old: Opened, new: Opened) -> Iterator[tuple[Floats, Floats]]:
    """Yield rows of `down` matrices of the same name and shape, of the first and last layer."""
    for name in _common(old, new):
        tensor, other_tensor = (x.parts.weights.tensors[name] for x in (old, new))
        rows = np.arange(min(tensor.shape[0], 64))
        yield tensor.rows(rows), other_tensor.rows(rows)


def _common(old: Opened, new: Opened) -> list[str]:
    tables = [x.parts.weights.tensors for x in (old, new)]
    names = [layer.pieces["down"].tensor for layer in old.parts.layers if "down" in layer.pieces]
    same = [
        name
        for name in names
        if name in tables[1] and tables[0][name].shape == tables[1][name].shape
    ]
    return [same[0], same[-1]] if same else []


def _comparable(old: Opened, new: Opened) -> bool:
    return bool(_common(old, new))
