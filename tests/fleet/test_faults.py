"""A worker killed, a driver killed, a node gone: `python -m tests.fleet.faults` in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet.faults import run_with_faults

pytest.importorskip("ray", reason="the extra `fleet` is not installed")


@pytest.mark.slow
def test_a_fleet_loses_a_worker_a_driver_and_a_node_and_no_result(tmp_path: Path) -> None:
    said: list[str] = []
    assert run_with_faults(tmp_path, 24, said.append) == [], "\n".join(said)
    assert any(line.startswith("killed worker") for line in said)
    assert any(line.startswith("killed the driver") for line in said)
    assert any(line.startswith("removed a node") for line in said)
