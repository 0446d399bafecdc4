"""Indexes as files: safetensors, of which a search reads the part that it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.nearest_models import FOLDED, ModelIndex
from forensics.errors import InputFileError
from forensics.evidence.features.sketches import BUCKETS, DIMENSIONS
from forensics.support.files import whole_file

_FORMAT = "forensics-index"
_KEY = "index"
_MODEL_ARRAYS = ("sketches", "scales")  # read where they lie: most of the file
_KINDS: Mapping[str, tuple[str, str, tuple[str | int, ...]]] = {
    "sketches": ("U8", "u1", ("models", "prompts", DIMENSIONS // 2)),
    "scales": ("F16", "f2", ("models", "prompts")),
    "means": ("F32", "f4", ("prompts", DIMENSIONS)),
    "folded": ("F16", "f2", ("models", FOLDED)),
    "places": ("U16", "u2", ("prompts", DIMENSIONS)),
    "signs": ("I8", "i1", ("prompts", DIMENSIONS)),
    "frequency": ("U8", "u1", ("prompts", BUCKETS)),
    "texts": ("U16", "u2", ("prompts",)),
}


def write_index(path: Path, index: ModelIndex) -> None:
    """Write an index; the same index gives the same bytes.

    Raises:
        OutputError: it cannot be written.
    """
    from safetensors.numpy import save

    head = {
        "format": _FORMAT,
        "version": 1,
        "cohort": index.cohort,
        "cohort_sha256": index.cohort_sha256,
        "models": index.models,
        "prompts": index.prompts,
    }
    arrays = {name: np.ascontiguousarray(getattr(index, name)) for name in _KINDS}
    text = json.dumps(head, ensure_ascii=True, separators=(",", ":"))
    with whole_file(path) as file:
        file.write(save(arrays, metadata={_KEY: text}))


def read_index(path: Path) -> ModelIndex:
    """Read an index; the models' sketches stay in the file, which must not change meanwhile.

    Raises:
        InputFileError: it is missing, cut short, no index, or its parts disagree.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            head = _head(path, file.metadata() or {})
            _check_shapes(path, head, file)
            small = {name: file.get_tensor(name) for name in _KINDS if name not in _MODEL_ARRAYS}
    except SafetensorError as error:
        raise InputFileError(
            f"{path}: not an index, or cut short; make it again with: forensics cohort index"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror or 'no such file'}); check the path"
        ) from error
    if small["places"].max(initial=0) >= FOLDED or not np.isfinite(small["folded"]).all():
        raise _malformed(path, "numbers out of range")
    return ModelIndex(
        head["cohort"],
        head["cohort_sha256"],
        tuple(head["models"]),
        tuple(head["prompts"]),
        **_in_the_file(path),
        **small,
    )


def _head(path: Path, metadata: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        head = json.loads(metadata[_KEY])
        kind, version = head["format"], head["version"]
        names = [*head["models"], *head["prompts"], head["cohort"], head["cohort_sha256"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputFileError(
            f"{path}: a safetensors file, but not an index; make one with: forensics cohort index"
        ) from error
    if kind != _FORMAT or not all(isinstance(name, str) for name in names):
        raise _malformed(path, "its head")
    if version != 1:
        raise InputFileError(f"{path}: an index of version {version}; make it again")
    return dict(head)


def _check_shapes(path: Path, head: Mapping[str, Any], file: Any) -> None:
    sizes = {"models": len(head["models"]), "prompts": len(head["prompts"])}
    there = set(file.keys())
    for name, (kind, _, shape) in _KINDS.items():
        expected = [sizes.get(size, size) if isinstance(size, str) else size for size in shape]
        if name not in there:
            raise _malformed(path, f"no {name}")
        part = file.get_slice(name)
        if part.get_dtype() != kind or part.get_shape() != expected:
            raise _malformed(path, f"{name} of another shape")


def _in_the_file(path: Path) -> dict[str, NDArray[Any]]:
    """Map arrays where they lie; safetensors has checked that they lie inside the file."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        head = json.loads(file.read(length))
    return {
        name: np.memmap(
            path,
            np.dtype(f"<{_KINDS[name][1]}"),
            "r",
            8 + length + head[name]["data_offsets"][0],
            tuple(head[name]["shape"]),
        )
        for name in _MODEL_ARRAYS
    }


def _malformed(path: Path, what: str) -> InputFileError:
    return InputFileError(
        f"{path}: malformed index ({what}); make it again with: forensics cohort index"
    )
