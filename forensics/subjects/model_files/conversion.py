"""GGUF files converted, once, to a folder of safetensors that transformers loads in seconds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from forensics.errors import BackendError, MissingDependencyError
from forensics.subjects.model_files.gguf import read_header
from forensics.support.cache import cached_folder, file_sha256
from forensics.support.quiet import quiet, why
from forensics.support.resources import cache_folder

_CACHE = "gguf"


def converted(source: Callable[[Path], Path], sha256: str, dtype: str, name: str) -> Path:
    """Return the folder with a GGUF file's weights as safetensors, converting them once.

    transformers reads a GGUF file in 20 to 60 seconds and the converted folder in a few.

    Args:
        source: returns the file's path; it may assemble the file in the folder it is given.
        sha256: of the whole file; names the folder in the cache.
        dtype: of the converted weights.
        name: what to call the file in messages.

    Raises:
        BackendError: transformers cannot read the file, or the cache cannot be written.
        MissingDependencyError: `accelerate` is not installed.
    """

    def build(folder: Path) -> None:
        scratch = folder.with_name(folder.name + ".source")
        scratch.mkdir(exist_ok=True)
        try:
            _convert(source(scratch), folder, dtype, name)
        finally:
            for left in scratch.iterdir():
                left.unlink()
            scratch.rmdir()

    return cached_folder(_CACHE, _cache_name(sha256, dtype), build)


def converted_before(path: Path, dtype: str) -> Path | None:
    """Return the folder that `converted` made of a GGUF file, None where it has not been made.

    Raises:
        BackendError: the file cannot be read.
    """
    folder = cache_folder(_CACHE) / _cache_name(file_sha256(path), dtype)
    return folder if folder.is_dir() else None


def _cache_name(sha256: str, dtype: str) -> str:
    return f"{sha256}-{dtype}-2"  # 2: with the chat template


def _convert(path: Path, folder: Path, dtype: str, name: str) -> None:
    import importlib.util

    if importlib.util.find_spec("accelerate") is None:
        raise MissingDependencyError(
            f"reading {name} needs the package accelerate: pip install accelerate"
        )
    quiet()
    import torch
    import transformers

    # Without it the newest releases keep the weights packed; older ones always unpack them.
    config = getattr(transformers, "GgufConfig", None)
    unpack = {"quantization_config": config(dequantize=True)} if config else {}
    try:
        # This loader draws its progress bar past transformers' own switch for them.
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(path.parent), gguf_file=path.name, trust_remote_code=False
            )
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent),
                gguf_file=path.name,
                dtype=getattr(torch, dtype),
                trust_remote_code=False,
                **unpack,
            )
    except Exception as error:  # a damaged or foreign file fails in any way at all
        raise BackendError(
            f"transformers cannot read {name}: {why(error)}; check that it is a complete GGUF file "
            "of a text model"
        ) from error
    # transformers leaves it in the file; whoever loads the folder would ask without it.
    tokenizer.chat_template = read_header(path).get("tokenizer.chat_template")
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
