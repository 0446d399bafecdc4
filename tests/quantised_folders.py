"""The matrices of a tiny model, packed as the usual methods of quantisation pack them."""

from __future__ import annotations

import json

import torch

from tests.model_folders import Tensors

NF4 = torch.tensor(
    [
        *(-1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0),
        *(0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0),
    ]
)
FP4 = torch.tensor(
    [
        *(0.0, 0.0052083, 0.6666667, 1.0, 0.3333333, 0.5, 0.1666667, 0.25),
        *(0.0, -0.0052083, -0.6666667, -1.0, -0.3333333, -0.5, -0.1666667, -0.25),
    ]
)
_STEPS = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])
_BLOCK, _OUTER = 64, 256
_LARGEST_FP8 = 448.0


def nearest(values: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
    """Return the number of the nearest entry of a code for each value."""
    return (values.unsqueeze(-1) - code).abs().argmin(-1)


def bnb4(name: str, values: torch.Tensor, kind: str = "nf4", nested: bool = False) -> Tensors:
    """Pack as bitsandbytes packs 4 bits: blocks of 64, the first of two in the upper half."""
    code = NF4 if kind == "nf4" else FP4
    flat = torch.nn.functional.pad(values.flatten(), (0, -values.numel() % _BLOCK))
    blocks = flat.reshape(-1, _BLOCK)
    scales = blocks.abs().amax(1)
    state = {"quant_type": kind, "blocksize": _BLOCK, "dtype": "float16"}
    found: Tensors = {f"{name}.absmax": scales, f"{name}.quant_map": code}
    if nested:
        offset = scales.mean()
        outer = torch.nn.functional.pad(scales - offset, (0, -len(scales) % _OUTER))
        most = outer.reshape(-1, _OUTER).abs().amax(1)
        steps = torch.linspace(-1, 1, 256)
        inner = nearest((scales - offset) / most.repeat_interleave(_OUTER)[: len(scales)], steps)
        found[f"{name}.absmax"] = inner.to(torch.uint8)
        found |= {f"{name}.nested_absmax": most, f"{name}.nested_quant_map": steps}
        state |= {"nested_blocksize": _OUTER, "nested_offset": float(offset)}
    numbers = nearest(blocks / scales[:, None], code).flatten()[: values.numel()]
    numbers = torch.nn.functional.pad(numbers, (0, len(numbers) % 2))
    told = json.dumps({**state, "shape": list(values.shape)}).encode()
    found[name] = (numbers[0::2] * 16 + numbers[1::2]).to(torch.uint8)[:, None]
    found[f"{name}.quant_state.bitsandbytes__{kind}"] = torch.frombuffer(
        bytearray(told), dtype=torch.uint8
    )
    return found


def bnb8(name: str, values: torch.Tensor) -> Tensors:
    """Pack as bitsandbytes packs 8 bits: a scale for each row."""
    stem, scales = name.removesuffix("weight"), values.abs().amax(1)
    return {
        name: (values / scales[:, None] * 127).round().to(torch.int8),
        f"{stem}SCB": scales,
        f"{stem}weight_format": torch.tensor(0, dtype=torch.uint8),
    }


def fp8_blocks(name: str, values: torch.Tensor, block: int = 48) -> Tensors:
    """Pack as DeepSeek does, in square blocks."""
    rows, columns = values.shape
    padded = torch.nn.functional.pad(values, (0, -columns % block, 0, -rows % block))
    parts = padded.unfold(0, block, block).unfold(1, block, block)
    scales = parts.abs().amax((2, 3)) / _LARGEST_FP8
    spread = scales.repeat_interleave(block, 0).repeat_interleave(block, 1)[:rows, :columns]
    return {name: (values / spread).to(torch.float8_e4m3fn), f"{name}_scale_inv": scales}


def fp8_tensor(name: str, values: torch.Tensor) -> Tensors:
    """Pack with one scale for a tensor."""
    scale = values.abs().max() / _LARGEST_FP8
    packed = {name: (values / scale).to(torch.float8_e4m3fn), f"{name}_scale": scale}
    return packed | {f"{name.removesuffix('weight')}input_scale": torch.tensor(0.1)}


def fp8_rows(name: str, values: torch.Tensor) -> Tensors:
    """Pack with one scale for each row, of E5M2."""
    scales = values.abs().amax(1, keepdim=True) / 57344
    return {name: (values / scales).to(torch.float8_e5m2), f"{name}_scale": scales.bfloat16()}


def fp8_plain(name: str, values: torch.Tensor) -> Tensors:
    """Round to eight bits, without scales."""
    return {name: values.to(torch.float8_e4m3fn)}


def int8_rows(name: str, values: torch.Tensor) -> Tensors:
    """Pack as compressed-tensors does (int-quantized)."""
    scales = values.abs().amax(1, keepdim=True) / 127
    return {name: (values / scales).round().to(torch.int8), f"{name}_scale": scales}


def mxfp4(name: str, values: torch.Tensor) -> Tensors:
    """Pack as MXFP4: blocks of 32 share a power of two, the first of two in the lower half."""
    blocks = values.reshape(*values.shape[:-1], -1, 32)
    powers = torch.log2(blocks.abs().amax(-1) / 6).ceil()
    numbers = nearest(blocks / 2.0 ** powers[..., None], _STEPS)
    stem = name.removesuffix(".weight")
    return {
        f"{stem}_blocks": (numbers[..., 1::2] * 16 + numbers[..., 0::2]).to(torch.uint8),
        f"{stem}_scales": (powers + 127).to(torch.uint8),
    }


def gptq(name: str, values: torch.Tensor) -> Tensors:
    """Return tensors of GPTQ's names and number formats, which nobody unpacks here."""
    rows, columns = values.shape
    stem = name.removesuffix("weight")
    return {
        f"{stem}qweight": torch.zeros(columns // 8, rows, dtype=torch.int32),
        f"{stem}qzeros": torch.zeros(columns // 32, rows // 8, dtype=torch.int32),
        f"{stem}scales": torch.ones(columns // 32, rows).half(),
        f"{stem}g_idx": torch.zeros(columns, dtype=torch.int32),
    }
