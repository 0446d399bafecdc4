"""A Ray of our own: tasks run, nothing is left, and a stranger gets nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from forensics.errors import BackendError
from forensics.fleet.ray_session import end_processes, ray_nodes, ray_session
from tests.fleet.jobs import light_imports

pytest.importorskip("ray", reason="the extra `fleet` is not installed")


def _below() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


@pytest.fixture(name="light", autouse=True)
def light_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", light_imports(tmp_path / "light"))


@pytest.mark.slow
def test_tasks_run_and_every_process_of_a_ray_of_our_own_is_gone_afterwards() -> None:
    import ray

    before = _below()
    with ray_session(cpus=2, object_bytes=100 * 2**20):
        doubled = ray.remote(lambda number: (number * 2, os.getppid()))
        results = ray.get([doubled.remote(number) for number in range(20)])
        started = _below() - before
        nodes = ray_nodes()
        address = ray.get_runtime_context().gcs_address
        stranger = _join(address, token="f" * 64)
    assert [result[0] for result in results] == [2 * number for number in range(20)]
    assert {result[1] for result in results} <= {process.pid for process in started}
    assert [node.cpus for node in nodes] == [2.0]
    assert nodes[0].memory > 0
    assert len(started) > 3
    assert not [process for process in started if process.is_running()]
    assert "does not take this process as a driver" in stranger
    assert "set RAY_AUTH_TOKEN to the cluster's token" in stranger


_DRIVER = """
import psutil, time
from forensics.fleet.ray_session import ray_session
with ray_session(cpus=1, object_bytes=100 * 2**20):
    print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)
    time.sleep(120)
"""


@pytest.mark.slow
def test_a_ray_of_our_own_does_not_outlive_a_driver_that_is_killed() -> None:
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    started = [psutil.Process(int(number)) for number in driver.stdout.readline().split()]
    assert len(started) > 4
    driver.kill()
    driver.wait()
    _, alive = psutil.wait_procs(started, timeout=40)
    assert alive == []


def _join(address: str, token: str) -> str:
    program = (
        "from forensics.fleet.ray_session import ray_session\n"
        f"with ray_session({address!r}): print('inside')"
    )
    environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    environment["RAY_gcs_server_port_wait_time_s"] = "1"  # it would ask for 20 seconds
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "inside" not in done.stdout
    return done.stderr


def test_nobody_at_an_address_is_one_line() -> None:
    with (
        pytest.raises(BackendError, match=r"Ray at 127\.0\.0\.1:9 does not answer"),
        ray_session("127.0.0.1:9"),
    ):
        pass


def test_a_process_that_ignores_being_asked_is_ended_all_the_same() -> None:
    stubborn = (
        "import signal,time;signal.signal(15,signal.SIG_IGN);print(1,flush=True);time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    process = psutil.Process(child.pid)
    end_processes([process], patience=0.2)
    assert process.wait(0) == -9
