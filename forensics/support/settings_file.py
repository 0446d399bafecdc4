"""The file of settings: `forensics.toml`, or `[tool.forensics]` in `pyproject.toml`.

It holds named endpoints (`endpoints.py`) and the policy of `forensics check` (`policy`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.support.files import read_at_most

FILE_NAME = "forensics.toml"
PYPROJECT = "pyproject.toml"
_LARGEST = 1024 * 1024


def settings_text(path: Path, what: str = "settings", if_missing: str = "") -> str:
    """Return the text of a TOML file.

    Args:
        path: the file.
        what: what it should be, for messages.
        if_missing: what to do where there is no such file.

    Raises:
        InputFileError: it cannot be read, is too large, or is not UTF-8.
    """
    raw = read_at_most(path, _LARGEST, what, if_missing)
    try:
        # Editors on Windows begin UTF-8 files with a mark, which TOML does not know.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputFileError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def parse_settings(text: str, path: Path) -> dict[str, Any]:
    """Return the settings in the text of a file: of a `pyproject.toml` its `[tool.forensics]`.

    Raises:
        InputFileError: it is not TOML, or the table is something else.
    """
    import tomllib

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path} is not valid TOML: {error}") from None
    if path.name != PYPROJECT:
        return document
    tools = document.get("tool", {})
    table = tools.get("forensics", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise InputFileError(f"{path}: tool.forensics must be a table: [tool.forensics]")
    return table


def settings_table(path: Path) -> dict[str, Any]:
    """Read a file of settings; see `settings_text` and `parse_settings` for what it raises."""
    return parse_settings(settings_text(path), path)
