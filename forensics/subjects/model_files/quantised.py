"""Which tensors of a model are packed or scaled, how, and whether they can be made numbers again.

Looked at are the tensors first, as they lie: a `quantization_config` that was left behind in a
model of plain floats changes nothing. The configuration names the method where numbers cannot be
had. Layouts: bitsandbytes `QuantState.as_dict` and `Linear8bitLt`; FP8 as DeepSeek, transformers
(`finegrained_fp8`) and compressed-tensors (`float-quantized`, `int-quantized`) store it; MXFP4 as
gpt-oss (`transformers.integrations.mxfp4`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forensics.errors import ModelFileError
from forensics.subjects.model_files.quantised_names import method_name, quantisation_config
from forensics.subjects.model_files.weight_files import Located

Scheme = Literal["bnb4", "bnb8", "scaled", "mxfp4"]
FP8 = ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
_FLOATS = ("F32", "F16", "BF16", "F64")
SCALES = (*_FLOATS, "F8_E8M0", "U8")  # the last two hold powers of two
_PACKED = ("F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "C64")
_INTEGERS = ("U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64")
# What packed weights are called; tables of positions and masks, which plain models have, are not.
_WEIGHTS = re.compile(
    r"(?:^|[._:])(?:q?weight|qzeros|weight_packed|packed|codes|codebooks?|blocks|W_q|q?data)$"
)
# Masks and positions that were stored with a model; in a small one they are most of its bytes.
_TABLES = re.compile(r"(?:^|\.)(?:masked_)?bias$|mask|_ids$|_index$|tracked$")
# Scales of what flows through a layer, not of its weights.
_OF_ACTIVATIONS = ("input", "output", "activation", "k_scale", "v_scale", "q_scale")
_LEAST_PACKED = 64  # smaller integer tensors are settings
_STATE = ".quant_state.bitsandbytes__"
_USUAL_BLOCK = 128
_WIDEST = 8  # bytes of the widest number format
_LONGEST_STATE = 1 << 16
_OFFSETS = ("weight_zero_point", "weight_g_idx", "weight_scale_2", "weight_global_scale")
_ADVICE = "compare the unquantised original, or save the model dequantised"


@dataclass(frozen=True)
class Packed:
    """A weight that is stored packed or scaled.

    `stored` is the tensor with its bits, `beside` what else decoding needs, by role; `blocks` are
    how many numbers along each axis share a scale; `block` and `offset` belong to bitsandbytes'
    scales of scales, `numbers` is how many share a scale there.
    """

    name: str
    stored: str
    scheme: Scheme
    shape: tuple[int, ...]
    beside: Mapping[str, str]
    blocks: tuple[int, ...] = ()
    numbers: int = 0
    block: int = 0
    offset: float = 0.0


@dataclass(frozen=True)
class Layout:
    """How a model's weights are stored.

    `packed` are those to decode and `left_out` the tensors that only help to. `method` names the
    quantisation, empty of plain floats. `unread` says why no numbers can be had, empty where they
    can.
    """

    packed: tuple[Packed, ...] = ()
    left_out: frozenset[str] = frozenset()
    method: str = ""
    unread: str = ""


def quantised_layout(folder: Path, table: Mapping[str, Located]) -> Layout:
    """Return how the weights of a folder are stored.

    Args:
        folder: for its configuration.
        table: the model's tensors.

    Raises:
        ModelFileError: packed weights and what they are decoded with do not fit each other.
    """
    block = _block_size(folder)
    packed = [
        weight for weight in (_packed(name, table, block) for name in table) if weight is not None
    ]
    done = {weight.stored for weight in packed} | _left_out(packed, table)
    unknown = _unknown(table, done)
    if not packed and not unknown:
        return Layout()
    method = method_name(folder, table, packed[0].scheme if packed else "")
    if unknown and method:
        return Layout(method=method, unread=f"is quantised ({method}); {_ADVICE}")
    if unknown:
        what = f"the tensor {unknown} holds {table[unknown].entry.kind} numbers"
        return Layout(
            method="quantised",
            unread=f"is quantised in a way that is not known ({what}); {_ADVICE}",
        )
    return Layout(tuple(packed), frozenset(done), method)


def _packed(name: str, table: Mapping[str, Located], block: tuple[int, ...]) -> Packed | None:
    entry = table[name].entry
    state = next((n for t in ("nf4", "fp4") if (n := f"{name}{_STATE}{t}") in table), None)
    if state is not None:
        return _bnb4(name, state, table)
    if entry.kind == "I8" and name.endswith(".weight"):
        eight = _bnb8(name, table)
        if eight is not None:
            return eight
    if entry.kind == "U8" and name.endswith("_blocks"):
        return _mxfp4(name, table)
    if entry.kind in FP8 or entry.kind == "I8":
        return _scaled(name, table, block)
    return None


def _bnb4(name: str, state: str, table: Mapping[str, Located]) -> Packed:
    shape, numbers, block, offset = _bnb_state(table[state])
    beside = {"absmax": f"{name}.absmax", "code": f"{name}.quant_map"}
    if f"{name}.nested_absmax" in table:
        beside |= {"scale": f"{name}.nested_absmax", "map": f"{name}.nested_quant_map"}
    missing = next((n for n in beside.values() if n not in table), None)
    if missing is not None:
        raise ModelFileError(
            f"{table[name].file}: the packed weight {name} lacks {missing}; download the model "
            "again"
        )
    entry, scales = table[name].entry, table[beside["absmax"]].entry.size
    count = math.prod(shape)
    # Bytes are packed whatever the number format is called that they are kept in, and fill it up.
    spare = entry.end - entry.begin - -(-count // 2)
    fits = 0 <= spare < _WIDEST and scales == -(-count // numbers)
    fits &= table[beside["code"]].entry.size == 16
    fits &= (table[beside["absmax"]].entry.kind == "U8") == ("scale" in beside)
    if "scale" in beside:
        fits &= table[beside["map"]].entry.size == 256 and block > 0
        fits &= block > 0 and table[beside["scale"]].entry.size == -(-scales // block)
    if not fits or any(
        table[n].entry.kind not in _FLOATS for r, n in beside.items() if r != "absmax"
    ):
        raise _misfit(name, table)
    return Packed(name, name, "bnb4", shape, beside, (), numbers, block, offset)


def _bnb_state(place: Located) -> tuple[tuple[int, ...], int, int, float]:
    """Return shape, numbers a scale, scales a scale and offset from bitsandbytes' JSON."""
    entry = place.entry
    try:
        if entry.end - entry.begin > _LONGEST_STATE:
            raise ValueError("too long")
        state = json.loads(_bytes(place))
        shape = tuple(int(n) for n in state["shape"])
        numbers, block = int(state["blocksize"]), int(state.get("nested_blocksize") or 0)
        offset = float(state.get("nested_offset") or 0.0)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise ModelFileError(
            f"{place.file}: {entry.name} does not describe a packed weight; download the model "
            "again"
        ) from error
    if min(shape, default=0) < 1 or numbers < 1 or block < 0 or not math.isfinite(offset):
        raise ModelFileError(
            f"{place.file}: {entry.name} does not describe a packed weight; download the model "
            "again"
        )
    return shape, numbers, block, offset


def _bnb8(name: str, table: Mapping[str, Located]) -> Packed | None:
    stem = name.removesuffix("weight")
    scales = f"{stem}SCB"
    if scales not in table:
        return None
    entry = table[name].entry
    layout = table.get(f"{stem}weight_format")
    if layout is not None and any(_bytes(layout)[:8]):
        return None  # the layouts of old graphics cards; a row-wise one is 0
    fits = len(entry.shape) == 2 and table[scales].entry.size == entry.shape[0]
    if not fits or table[scales].entry.kind not in _FLOATS:
        raise _misfit(name, table)
    return Packed(name, name, "bnb8", entry.shape, {"scale": scales})


def _mxfp4(name: str, table: Mapping[str, Located]) -> Packed | None:
    stem = name.removesuffix("_blocks")
    scales = f"{stem}_scales"
    if scales not in table or table[scales].entry.kind not in ("U8", "F8_E8M0"):
        return None
    shape = table[name].entry.shape
    if len(shape) < 3 or 0 in shape or shape[:-1] != table[scales].entry.shape:
        raise _misfit(name, table)
    *lead, rows, groups, width = shape
    columns = groups * width * 2
    # transformers keeps the experts input by output, and their packed form the other way round.
    full = (*lead, columns, rows) if lead else (rows, columns)
    plain = stem if lead or stem.endswith("weight") else f"{stem}.weight"
    return Packed(plain, name, "mxfp4", full, {"scale": scales})


def _scaled(name: str, table: Mapping[str, Located], block: tuple[int, ...]) -> Packed | None:
    entry = table[name].entry
    scales = next((n for n in _scale_names(name) if n in table), None)
    if scales is None or not entry.size or table[scales].entry.kind not in SCALES:
        return None
    stem = name.removesuffix("weight")
    if any(f"{stem}{other}" in table for other in _OFFSETS):
        return None
    blocks = _blocks(entry.shape, table[scales].entry.shape, block)
    if blocks is None:
        return None
    return Packed(name, name, "scaled", entry.shape, {"scale": scales}, blocks)


def _scale_names(name: str) -> tuple[str, ...]:
    beside = (f"{name}_scale_inv", f"{name}_scale")
    if not name.endswith(".weight"):
        return beside
    stem = name.removesuffix("weight")
    return (*beside, f"{stem}scale", f"{stem}scale_weight")


def _block_size(folder: Path) -> tuple[int, ...]:
    size = quantisation_config(folder).get("weight_block_size")
    if not isinstance(size, list) or not all(type(n) is int and n > 0 for n in size):
        return ()
    return tuple(size)


def _blocks(
    shape: tuple[int, ...], scales: tuple[int, ...], given: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return how many numbers along each axis share a scale; None where scales do not fit."""
    if math.prod(scales) == 1:
        return shape
    if len(scales) == 1:
        scales = (*scales, *(1 for _ in shape[1:]))
    if len(scales) != len(shape):
        return None
    usual = (_USUAL_BLOCK,) * len(shape)
    aligned = (usual[: len(shape) - len(given)] + given)[-len(shape) :] if given else usual
    lengths = []
    for numbers, parts, block in zip(shape, scales, aligned, strict=True):
        if parts in (1, numbers):
            lengths.append(numbers if parts == 1 else 1)
        elif parts == -(-numbers // block):
            lengths.append(block)
        elif 0 < parts < numbers and numbers % parts == 0:
            lengths.append(numbers // parts)
        else:
            return None
    return tuple(lengths)


def _left_out(packed: list[Packed], table: Mapping[str, Located]) -> set[str]:
    """Return the tensors that belong to packed weights and are none themselves."""
    names: set[str] = set()
    for weight in packed:
        names.update(weight.beside.values())
        stem = weight.stored.removesuffix("weight")
        also = (
            "weight_format",
            "input_scale",
            "input_scale_ub",
            "output_scale",
            "input_zero_point",
        )
        names.update(f"{stem}{name}" for name in also)
        names.update(f"{weight.stored}{_STATE}{kind}" for kind in ("nf4", "fp4"))
    return names & set(table)


def _unknown(table: Mapping[str, Located], done: set[str]) -> str | None:
    """Return a tensor that holds packed weights of a layout that is not known, None without one."""
    rest = {name: place.entry for name, place in table.items() if name not in done}
    scaled = {_module(name) for name in rest if _is_scale(name)}
    for name, entry in rest.items():
        if entry.kind in _PACKED or (entry.kind in FP8 and _module(name) in scaled):
            return name
        if entry.kind in _INTEGERS and entry.size >= _LEAST_PACKED and _WEIGHTS.search(name):
            return name
    numbers = {n: e for n, e in rest.items() if e.kind in _INTEGERS and not _TABLES.search(n)}
    integers = {name: entry.end - entry.begin for name, entry in numbers.items()}
    total = sum(place.entry.end - place.entry.begin for place in table.values())
    if sum(integers.values()) * 2 > total > 0:
        return max(integers, key=lambda name: integers[name])
    return None


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _is_scale(name: str) -> bool:
    last = name.rpartition(".")[2]
    return "scale" in last and not any(word in last for word in _OF_ACTIVATIONS)


def _bytes(place: Located) -> bytes:
    with place.file.open("rb") as file:
        file.seek(place.entry.begin)
        return file.read(place.entry.end - place.entry.begin)


def _misfit(name: str, table: Mapping[str, Located]) -> ModelFileError:
    return ModelFileError(
        f"{table[name].file}: the packed weight {name} and its scales are of sizes that do not fit "
        "each other; download the model again"
    )
