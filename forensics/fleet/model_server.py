"""A server for one local model: started on a free port, waited for, asked, and ended."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from forensics.errors import BackendError, MissingDependencyError
from forensics.fleet.job_model import JobServer
from forensics.subjects.backends.backend import ServedModel
from forensics.subjects.backends.served import served_source
from forensics.subjects.subject import Subject
from forensics.support.quiet import why

_HOST = "127.0.0.1"
_LOOK = 0.5  # seconds between two looks whether it is ready
_END = 30.0  # seconds that the guard may take to end it
_LAST_WORDS = 4_000  # bytes of a server's output to look for a reason in


@contextmanager
def served_model(server: JobServer, subject: Subject) -> Iterator[ServedModel]:
    """Have a local model served on this machine's loopback while the block runs.

    Args:
        server: how.
        subject: an `hf:`, `gguf:` or `demo:` model, whose files are fetched or converted first.

    Raises:
        MissingDependencyError: its program is not installed.
        BackendError: it ends before it is ready, or is not ready in time.
        ModelFileError, UsageError: the model's files are damaged, or there is no such model.
    """
    folder = served_source(subject, "float32").folder()
    port = _free_port()
    fields = {"{model}": str(folder.resolve()), "{port}": str(port), "{dtype}": server.dtype}
    command = [_filled(word, fields) for word in server.command]
    _check_program(command[0])
    version = _version(server)
    with tempfile.TemporaryFile() as log:
        guard = subprocess.Popen(  # noqa: S603 (the job's own command)
            [sys.executable, "-m", "forensics.fleet.server_guard", *command],
            stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until_ready(server, port, guard, log)
            model = _filled(server.model, fields)
            yield ServedModel(
                subject.spec, f"http://{_HOST}:{port}/v1", model, server.engine, version,
                server.dtype,
            )  # fmt: skip
        finally:
            _end(guard)


def _filled(word: str, fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        word = word.replace(name, value)
    return word


def _check_program(program: str) -> None:
    if shutil.which(program) is None:
        raise MissingDependencyError(
            f"the job's server {program!r} is not installed on this node; install it, or name "
            "another one in [server] command"
        )


def _version(server: JobServer) -> str:
    """Return the last line that the job's version command prints; nothing where it fails."""
    if not server.version_command:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 (the job's own command)
            list(server.version_command), capture_output=True, text=True, timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[-1].strip()[:200] if lines else ""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(
    server: JobServer, port: int, guard: subprocess.Popen[bytes], log: IO[bytes]
) -> None:
    import httpx

    end = time.monotonic() + server.startup
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        while time.monotonic() < end:
            if guard.poll() is not None:
                raise BackendError(f"the server of the model ended at once: {_last_words(log)}")
            try:
                if client.get(f"http://{_HOST}:{port}{server.health}").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(_LOOK)
    raise BackendError(
        f"the server of the model was not ready in {server.startup:g} s; raise [server] startup, "
        f"or see what it said last: {_last_words(log)}"
    )


def _last_words(log: IO[bytes]) -> str:
    size = log.seek(0, 2)
    log.seek(max(0, size - _LAST_WORDS))
    lines: Sequence[str] = log.read().decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return why(RuntimeError(said[-1])) if said else "it said nothing"


def _end(guard: subprocess.Popen[bytes]) -> None:
    """Close the guard's pipe, upon which it ends the server's group and itself."""
    assert guard.stdin is not None  # noqa: S101
    guard.stdin.close()
    try:
        guard.wait(_END)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()


def is_served(subject: Subject) -> bool:
    """Tell whether a subject is a model that a server could run."""
    return subject.kind in ("hf", "gguf", "demo")
