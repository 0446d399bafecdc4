"""Tiny GGUF files, made on the spot: whole ones, and ones that lack this or that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np

WIDTH, INNER, LAYERS, HEADS = 64, 96, 3, 4
Shapes = Mapping[str, tuple[int, ...]]


def byte_tokens() -> list[str]:
    """Return an end token, the letters of byte-level tokenizers, and one merged pair."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    return ["<end>", *letters, "in"]


def llama_shapes(layers: int = LAYERS) -> dict[str, tuple[int, ...]]:
    """Return the tensors of a small Llama."""
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(byte_tokens()), WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for n in range(layers):
        shapes |= {
            f"blk.{n}.attn_{part}.weight": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")
        }
        shapes |= {f"blk.{n}.ffn_{part}.weight": (INNER, WIDTH) for part in ("gate", "up")}
        shapes[f"blk.{n}.ffn_down.weight"] = (WIDTH, INNER)
        shapes |= {f"blk.{n}.{part}_norm.weight": (WIDTH,) for part in ("attn", "ffn")}
    return shapes


def write_gguf(
    path: Path,
    shapes: Shapes | None = None,
    architecture: str = "llama",
    without: Collection[str] = (),
    layers: int = LAYERS,
    values: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray] | None = None,
    seed: int = 3,
    split: int = 0,
    big_endian: bool = False,
    **keys: str,
) -> Path:
    """Write a GGUF file.

    Args:
        path: of the file; with `split` the parts are named after it.
        shapes: of its tensors, as in numpy; a small Llama's where not given.
        architecture: what the header says.
        without: tensors left out.
        layers: as the header counts them.
        values: makes a tensor's numbers; small normal ones where not given.
        seed: of the numbers.
        split: most tensors of a part; 0 for one file.
        big_endian: how numbers are stored.
        keys: further metadata strings; `__` stands for a full stop.
    """
    import gguf

    order = gguf.GGUFEndian.BIG if big_endian else gguf.GGUFEndian.LITTLE
    writer = gguf.GGUFWriter(path, architecture, endianess=order, split_max_tensors=split)
    tokens = byte_tokens()
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["i n"])
    writer.add_eos_token_id(0)
    for key, value in keys.items():
        writer.add_string(key.replace("__", "."), value)
    generator = np.random.default_rng(seed)
    for name, shape in (llama_shapes() if shapes is None else shapes).items():
        numbers = generator.normal(0, 0.05, shape) if values is None else values(generator, shape)
        if name not in without:
            writer.add_tensor(name, numbers.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
