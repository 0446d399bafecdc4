"""Where a local model's files are, who they are, and whether they may be loaded."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BackendError, OutputError
from forensics.resources import cache_folder
from forensics.subjects import Subject

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
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
        BackendError: it cannot be found, is gated, or holds no safetensors.
    """
    if subject.kind == "gguf":
        return _gguf_source(Path(subject.target), dtype)
    path = Path(subject.target)
    if path.is_dir():
        return _local_source(path)
    if path.is_absolute() or subject.target.startswith((".", "~")):
        raise BackendError(f"no folder {subject.target}; check the path")
    return _hub_source(subject)


def _gguf_source(path: Path, dtype: str) -> ModelSource:
    from forensics.backends.gguf_files import converted, read_header

    header = read_header(path)
    digest = file_sha256(path)
    return ModelSource(
        {"kind": "gguf", "model": path.name, "sha256": digest},
        header.get("tokenizer.chat_template"),
        lambda: converted(lambda _: path, digest, dtype, str(path)),
    )


def _local_source(path: Path) -> ModelSource:
    check_folder(path)
    files = sorted(
        file
        for pattern in (*SMALL_FILES, "*.safetensors")
        for file in path.glob(pattern)
        if file.is_file()
    )
    lines = "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)
    digest = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
    identity = {"kind": "hf", "model": path.resolve().name, "files_sha256": digest}
    return ModelSource(identity, read_template(path), lambda: path)


def _hub_source(subject: Subject) -> ModelSource:
    small = download(subject, subject.revision, SMALL_FILES)
    # The cache keeps every revision in a folder named after its commit.
    commit = small.name

    def folder() -> Path:
        whole = download(subject, commit, [*SMALL_FILES, "*.safetensors"])
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


def check_folder(path: Path, name: str | None = None) -> None:
    """Check that a folder holds a model that may be loaded: safetensors, never pickles.

    Raises:
        BackendError: something is missing.
    """
    name = name or str(path)
    if not (path / "config.json").is_file():
        raise BackendError(f"{name} holds no config.json; give the folder of a transformers model")
    if not any(path.glob("*.safetensors")):
        pickles = [f.name for f in (*path.glob("*.bin"), *path.glob("*.pt"), *path.glob("*.pth"))]
        if pickles:
            raise BackendError(
                f"{name} holds its weights only as a pickle ({pickles[0]}), which can run code "
                "when loaded; convert it to safetensors first"
            )
        raise BackendError(f"{name} holds no *.safetensors weights; is the download complete?")
    if not any((path / file).is_file() for file in TOKENIZER_FILES):
        raise BackendError(
            f"{name} holds no tokenizer ({', '.join(TOKENIZER_FILES[:2])}, …); "
            "copy the tokenizer's files into it"
        )


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
    except (OSError, ValueError):
        return None
    template = config.get("chat_template") if isinstance(config, dict) else None
    if isinstance(template, list):  # several named ones
        named = {t.get("name"): t.get("template") for t in template if isinstance(t, dict)}
        template = named.get("default")
    return template if isinstance(template, str) and template else None


def file_sha256(path: Path) -> str:
    """Return a file's sha256 (hex).

    Raises:
        BackendError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackendError(f"cannot read {path}: {error.strerror}; check the path") from error


def cached_folder(cache: str, name: str, build: Callable[[Path], None]) -> Path:
    """Return the cache folder `name`, calling `build` with an empty folder to fill if it is new.

    The folder appears under its name only when it is complete; of two processes one builds and
    the other waits.

    Raises:
        OutputError: the cache cannot be written.
    """
    from safetensors import SafetensorError

    try:
        root = cache_folder(cache)
        final = root / name
        if final.is_dir():
            return final
        with _locked(root / f"{name}.lock"):
            if final.is_dir():
                return final
            return _build(final, build)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or why(error)
        raise OutputError(
            f"cannot write the cache folder of {name[:40]}: {reason}; "
            "make room or set FORENSICS_CACHE to another folder"
        ) from error


def _build(final: Path, build: Callable[[Path], None]) -> Path:
    partial = final.with_name(f"{final.name}.partial")
    for leftover in final.parent.glob(f"{partial.name}*"):  # of a run that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    try:
        build(partial)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            import fcntl
        except ImportError:  # not a POSIX system: two first runs at once are then the user's care
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def quiet() -> None:
    """Keep the libraries' progress bars and notices off the user's terminal."""
    import transformers

    quiet_hub()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def quiet_hub() -> None:
    """Keep the hub's progress bars and its count of retries off the user's terminal."""
    hub: Any = importlib.import_module("huggingface_hub.utils")  # its exports are not typed
    hub.disable_progress_bars()
    hub.logging.set_verbosity_error()


def why(error: BaseException) -> str:
    """Return an error's message as one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"
