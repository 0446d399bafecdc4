"""Which tensor is which part of a transformer, by the names that families of models use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.alignment import bounded
from forensics.evidence.weights.numerics.reader import Weights
from forensics.evidence.weights.numerics.tensor import Floats, Tensor
from forensics.subjects.model_files.folder import ModelFiles
from forensics.support.json_files import read_json
from forensics.support.sanitise import one_line

Part = Literal[
    "gate", "up", "down", "q", "k", "v", "o", "attention_norm", "mlp_norm", "lora_a", "lora_b"
]

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blk|blocks)\.(\d+)\.(.+)$")
_EXPERT = re.compile(r"experts\.(\d+)\.(.+)$")
# Towers for other senses have layers too, and they are not the language model's.
_OTHER_SENSES = re.compile(r"vision|visual|audio|image")
_EMBEDDINGS = (
    "embed_tokens.weight",
    "token_embd.weight",
    "wte.weight",
    "embed_in.weight",
    "tok_embeddings.weight",
    "word_embeddings.weight",
)
# Name inside the layer → part. A fused matrix holds its parts one above the other.
_NAMES: dict[str, tuple[Part, ...]] = {
    "mlp.gate_proj.weight": ("gate",),
    "mlp.up_proj.weight": ("up",),
    "mlp.down_proj.weight": ("down",),
    "mlp.gate_up_proj.weight": ("gate", "up"),
    "feed_forward.w1.weight": ("gate",),
    "feed_forward.w3.weight": ("up",),
    "feed_forward.w2.weight": ("down",),
    "gate_proj.weight": ("gate",),  # inside an expert
    "up_proj.weight": ("up",),
    "down_proj.weight": ("down",),
    "w1.weight": ("gate",),
    "w3.weight": ("up",),
    "w2.weight": ("down",),
    "ffn_gate.weight": ("gate",),
    "ffn_up.weight": ("up",),
    "ffn_down.weight": ("down",),
    "mlp.fc1.weight": ("up",),
    "mlp.fc2.weight": ("down",),
    "fc1.weight": ("up",),
    "fc2.weight": ("down",),
    "mlp.c_fc.weight": ("up",),
    "mlp.c_proj.weight": ("down",),
    "mlp.dense_h_to_4h.weight": ("up",),
    "mlp.dense_4h_to_h.weight": ("down",),
    "self_attn.q_proj.weight": ("q",),
    "self_attn.k_proj.weight": ("k",),
    "self_attn.v_proj.weight": ("v",),
    "self_attn.o_proj.weight": ("o",),
    "self_attn.out_proj.weight": ("o",),
    "self_attn.dense.weight": ("o",),
    "attn.c_attn.weight": ("q", "k", "v"),
    "attn.c_proj.weight": ("o",),
    "attn_q.weight": ("q",),
    "attn_k.weight": ("k",),
    "attn_v.weight": ("v",),
    "attn_output.weight": ("o",),
    "input_layernorm.weight": ("attention_norm",),
    "attn_norm.weight": ("attention_norm",),
    "ln_1.weight": ("attention_norm",),
    "self_attn_layer_norm.weight": ("attention_norm",),
    "pre_feedforward_layernorm.weight": ("mlp_norm",),
    "ffn_norm.weight": ("mlp_norm",),
    "ln_2.weight": ("mlp_norm",),
    "final_layer_norm.weight": ("mlp_norm",),
}
_PACKED = ("U8", "I8", "I16", "I32", "I64", "BOOL")  # integers that are no weights themselves
_AFTER_ATTENTION = "post_attention_layernorm.weight"  # Gemma 2 and 3 have one more before the MLP
_ADAPTED = re.compile(r"(?:^|model\.)(layers\.\d+\..+)\.lora_([AB])(?:\.default)?\.weight$")
_WRITES: frozenset[Part] = frozenset({"down", "o", "lora_b"})
_TRANSPOSED = ("c_fc.weight", "c_proj.weight", "c_attn.weight")  # GPT-2 stores input x output
_READ_BY: dict[Part, Part] = {
    "q": "attention_norm",
    "k": "attention_norm",
    "v": "attention_norm",
    "gate": "mlp_norm",
    "up": "mlp_norm",
}


@dataclass(frozen=True)
class Piece:
    """One part of a layer: `index` of `count` parts in a tensor, which may lie transposed."""

    tensor: str
    index: int = 0
    count: int = 1
    transposed: bool = False


@dataclass(frozen=True)
class Layer:
    """The parts of one layer, or of one expert of a layer."""

    label: str
    pieces: dict[Part, Piece]


@dataclass(frozen=True)
class Parts:
    """A transformer's parts; `norm_offset` is added to stored norm weights (1 in Gemma)."""

    weights: Weights
    layers: tuple[Layer, ...]
    embedding: str | None
    norm_offset: float = 0.0

    def matrix(
        self,
        layer: Layer,
        part: Part,
        rows: NDArray[np.int64] | None = None,
        columns: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Return a part as it acts on the residual stream, shape (units, width), float32.

        The weights of the norm in front are multiplied in, so that moving scale between a norm
        and the matrix behind it changes nothing. Parts that write to the stream (`down`, `o`,
        `lora_b`) are turned, so that a row is always what one unit reads or writes.

        Args:
            layer: one of `layers`.
            part: which part.
            rows: only these units.
            columns: only these coordinates of the stream.
        """
        values = self._stored(layer.pieces[part], part in _WRITES, rows)
        norm = layer.pieces.get(_READ_BY[part]) if part in _READ_BY else None
        if columns is not None:
            values = values.take(columns, axis=1)
        if norm is None:
            return bounded(values)
        scale = self.weights.read(norm.tensor) + np.float32(self.norm_offset)
        scale = scale if columns is None else scale[columns]
        # What is not the file itself is a copy of our own.
        out = values if values.flags.writeable else None
        with np.errstate(over="ignore"):
            scaled: Floats = np.multiply(values, scale, out=out)
        return bounded(scaled)

    def units(self, layer: Layer, part: Part) -> int:
        """Return how many units a part has."""
        piece = layer.pieces[part]
        shape = self.weights.tensors[piece.tensor].shape
        across = piece.transposed != (part in _WRITES)
        return (shape[1] if across else shape[0]) // piece.count

    def width(self, layer: Layer, part: Part) -> int:
        """Return the length of a unit's row."""
        piece = layer.pieces[part]
        shape = self.weights.tensors[piece.tensor].shape
        across = piece.transposed != (part in _WRITES)
        return shape[0] if across else shape[1]

    def _stored(self, piece: Piece, writes: bool, rows: NDArray[np.int64] | None) -> Floats:
        tensor = self.weights.tensors[piece.tensor]
        if not (piece.transposed or writes):
            share = tensor.shape[0] // piece.count
            chosen = np.arange(share) if rows is None else rows
            whole = rows is None and piece.count == 1
            return tensor.read() if whole else tensor.rows(chosen + piece.index * share)
        values = tensor.read()
        values = values if piece.transposed and writes else values.T
        share = len(values) // piece.count
        values = values[piece.index * share : (piece.index + 1) * share]
        return np.ascontiguousarray(values if rows is None else values[rows])


def find_parts(weights: Weights, files: ModelFiles) -> Parts:
    """Return a model's layers and embedding; parts of unknown names are left out.

    Raises:
        ModelFileError: a part whose shape is no such part's.
    """
    pieces_of: dict[tuple[int, int], dict[Part, Piece]] = {}
    after: dict[int, Piece] = {}
    for name, tensor in weights.tensors.items():
        placed = _LAYER.search(name)
        if placed is None or _OTHER_SENSES.search(name):
            continue
        number, rest = int(placed[1]), placed[2]
        if rest.endswith(_AFTER_ATTENTION):
            after[number] = Piece(name)
        expert = _EXPERT.search(rest)
        inside = expert[2] if expert else rest
        parts = _NAMES.get(inside, ())
        if parts and _has_rank(tensor, 1 if "norm" in parts[0] else 2):
            transposed = inside.endswith(_TRANSPOSED)
            for index, part in enumerate(parts):
                piece = Piece(name, index, len(parts), transposed)
                pieces_of.setdefault((number, int(expert[1]) if expert else -1), {})[part] = piece
    for (number, _), pieces in pieces_of.items():
        if number in after:
            pieces.setdefault("mlp_norm", after[number])
    layers = tuple(
        Layer(f"{number}" if expert < 0 else f"{number}/{expert}", pieces)
        for (number, expert), pieces in sorted(pieces_of.items())
    )
    found_parts = Parts(weights, layers, _embedding(weights), _norm_offset(files))
    for layer in layers:
        _check_shapes(found_parts, layer)
    return found_parts


def _has_rank(tensor: Tensor, rank: int) -> bool:
    """Tell whether a tensor of a known name has the dimensions of its kind.

    Packed kinds may lie in the file in any shape, and are then no part that can be compared.

    Raises:
        ModelFileError: a tensor of numbers with other dimensions, or with none at all.
    """
    if len(tensor.shape) == rank and tensor.size:
        return True
    if tensor.kind in _PACKED:
        return False
    expected = "a matrix" if rank == 2 else "one dimension"
    empty = "" if tensor.size else ", which holds no numbers (as DeepSpeed's ZeRO-3 leaves them)"
    raise ModelFileError(
        f"{tensor.file}: the tensor {one_line(tensor.name, 80)} has the shape "
        f"{list(tensor.shape)}{empty}; {expected} is expected, save the whole model again"
    )


def _check_shapes(parts: Parts, layer: Layer) -> None:
    """Check that the three matrices of a gated MLP fit one another, and the norm in front of them.

    Raises:
        ModelFileError: they do not.
    """
    pieces = layer.pieces
    if not {"gate", "up"} <= pieces.keys():
        return
    units, width = parts.units(layer, "gate"), parts.width(layer, "gate")
    for part in ("up", "down"):
        if part not in pieces:
            continue
        if (units, width) != (parts.units(layer, part), parts.width(layer, part)):
            raise _misshaped(parts, pieces[part], pieces["gate"])
    norm = pieces.get("mlp_norm")
    if norm is not None and parts.weights.tensors[norm.tensor].shape != (width,):
        raise _misshaped(parts, norm, pieces["gate"])


def _misshaped(parts: Parts, piece: Piece, beside: Piece) -> ModelFileError:
    first, second = (parts.weights.tensors[placed.tensor] for placed in (piece, beside))
    return ModelFileError(
        f"{first.file}: the tensor {one_line(first.name, 80)} has the shape {list(first.shape)}, "
        f"which does not fit {one_line(second.name, 80)} of {list(second.shape)}; download the "
        "file again"
    )


def adapter_parts(weights: Weights) -> Parts:
    """Return the adapted modules of a LoRA adapter, each as a layer of the module's name."""
    pieces_of: dict[str, dict[Part, Piece]] = {}
    for name, tensor in weights.tensors.items():
        placed = _ADAPTED.search(name)
        if placed is not None and len(tensor.shape) == 2:
            part: Part = "lora_a" if placed[2] == "A" else "lora_b"
            pieces_of.setdefault(placed[1].removeprefix("layers."), {})[part] = Piece(name)
    layers = tuple(Layer(label, pieces) for label, pieces in sorted(pieces_of.items()))
    return Parts(weights, layers, None)


def _embedding(weights: Weights) -> str | None:
    for ending in _EMBEDDINGS:
        for name in weights.tensors:
            if name.endswith(ending) and not _OTHER_SENSES.search(name):
                return name if _has_rank(weights.tensors[name], 2) else None
    return None


def model_type(files: ModelFiles) -> str:
    """Return the architecture's name in config.json, empty where there is none.

    Raises:
        ModelFileError: the file is damaged.
    """
    if files.config is None:
        return ""
    config = read_json(files.config, "configuration")
    if not isinstance(config, dict):
        raise ModelFileError(
            f"{files.config} is not a complete configuration (no JSON object); download it again"
        )
    return str(config.get("model_type", ""))


def _norm_offset(files: ModelFiles) -> float:
    # Converters to GGUF add the one before they store it.
    return 1.0 if files.gguf is None and model_type(files).startswith("gemma") else 0.0
