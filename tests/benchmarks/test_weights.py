"""What the weights tier costs, beside reading the same files once.

SmolLM2-135M in float32 and its pruned child, files in the page cache, best of 5 on two busy cores,
in multiples of reading both: the look at all numbers for NaN 1.2, the comparators 1.8 to 2.4, both
together 2.7 by processor time. The comparators alone took 4.7 while each opened the files anew and
tensors were hashed and compared in one piece, and 8 to 10 where a busy machine let the threads of
small matrix products wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.case.evidence import Evidence
from forensics.evidence.weights.numerics import correspondence, reader
from forensics.subjects.model_files.folder import folder_files, model_files
from forensics.subjects.subject import parse_subject
from tests.evidence.weights.comparing import weight_evidence

pytestmark = pytest.mark.demo


def _folder(name: str) -> Path:
    found = model_files(parse_subject(f"demo:{name}"))
    assert found is not None and found.folder is not None
    return found.folder


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget() -> None:
    correspondence._corresponding.cache_clear()
    reader._stored.cache_clear()


def test_weights_of_a_model_and_its_child_against_reading_both(benchmark):
    sides = _folder("smollm2"), _folder("smollm2-pruned")

    def read() -> None:
        for side in sides:
            with (side / "model.safetensors").open("rb") as file:
                while file.read(1 << 24):
                    pass

    weight_evidence(*sides)  # libraries are imported, files are in the page cache
    reading = min(_seconds(read) for _ in range(5))

    def weigh() -> dict[str, Evidence]:
        for side in sides:
            reader.check_numbers(reader.open_weights(folder_files(side)))
        return weight_evidence(*sides)

    found = benchmark.pedantic(weigh, setup=_forget, rounds=5, iterations=1)
    ratio = benchmark.stats.stats.min / reading
    benchmark.extra_info |= {"reading_seconds": round(reading, 3), "ratio": round(ratio, 2)}
    print(f"weights tier: {ratio:.1f} times as long as reading both files ({reading:.2f} s)")
    assert found["weights_units"].p_value < 1e-6
