"""Foils for prompts that no cohort answered: near relatives under the same test, on other prompts.

Made by `studies.shared_manner.page`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from pydantic import ValidationError

from forensics.case.details.shared_manner import MannerFoil
from forensics.errors import InputFileError
from forensics.support.resources import data_folder

FILE = "one-model.json"


@dataclass(frozen=True)
class ForeignFoils:
    """Near relatives, the nearest of each model, tested without a cohort on prompts of `source`."""

    source: str
    prompts: int
    samples: int
    foils: tuple[MannerFoil, ...]


@cache
def foreign_foils() -> ForeignFoils:
    """Return the foils that come with the package.

    Raises:
        InputFileError: they are missing or malformed.
    """
    path = data_folder("probes") / FILE
    try:
        published = json.loads(path.read_text("utf-8"))
        return ForeignFoils(
            str(published["source"]),
            int(published["prompts"]),
            int(published["samples"]),
            tuple(MannerFoil.model_validate(entry) for entry in published["foils"]),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputFileError(
            f"{path}: no foils of the test of one model ({error}); reinstall model-forensics"
        ) from error
