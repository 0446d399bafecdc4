"""Which files in a folder hold the model's weights: one answer for all who read, hash or load them.

The index says it, tensor by tensor. Without one it is `model.safetensors`, else one whole set of
shards, else the only other safetensors file. transformers reads the same where it reads anything
(`_get_resolved_checkpoint_files`); where it would read something else than the index names, or
where two answers are possible, the folder is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import ModelFileError
from forensics.subjects.model_files.safetensors_header import Entry, read_header
from forensics.subjects.model_files.stand_ins import check_is_itself
from forensics.support.distinct_keys import RepeatedKeyError, distinct_keys

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
CONFIG = "config.json"
# Beside a model: Mistral's own layout of the same weights, adapters, and what training leaves.
_BESIDE = re.compile(
    r"(?:consolidated|adapter|optimizer|scheduler|random_states|pytorch_lora_weights)(?![a-z0-9]).*",
    re.IGNORECASE,
)
_SHARD = re.compile(r"(.+)-([0-9]{5,6})-of-([0-9]{5,6})\.safetensors")
_MOST_SHARDS = 10_000
_LARGEST_INDEX = 256 * 1024 * 1024


@dataclass(frozen=True)
class WeightFiles:
    """The files with a model's weights, in order.

    `index` is the index that says which tensor is read from which file, None without one. `loads`
    says how transformers comes to the same files: by itself, by the only file's `name`, or not.
    """

    paths: tuple[Path, ...] = ()
    index: Path | None = None
    loads: str = "itself"

    @property
    def name(self) -> str | None:
        """The file to name to transformers, None where it finds the files itself."""
        return self.paths[0].name if self.loads == "name" else None


NO_WEIGHTS = WeightFiles()


@dataclass(frozen=True)
class Located:
    """A tensor's entry, and the file it stands in."""

    file: Path
    entry: Entry


def select_weights(folder: Path) -> WeightFiles:
    """Return the files that hold a model's weights; no paths where the folder has none.

    Raises:
        ModelFileError: an index names what is not there, shards are missing, or it cannot be told
            which of several files are the model's.
    """
    if is_adapter(folder):
        return WeightFiles((folder / ADAPTER_WEIGHTS,))
    named = _named_in_config(folder)
    if named is not None:
        return named
    index, single = folder / INDEX, folder / SINGLE
    if _is_there(index):
        return _by_index(folder, index, single)
    if _is_there(single):
        return WeightFiles((single,))
    return _without_names(folder)


def is_adapter(folder: Path) -> bool:
    """Tell whether a folder holds an adapter and no weights of a whole model."""
    if not _is_there(folder / ADAPTER_CONFIG) or not _is_there(folder / ADAPTER_WEIGHTS):
        return False
    return not (_is_there(folder / SINGLE) or _is_there(folder / INDEX) or _candidates(folder))


def tensor_table(weights: WeightFiles) -> dict[str, Located]:
    """Return a model's tensors by name, each from the file that is to be read.

    Raises:
        ModelFileError: a damaged file, a tensor that the named file lacks, or one in two files.
    """
    stored = {path.name: {e.name: e for e in read_header(path)} for path in weights.paths}
    places = {path.name: path for path in weights.paths}
    if weights.index is None:
        return _joined(weights.paths, stored)
    table = {}
    for tensor, file in read_index(weights.index).items():
        if tensor not in stored[file]:
            raise ModelFileError(
                f"{weights.index} places the tensor {tensor} in {file}, which lacks it; download "
                "both again"
            )
        table[tensor] = Located(places[file], stored[file][tensor])
    return table


def check_loads_alike(weights: WeightFiles, folder: Path) -> None:
    """Check that transformers, when it loads the folder, reads the same tensors from these files.

    Raises:
        ModelFileError: it would read none of them, or a tensor from another file.
    """
    if weights.loads == "no":
        raise ModelFileError(
            f"{folder} has {len(weights.paths)} shards and no {INDEX}, without which transformers "
            "does not load them; download it too, or save the model again"
        )
    if weights.index is None:
        return
    index = read_index(weights.index)
    for path in weights.paths:
        for entry in read_header(path):
            if index.get(entry.name, path.name) != path.name:
                raise ModelFileError(
                    f"{path} holds the tensor {entry.name}, which {weights.index.name} places in "
                    f"{index[entry.name]}: which of the two is loaded is arbitrary; save the "
                    "model again"
                )


def read_index(path: Path) -> Mapping[str, str]:
    """Return which file an index of shards names for each tensor.

    Raises:
        ModelFileError: it is not such an index, or names a file outside of its folder.
    """
    check_is_itself(path)
    try:
        status = path.stat()
        return _index(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}; check the path") from error


@lru_cache(maxsize=16)
def _index(path: Path, _: int, size: int) -> Mapping[str, str]:
    if size > _LARGEST_INDEX:
        raise ModelFileError(f"{path} is too large for an index of shards ({size} bytes); check it")
    try:
        document = json.loads(path.read_bytes(), object_pairs_hook=distinct_keys)
        places = document["weight_map"]
        if not places or not all(isinstance(file, str) for file in places.values()):
            raise ValueError("no files")
    except RepeatedKeyError as error:
        raise ModelFileError(f"{path} names {error.key!a} twice; download it again") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{path} is not an index of shards; download it again") from error
    for file in set(places.values()):
        if Path(file).name != file or "\\" in file or not file.endswith(".safetensors"):
            raise ModelFileError(
                f"{path} names {file!a}, which is not a safetensors file of its folder; download "
                "it again"
            )
    return dict(places)


def _is_there(path: Path) -> bool:
    return path.is_file() or path.is_symlink()  # a dead link is a file that was not fetched


def _named_in_config(folder: Path) -> WeightFiles | None:
    """Return the files that `transformers_weights` in config.json names, which comes first."""
    name = read_object(folder / CONFIG).get("transformers_weights")
    if not isinstance(name, str) or Path(name).name != name or not _is_there(folder / name):
        return None
    if name.endswith(".index.json"):
        return _by_index(folder, folder / name, None)
    return WeightFiles((folder / name,)) if name.endswith(".safetensors") else None


def read_object(path: Path) -> Mapping[str, Any]:
    """Return a small JSON object of a model, empty where it is absent or damaged."""
    try:
        if path.stat().st_size > _LARGEST_INDEX:
            return {}
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _by_index(folder: Path, index: Path, single: Path | None) -> WeightFiles:
    files = sorted(set(read_index(index).values()))
    missing = [name for name in files if not _is_there(folder / name)]
    if missing:
        raise ModelFileError(
            f"{folder} lacks {len(missing)} of {len(files)} shards (first: {missing[0]}); "
            "finish the download"
        )
    if single is not None and _is_there(single) and single.name not in files:
        raise ModelFileError(
            f"{folder} holds two sets of weights: {single.name}, which transformers loads, and the "
            f"{len(files)} files that {index.name} names; remove what is not the model's"
        )
    return WeightFiles(tuple(folder / name for name in files), index)


def _without_names(folder: Path) -> WeightFiles:
    """Return the weights of a folder that has neither an index nor `model.safetensors`."""
    files = _candidates(folder)
    sets: dict[tuple[str, str], list[Path]] = {}
    single = []
    for path in files:
        shard = _SHARD.fullmatch(path.name)
        if shard is None:
            single.append(path)
        else:
            sets.setdefault((shard[1], shard[3]), []).append(path)
    if len(sets) + len(single) > 1:
        names = [*(f"{stem}-*-of-{count}" for stem, count in sorted(sets)), *_names(single)]
        raise ModelFileError(
            f"{folder} holds several sets of weights ({', '.join(names[:4])}"
            f"{', …' if len(names) > 4 else ''}) and nothing says which is the model's; keep one, "
            f"as {SINGLE} or with {INDEX}"
        )
    if not sets:
        return WeightFiles(tuple(single), loads="name")
    ((stem, count), shards) = next(iter(sets.items()))
    _check_count(folder, stem, count, shards)
    return WeightFiles(tuple(shards), loads="name" if len(shards) == 1 else "no")


def _candidates(folder: Path) -> list[Path]:
    files = (path for path in folder.glob("*.safetensors") if _is_there(path))
    return sorted(path for path in files if not _BESIDE.fullmatch(path.name))


def _names(paths: Iterable[Path]) -> list[str]:
    return [path.name for path in paths]


def _check_count(folder: Path, stem: str, count: str, shards: Sequence[Path]) -> None:
    most = int(count)
    if not 0 < most <= _MOST_SHARDS:
        raise ModelFileError(f"{shards[0]} is named as one of {most} shards; check its name")
    first = _SHARD.fullmatch(shards[0].name)
    width = len(first[2]) if first else 5  # there are models of 00001-of-000163
    wanted = [f"{stem}-{n:0{width}}-of-{count}.safetensors" for n in range(1, most + 1)]
    there = set(_names(shards))
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ModelFileError(
            f"{folder} lacks {len(missing)} of {most} shards (first: {missing[0]}); finish the "
            "download"
        )
    if len(there) > most:
        odd = sorted(there - set(wanted))[0]
        raise ModelFileError(f"{folder} holds {odd}, a shard beyond its {most}; remove it")


def _joined(paths: Sequence[Path], stored: Mapping[str, Mapping[str, Entry]]) -> dict[str, Located]:
    table: dict[str, Located] = {}
    for path in paths:
        for name, entry in stored[path.name].items():
            if name in table:
                raise ModelFileError(
                    f"{path} and {table[name].file.name} both hold the tensor {name} and no index "
                    f"says which counts; download {INDEX} too"
                )
            table[name] = Located(path, entry)
    return table
