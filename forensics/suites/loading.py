"""Suites found by name or path, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError, UsageError
from forensics.suites.suite import Suite
from forensics.support.resources import data_folder, is_file, is_folder

_DEEPEST = 100  # levels of nesting


def list_suites() -> list[Suite]:
    """Return the suites that ship with the package, by name."""
    return [_read_suite(path) for path in sorted(data_folder("probes").glob("*/suite.yaml"))]


def suite_names() -> list[str]:
    """Return the names of the suites that ship with the package; none is read."""
    return sorted(path.parent.name for path in data_folder("probes").glob("*/suite.yaml"))


def load_suite(name_or_path: str) -> Suite:
    """Load a shipped suite by name, or a suite file (or its folder) by path.

    Raises:
        UsageError: no suite of that name and no such file.
        InputFileError: the file is not a valid suite; the message names the line.
    """
    path = Path(name_or_path)
    if is_folder(path) and is_file(path / "suite.yaml"):
        return _read_suite(path / "suite.yaml")
    if is_file(path):
        return _read_suite(path)
    shipped = data_folder("probes") / name_or_path / "suite.yaml"
    if "/" not in name_or_path and is_file(shipped):
        return _read_suite(shipped)
    raise UsageError(
        f"no suite {name_or_path!r}: give one of {', '.join(suite_names())}, or the path of a "
        "suite file"
    )


def _read_suite(path: Path) -> Suite:
    import yaml
    from pydantic import ValidationError

    from forensics.suites.format import SuiteFile

    try:
        text = path.read_text(encoding="utf-8")
        _check_depth(path, text)
        document = yaml.load(text, Loader=_loader())  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"cannot read suite {path}: {error}") from error
    except yaml.YAMLError as error:
        raise InputFileError(f"suite {path} is not valid YAML: {_one_line(error)}") from error
    try:
        file = SuiteFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputFileError(_explain(path, text, first["loc"], first["msg"])) from error
    problem = file.problem()
    if problem is not None:
        raise InputFileError(_explain(path, text, *problem))
    return file.to_suite(path.parent)


def _check_depth(path: Path, text: str) -> None:
    """Check that a file is not nested deeper than any suite is: the C loader would not survive it.

    Raises:
        InputFileError: it is.
        yaml.YAMLError: it is no YAML.
    """
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputFileError(f"suite {path} is nested deeper than {_DEEPEST} levels")


def _loader() -> Any:
    """Return a safe loader: the C one is several times faster, and takes a little more YAML."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _explain(path: Path, text: str, location: Sequence[Any], message: str) -> str:
    where = ".".join(str(part) for part in location) or "the file"
    return f"suite {path}, line {_line_of(text, location)}: {where}: {message}"


def _line_of(text: str, location: Sequence[Any]) -> int:
    """Return the 1-based line of a pydantic error location in a YAML text."""
    import yaml

    node = yaml.compose(text, Loader=_loader())
    line = 1
    for part in location:
        if node is None:
            break
        line = node.start_mark.line + 1
        node = _child(node, part)
    return line if node is None else node.start_mark.line + 1


def _child(node: Any, part: Any) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    return None
