"""What a local model's token probabilities say of given texts.

Two kinds of text: the fixed passages in `probes/passages`, alike for every model, and answers that
a subject gave, in the place where the model itself would have answered. Of each the log-likelihood
is kept, and of passages the most likely next token at fixed places. Everything is told in bytes and
characters, so that models with other tokenizers compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError
from forensics.examination.passages import FIRST_PLACE, PLACES, load_passages, places
from forensics.examination.probability_values import (
    LOCAL_KINDS,
    MAX_ANSWER_CHARS,
    TextProbabilities,
    TextScore,
    answer_key,
)
from forensics.support.resources import cache_folder

if TYPE_CHECKING:
    from forensics.examination.scorer import Scorer
    from forensics.subjects.backends.backend import BackendOptions
    from forensics.subjects.model_files.sources import ModelSource
    from forensics.subjects.subject import Subject
    from forensics.transcripts.answers import Answer


def model_source(subject: Subject, dtype: str) -> ModelSource:
    """Return where a local subject's model is.

    Raises:
        BackendError: it cannot be found, or is not a local model.
    """
    if subject.kind == "demo":
        from forensics.subjects.model_files.demo_files import demo_source

        return demo_source(subject.target, dtype)
    if subject.kind in LOCAL_KINDS:
        from forensics.subjects.model_files.sources import open_source

        return open_source(subject, dtype)
    raise BackendError(f"{subject.spec} is not a local model; its token probabilities are not seen")


def text_probabilities(
    subject: Subject,
    options: BackendOptions,
    asked: Sequence[Sequence[tuple[Answer, Sequence[Any]]]] = (),
) -> TextProbabilities:
    """Return what a local model says of the passages and of answers; cached by weights and texts.

    Args:
        subject: an `hf:`, `gguf:` or `demo:` subject.
        options: `dtype` and `batch_size` are used.
        asked: answers of each model in question, with the messages they answer.

    Raises:
        BackendError: the model cannot be found or loaded, or gives NaN.
        OutputError: the cache cannot be written.
    """
    source = model_source(subject, options.dtype)
    identity = _identity(source, options)
    loader = _Once(subject, options, source)
    about = _stored(f"{identity} about", lambda: loader.scorer().about())
    passages = _stored(
        _passages_key(identity),
        lambda: _encode(_score_passages(loader.scorer())),
    )
    answers: dict[str, TextScore] = {}
    # Each model's are kept apart: who is compared with many others is read by controls once.
    for group in filter(None, asked):
        answers |= _decode(_read(identity, loader, group))
    return TextProbabilities(
        name=subject.name,
        model=hashlib.sha256(identity.encode("utf-8")).hexdigest(),
        tokenizer=about["tokenizer"],
        has_template=source.template is not None,
        passages=_decode(passages),
        answers=answers,
    )


def begun(
    subject: Subject, options: BackendOptions, asked: Sequence[tuple[str, Sequence[Any]]]
) -> dict[str, str]:
    """Return the first two characters a local model expects of each answer; cached.

    Args:
        subject: an `hf:`, `gguf:` or `demo:` subject.
        options: `dtype` and `batch_size` are used.
        asked: a name each, and the messages to answer.

    Raises:
        BackendError: the model cannot be found or loaded, or gives NaN.
        OutputError: the cache cannot be written.
    """
    source = model_source(subject, options.dtype)
    identity = _identity(source, options)
    loader = _Once(subject, options, source)
    key = _begun_key(identity, [name for name, _ in asked])
    starts: dict[str, str] = _stored(key, lambda: loader.scorer().first_tokens(asked))
    return starts


def open_passages(subject: Subject, options: BackendOptions) -> int:
    """Return how many passages a local model has yet to score: all, or none that are in the cache.

    Raises:
        BackendError: the model cannot be found.
    """
    identity = _identity(model_source(subject, options.dtype), options)
    return 0 if _place(_passages_key(identity)).is_file() else len(load_passages())


def is_begun(subject: Subject, options: BackendOptions, names: Sequence[str]) -> bool:
    """Tell whether `begun` has the answers to these prompts in the cache.

    Raises:
        BackendError: the model cannot be found.
    """
    identity = _identity(model_source(subject, options.dtype), options)
    return _place(_begun_key(identity, names)).is_file()


def _begun_key(identity: str, names: Sequence[str]) -> str:
    return f"{identity} first {_digest(names)}"


def _identity(source: ModelSource, options: BackendOptions) -> str:
    return json.dumps({**source.identity, "dtype": options.dtype}, sort_keys=True)


def _passages_key(identity: str) -> str:
    return f"{identity} {_digest(p.text for p in load_passages())}"


def _read(
    identity: str, loader: _Once, asked: Sequence[tuple[Answer, Sequence[Any]]]
) -> dict[str, Any]:
    key = f"{identity} {_digest(answer_key(answer) for answer, _ in asked)}"
    scores: dict[str, Any] = _stored(key, lambda: _encode(loader.scorer().score_answers(asked)))
    return scores


class _Once:
    """Loads the model when the first thing is not in the cache, and only once."""

    def __init__(self, subject: Subject, options: BackendOptions, source: ModelSource) -> None:
        self._made: Scorer | None = None
        self._subject, self._options, self._source = subject, options, source

    def scorer(self) -> Scorer:
        from forensics.examination.scorer import Scorer

        if self._made is None:
            self._made = Scorer(self._subject.spec, self._source, self._options)
        return self._made


def _score_passages(scorer: Scorer) -> dict[str, TextScore]:
    passages = load_passages()
    scores = scorer.score_texts([p.text for p in passages], [places(p.text) for p in passages])
    return {p.id: s for p, s in zip(passages, scores, strict=True) if s is not None}


def _digest(parts: Iterable[str]) -> str:
    # The version of this file's own rules is part of what a stored number means.
    rules = f"1 {PLACES} {FIRST_PLACE} {MAX_ANSWER_CHARS}"
    return hashlib.sha256("\0".join([rules, *parts]).encode("utf-8")).hexdigest()


def _stored(key: str, make: Any) -> Any:
    from forensics.support.files import write_text

    path = _place(key)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or cut off: made again
        made = make()
        write_text(path, json.dumps(made, ensure_ascii=True))
        return made


def _place(key: str) -> Path:
    return cache_folder("logprobs") / f"{hashlib.sha256(key.encode('utf-8')).hexdigest()}.json"


def _encode(scores: Mapping[str, TextScore]) -> dict[str, Any]:
    return {name: asdict(score) for name, score in scores.items()}


def _decode(stored: Mapping[str, Any]) -> dict[str, TextScore]:
    return {
        name: TextScore(
            entry["log_likelihood"],
            entry["size"],
            {int(place): (token, start) for place, (token, start) in entry["next_tokens"].items()},
        )
        for name, entry in stored.items()
    }
