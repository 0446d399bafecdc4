"""Folders to look at: what earlier versions wrote, and what nobody should have written."""

from __future__ import annotations

import gzip
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forensics.view.local_server import ViewerServer
from forensics.view.viewed_folder import ViewedFolder
from tests.processes import ROOT

ARTEFACTS = ROOT / "tests/compatibility/frozen/artefacts"


@pytest.fixture(name="results", scope="module")
def results_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a file of every kind, under names that do not tell them."""
    folder = tmp_path_factory.mktemp("results")
    for kind in ("cases", "check", "trace", "case-files", "transcripts"):
        shutil.copytree(ARTEFACTS / kind, folder / kind)
    cohort = gzip.decompress((ARTEFACTS / "cohort/small.safetensors.gz").read_bytes())
    (folder / "cohort").write_bytes(cohort)
    (folder / "check/check.json").rename(folder / "check/of-heron")
    (folder / "trace/trace.json").rename(folder / "trace/of-heron.txt")
    return folder


@pytest.fixture(name="serve")
def serve_fixture() -> Iterator[Callable[[Path], ViewerServer]]:
    """Give a function that serves a folder until the test ends."""
    running: list[tuple[ViewerServer, threading.Thread]] = []

    def serve(folder: Path) -> ViewerServer:
        server = ViewerServer(ViewedFolder.of(folder))
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield serve
    for server, thread in running:
        server.stop()
        thread.join()
        server.__exit__()
