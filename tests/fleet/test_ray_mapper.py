"""Blocks that Ray computes give the bytes that a loop gives, in every kind of work cut into blocks.

One session for all: a Ray of its own takes seconds to start.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.cohorts import all_pairs
from forensics.cohorts.all_pairs import PackedRows, mean_cosines, normalise
from forensics.cohorts.newick import newick
from forensics.cohorts.pack_files import write_cohort
from forensics.cohorts.tree import relate
from forensics.evaluation.cohort_build import build
from forensics.evaluation.evaluate import evaluate
from forensics.fleet.ray_mapper import ray_mapper
from forensics.support.block_mapping import Mapper, in_a_loop
from tests.cohorts.builders import facts, outputs, pairs
from tests.made_cohort import made_cohort

pytest.importorskip("ray", reason="the extra `fleet` is not installed")
pytestmark = pytest.mark.slow
MODELS = facts(6, 16)
OUTPUTS = outputs(MODELS, 24, samples=2)


@pytest.fixture(name="on_ray", scope="module")
def on_ray_fixture() -> Iterator[Mapper]:
    with ray_mapper(cpus=2) as mapper:
        yield mapper


def _all_pairs(mapper: Mapper, _: Path) -> bytes:
    cohort = made_cohort()
    everybody = np.ones(len(cohort.models), dtype=bool)
    means = mean_cosines(PackedRows(cohort.sketches, cohort.scales), everybody, mapper)
    return means.tobytes() + normalise(means, ~cohort.excluded(), mapper).tobytes()


def _cohort(mapper: Mapper, folder: Path) -> bytes:
    path = folder / "made.safetensors"
    write_cohort(path, build(OUTPUTS, pairs(MODELS), "made", mapper=mapper))
    return path.read_bytes()


def _evaluate(mapper: Mapper, _: Path) -> bytes:
    figures = evaluate(OUTPUTS, pairs(MODELS), mapper=mapper)
    return json.dumps({key: figures[key] for key in figures if key != "seconds"}).encode()


def _map(mapper: Mapper, _: Path) -> bytes:
    related = relate(OUTPUTS.similarities(mapper), OUTPUTS.excluded(), mapper=mapper)
    return newick(related).encode() + related.scores.tobytes()


@pytest.mark.parametrize("work", [_all_pairs, _cohort, _evaluate, _map])
def test_ray_gives_the_bytes_of_a_loop(
    work: Callable[[Mapper, Path], bytes], on_ray: Mapper, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(all_pairs, "_BLOCK", 7)  # many tiles of few models
    expected = work(in_a_loop, tmp_path)
    assert work(on_ray, tmp_path) == expected


def _place(_: None, number: int) -> tuple[int, int]:
    return number, os.getpid()


def _die_once(flag: Path, number: int) -> int:
    """Kill the worker on the first look at block 3."""
    if number == 3 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _fail(_: None, number: int) -> int:
    return 6 // number


def test_blocks_leave_this_process_and_come_back_in_order(on_ray: Mapper) -> None:
    results = list(on_ray(_place, None, range(40)))
    assert [number for number, _ in results] == list(range(40))
    assert os.getpid() not in {process for _, process in results}


def test_a_block_whose_worker_was_killed_is_computed_again(on_ray: Mapper, tmp_path: Path) -> None:
    assert list(on_ray(_die_once, tmp_path / "killed", range(8))) == list(range(8))
    assert (tmp_path / "killed").exists()


def test_what_a_block_raises_comes_as_itself(on_ray: Mapper) -> None:
    results = on_ray(_fail, None, [3, 0, 1])
    assert next(results) == 2
    with pytest.raises(ZeroDivisionError, match="integer division"):
        next(results)
