"""Files of local models, looked at before anything is asked: damage is told first, not last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.case.evidence import Tier
from forensics.errors import ModelFileError
from forensics.evidence.comparator import Comparator
from forensics.examination.examined import PROBABILITIES
from forensics.subjects.model_files.folder import ModelFiles, model_files
from forensics.subjects.model_files.gguf_split import open_model as open_gguf
from forensics.subjects.model_files.other_formats import about_adapter
from forensics.subjects.model_files.sources import check_fetched, check_folder
from forensics.subjects.subject import Subject
from forensics.support.resources import is_folder


def check_model(
    subject: Subject, comparators: Sequence[Comparator[Any]], tiers: Sequence[Tier], dtype: str
) -> None:
    """Check that a model's weights, where they are at hand, are whole and no pickles.

    Where weights are all that is looked at, or their tier was asked for, they must be there, and
    numbers: all are read once for NaN. Otherwise headers are enough.

    Args:
        subject: one of the models to compare.
        comparators: that will run.
        tiers: that were asked for by name; none, where whatever can be had is measured.
        dtype: of converted copies.

    Raises:
        InputFileError: weights that are pickled, truncated, incomplete or no numbers.
        BackendError: the model cannot be found.
    """
    needs = _needs(comparators)
    folder = Path(subject.target)
    if needs - {"answers"} and subject.kind == "hf" and is_folder(folder):
        check_fetched(folder)
    if "weights" in needs:
        demanded = "weights" in tiers or needs == {"weights"}
        _check_weights(model_files(subject, dtype), demanded)
    if needs & {"answers", *PROBABILITIES}:
        _check_runnable(subject)


def check_pair(
    subjects: Sequence[Subject],
    comparators: Sequence[Comparator[Any]],
    tiers: Sequence[Tier],
    dtype: str,
) -> None:
    """Check that weights that are all to be looked at, or were asked for, are of one kind.

    Raises:
        ModelFileError: one model is an adapter and the other is not; adapters are compared with
            adapters only.
    """
    needs = _needs(comparators)
    if "weights" not in needs or not ("weights" in tiers or needs == {"weights"}):
        return
    with_weights = [files for s in subjects if (files := model_files(s, dtype)) and files.weights]
    adapters = [files for files in with_weights if files.adapter]
    if len(with_weights) > 1 and len(adapters) == 1:
        raise ModelFileError(about_adapter(adapters[0].path))


def check_control(control: Subject, comparators: Sequence[Comparator[Any]]) -> None:
    """Check the files of a model to read token probabilities against.

    Raises:
        InputFileError: it cannot be run, for its files are damaged or incomplete.
    """
    if _needs(comparators) & PROBABILITIES:
        _check_runnable(control)


def _needs(comparators: Sequence[Comparator[Any]]) -> frozenset[str]:
    return frozenset[str]().union(*(comparator.needs for comparator in comparators))


def _check_runnable(subject: Subject) -> None:
    """Check local files that answers or texts will be asked of; others tell when opened."""
    path = Path(subject.target)
    if subject.kind == "gguf":
        open_gguf(path)
    if subject.kind != "hf" or not is_folder(path):
        return
    check_folder(path)


def _check_weights(files: ModelFiles | None, demanded: bool) -> None:
    from forensics.evidence.weights.numerics.correspondence import open_model
    from forensics.evidence.weights.numerics.reader import check_numbers, open_weights

    if files is None or files.unread or not (files.weights or files.fault or demanded):
        return
    if not demanded:
        open_weights(files)
        return
    check_numbers(open_model(files).parts.weights)  # shapes and configuration are looked at too
