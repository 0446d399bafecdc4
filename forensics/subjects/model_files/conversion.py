"""GGUF files converted, once, to a folder of safetensors that transformers loads in seconds."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from forensics.errors import BackendError, MissingDependencyError, ModelFileError
from forensics.subjects.model_files.gguf import header_text, read_header
from forensics.subjects.model_files.model_loading import check_loaded
from forensics.support.cache import cached_folder, file_sha256
from forensics.support.libraries import require
from forensics.support.quiet import quiet, why
from forensics.support.resources import cache_folder
from forensics.support.sanitise import one_line

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
        BackendError: transformers cannot run the architecture.
        ModelFileError: the file is damaged, or not all of a model's weights are in it.
        OutputError: the cache cannot be written.
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


def converted_before(parts: Sequence[Path], dtype: str) -> Path | None:
    """Return the folder that `converted` made of a GGUF file, None where it has not been made.

    Args:
        parts: the file, or all parts of a split one.
        dtype: of the converted weights.

    Raises:
        ModelFileError: a file cannot be read.
    """
    folder = cache_folder(_CACHE) / _cache_name(digest_of(parts), dtype)
    return folder if folder.is_dir() else None


def digest_of(parts: Sequence[Path]) -> str:
    """Return a GGUF file's sha256; of a split one, the sha256 of its parts' digests in order.

    Raises:
        ModelFileError: a file cannot be read.
    """
    digests = [file_sha256(part) for part in parts]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest()


def _cache_name(sha256: str, dtype: str) -> str:
    # 2: with the chat template. 3: never of a file that lacks weights; earlier ones may be.
    return f"{sha256}-{dtype}-3"


def _convert(path: Path, folder: Path, dtype: str, name: str) -> None:
    import importlib.util

    if importlib.util.find_spec("accelerate") is None:
        raise MissingDependencyError(
            f"reading {name} needs the package accelerate: pip install accelerate"
        )
    require("torch", "transformers")
    quiet()
    import torch
    import transformers

    # Without it the newest releases keep the weights packed; older ones always unpack them.
    config = getattr(transformers, "GgufConfig", None)
    unpack = {"quantization_config": config(dequantize=True)} if config else {}
    _check_supported(path, name)
    try:
        # This loader draws its progress bar past transformers' own switch for them.
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(path.parent), gguf_file=path.name, trust_remote_code=False
            )
            model, info = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent),
                gguf_file=path.name,
                dtype=getattr(torch, dtype),
                trust_remote_code=False,
                output_loading_info=True,
                **unpack,
            )
    except Exception as error:  # a damaged or foreign file fails in any way at all
        raise ModelFileError(
            f"transformers cannot read {name}: {why(error)}; check that it is a complete GGUF file "
            "of a text model"
        ) from error
    check_loaded(name, info)
    # transformers leaves it in the file; whoever loads the folder would ask without it.
    tokenizer.chat_template = header_text(read_header(path), "tokenizer.chat_template")
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _check_supported(path: Path, name: str) -> None:
    """Check that transformers runs models of a file's architecture.

    Raises:
        BackendError: it does not; there is nothing wrong with the file.
    """
    try:
        from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES
    except ImportError:  # moved in a later release, which then tells by itself
        return
    architecture = header_text(read_header(path), "general.architecture") or ""
    # transformers spells some of them its own way, and takes every kind of T5 for one.
    spelled = architecture.replace("-", "_").replace("moe", "_moe").replace("__", "_")
    known = {*GGUF_SUPPORTED_ARCHITECTURES}
    if not known & {architecture, spelled} and "t5" not in architecture:
        raise BackendError(
            f"transformers cannot run {name}: it knows no GGUF files of the architecture "
            f"{one_line(architecture, 40)!r}; serve the file with llama.cpp's llama-server, and "
            "give its address as openai:MODEL@http://…/v1"
        )
