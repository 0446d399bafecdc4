"""A folder of 1,000 cases opens in Chromium in at most 2 s, of which the server takes a part."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from forensics.case.document import case_to_json
from forensics.view.local_server import ViewerServer
from forensics.view.viewed_folder import ViewedFolder
from tests.report.answered_case import answered_case
from tests.report.html.browser import Browser, chromium
from tests.report.sample_case import sample_case

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

CASES = 1_000
MOST = 2.0  # seconds on two idle cores
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@pytest.fixture(name="server", scope="module")
def server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    folder: Path = tmp_path_factory.mktemp("cases")
    # The answers of a real case: of their 100 kB each, the table needs none.
    prompts = sample_case(60, 80).prompts
    answered = answered_case().model_copy(update={"prompts": prompts})
    text = case_to_json(answered)
    name = f'"name": "{answered.a.name}"'.replace("\\", "\\\\")
    for number in range(CASES):
        content = text.replace(name, f'"name": "model {number}"', 1)
        (folder / f"{number:04}.json").write_text(content)
    with ViewerServer(ViewedFolder.of(folder)) as server:
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        server.stop()
        thread.join()


def test_the_table_of_a_thousand_cases(benchmark: BenchmarkFixture, server: ViewerServer) -> None:
    def ask() -> bytes:
        with urllib.request.urlopen(server.address) as page:
            content: bytes = page.read()
            return content

    begun = time.process_time()
    page = benchmark.pedantic(ask, rounds=5, warmup_rounds=1)
    assert page.count(b'href="case?') == CASES
    benchmark.extra_info["processor_seconds"] = (time.process_time() - begun) / 6
    assert benchmark.stats["min"] <= MOST


def test_it_opens_in_a_browser(
    benchmark: BenchmarkFixture, server: ViewerServer, tmp_path: Path
) -> None:
    command = chromium()
    if command is None:
        pytest.skip("no Chromium on this machine")
    with Browser(command, tmp_path) as browser:
        browser.look(1280)
        browser.open(server.address)
        rows = "document.querySelectorAll('.pairs tbody tr').length"
        assert browser.evaluate(rows) == CASES
        loaded = []

        def open_it() -> None:
            browser.open(server.address)
            loaded.append(browser.evaluate(_LOADED) / 1_000)

        benchmark.pedantic(open_it, rounds=5)
    benchmark.extra_info["seconds_until_loaded"] = min(loaded)
    assert min(loaded) <= MOST
