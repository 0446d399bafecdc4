"""Reading a result that `forensics exposure test --json` wrote."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from forensics.errors import InputFileError
from forensics.evidence.exposure.exposure_record import ExposureResult
from forensics.transcripts.importers.records import json_document


def read_exposure(path: Path) -> ExposureResult:
    """Read a result of an exposure test.

    Raises:
        InputFileError: it is missing, not JSON, or something else.
    """
    try:
        return ExposureResult.model_validate(json_document(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputFileError(
            f"{path} is not a result written by `forensics exposure test --json`: "
            f"{where}: {first['msg']}"
        ) from error


def read_earlier_look(path: Path) -> ExposureResult:
    """Read the result of a look that a later one goes on from.

    Raises:
        InputFileError: see `read_exposure`; or that look was refused, so there is nothing to go on
            from.
    """
    earlier = read_exposure(path)
    if earlier.finding == "refused":
        raise InputFileError(f"{path} is a look that was refused; give the last one that was not")
    if not earlier.prompts_sha256:
        raise InputFileError(f"{path} was written by a version that records no prompts; test again")
    return earlier
