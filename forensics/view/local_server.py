"""The viewer's server: on this machine only, for whoever has the address with its token.

Three walls keep other pages and other users out: it listens on the loopback address; the address
holds a random token, without which every answer is the same 404; and a request whose `Host` is not
that address, as after DNS rebinding, is refused. It answers GET and HEAD, writes nothing, and sends
the pages' policy as a header too, so that nothing a page holds could be run or loaded.
"""

from __future__ import annotations

import hmac
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast, get_args
from urllib.parse import parse_qs, urlsplit

from forensics.errors import ForensicsError, InputFileError, OutputError
from forensics.view.links import Address, Screen, ServerLinks
from forensics.view.screens import Screens
from forensics.view.viewed_folder import Place, ViewedFolder

ADDRESS = "127.0.0.1"
_TOKEN_BYTES = 24
_LONGEST_ADDRESS = 32_768
_DIGITS = 6
_SCREENS: tuple[str, ...] = get_args(Screen)


@dataclass
class ViewerServer:
    """A server of one folder; `with` ends it.

    Args:
        folder: what to show.
        port: to listen on; 0 for any that is free.

    Raises:
        OutputError: the port cannot be listened on.
    """

    folder: ViewedFolder
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))

    def __post_init__(self) -> None:
        """Begin to listen."""
        screens = Screens(self.folder, ServerLinks())
        handler = type("ViewerHandler", (_Handler,), {"screens": screens, "token": self.token})
        try:
            self._server = _QuietServer((ADDRESS, self.port), handler)
        except OSError as error:
            raise OutputError(
                f"cannot listen on {ADDRESS}:{self.port}: {error.strerror}; give another --port"
            ) from error
        self.port = self._server.server_port

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{ADDRESS}:{self.port}/{self.token}/"

    def serve(self) -> None:
        """Answer until `stop` is called or the process is interrupted."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Let `serve` return."""
        self._server.shutdown()

    def __enter__(self) -> ViewerServer:
        """Return the server, which is listening already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no longer."""
        self._server.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say in one line that a page could not be made; the browser shows that it ended early."""
        from forensics.support.sanitise import one_line

        error = sys.exc_info()[1]
        sys.stderr.write(f"forensics: a page failed: {one_line(repr(error), 300)}\n")


class _Handler(BaseHTTPRequestHandler):
    screens: Screens
    token: str
    server_version = "model-forensics"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Say nothing: an address in a log would give the token away."""

    def _answer(self, with_body: bool) -> None:
        if not self._is_allowed():
            self._send(404, ("Not found.\n",), with_body, kind="text/plain")
            return
        try:
            code, parts = self._found()
        except ForensicsError as error:
            code, parts = 404, iter((self.screens.problem(self.screens.folder.reason(error)),))
        self._send(code, parts, with_body)

    def _is_allowed(self) -> bool:
        port = self.server.server_port  # type: ignore[attr-defined]
        if self.headers.get_all("Host") not in ([f"{ADDRESS}:{port}"], [f"localhost:{port}"]):
            return False
        if len(self.path) > _LONGEST_ADDRESS:
            return False
        first = self.path.split("/")[1:2]
        given = first[0].encode("utf-8", "replace") if first else b""
        return hmac.compare_digest(given, self.token.encode("ascii"))

    def _found(self) -> tuple[int, Iterator[str]]:
        asked = urlsplit(self.path[len(self.token) + 1 :])
        if asked.path == "/":
            return 200, self.screens.index()
        screen = asked.path.removeprefix("/")
        if screen not in _SCREENS:
            raise InputFileError("there is no such page")
        return 200, iter((self.screens.page(_asked(cast("Screen", screen), asked.query)),))

    def _send(
        self, code: int, parts: Iterable[str], with_body: bool, kind: str = "text/html"
    ) -> None:
        report = self.path.startswith(f"/{self.token}/report?")
        policy = self.screens.report_policy if report and code == 200 else self.screens.policy
        self.send_response(code)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Security-Policy", f"{policy}; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        # A reader who leaves while the page is sent is no failure.
        with suppress(ConnectionError, TimeoutError):
            for part in parts if with_body else ():
                self.wfile.write(part.encode("utf-8", "backslashreplace"))


def _asked(screen: Screen, query: str) -> Address:
    """Return what an address asks for.

    Raises:
        InputFileError: it is not an address that this program writes.
    """
    fields = parse_qs(query, keep_blank_values=True, encoding="utf-8", errors="surrogateescape")
    given = {name: values[0] for name, values in fields.items() if len(values) == 1}
    if "f" not in given:
        raise InputFileError("the address names no file")
    place = Place(given["f"], _number(given.get("n")))
    other = Place(given["g"], _number(given.get("m"))) if "g" in given else None
    return Address(screen, place, other, _number(given.get("p")) or 0)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise InputFileError("the address names no case of the file")
    return int(text)
