"""Where cohorts are: shipped with their suites, built by the user, in a file, or at an address."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.fetching import fetch_cohort, fetched, is_address
from forensics.cohorts.pack_files import read_cohort, read_head
from forensics.cohorts.similarity import MIN_PROMPTS
from forensics.errors import InputFileError, PluginWarning, UsageError
from forensics.suites.suite import Suite
from forensics.support.resources import cache_folder, data_folder, is_file

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_SUFFIX = ".safetensors"


def shipped() -> list[str]:
    """Return the names of the cohorts that come with the package."""
    return sorted(shipped_files())


def known() -> dict[str, Path]:
    """Return every cohort that has a name, the shipped ones first: name → file."""
    first = dict(sorted(shipped_files().items()))
    added = {path.stem: path for path in sorted(cache_folder("cohorts").glob(f"*{_SUFFIX}"))}
    return first | {name: path for name, path in added.items() if name not in first}


def shipped_files() -> dict[str, Path]:
    """Return the cohorts that come with the package: name → file."""
    folder = data_folder("probes")
    return {path.parent.name: path for path in folder.glob(f"*/cohort{_SUFFIX}")}


def find_cohort(name_or_path: str) -> Cohort:
    """Read a cohort by name, from a file, or from an address with its hash.

    Raises:
        UsageError: there is none; the message lists the names. Or the address has no hash.
        InputFileError: the file is not a cohort that this release reads, or has another hash.
        BackendError: nothing can be fetched from the address.
    """
    if is_address(name_or_path):
        return read_cohort(fetch_cohort(name_or_path))
    path = Path(name_or_path)
    if is_file(path):
        return read_cohort(path)
    names = known()
    if name_or_path in names:
        return read_cohort(names[name_or_path])
    raise UsageError(
        f"no cohort {name_or_path!r}: give one of {', '.join(names) or 'none yet'}, or a file that "
        "forensics cohort build wrote"
    )


def fetched_cohort(sha256: str) -> Cohort | None:
    """Read the cohort with this sha256 that was fetched before; None where there is none."""
    path = fetched(sha256)
    try:
        return read_cohort(path) if path else None
    except InputFileError:
        return None


def destination(name_or_path: str) -> Path:
    """Return where a new cohort belongs: a bare name means the user's folder.

    Raises:
        UsageError: the name cannot be one, or a shipped cohort has it.
    """
    if "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(_SUFFIX):
        return Path(name_or_path)
    if not _NAME.fullmatch(name_or_path):
        raise UsageError(
            f"{name_or_path!r} cannot name a cohort; use letters, digits, '.', '_' and '-', or "
            f"give a file ending in {_SUFFIX}"
        )
    if name_or_path in shipped_files():
        raise UsageError(f"a cohort {name_or_path!r} is shipped already; choose another name")
    return cache_folder("cohorts") / f"{name_or_path}{_SUFFIX}"


def matching_cohort(prompt_hashes: Collection[str]) -> Cohort | None:
    """Return the cohort that answered most of these prompts, at least 8; None without one.

    Of the others only the metadata are read; one that cannot be read is skipped with a warning.
    """
    wanted = set(prompt_hashes)
    best: tuple[int, Path] | None = None
    for path in known().values():
        shared = len(wanted & _prompts(path))
        if shared >= MIN_PROMPTS and (best is None or shared > best[0]):
            best = shared, path
    return read_cohort(best[1]) if best else None


def calibrating_cohort(prompt_hashes: Collection[str]) -> Cohort | None:
    """Return the cohort whose calibration is to judge answers to these prompts.

    That is the one that answered most of them, or where this has no calibration (or there is none)
    the shipped one calibrated on most models; None without any.
    """
    matching = matching_cohort(prompt_hashes)
    if matching is not None and matching.calibration is not None:
        return matching
    shipped_ones = [read_cohort(path) for path in shipped_files().values()]
    calibrated = [cohort for cohort in shipped_ones if cohort.calibration is not None]
    return max(calibrated, key=lambda cohort: len(cohort.models), default=None)


def weighed(suite: Suite) -> Suite:
    """Return a suite cut to the prompts that the cohort of its name weighs.

    A suite without one, or one that shares none of its prompts, is returned as it is.
    """
    path = known().get(suite.name)
    wanted = _prompts(path) if path else set()
    prompts = tuple(prompt for prompt in suite.prompts if prompt.sha256 in wanted)
    return replace(suite, prompts=prompts) if prompts else suite


def _prompts(path: Path) -> set[str]:
    try:
        return {str(prompt["sha256"]) for prompt in read_head(path)["prompts"]}
    except (InputFileError, KeyError, TypeError) as error:
        warnings.warn(f"cohort skipped: {error}", PluginWarning, stacklevel=2)
        return set()


def find_model(target: str, cohorts: Iterable[Cohort] = ()) -> tuple[Cohort, str]:
    """Return the cohort and the model that a subject `cohort:TARGET` means.

    Args:
        target: a model's name, or COHORT/MODEL where several cohorts have that name.
        cohorts: those to look in; by default every one that has a name.

    Raises:
        UsageError: no cohort has that model, or several do.
    """
    given: Mapping[str, Cohort] = {cohort.name: cohort for cohort in cohorts} or _all()
    holding = [cohort for cohort in given.values() if target in cohort.facts]
    if len(holding) == 1:
        return holding[0], target
    if holding:
        forms = " or ".join(f"cohort:{cohort.name}/{target}" for cohort in holding)
        raise UsageError(f"several cohorts have a model {target!r}; write {forms}")
    name, separator, model = target.partition("/")
    if separator and name in given:
        given[name].place(model)
        return given[name], model
    everyone = sorted({model for cohort in given.values() for model in cohort.models})
    close = difflib.get_close_matches(target, everyone, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "see: forensics cohort info NAME"
    raise UsageError(
        f"no model {target!r} in {', '.join(given) or 'any cohort: there is none'}; {hint}"
    )


def _all() -> dict[str, Cohort]:
    cohorts = {}
    for name, path in known().items():
        try:
            cohorts[name] = read_cohort(path)
        except InputFileError as error:
            warnings.warn(f"cohort skipped: {error}", PluginWarning, stacklevel=2)
    return cohorts
