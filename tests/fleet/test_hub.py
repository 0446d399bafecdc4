"""Models of a hub, listed by the hub's own protocol on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Page = tuple[int, Any, str]  # status, what is listed, path of the next page

_LIST = """
import json, sys
from forensics.fleet.hub import queried
from forensics.fleet.job_model import HubQuery
from forensics.errors import BackendError
import datetime
try:
    listed = queried(HubQuery(
        author="org", created_after=datetime.date(2026, 11, 1), min_downloads=10,
        min_parameters="1B", max_parameters="3B", endpoint=sys.argv[1],
        limit=int(sys.argv[2]) if len(sys.argv) > 2 else None))
    print(json.dumps([[subject.spec, subject.size] for subject in listed]))
except BackendError as error:
    print(error)
"""


def _model(name: str, day: str, downloads: int, count: int | None) -> dict[str, object]:
    about: dict[str, object] = {
        "_id": name, "id": name, "sha": name[-1] * 40, "downloads": downloads,
        "createdAt": f"2026-{day}T12:00:00.000Z",
    }  # fmt: skip
    if count is not None:
        about["safetensors"] = {"parameters": {"BF16": count}, "total": count}
    return about


MODELS = [
    _model("org/new-a", "11-20", 50, 2_000_000_000),
    _model("org/small-b", "11-19", 50, 900_000_000),
    _model("org/large-c", "11-18", 50, 4_000_000_000),
    _model("org/unasked-d", "11-17", 3, 2_000_000_000),
    _model("else/foreign-e", "11-16", 50, 2_000_000_000),
    _model("org/unknown-f", "11-15", 50, None),
    _model("org/second-a", "11-14", 10, 1_000_000_000),
    _model("org/same-day-h", "11-01", 50, 2_000_000_000),
    _model("org/old-i", "10-01", 50, 2_000_000_000),
]


def _ask(url: str, *more: str) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _LIST, url, *more],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@contextmanager
def _hub(page: Callable[[str], Page], asked: list[str]) -> Iterator[str]:
    """Run a hub that answers a path with a page; `asked` notes the paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, listed, following = page(self.path)
            body = json.dumps(listed).encode()
            self.send_response(status)
            if following:
                host = self.headers["Host"]
                self.send_header("Link", f'<http://{host}{following}>; rel="next"')
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_query_finds_what_fits_pinned_and_with_its_size() -> None:
    asked: list[str] = []
    with _hub(lambda path: (200, MODELS, ""), asked) as address:
        listed = json.loads(_ask(address))
    assert listed == [
        ["hf:org/new-a@" + "a" * 40, 4_000_000_000],
        ["hf:org/second-a@" + "a" * 40, 2_000_000_000],
    ]
    query = parse_qs(urlsplit(asked[0]).query)
    assert query["author"] == ["org"]
    assert query["num_parameters"] == ["min:1B,max:3B"]
    assert {"createdAt", "downloads", "safetensors", "sha"} <= set(query["expand"])


def test_pages_are_followed_until_there_are_enough_or_models_are_too_old() -> None:
    def pages(path: str) -> Page:
        if "cursor" in path:
            return 200, [_model("org/next-b", "11-10", 99, 1_500_000_000), *MODELS[7:]], "/never"
        return 200, MODELS[:1], "/api/models?cursor=2"

    asked: list[str] = []
    with _hub(pages, asked) as address:
        assert [spec[:14] for spec, _ in json.loads(_ask(address))] == [
            "hf:org/new-a@a",
            "hf:org/next-b@",
        ]
        assert len(asked) == 2
        assert len(json.loads(_ask(address, "1"))) == 1
        assert len(asked) == 3


def test_a_hub_that_fails_is_one_line() -> None:
    with _hub(lambda path: (404, {"error": "no such author"}, ""), []) as address:
        said = _ask(address).strip()
    assert said.startswith("cannot list the models of the hub: ")
    assert "\n" not in said
