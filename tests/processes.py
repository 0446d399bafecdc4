"""`python -m forensics` in a process of its own, without paying for its imports each time.

On Linux a server that has imported the program forks one child a command: the child gets the
command's arguments, environment, folder and streams and runs `forensics.cli.main`. An interpreter
is started elsewhere, where asked for, where the environment changes what Python itself does
(`PYTHONUTF8`), and where a limit must hold before the program starts.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
_COMMAND = (sys.executable, "-m", "forensics")
_MAX_REQUEST = 1 << 17  # bytes of arguments and environment
# What commands import inside functions. Torch is not among them, nor the modules that need it at
# once: few commands here do, and a test that it stays out of the others would prove nothing.
_LIBRARIES = ("jinja2", "pandas", "pyarrow.parquet", "scipy.stats", "vl_convert")
_NEED_TORCH = {f"forensics.subjects.backends.{name}" for name in ("decoding", "kv_cache")}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Done:
    """What a command left behind, as it came."""

    code: int
    out: bytes
    err: bytes


def run_command(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdout: IO[Any] | int | None = None,
    limit: Callable[[], None] | None = None,
    cold: bool = False,
    timeout: float = 180.0,
) -> Done:
    """Run `python -m forensics ARGUMENTS`, with nothing to read on stdin.

    Args:
        arguments: of the command line.
        cwd: where it runs.
        environment: all of it, as for `subprocess.run`.
        stdout: where to write instead of `Done.out`; what becomes of that is the interpreter's
            business too, so one is started.
        limit: runs in a started interpreter before the program does.
        cold: start an interpreter, as a user's shell would.
        timeout: seconds.
    """
    if not (cold or limit or stdout) and _is_warm(environment):
        server = _server(environment.get("PYTHONHASHSEED", "random"))
        return server.run(arguments, cwd, environment, timeout)
    done = subprocess.run(
        [*_COMMAND, *arguments],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limit,
        timeout=timeout,
        check=False,
    )
    return Done(done.returncode, done.stdout or b"", done.stderr)


def _is_warm(environment: Mapping[str, str]) -> bool:
    """Tell whether an interpreter started in this environment would be as the server is."""
    if sys.platform != "linux" or environment.get("PYTHONIOENCODING", "utf-8") != "utf-8":
        return False
    known = {"PYTHONPATH", "PYTHONHASHSEED", "PYTHONIOENCODING"}
    python = {k: v for k, v in environment.items() if k.startswith("PYTHON") and k not in known}
    first, *others = environment.get("PYTHONPATH", "").split(os.pathsep)
    return (
        python.items() <= os.environ.items()
        and first == str(ROOT)
        and {*others} <= {*os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    )


class _Server:
    """The process that forks; it ends when this one does."""

    def __init__(self, hash_seed: str) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FORENSICS_")}
        environment |= _ONE_THREAD | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.processes", str(theirs.fileno())],
                cwd=ROOT,
                env=environment
                | _ONE_THREAD
                | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> Done:
        """Run one command; a code below zero is the signal that ended it."""
        ours, theirs = socket.socketpair()
        out, err = os.pipe(), os.pipe()
        message = json.dumps([list(arguments), str(cwd), dict(environment)]).encode()
        with ours, ThreadPoolExecutor(2) as pool:
            with theirs:
                socket.send_fds(self._channel, [message], [theirs.fileno(), out[1], err[1]])
            os.close(out[1])
            os.close(err[1])
            texts = [pool.submit(_read, end) for end in (out[0], err[0])]
            ours.settimeout(timeout)
            pid = int.from_bytes(ours.recv(8), "big")
            try:
                code = int.from_bytes(ours.recv(8), "big", signed=True)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([*_COMMAND, *arguments], timeout) from None
            return Done(code, *(text.result() for text in texts))


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


_server = functools.cache(_Server)


def _serve(channel: socket.socket) -> None:
    """Fork a child for every request, until the other end is closed."""
    _import_all()
    gc.freeze()
    children: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd in children:
                    ready.unregister(key.fd)
                    _report(key.fd, *children.pop(key.fd))
                    continue
                message, descriptors, _, _ = socket.recv_fds(channel, _MAX_REQUEST, 3)
                if not message:
                    return
                pid = os.fork()
                if pid == 0:
                    _live(message, descriptors)
                answer = socket.socket(fileno=descriptors[0])
                answer.send(pid.to_bytes(8, "big"))
                for descriptor in descriptors[1:]:
                    os.close(descriptor)
                child = os.pidfd_open(pid)
                children[child] = pid, answer
                ready.register(child, selectors.EVENT_READ)


def _report(child: int, pid: int, answer: socket.socket) -> None:
    os.close(child)
    _, status = os.waitpid(pid, 0)
    # Who asked may have given up.
    with answer, contextlib.suppress(BrokenPipeError):
        answer.send(os.waitstatus_to_exitcode(status).to_bytes(8, "big", signed=True))


def _live(message: bytes, descriptors: Sequence[int]) -> NoReturn:
    """Be one command, to its end."""
    code = 120  # an interpreter's own where it cannot write what it still has to
    try:
        _become(message, descriptors)
        code = _main()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        # Without taking every module apart, on which an interpreter spends half a second.
        os._exit(code)


def _main() -> int:
    from forensics.cli import main

    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except BaseException:
        traceback.print_exc()
    return 1


def _become(message: bytes, descriptors: Sequence[int]) -> None:
    """Take over what a started interpreter would have been given."""
    arguments, cwd, environment = json.loads(message)
    gc.unfreeze()
    for place, descriptor in enumerate(descriptors[1:], 1):
        os.dup2(descriptor, place)
    for descriptor in descriptors:
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(ROOT / "forensics" / "__main__.py"), *arguments]
    sys.path[0] = cwd
    # Their ends are the process's.
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115


def _import_all() -> None:
    import forensics

    walked = {module.name for module in pkgutil.walk_packages(forensics.__path__, "forensics.")}
    for name in [*sorted(walked - _NEED_TORCH), *_LIBRARIES]:
        importlib.import_module(name)
    assert "torch" not in sys.modules


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
