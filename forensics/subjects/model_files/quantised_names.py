"""What a quantisation is called, by a model's configuration or by the names of its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.subjects.model_files.weight_files import CONFIG, Located, read_object

# `quant_method` in config.json (transformers, `QuantizationMethod`) → as its makers write it.
_TITLES = {
    "bitsandbytes": "bitsandbytes",
    "bitsandbytes_4bit": "bitsandbytes",
    "bitsandbytes_8bit": "bitsandbytes",
    "gptq": "GPTQ",
    "awq": "AWQ",
    "aqlm": "AQLM",
    "vptq": "VPTQ",
    "quanto": "Quanto",
    "eetq": "EETQ",
    "higgs": "HIGGS",
    "hqq": "HQQ",
    "compressed-tensors": "compressed-tensors",
    "fbgemm_fp8": "FP8",
    "torchao": "torchao",
    "bitnet": "BitNet",
    "spqr": "SpQR",
    "fp8": "FP8",
    "quark": "Quark",
    "fp_quant": "FP-Quant",
    "auto-round": "AutoRound",
    "mxfp4": "MXFP4",
    "mxfp8": "MXFP8",
    "nvfp4": "NVFP4",
    "sinq": "SINQ",
    "modelopt": "ModelOpt",
    "mlx": "MLX",
}
# The end of a tensor's name → the method that names tensors so, where no configuration tells.
_BY_TENSOR = (
    ("g_idx", "GPTQ"),
    ("qzeros", "GPTQ or AWQ"),
    ("qweight", "GPTQ or AWQ"),
    ("weight_packed", "compressed-tensors"),
    ("codebooks", "AQLM"),
    ("W_q", "HQQ"),
    ("weight_scales", "EETQ"),
    ("weight_scale_2", "NVFP4"),
    ("SCB", "bitsandbytes"),
    ("absmax", "bitsandbytes"),
    ("_data", "Quanto"),
)
_BY_SCHEME = {
    "bnb4": "bitsandbytes 4 bit",
    "bnb8": "bitsandbytes 8 bit",
    "mxfp4": "MXFP4",
    "scaled": "8 bit with scales",
}
_BITS = ("bits", "w_bit", "wbits", "nbits", "num_bits")
_BESIDE = ("quantize_config.json", "quant_config.json")  # AutoGPTQ, AutoAWQ
_MODELOPT = "hf_quant_config.json"
_DEEPEST = 6


def method_name(folder: Path, table: Mapping[str, Located], scheme: str) -> str:
    """Return how weights were quantised, such as `GPTQ 4 bit`; empty where nothing tells.

    Args:
        folder: the model's folder.
        table: its tensors.
        scheme: how they are decoded, empty where they are not.
    """
    config = quantisation_config(folder)
    title = _title(config)
    if not title:
        return _BY_SCHEME.get(scheme, "") or _by_tensors(table)
    bits = next(_bits(config, 0), None)
    named = any(character.isdigit() for character in title)
    return f"{title} {bits} bit" if bits is not None and not named else title


def quantisation_config(folder: Path) -> Mapping[str, Any]:
    """Return what a model's configuration says of its quantisation, empty where it says nothing."""
    config = read_object(folder / CONFIG)
    inner = config.get("text_config")
    for section in (config, inner if isinstance(inner, dict) else {}):
        for key in ("quantization_config", "compression_config"):
            settings = section.get(key)
            if isinstance(settings, dict):
                return settings
    mlx = config.get("quantization")
    if isinstance(mlx, dict):
        return {"quant_method": "mlx", **mlx}
    for name in _BESIDE:
        settings = read_object(folder / name)
        if settings:
            method = "awq" if "w_bit" in settings or settings.get("version") == "gemm" else "gptq"
            return {"quant_method": method, **settings}
    settings = read_object(folder / _MODELOPT).get("quantization")
    return {"quant_method": "modelopt", **settings} if isinstance(settings, dict) else {}


def _title(config: Mapping[str, Any]) -> str:
    method = str(config.get("quant_method") or "").lower()[:40]
    algorithm = config.get("quant_algo")
    if isinstance(algorithm, str) and algorithm:
        return f"ModelOpt {algorithm[:20]}"
    if not method and ("load_in_4bit" in config or "load_in_8bit" in config):
        method = "bitsandbytes"
    shown = "".join(c if c.isprintable() else "?" for c in method)
    return _TITLES.get(method, shown)


def _bits(config: Mapping[str, Any], depth: int) -> Iterator[int]:
    if config.get("load_in_4bit") is True:
        yield 4
    if config.get("load_in_8bit") is True:
        yield 8
    for key in _BITS:
        if type(config.get(key)) is int and 0 < config[key] <= 16:
            yield config[key]
    for value in config.values() if depth < _DEEPEST else ():
        if isinstance(value, dict):
            yield from _bits(value, depth + 1)


def _by_tensors(table: Mapping[str, Located]) -> str:
    for ending, title in _BY_TENSOR:
        if any(name.endswith(ending) for name in table):
            return title
    return ""
