"""Chromium without a window, spoken to through its debugging pipe: what a reader's browser does.

The protocol is a page's own (https://chromedevtools.github.io/devtools-protocol): JSON messages,
each ended by a NUL, on file descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE = 120.0


def chromium() -> str | None:
    """Return the path of a Chromium, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _as_three_and_four(read: int, write: int) -> None:
    # By way of numbers that neither is, or the first copy could close the second pipe.
    first, second = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (read, write))
    os.dup2(first, 3)
    os.dup2(second, 4)


def _is_loaded(event: dict[str, Any], loader: str) -> bool:
    about = event.get("params", {})
    return about.get("name") == "load" and about.get("loaderId") == loader


@dataclass
class Browser:
    """One page in a running Chromium; `events` is all it reported since the last `load`."""

    command: str
    profile: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Browser:
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        self._process = subprocess.Popen(
            [self.command, *_OPTIONS, f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=partial(_as_three_and_four, read, write),  # noqa: PLW1509 (no threads here)
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._number, self._buffer, self._session = 0, b"", None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        for domain in ("Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self.call("Browser.close")
        self._process.wait(timeout=_PATIENCE)
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result; raises on an error."""
        self._number += 1
        message: dict[str, Any] = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if self._session:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._out, data) :]

    def _next(self) -> dict[str, Any]:
        limit = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(limit - time.monotonic(), 0))
            if not ready:
                raise TimeoutError("the browser does not answer")
            read = os.read(self._in, 1 << 16)
            if not read:
                raise RuntimeError("the browser ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def load(self, page: Path, at: str = "") -> None:
        """Load a file, `at` a place in it such as `#p3`, and wait until it is there."""
        self.open(page.resolve().as_uri() + at)

    def open(self, address: str) -> None:
        """Load an address and wait until it is there."""
        # By way of another page: the same address again would only scroll.
        for url in ("about:blank", address):
            self.events.clear()
            loader = self.call("Page.navigate", url=url)["loaderId"]
            while not any(_is_loaded(event, loader) for event in self.events):
                self.events.append(self._next())
        # What the browser has to complain of comes a moment later.
        self._wait(0.2)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while select.select([self._in], [], [], max(end - time.monotonic(), 0))[0]:
            self.events.append(self._next())

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        done = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def look(self, width: int, scheme: str = "light", media: str = "screen") -> None:
        """Set the width of the window, the colour scheme and the medium."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def look_as_usual(self) -> None:
        """Undo `look`."""
        self.call("Emulation.clearDeviceMetricsOverride")
        self.call("Emulation.setEmulatedMedia", media="", features=[])

    def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        text = {"Enter": "\r", " ": " "}.get(key)
        event = {"key": key, "windowsVirtualKeyCode": code, **({"text": text} if text else {})}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def complaints(self) -> list[str]:
        """Return console messages, uncaught errors and logged violations since the last load."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(e["params"])[:400] for e in self.events if e.get("method") in kinds]

    def requests(self) -> list[str]:
        """Return what was asked for since the last load, the page itself and `data:` aside."""
        urls = [
            e["params"]["request"]["url"]
            for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in urls[1:] if not url.startswith("data:")]

    def screenshot(self, path: Path, clip: dict[str, float] | None = None) -> None:
        """Write what the page looks like, from top to end or `clip` of it, as a PNG."""
        taken = self.call(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=True,
            **({"clip": clip} if clip else {}),
        )
        path.write_bytes(base64.b64decode(taken["data"]))

    def pdf(self) -> bytes:
        """Return the page as it prints."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
