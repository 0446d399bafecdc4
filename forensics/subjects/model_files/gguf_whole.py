"""Is a GGUF file a whole model? Its tensors are held against its architecture.

What fills a gap is never asked here: transformers fills missing weights with random numbers, and
such a model still answers. The tables of architectures are those of the `gguf` package, which name
every tensor that an architecture *may* have; which of them it must have follows llama.cpp's loader.
Where a table leaves that open, a layer that lacks what the other layers have is incomplete.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import ModelFileError
from forensics.subjects.model_files.gguf import GGUFLayout, header_text
from forensics.support.sanitise import one_line

_BLOCK = re.compile(r"((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)\.(weight|bias)")
_EXPERT_OF_ITS_OWN = re.compile(r"(ffn_gate|ffn_up|ffn_down)\.(\d+)")  # Mixtral, until April 2024
_MOST_BLOCKS = 4096

Names = frozenset[str]


def _sets(*groups: str) -> tuple[Names, ...]:
    return tuple(frozenset(group.split()) for group in groups)


# A layer mixes positions in one of these ways, and has one of these feed-forward parts.
_MIXERS = _sets(
    "attn_q attn_k attn_v attn_output",
    "attn_qkv attn_output",
    "attn_q attn_k attn_v attn_o",
    "attn_q attn_kv_a_mqa attn_kv_b attn_output",
    "attn_q attn_kv_a_mqa attn_k_b attn_v_b attn_output",
    "attn_q_a attn_q_b attn_kv_a_mqa attn_kv_b attn_output",
    "attn_q_a attn_q_b attn_kv_a_mqa attn_k_b attn_v_b attn_output",
    "attn_qkv attn_gate ssm_out",
    "ssm_in ssm_conv1d ssm_out",
    "shortconv.conv shortconv.in_proj shortconv.out_proj",
    "time_mix_key time_mix_value time_mix_receptance time_mix_output",
)
_FEED_FORWARDS = _sets(
    "ffn_up ffn_down",
    "ffn_gate_inp ffn_up_exps ffn_down_exps",
    "ffn_gate_inp ffn_gate_up_exps ffn_down_exps",
    "channel_mix_key channel_mix_value",
)
# Layers of these may lack either part, or differ in what they have: other rules are then unsafe.
_UNEVEN = frozenset(
    "deci nemotron_h nemotron_h_moe gemma3n gemma4 mimo2 step35 modern-bert rwkv6 rwkv7 arwkv7 "
    "rwkv6qwen2 wavtokenizer-dec".split()
)
_NO_OUTPUT_NORM = frozenset("bert nomic-bert nomic-bert-moe jina-bert-v3".split())
_UNGATED = frozenset("jina-bert-v2 nomic-bert nomic-bert-moe".split())
_WITHOUT_FFN_NORM = frozenset("stablelm phi2".split())
# A few layers of a whole model may have these beside what all layers have.
_EXTRA = re.compile(
    r"attn_sinks|attn_rot_embd|attn_rel_b|rope_\w+|layer_output_scale|exp_probs_b|nextn\..+|"
    r"indexer\..+"
)


def check_kind(path: Path, header: Mapping[str, Any]) -> None:
    """Check that a GGUF file is a model's, by what its header says it is.

    Raises:
        ModelFileError: an adapter, a projector, a control vector, an importance matrix and so on;
            or no architecture is named.
    """
    what = _other_kind(header)
    if what is not None:
        raise ModelFileError(f"{path} is {what}")
    if not header_text(header, "general.architecture"):
        raise ModelFileError(
            f"{path} names no architecture (general.architecture); it is damaged or not a model"
        )


def _other_kind(header: Mapping[str, Any]) -> str | None:
    kind = (header_text(header, "general.type") or "model").lower()
    architecture = (header_text(header, "general.architecture") or "").lower()
    if kind == "adapter" or "adapter.type" in header:
        return (
            f"an adapter{_base(header)}, not a whole model; merge it into its base with "
            "llama.cpp's llama-export-lora, and give the merged file"
        )
    if kind == "mmproj" or architecture == "clip":
        return (
            "the projector of a multimodal model (mmproj), which holds no language model; "
            "give the language model's file"
        )
    if kind == "imatrix" or architecture == "imatrix":
        return "an importance matrix for quantising, not a model; give the model's file"
    if "controlvector" in (kind, architecture) or "controlvector.layer_count" in header:
        return "a control vector, not a model; give the model's file"
    if kind != "model":
        return f"no model: its general.type is {one_line(kind, 40)!r}; give the model's file"
    return None


def _base(header: Mapping[str, Any]) -> str:
    for key in ("general.base_model.0.repo_url", "general.base_model.0.name"):
        name = header_text(header, key)
        if name:
            return f" of {one_line(name, 80)}"
    return ""


def check_whole(path: Path, layout: GGUFLayout) -> None:
    """Check that all tensors are there that the architecture needs.

    Args:
        path: what to name in messages.
        layout: of the file, or of all parts of a split one together.

    Raises:
        ModelFileError: tensors are missing, or the file is no model's.
    """
    check_kind(path, layout.header)
    architecture = layout.text("general.architecture") or ""
    if not layout.tensors:
        what = "only a vocabulary" if layout.tokens else "no weights"
        raise ModelFileError(
            f"{path} holds {what} and none of the model's tensors; give the file with the weights"
        )
    empty = next((t for t in layout.tensors if 0 in t.shape), None)
    if empty is not None:
        raise ModelFileError(
            f"{path}: the tensor {empty.name} has the shape {list(empty.shape)}, which holds no "
            "numbers; download the file again"
        )
    names = {tensor.name for tensor in layout.tensors}
    missing = _missing(path, architecture, layout, names)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ModelFileError(
            f"{path} is not a whole {one_line(architecture, 40)} model: {missing[0]}{more} "
            f"{'are' if more else 'is'} missing; download the file again, or convert the whole "
            "model"
        )


def _missing(path: Path, architecture: str, layout: GGUFLayout, names: set[str]) -> list[str]:
    known = _known_tensors(architecture)
    if not known.tensors and "token_embd.weight" not in names:
        raise ModelFileError(
            f"{path} is of the architecture {one_line(architecture, 40)!r}, which is not known as "
            "a language model's, and has no token_embd.weight; give a language model's file"
        )
    needed = _outer(architecture, known)
    missing = [shown for shown, choices in needed.items() if not names & set(choices)]
    for stack, key in _stacks(architecture, known):
        blocks = _blocks(stack, names)
        count = layout.number(f"{architecture}.{key}")
        if count is None and key != "block_count":
            count = layout.number(f"{architecture}.block_count")
        missing += _missing_in(path, stack, blocks, _counted(path, key, count, blocks), known)
    return missing


@dataclass(frozen=True)
class _Architecture:
    """An architecture's tensors by their names in the gguf package; empty of an unknown one."""

    architecture: str
    tensors: Names = frozenset()

    @property
    def is_even(self) -> bool:
        """Whether all layers are made of the same parts."""
        return bool(self.tensors) and self.architecture not in _UNEVEN

    def has(self, *names: str) -> bool:
        """Tell whether any of these is a tensor of the architecture."""
        return not self.tensors.isdisjoint(names)


def _known_tensors(architecture: str) -> _Architecture:
    from gguf import constants

    number = next((k for k, n in constants.MODEL_ARCH_NAMES.items() if n == architecture), None)
    if number is None:
        return _Architecture(architecture)
    return _Architecture(architecture, frozenset(t.name for t in constants.MODEL_TENSORS[number]))


def _outer(architecture: str, known: _Architecture) -> dict[str, tuple[str, ...]]:
    """Return the tensors outside the layers that must be there, each with the names it may have."""
    needed: dict[str, tuple[str, ...]] = {"token_embd.weight": ("token_embd.weight",)}
    if known.has("ENC_OUTPUT_NORM"):
        needed["enc.output_norm.weight"] = ("enc.output_norm.weight",)
    if known.has("DEC_OUTPUT_NORM"):
        needed["dec.output_norm.weight"] = ("dec.output_norm.weight",)
    if known.has("OUTPUT_NORM") and architecture not in _NO_OUTPUT_NORM:
        needed["output_norm.weight"] = ("output_norm.weight",)
    if architecture in ("lfm2", "lfm2moe"):  # called by either name
        needed["output_norm.weight"] = ("output_norm.weight", "token_embd_norm.weight")
    if architecture in ("gpt2", "starcoder"):
        needed["position_embd.weight"] = ("position_embd.weight",)
    return needed


def _stacks(architecture: str, known: _Architecture) -> Iterable[tuple[str, str]]:
    """Yield each stack of layers, with the key that says how many there are."""
    if known.has("ENC_ATTN_Q"):
        yield "enc.blk", "block_count"
    if known.has("DEC_ATTN_Q"):
        yield "dec.blk", "decoder_block_count"
    if not known.has("ENC_ATTN_Q", "DEC_ATTN_Q") and architecture != "wavtokenizer-dec":
        yield "blk", "block_count"


def _blocks(stack: str, names: set[str]) -> dict[int, set[str]]:
    """Return, for each layer, its tensors without number: `attn_q.weight`, `attn_q.bias`."""
    blocks: dict[int, set[str]] = {}
    for name in names:
        placed = _BLOCK.fullmatch(name)
        if placed is not None and placed[1] == stack and len(placed[2]) < 6:
            blocks.setdefault(int(placed[2]), set()).add(f"{placed[3]}.{placed[4]}")
    return blocks


def _counted(path: Path, key: str, count: int | None, blocks: Mapping[int, set[str]]) -> int:
    """Return how many layers there must be.

    Raises:
        ModelFileError: the header does not say, or counts fewer than there are.
    """
    if count is None or not 0 < count <= _MOST_BLOCKS:
        said = "does not say" if count is None else f"says {count}"
        raise ModelFileError(
            f"{path}: the header {said} how many layers the model has ({key}); "
            "the file is damaged, download it again"
        )
    beyond = max(blocks, default=0) + 1
    if beyond > count:
        raise ModelFileError(
            f"{path} holds tensors of {beyond} layers, and its header counts {count} ({key}); "
            "the file was put together wrongly, download it again"
        )
    return count


def _missing_in(
    path: Path, stack: str, blocks: Mapping[int, set[str]], count: int, known: _Architecture
) -> list[str]:
    missing: list[str] = []
    for number in range(count):
        parts = blocks.get(number, set())
        lacking = _lacking(parts, known) if parts else {"*"}
        if parts and known.is_even:
            lacking |= _usual(blocks, parts) - parts
        missing += [f"{stack}.{number}.{name}" for name in sorted(lacking)]
    return missing


def _lacking(parts: set[str], known: _Architecture) -> set[str]:
    """Return what a layer lacks, by the table of its architecture."""
    have = {_EXPERT_OF_ITS_OWN.sub(r"\1_exps", name.removesuffix(".weight")) for name in parts}
    if not known.is_even:
        return set()
    lacking = _least_lacking(_MIXERS, have, known)
    lacking |= _least_lacking(_FEED_FORWARDS, have, known)
    if "ffn_up" in have and known.has("FFN_GATE") and known.architecture not in _UNGATED:
        lacking |= {"ffn_gate"} - have
    if "ffn_up_exps" in have and known.has("FFN_GATE_EXP"):
        lacking |= {"ffn_gate_exps"} - have
    if known.has("ATTN_NORM"):
        lacking |= {"attn_norm"} - have
    if known.has("FFN_NORM", "FFN_PRE_NORM") and known.architecture not in _WITHOUT_FFN_NORM:
        lacking |= {"ffn_norm"} - have
    return {f"{name}.weight" for name in lacking}


def _least_lacking(ways: Iterable[Names], have: set[str], known: _Architecture) -> set[str]:
    """Return what is missing from the way that lacks least, of those the architecture knows."""
    possible = [way for way in ways if way <= _short_names(known)]
    if not possible:
        return set()
    fewest = min(len(way - have) for way in possible)
    return next(set(way - have) for way in possible if len(way - have) == fewest)


def _short_names(known: _Architecture) -> Names:
    from gguf import constants

    names = set()
    for name in known.tensors:
        long = constants.TENSOR_NAMES[constants.MODEL_TENSOR[name]]
        if "blk.{bid}." in long:
            names.add(long.partition("{bid}.")[2])
    return frozenset(names)


def _usual(blocks: Mapping[int, set[str]], parts: set[str]) -> set[str]:
    """Return the parts of the layers that `own` is a part of, where they are as common."""
    counts = Counter(frozenset(map(_plain, block)) for block in blocks.values())
    mine = frozenset(map(_plain, parts))
    fuller = [kind for kind, n in counts.items() if mine < kind and n >= counts[mine]]
    return {name for name in max(fuller, key=len, default=frozenset()) if name}


def _plain(name: str) -> str:
    return "" if _EXTRA.fullmatch(name.rpartition(".")[0]) else name
