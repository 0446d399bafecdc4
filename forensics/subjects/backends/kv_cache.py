"""The keys and values that a model has computed for a batch so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers.cache_utils import (
    Cache,
    DynamicCache,
    DynamicLayer,
    DynamicSlidingWindowLayer,
)

_GROWTH = 128  # tokens of room added at a time


class _RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A `DynamicLayer` that writes into spare room.

    The library's own copies all it holds for every new token: a sixth of the time of a batch of 64.
    """

    def __init__(self) -> None:
        super().__init__()
        self._key_room: torch.Tensor | None = None
        self._value_room: torch.Tensor | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add keys and values, both (rows x heads x tokens x size), and return all so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        self._key_room, self.keys = _append(self._key_room, self.keys, key_states)
        self._value_room, self.values = _append(self._value_room, self.values, value_states)
        return self.keys, self.values


def _append(
    room: torch.Tensor | None, held: torch.Tensor, new: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    rows, heads, count, size = held.shape
    end = count + new.shape[2]
    # What was repeated or selected since the last token lies in memory of its own.
    if room is None or room.data_ptr() != held.data_ptr() or room.shape[2] < end:
        room = held.new_empty(rows, heads, end + _GROWTH, size)
        room[:, :, :count] = held
    room[:, :, count:end] = new
    return room, room[:, :, :end]


def roomy_cache(config: Any, most_tokens: int | None = None) -> Cache | None:
    """Return an empty cache for a model whose every layer attends to the whole text, else None.

    In a sliding window or a recurrent state the padding behind a shared start would count.

    Args:
        config: the model's configuration.
        most_tokens: of a text, if known: a window that holds them all is no window.
    """
    layers = DynamicCache(config=config).layers
    if not layers or not all(_sees_all(layer, most_tokens) for layer in layers):
        return None
    return Cache(layer_class_to_replicate=_RoomyLayer)


def _sees_all(layer: Any, most_tokens: int | None) -> bool:
    if type(layer) is DynamicSlidingWindowLayer:
        return most_tokens is not None and most_tokens < layer.sliding_window
    return type(layer) is DynamicLayer


def joined(caches: Sequence[Any], gaps: Sequence[int]) -> Any:
    """Return caches of several groups of rows as one, with `gaps` empty tokens before each.

    Args:
        caches: each layer's keys and values (rows x heads x tokens x size).
        gaps: one a cache; with them all have the same number of tokens.
    """
    together = Cache(layer_class_to_replicate=_RoomyLayer)
    for index in range(len(caches[0].layers)):
        layers = [cache.layers[index] for cache in caches]
        keys, values = (
            torch.cat(
                [
                    functional.pad(held, (0, 0, gap, 0))
                    for held, gap in zip(parts, gaps, strict=True)
                ]
            )
            for parts in ([x.keys for x in layers], [x.values for x in layers])
        )
        together.update(keys, values, index)
    return together
