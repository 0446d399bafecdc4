"""A real HTTP server on 127.0.0.1 that behaves as an OpenAI-compatible endpoint, well or badly.

    with Loopback(lambda call: chat_reply(f"You said {call.prompt}")) as server:
        ...  # --base-url server.url
    assert len(server.calls) == 3

A script is a function of the call, or a list of replies (the last one repeats). Tests that import
`loopback_fixture` can take `loopback`, which starts servers and stops them with the test.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest


@dataclass(frozen=True)
class Call:
    """One request as the server got it; `number` counts from 0."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def prompt(self) -> str:
        """The last message's content, or the completion prompt."""
        messages = self.body.get("messages")
        return str(messages[-1]["content"] if messages else self.body.get("prompt", ""))


@dataclass(frozen=True)
class Reply:
    """What the server does: `hang` never answers, `drop` closes the connection unanswered,
    `content_length` lies about the body's size, `delay` (seconds) comes before the answer."""

    body: bytes | str | dict[str, Any] | list[Any] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    drop: bool = False
    content_length: int | None = None

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, dict | list):
            return json.dumps(self.body).encode("ascii")
        return self.body.encode("utf-8") if isinstance(self.body, str) else self.body


Script = Callable[[Call], Reply] | Sequence[Reply]


def chat_reply(text: Any = "Hello.", finish: str = "stop", **message: Any) -> Reply:
    """Return a proper chat completion; keywords become fields of its message."""
    content = {"role": "assistant", "content": text} | message
    choice = {"index": 0, "message": content, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return Reply({"id": "chatcmpl-1", "model": "m", "choices": [choice], "usage": usage})


def completion_reply(text: str = "Hello.", finish: str = "stop", **choice: Any) -> Reply:
    """Return a proper text completion; keywords become fields of its choice."""
    full = {"index": 0, "text": text, "finish_reason": finish} | choice
    return Reply({"id": "cmpl-1", "model": "m", "choices": [full]})


def error_reply(
    status: int, message: str = "no", headers: Mapping[str, str] | None = None, **fields: Any
) -> Reply:
    """Return an OpenAI-style error; keywords (code, type, param) become its fields."""
    return Reply({"error": {"message": message} | fields}, status, headers or {})


def echo(call: Call) -> Reply:
    """Answer with the prompt, on either API."""
    text = f"You said: {call.prompt}"
    return chat_reply(text) if "messages" in call.body else completion_reply(text)


class Loopback:
    """The server; a context manager. `calls` are the requests so far."""

    def __init__(self, script: Script = echo) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def root(self) -> str:
        """The address without `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The address to give as --base-url."""
        return f"{self.root}/v1"

    def count(self, prompt: str) -> int:
        """Return how often `prompt` was asked."""
        return sum(call.prompt == prompt for call in self.calls)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        """Note a call and return what to do about it."""
        with self._lock:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            call = Call(len(self.calls), path, headers, body)
            self.calls.append(call)
        if callable(self.script):
            return self.script(call)
        return self.script[min(call.number, len(self.script) - 1)]

    def done(self) -> None:
        """Note that a call is over."""
        with self._lock:
            self._in_flight -= 1

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self._closing.wait(seconds)


class TlsLoopback:
    """A server with a certificate that nobody signed; a context manager that gives its address.

    The certificate is made by `openssl`; where that is missing the test is skipped.
    """

    def __init__(self, folder: Path) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
        made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject)
        subprocess.run(
            [openssl, *made, "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._plain = Loopback()
        server = self._plain._server
        server.socket = context.wrap_socket(server.socket, server_side=True)

    def __enter__(self) -> str:
        return self._plain.__enter__().url.replace("http:", "https:")

    def __exit__(self, *_: object) -> None:
        self._plain.__exit__()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that went away is part of the tests, not worth a traceback."""


def _handler_for(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length))
            reply = loopback.take(self.path, dict(self.headers), body)
            loopback.pause(60 if reply.hang else reply.delay)
            # The call is over for the server before the client can see its end.
            loopback.done()
            if reply.hang or reply.drop:
                self.close_connection = True
                return
            self._send(reply)

        def do_GET(self) -> None:
            self._send(error_reply(404, "Not Found"))

        def _send(self, reply: Reply) -> None:
            body = reply.encoded()
            length = len(body) if reply.content_length is None else reply.content_length
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = length != len(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    return Handler


@pytest.fixture(name="loopback")
def loopback_fixture() -> Iterator[Callable[[Script], Loopback]]:
    """Give a function that starts a server: `server = loopback(script)`."""
    started: list[Loopback] = []

    def start(script: Script = echo) -> Loopback:
        server = Loopback(script)
        started.append(server)
        return server.__enter__()

    yield start
    for server in started:
        server.__exit__()
