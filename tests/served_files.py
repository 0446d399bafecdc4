"""A real HTTP server of files on 127.0.0.1, well behaved or not."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files:
    """A server of files on 127.0.0.1; `asked` are the paths so far."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.lengths: dict[str, int] = {}
        self.asked: list[str] = []
        self.drips: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = outer.files.get(self.path, b"")
                target = outer.redirects.get(self.path)
                self.send_response(302 if target else 200 if body else 404)
                if target:
                    self.send_header("Location", target)
                length = outer.lengths.get(self.path, len(body))
                self.send_header("Content-Length", str(length))
                self.end_headers()
                with contextlib.suppress(OSError):
                    outer.send(self, body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def send(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Send a body at once, or byte by byte for as long as the server lives."""
        if handler.path not in self.drips:
            handler.wfile.write(body)
            return
        for byte in body:
            handler.wfile.write(bytes([byte]))
            if self._closing.wait(0.02):
                return

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def served(content: Mapping[str, bytes]) -> Iterator[str]:
    """Serve files by path; give the server's address."""
    files = Files()
    files.files.update(content)
    try:
        yield files.url
    finally:
        files.close()
