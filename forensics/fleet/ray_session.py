"""A Ray to work on: one of our own on this machine, or a cluster that somebody else runs.

Ray runs whatever whoever reaches its ports sends it, and its head listens on every interface,
whatever address a node is given. So no head is started without a token that is new and that only
this process and its children know; dashboard and usage statistics are off.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError, MissingDependencyError
from forensics.support.quiet import why

if TYPE_CHECKING:
    import psutil

MODE_VARIABLE = "RAY_AUTH_MODE"
TOKEN_VARIABLE = "RAY_AUTH_TOKEN"  # noqa: S105 (a variable's name)
_OBJECTS = 512 * 2**20  # bytes; what tasks hand one another is small
_ATTEMPTS = 3
_PATIENCE = 5.0  # seconds in which daemons may end by themselves


@dataclass(frozen=True)
class RayNode:
    """What a node offers to tasks: processors, GPUs, and bytes of memory."""

    cpus: float
    gpus: float
    memory: float


@contextmanager
def ray_session(
    address: str | None = None, cpus: int | None = None, object_bytes: int = _OBJECTS
) -> Iterator[None]:
    """Have a Ray while the block runs: `import ray` inside it, and use tasks.

    One that was started here is gone afterwards, every process of it. A cluster that was joined
    stays; only what this driver ran on it ends. A process keeps its token, so a second session of
    it can follow the first.

    Args:
        address: of a cluster (`host:port`, or `auto` for one that runs here); None starts one on
            this machine.
        cpus: how many tasks of one processor a Ray of our own runs at once; None takes every
            processor. A cluster's nodes say so themselves.
        object_bytes: memory in which a Ray of our own keeps what tasks hand one another.

    Raises:
        MissingDependencyError: Ray is not installed.
        BackendError: Ray does not start, nobody answers at the address, or the cluster does not
            take this process's token.
    """
    _prepare(address)
    ray = _library()
    if ray.is_initialized():
        raise BackendError("this process uses a Ray already; end it with ray.shutdown() first")
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        _guard(address) as guarded,
    ):
        before = _descendants()
        try:
            _begin(ray, address, cpus, object_bytes, folder)
            guarded(_descendants(besides=before))
            yield
        finally:
            started = _descendants(besides=before)
            ray.shutdown()
            end_processes(started)


def ray_nodes() -> list[RayNode]:
    """Return the nodes that are alive, of the Ray that this process uses."""
    ray = _library()
    offers = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [
        RayNode(offer.get("CPU", 0.0), offer.get("GPU", 0.0), offer.get("memory", 0.0))
        for offer in offers
    ]


def end_processes(processes: Sequence[psutil.Process], patience: float = _PATIENCE) -> None:
    """End processes that were seen running, and nobody else who has their numbers since.

    Args:
        processes: as psutil saw them; a number that was given to another process is not touched.
        patience: seconds that each step, waiting and asking to end, may take.
    """
    import psutil

    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=patience)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=patience)


def _descendants(besides: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    import psutil

    known = set(besides)
    return [p for p in psutil.Process().children(recursive=True) if p not in known]


def _prepare(address: str | None) -> None:
    """Set what Ray reads when it is imported, and its children inherit."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        os.environ[MODE_VARIABLE] = "token"
        os.environ.setdefault(TOKEN_VARIABLE, secrets.token_hex(32))
    else:
        os.environ.setdefault(MODE_VARIABLE, "token")


def _library() -> Any:  # Ray has no types to name
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "a fleet needs Ray, which is not installed; pip install 'model-forensics[fleet]'"
        ) from error
    # Somebody may have imported Ray before its variables were set; it reads them only then.
    with suppress(AttributeError):
        ray._raylet.Config.initialize("")
    return ray


@contextmanager
def _guard(address: str | None) -> Iterator[Callable[[Sequence[psutil.Process]], None]]:
    """Have a process that ends a Ray of our own if this one is killed; give what names them."""
    if address is not None:
        yield lambda _: None
        return
    import psutil

    command = [sys.executable, "-m", "forensics.fleet.ray_guard"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as guard:  # noqa: S603
        pipe = guard.stdin
        assert pipe is not None  # noqa: S101

        def name(processes: Sequence[psutil.Process]) -> None:
            for process in processes:
                with suppress(psutil.NoSuchProcess, BrokenPipeError):
                    print(process.pid, process.create_time(), file=pipe, flush=True)

        yield name
        # Leaving closes the pipe: the guard finds nobody and ends.


def _begin(ray: Any, address: str | None, cpus: int | None, object_bytes: int, folder: str) -> None:
    try:
        if address is not None:
            _check_reachable(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
            return
        _start(ray, cpus, object_bytes, folder)
    except BackendError:
        raise
    except Exception as error:  # Ray raises this class itself
        raise BackendError(_why_not(address, error)) from error


def _start(ray: Any, cpus: int | None, object_bytes: int, folder: str) -> None:
    """Start a Ray; again where a busy machine took longer than the 30 s that Ray waits for it."""
    before = _descendants()
    for attempt in range(_ATTEMPTS):
        try:
            ray.init(
                "local", num_cpus=cpus, object_store_memory=object_bytes, _temp_dir=folder,
                include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
            )  # fmt: skip
            return
        except Exception:
            left = _descendants(besides=before)
            ray.shutdown()
            end_processes(left)
            if attempt == _ATTEMPTS - 1:
                raise


def _check_reachable(address: str) -> None:
    """Look for a listener first: Ray itself tries for many minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():  # `auto`, or `ray://…`
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise BackendError(
            f"Ray at {address} does not answer: {why(error)}; check the address"
        ) from error


def _why_not(address: str | None, error: Exception) -> str:
    if address is None:
        return f"Ray does not start on this machine: {why(error)}"
    # It says the same of a token that the cluster does not take.
    return (
        f"Ray at {address} does not take this process as a driver: {why(error)}; set "
        f"{TOKEN_VARIABLE} to the cluster's token, or {MODE_VARIABLE}=disabled if it has none"
    )
