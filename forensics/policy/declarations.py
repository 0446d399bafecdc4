"""What a model's card and configuration declare of its lineage, licence and training.

Read are the metadata of a model card (the YAML that begins `README.md`; keys as the hub documents
them: `base_model`, `base_model_relation`, `license`, `datasets`), `_name_or_path` of `config.json`,
`base_model_name_or_path` of `adapter_config.json`, and what the card says under its heading on
training. All of it is somebody's statement, and is compared with what is measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from forensics.case.record import ModelText, Record
from forensics.errors import InputFileError
from forensics.subjects.subject import Subject
from forensics.support.files import read_at_most
from forensics.support.resources import is_file, is_folder

CARD, CONFIG, ADAPTER = "README.md", "config.json", "adapter_config.json"
_LARGEST = 4 * 1024 * 1024
_MOST = 100  # names taken of one list; a card with more is no card
_STATEMENT = 500
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_TRAINING = re.compile(r"^#{1,6}[ \t]+[^\n]*\btrain(?:ing|ed)\b[^\n]*$", re.I | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_SCRATCH = re.compile(r"(?<!not )\btrained\s+(?:\w+\s+){0,3}from\s+scratch\b", re.I)
_MODEL_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


class DeclaredModel(Record):
    """A model that the subject is declared to derive from, and where that stands."""

    name: ModelText
    source: ModelText


class Declarations(Record):
    """What is declared; empty where nothing is said.

    `sources` are the files that were read; `from_scratch` quotes a claim to be trained so.
    """

    base_models: tuple[DeclaredModel, ...] = ()
    relation: ModelText = ""
    license: ModelText = ""
    datasets: tuple[ModelText, ...] = ()
    training: ModelText = ""
    from_scratch: ModelText = ""
    sources: tuple[ModelText, ...] = ()

    def joined(self, other: Declarations) -> Declarations:
        """Return both together; of what can be said once, what `self` says."""
        models = {
            declared.name.casefold(): declared
            for declared in (*other.base_models, *self.base_models)
        }
        return Declarations(
            base_models=tuple(models.values()),
            relation=self.relation or other.relation,
            license=self.license or other.license,
            datasets=tuple(dict.fromkeys((*self.datasets, *other.datasets))),
            training=self.training or other.training,
            from_scratch=self.from_scratch or other.from_scratch,
            sources=(*self.sources, *other.sources),
        )


def declarations_of(subject: Subject, card: Path | None = None) -> Declarations:
    """Return what a subject declares.

    Args:
        subject: of a local folder or a hub id its files are read; of others there are none.
        card: a model card, or a folder with card and configuration, to read besides.

    Raises:
        InputFileError: `card` cannot be read, or a card's metadata are not YAML.
        BackendError: the hub is out of reach.
    """
    declarations = Declarations()
    folder = _folder(subject)
    if folder is not None:
        declarations = read_folder(folder, subject.target)
    if card is None:
        return declarations
    if is_folder(card):
        return read_folder(card, subject.target).joined(declarations)
    return read_card(card).joined(declarations)


def _folder(subject: Subject) -> Path | None:
    if subject.kind != "hf":
        return None
    path = Path(subject.target)
    if is_folder(path):
        return path
    from forensics.subjects.model_files.sources import download

    return download(subject, subject.revision, [CARD, CONFIG, ADAPTER])


def read_folder(folder: Path, own_name: str = "") -> Declarations:
    """Return what the files of a model's folder declare; a model is not its own parent."""
    declarations = read_card(folder / CARD) if is_file(folder / CARD) else Declarations()
    for file, key in ((ADAPTER, "base_model_name_or_path"), (CONFIG, "_name_or_path")):
        path = folder / file
        if not is_file(path):
            continue
        name = _name(_object(path).get(key))
        is_itself = name.casefold() in (own_name.casefold(), folder.name.casefold())
        models = (DeclaredModel(name=name, source=file),) if name and not is_itself else ()
        declarations = declarations.joined(Declarations(base_models=models, sources=(file,)))
    return declarations


def read_card(path: Path) -> Declarations:
    """Return what a model card declares.

    Raises:
        InputFileError: it cannot be read, or its metadata are not YAML.
    """
    text = _text(path)
    match = _FRONT_MATTER.match(text)
    metadata = _metadata(match[1], path) if match else {}
    body = text[match.end() :] if match else text
    models = tuple(
        DeclaredModel(name=name, source=path.name) for name in _texts(metadata.get("base_model"))
    )
    scratch = _SCRATCH.search(body)
    return Declarations(
        base_models=models,
        relation=next(_texts(metadata.get("base_model_relation")), ""),
        license=next(_texts(metadata.get("license")), ""),
        datasets=tuple(_texts(metadata.get("datasets"))),
        training=_statement(body),
        from_scratch=" ".join(scratch.group().split()) if scratch else "",
        sources=(path.name,),
    )


def _text(path: Path) -> str:
    return read_at_most(path, _LARGEST, "the model's file").decode("utf-8", "replace")


def _metadata(text: str, path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputFileError(f"the metadata of {path} are not valid YAML: {why}") from error
    return value if isinstance(value, dict) else {}


def _object(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path} is not JSON: {error}") from error
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> Iterator[str]:
    for text in (value if isinstance(value, list) else [value])[:_MOST]:
        if isinstance(text, str) and text.strip():
            yield text.strip()[:_STATEMENT]


def _name(value: Any) -> str:
    """Return a model's name; a place on somebody's disk (`/home/…`, `./out`) names no model."""
    if not isinstance(value, str) or not _MODEL_ID.fullmatch(value) or value.startswith("."):
        return ""
    return str(PurePosixPath(value))


def _statement(body: str) -> str:
    heading = _TRAINING.search(body)
    if heading is None:
        return ""
    rest = body[heading.end() :]
    following = _HEADING.search(rest)
    said = " ".join((rest[: following.start()] if following else rest).split())
    return said if len(said) <= _STATEMENT else f"{said[: _STATEMENT - 1]}…"
