"""Twenty probes killed at random points: nothing is lost, and nothing is asked twice.

KILLS and SEED in the environment change how many, and where. Run with `pytest -m slow tests/long`.
"""

from __future__ import annotations

import os

import pytest

from tests.kills import campaign
from tests.loopback import loopback_fixture

__all__ = ["loopback_fixture"]

pytestmark = pytest.mark.slow


def test_kills_lose_nothing_and_repeat_nothing(loopback, tmp_path):
    kills = int(os.environ.get("KILLS", "20"))
    seed = int(os.environ.get("SEED", "1"))
    assert campaign(loopback, tmp_path, kills=kills, prompts=60, seed=seed) >= kills // 2
