"""Packed weights made numbers again: bitsandbytes of 4 and 8 bits, FP8 and INT8 with scales, MXFP4.

Sources: bitsandbytes `QuantState.from_dict`, `dequantize_4bit` and `int8_vectorwise_dequant`; OCP
8-bit floating point and Microscaling formats (MX) specifications, version 1.0; transformers
`finegrained_fp8._dequantize_fp8_weight` and `mxfp4.convert_moe_packed_tensors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from forensics.evidence.weights.numerics.mapping import Bytes
from forensics.evidence.weights.numerics.tensor import Floats, Tensor
from forensics.subjects.model_files.quantised import Packed

_HALF_BYTE = np.array(
    [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32
)  # E2M1
_MIDDLE = 127  # exponent of a scale of one


def unpacked(
    packed: Packed,
    kind: str,
    beside: Mapping[str, Tensor],
    stored: Bytes,
    shape: tuple[int, ...],
) -> Floats:
    """Return the numbers of a packed weight.

    Args:
        packed: how it is stored.
        kind: the number format of the bytes.
        beside: the tensors that decoding needs, by their role.
        stored: all bytes of the weight.
        shape: of the result.

    Raises:
        InputFileError: scales that are NaN or infinite.
    """
    match packed.scheme:
        case "bnb4":
            return _bnb4(packed, beside, stored).reshape(shape)
        case "bnb8":
            rows = stored.view(np.int8).astype(np.float32).reshape(shape)
            rows *= beside["scale"].read().reshape(-1, 1) / np.float32(127)
            return rows
        case "mxfp4":
            return _mxfp4(beside["scale"], stored, shape)
        case "scaled":
            numbers = fp8_numbers(kind, stored) if kind != "I8" else _int8(stored)
            return _times(numbers.reshape(shape), _scales(beside["scale"]), packed.blocks)


def _bnb4(packed: Packed, beside: Mapping[str, Tensor], stored: Bytes) -> Floats:
    count = int(np.prod(packed.shape, dtype=np.int64))
    scales = _bnb_scales(packed, beside)
    values = beside["code"].read().reshape(-1)[_halves(stored, high_first=True)][:count]
    whole = count // packed.numbers * packed.numbers
    blocks = values[:whole].reshape(-1, packed.numbers)
    blocks *= scales[: len(blocks), None]
    values[whole:] *= scales[-1]
    return values


def _bnb_scales(packed: Packed, beside: Mapping[str, Tensor]) -> Floats:
    scales = beside["absmax"]
    if "scale" not in beside:
        return scales.read().reshape(-1)
    codes = beside["map"].read().reshape(-1)[scales.stored()]
    outer = np.repeat(beside["scale"].read().reshape(-1), packed.block)[: len(codes)]
    unpacked_scales: Floats = codes * outer + np.float32(packed.offset)
    return unpacked_scales


def _mxfp4(scale: Tensor, stored: Bytes, shape: tuple[int, ...]) -> Floats:
    exponents = scale.stored().astype(np.int32) - _MIDDLE
    blocks = _HALF_BYTE[_halves(stored, high_first=False)].reshape(len(exponents), -1)
    numbers = np.ldexp(blocks, exponents[:, None])
    if len(shape) == 2:
        return numbers.reshape(shape)
    turned = numbers.reshape(*shape[:-2], shape[-1], shape[-2]).swapaxes(-1, -2)
    contiguous: Floats = np.ascontiguousarray(turned)
    return contiguous


def _halves(stored: Bytes, high_first: bool) -> Bytes:
    """Return the half bytes of bytes, two of each in order."""
    halves = np.empty((stored.size, 2), dtype=np.uint8)
    halves[:, 0 if high_first else 1] = stored.reshape(-1) >> 4
    halves[:, 1 if high_first else 0] = stored.reshape(-1) & 15
    return halves.reshape(-1)


def _int8(stored: Bytes) -> Floats:
    return stored.view(np.int8).astype(np.float32)


def _scales(scale: Tensor) -> Floats:
    if scale.kind != "U8":
        return scale.read()
    exponents = scale.stored().astype(np.int32) - _MIDDLE
    unpacked_scales: Floats = np.ldexp(np.float32(1), exponents).reshape(scale.shape)
    return unpacked_scales


def _times(numbers: Floats, scales: Floats, blocks: tuple[int, ...]) -> Floats:
    """Multiply numbers by scales, each of which belongs to a block of that many along an axis."""
    spread = scales.reshape(_parts(numbers.shape, blocks))
    for axis, block in enumerate(blocks):
        if 1 < block < numbers.shape[axis]:
            spread = np.repeat(spread, block, axis).take(range(numbers.shape[axis]), axis)
    numbers *= spread
    return numbers


def _parts(shape: tuple[int, ...], blocks: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(-(-size // block) for size, block in zip(shape, blocks, strict=True))


def fp8_numbers(kind: str, stored: Bytes) -> Floats:
    """Return the numbers that bytes stand for in one of the 8-bit floating point formats."""
    numbers: Floats = _fp8_table(kind)[stored.reshape(-1)]
    return numbers


@lru_cache(maxsize=4)
def _fp8_table(kind: str) -> Floats:
    """Return the 256 numbers of a format.

    E5M2 has infinities as larger formats do, E4M3 one NaN of each sign, and the formats that end
    in FNUZ only NaN in the place of minus zero, and exponents that are one less.
    """
    bits, unsigned = np.arange(256), kind.endswith("FNUZ")
    mantissa = 3 if "E4M3" in kind else 2
    bias = (7 if mantissa == 3 else 15) + unsigned
    exponent = (bits & 127) >> mantissa
    fraction = (bits & ((1 << mantissa) - 1)) / (1 << mantissa)
    size = np.ldexp(fraction + (exponent > 0), np.maximum(exponent, 1) - bias)
    if unsigned:
        size[128] = np.nan
    elif mantissa == 3:
        size[(bits & 127) == 127] = np.nan
    else:
        size[exponent == 31] = np.where(fraction[exponent == 31] > 0, np.nan, np.inf)
    size[128:] *= -1
    table: Floats = size.astype(np.float32)
    return table
