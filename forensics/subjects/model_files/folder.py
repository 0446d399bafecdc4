"""Where the files of a model that is at hand lie: weights, configuration, tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forensics.errors import ModelFileError
from forensics.subjects.model_files.quantised import quantised_layout
from forensics.subjects.model_files.weight_files import (
    NO_WEIGHTS,
    WeightFiles,
    is_adapter,
    select_weights,
    tensor_table,
)
from forensics.subjects.subject import Subject
from forensics.support.resources import is_folder


@dataclass(frozen=True)
class ModelFiles:
    """The files of one subject.

    `folder` is the folder in transformers' layout; for a GGUF file it is the converted copy in
    the cache, None where nothing has converted it yet. `gguf` is the GGUF file, whose weights are
    read directly, and `gguf_parts` all its files where it was split. `selected` are the safetensors
    files, `config` is config.json, `tokenizer` the tokenizer's files in `folder`; each is empty or
    None where the model has none. `adapter` says that the weights are a LoRA adapter's and not a
    whole model's. `fault` says why the weights that are there are damaged, incomplete or ambiguous,
    `unread` why they are packed beyond reading.
    """

    folder: Path | None
    gguf: Path | None = None
    gguf_parts: tuple[Path, ...] = ()
    selected: WeightFiles = NO_WEIGHTS
    config: Path | None = None
    tokenizer: tuple[Path, ...] = ()
    adapter: bool = False
    fault: str = ""
    unread: str = ""

    @property
    def path(self) -> Path:
        """What to name in messages."""
        path = self.gguf or self.folder
        assert path is not None  # noqa: S101 (one of the two is always given)
        return path

    @property
    def weights(self) -> tuple[Path, ...]:
        """The files that hold the weights, all of one format."""
        if self.gguf is None:
            return self.selected.paths
        return self.gguf_parts or (self.gguf,)

    @property
    def readable(self) -> bool:
        """Whether there are weights, and numbers can be made of them."""
        return bool(self.weights) and not self.unread


def model_files(subject: Subject, dtype: str = "float32") -> ModelFiles | None:
    """Return the files of a subject that is at hand, None for a transcript or an endpoint.

    A hub model is downloaded whole; a demo is converted once. A GGUF file is not converted for
    this: its weights are read as they are.

    Args:
        subject: whose files to find.
        dtype: of converted copies, as the backend was asked for.

    Raises:
        BackendError: the model cannot be found, or is gated.
        ModelFileError: a hub model's or GGUF file is damaged, incomplete or no whole model.
        UsageError: no demo of that name.
    """
    match subject.kind:
        case "gguf":
            return _gguf_files(Path(subject.target), dtype)
        case "hf":
            path = Path(subject.target)
            return folder_files(path if is_folder(path) else _hub_folder(subject, dtype))
        case "demo":
            from forensics.subjects.model_files.demo_files import demo_source

            return folder_files(demo_source(subject.target, dtype).folder())
        case _:
            return None


def folder_files(folder: Path) -> ModelFiles:
    """Return the files of a folder in transformers' layout, or of a LoRA adapter's folder."""
    from forensics.subjects.model_files.sources import TOKENIZER_FILES

    config = folder / "config.json"
    selected, fault, unread = NO_WEIGHTS, "", ""
    try:
        selected = select_weights(folder)
        unread = quantised_layout(folder, tensor_table(selected)).unread
    except ModelFileError as error:
        fault = str(error)
    return ModelFiles(
        folder,
        selected=selected,
        config=config if config.is_file() else None,
        tokenizer=tuple(folder / name for name in TOKENIZER_FILES if (folder / name).is_file()),
        adapter=is_adapter(folder),
        fault=fault,
        unread=unread,
    )


def _hub_folder(subject: Subject, dtype: str) -> Path:
    from forensics.subjects.model_files.sources import open_source

    return open_source(subject, dtype).folder()


def _gguf_files(path: Path, dtype: str) -> ModelFiles:
    from forensics.subjects.model_files.conversion import converted_before
    from forensics.subjects.model_files.gguf_split import open_model

    parts = open_model(path).parts  # what is damaged or no whole model is told in one line
    folder = converted_before(parts, dtype)
    if folder is None:
        return ModelFiles(None, gguf=path, gguf_parts=parts)
    beside = folder_files(folder)
    return ModelFiles(
        folder, gguf=path, gguf_parts=parts, config=beside.config, tokenizer=beside.tokenizer
    )
