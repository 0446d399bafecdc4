"""Where a local model's files are, who they are, and whether they may be loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BackendError, InputFileError, ModelFileError
from forensics.subjects.model_files.other_formats import about_adapter, what_else, why_no_weights
from forensics.subjects.model_files.stand_ins import check_is_itself
from forensics.subjects.model_files.weight_files import (
    ADAPTER_CONFIG,
    CONFIG,
    INDEX,
    SINGLE,
    WeightFiles,
    check_loads_alike,
    is_adapter,
    read_index,
    select_weights,
    tensor_table,
)
from forensics.subjects.subject import Subject
from forensics.support.cache import file_sha256
from forensics.support.quiet import quiet, why

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_OTHER_SMALL = ("tokenizer_config.json", "merges.txt", "generation_config.json")
SMALL_FILES = ["*.json", "*.jinja", "*.model", "*.txt"]
# Second copies of the weights in other layouts, and folders of other formats.
IGNORED_FILES = ["*/*", "consolidated*"]


@dataclass(frozen=True)
class ModelSource:
    """A model before it is loaded.

    `identity` says who it is; `template` is its chat template, None where it has none; `folder`
    returns the folder to load, after downloading or converting what it must.
    """

    identity: Mapping[str, Any]
    template: str | None
    folder: Callable[[], Path]


def open_source(subject: Subject, dtype: str) -> ModelSource:
    """Find the model of an `hf:` or `gguf:` subject; weights are hashed, not loaded.

    Raises:
        BackendError: it cannot be found, or is gated.
        ModelFileError: its files are damaged, incomplete or no safetensors.
    """
    if subject.kind == "gguf":
        return _gguf_source(Path(subject.target), dtype)
    path = Path(subject.target)
    if path.is_dir():
        return _local_source(path)
    if path.is_file():
        raise ModelFileError(
            f"{subject.target} is a file; give the folder it is in, as hf:./FOLDER"
        )
    if path.is_absolute() or subject.target.startswith((".", "~")):
        raise BackendError(f"no folder {subject.target}; check the path")
    return _hub_source(subject)


def _gguf_source(path: Path, dtype: str) -> ModelSource:
    from forensics.subjects.model_files.conversion import converted, digest_of
    from forensics.subjects.model_files.gguf_split import open_model

    model = open_model(path)
    digest = digest_of(model.parts)
    return ModelSource(
        {"kind": "gguf", "model": path.name, "sha256": digest},
        model.layout.text("tokenizer.chat_template"),
        lambda: converted(model.whole, digest, dtype, str(path)),
    )


def _local_source(path: Path) -> ModelSource:
    check_folder(path)
    small = {file for pattern in SMALL_FILES for file in path.glob(pattern) if file.is_file()}
    files = sorted({*small, *select_weights(path).paths})
    lines = "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)
    digest = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
    identity = {"kind": "hf", "model": path.resolve().name, "files_sha256": digest}
    return ModelSource(identity, read_template(path), lambda: path)


def _hub_source(subject: Subject) -> ModelSource:
    small = download(subject, subject.revision, SMALL_FILES)
    # The cache keeps every revision in a folder named after its commit.
    commit = small.name

    def folder() -> Path:
        if _is_adapter_only(small):
            raise ModelFileError(about_adapter(small, subject.spec))
        whole = small
        for patterns in _weight_patterns(small):
            whole = download(subject, commit, [*SMALL_FILES, *patterns])
            if any(whole.glob("*.safetensors")):
                break
        check_folder(whole, subject.spec)
        return whole

    identity = {"kind": "hf", "model": subject.target, "commit": commit}
    return ModelSource(identity, read_template(small), folder)


def download(subject: Subject, revision: str | None, patterns: list[str]) -> Path:
    """Return the hub's local folder of a model, with the files of these patterns.

    Raises:
        BackendError: there is no such model or revision, it is gated, or the hub is out of reach.
    """
    quiet()
    import huggingface_hub
    from huggingface_hub import errors

    name = subject.target
    try:
        return Path(
            huggingface_hub.snapshot_download(
                name, revision=revision, allow_patterns=patterns, ignore_patterns=IGNORED_FILES
            )
        )
    except errors.GatedRepoError as error:
        raise BackendError(
            f"{name} is gated: accept its terms on its hub page, then log in with `hf auth login`"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise BackendError(
            f"the hub has no public model {name}; check the name, or log in with `hf auth login`"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BackendError(f"{name} has no revision {revision!r} on the hub; check it") from error
    except errors.HFValidationError as error:
        raise BackendError(
            f"{name!r} is neither a folder here nor a model id like org/name; check the spelling"
        ) from error
    except Exception as error:
        if not isinstance(error, OSError | errors.HfHubHTTPError) and not _is_network(error):
            raise
        raise BackendError(
            f"cannot get {name} from the hub, and it is not in the hub's cache here "
            f"({why(error)}); go online, or give a local folder as hf:./folder"
        ) from error


def _is_network(error: Exception) -> bool:
    # The hub client's HTTP library differs between its releases (requests, httpx, httpx2).
    module = type(error).__module__.partition(".")[0]
    return module.startswith(("httpx", "httpcore", "requests", "urllib3"))


def _is_adapter_only(small: Path) -> bool:
    return (small / ADAPTER_CONFIG).is_file() and not (small / CONFIG).is_file()


def _weight_patterns(small: Path) -> list[list[str]]:
    """Return the weight files to download: what the index names, else what there is."""
    if (small / INDEX).is_file():
        return [[SINGLE, *sorted(set(read_index(small / INDEX).values()))]]
    return [[SINGLE], ["*.safetensors"]]


def check_folder(path: Path, name: str | None = None) -> WeightFiles:
    """Check that a folder holds a whole model that may be loaded: safetensors, never pickles.

    Returns:
        The files with its weights.

    Raises:
        ModelFileError: something is missing, damaged or ambiguous.
    """
    name = name or str(path)
    check_fetched(path)
    weights = select_weights(path)
    if is_adapter(path) or ((path / ADAPTER_CONFIG).is_file() and not weights.paths):
        raise ModelFileError(about_adapter(path, name))
    if not (path / CONFIG).is_file():
        explanation = "" if weights.paths else what_else(path)
        raise ModelFileError(
            explanation or f"{name} holds no config.json; give the folder of a transformers model"
        )
    if not weights.paths:
        raise ModelFileError(why_no_weights(path))
    tensor_table(weights)
    check_loads_alike(weights, path)
    if not any((path / file).is_file() for file in TOKENIZER_FILES):
        raise ModelFileError(
            f"{name} holds no tokenizer ({', '.join(TOKENIZER_FILES[:2])}, …); "
            "copy the tokenizer's files into it"
        )
    return weights


def check_fetched(path: Path) -> None:
    """Check that none of a folder's small files is a pointer, a web page, a dead link or empty.

    Raises:
        ModelFileError: one is.
    """
    for name in (CONFIG, ADAPTER_CONFIG, *TOKENIZER_FILES, *_OTHER_SMALL):
        file = path / name
        if file.is_file() or file.is_symlink():
            check_is_itself(file)


def read_template(path: Path) -> str | None:
    """Return the chat template of a folder, None where it has none.

    Read from the files (in the order transformers does) and not from a loaded tokenizer, so that
    who a model is can be told in milliseconds.
    """
    separate = path / "chat_template.jinja"
    if separate.is_file():
        return separate.read_text(encoding="utf-8", errors="replace")
    try:
        config = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    template = config.get("chat_template") if isinstance(config, dict) else None
    if isinstance(template, list):  # several named ones
        template = {
            entry["name"]: entry.get("template")
            for entry in template
            if isinstance(entry, dict) and isinstance(entry.get("name"), str)
        }
    if isinstance(template, dict):
        template = _default_template(template, path)
    return template if isinstance(template, str) and template else None


def _default_template(named: Mapping[Any, Any], path: Path) -> Any:
    """Return the template for plain questions, of several that tokenizer_config.json names."""
    if "default" in named or not named:
        return named.get("default")
    if len(named) == 1:
        return next(iter(named.values()))
    names = ", ".join(sorted(map(repr, named)))
    raise InputFileError(
        f"{path / 'tokenizer_config.json'} names several chat templates ({names}) and none of them "
        "'default'; copy the right one into chat_template.jinja beside it"
    )
