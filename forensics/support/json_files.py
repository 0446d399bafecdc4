"""JSON files of models, read so that whatever is wrong with one is told in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forensics.errors import ModelFileError
from forensics.support.distinct_keys import RepeatedKeyError, distinct_keys
from forensics.support.file_kinds import HEAD, foreign
from forensics.support.sanitise import one_line

LARGEST = 1 << 28  # bytes; the largest tokenizer.json known has 35 million


def read_json(path: Path, what: str) -> Any:
    """Return the content of a model's JSON file.

    Args:
        path: the file.
        what: what it should be, for messages: `tokenizer file`.

    Raises:
        ModelFileError: it cannot be read, is too large, is not JSON in UTF-8, is nested too
            deeply, or has a key twice in one object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}; check the path") from error
    if len(raw) > LARGEST:
        raise ModelFileError(f"{path} is larger than {LARGEST >> 20} MiB; is it the right file?")
    known = foreign(raw[:HEAD])
    if known is not None:
        raise ModelFileError(f"{path} is {known[0]}; {known[1]}")
    try:
        # A byte order mark, or UTF-16, is told from the bytes themselves.
        return json.loads(raw, object_pairs_hook=distinct_keys)
    except RecursionError as error:
        raise _damaged(path, what, "it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _damaged(path, what, f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _damaged(path, what, f"no JSON at {where}: {error.msg}") from error
    except RepeatedKeyError as error:
        fault = f"the key {one_line(error.key, 40)!r} occurs twice in one object"
        raise _damaged(path, what, fault) from error
    except ValueError as error:
        raise _damaged(path, what, one_line(str(error), 100)) from error


def _damaged(path: Path, what: str, fault: str) -> ModelFileError:
    return ModelFileError(f"{path} is not a complete {what} ({fault}); download it again")
