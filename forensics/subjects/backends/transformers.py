"""Models that run here, through transformers: hub models, local folders and GGUF files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forensics.errors import BackendError
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, Request, Sink
from forensics.subjects.backends.chat_template import ChatTemplate
from forensics.subjects.model_files.model_loading import device, load_model, store_by_column
from forensics.subjects.model_files.sources import ModelSource, open_source
from forensics.subjects.subject import Subject
from forensics.support.libraries import require
from forensics.support.quiet import why
from forensics.transcripts.thinking import Split, is_delimiter, opening_at_end, split
from forensics.transcripts.transcript import Response


@dataclass(frozen=True)
class _Task:
    """A request with its rendered prompt and that prompt's tokens."""

    request: Request
    text: str
    tokens: list[int]


@dataclass(frozen=True)
class _Loaded:
    model: Any
    tokenizer: Any
    template: ChatTemplate
    ends: frozenset[int]
    context: int | None
    name: str
    special: Mapping[int, str]


class TransformersBackend:
    """Answers requests with a local model, in left-padded batches.

    At temperature 0 decoding is plain greedy: a model's own defaults (sampling, repetition
    penalty) are left aside, since two models must be asked alike.

    Args:
        subject: an `hf:` or `gguf:` subject, or any with a `source`.
        options: `dtype` and `batch_size` are used.
        source: finds the model, where `subject` alone does not say.
    """

    def __init__(
        self,
        subject: Subject,
        options: BackendOptions,
        source: Callable[[], ModelSource] | None = None,
    ) -> None:
        self._subject = subject
        self._options = options
        self._find = source or (lambda: open_source(subject, options.dtype))

    @cached_property
    def _source(self) -> ModelSource:
        source = self._find()
        require("torch", "transformers")
        return source

    @cached_property
    def _identity(self) -> dict[str, Any]:
        # Versions of torch and transformers are left out: they hardly ever change a float32
        # answer, and with them every patch release would ask everything again.
        source = self._source
        return {
            **source.identity,
            **ChatTemplate(source.template).identity(),
            "dtype": self._options.dtype,
            "batch_size": self._options.batch_size,
            "device": device(),
        }

    def identity(self) -> Mapping[str, Any]:
        """Return who answers; hashes or looks up the weights without loading them.

        Raises:
            BackendError: the model cannot be found or may not be loaded.
            MissingDependencyError: a package it needs is not installed.
        """
        return self._identity

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        """Answer every request, batch by batch; see `Backend.answer`.

        Raises:
            BackendError: the model cannot be loaded, memory runs out, or it gives NaN.
        """
        loaded = self._loaded
        tasks: list[_Task] = []
        for request in requests:
            try:
                tasks.append(_prepare(loaded, request, settings.system_prompt))
            except (ValueError, TypeError) as error:
                sink(_failed(loaded, request, why(error)))
        for batch in batches(tasks, self._options.batch_size):
            for response in self._answer_batch(loaded, batch, settings.temperature):
                sink(response)

    @cached_property
    def _loaded(self) -> _Loaded:
        name = self._subject.spec
        folder = self._source.folder()
        model, tokenizer = load_model(folder, self._options.dtype, name)
        if device() == "cpu":
            store_by_column(model)
        special = {k: v for k, v in tokenizer.special_tokens_map.items() if isinstance(v, str)}
        return _Loaded(
            model,
            tokenizer,
            ChatTemplate(self._source.template, special),
            _end_tokens(model, tokenizer),
            getattr(model.config, "max_position_embeddings", None),
            name,
            {i: str(t) for i, t in tokenizer.added_tokens_decoder.items() if t.special},
        )

    def _answer_batch(
        self, loaded: _Loaded, batch: Sequence[_Task], temperature: float
    ) -> list[Response]:
        from forensics.subjects.backends.decoding import decode
        from forensics.support.clock import now

        started = now()
        try:
            answers = decode(
                loaded.model,
                [task.tokens for task in batch],
                [task.request.key for task in batch],
                loaded.ends,
                _pad_token(loaded),
                batch[0].request.max_tokens,
                temperature,
            )
        except (RuntimeError, MemoryError) as error:
            raise _explain(error, self._subject.spec, self._options) from error
        done = now()
        return [
            _respond(loaded, task, tokens, started, done)
            for task, tokens in zip(batch, answers, strict=True)
        ]


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    tokens: set[int] = set()
    for value in (
        model.generation_config.eos_token_id,
        getattr(model.config, "eos_token_id", None),
        tokenizer.eos_token_id,
    ):
        tokens.update(value if isinstance(value, list) else [] if value is None else [value])
    return frozenset(tokens)


def _prepare(loaded: _Loaded, request: Request, system_prompt: str | None) -> _Task:
    text = loaded.template.render(request.prompt.messages, system_prompt)
    # A chat template writes the special tokens itself.
    plain = loaded.template.text is None
    tokens = loaded.tokenizer(text, add_special_tokens=plain)["input_ids"]
    if not tokens:
        raise ValueError("the prompt gives no tokens")
    if loaded.context and len(tokens) + request.max_tokens > loaded.context:
        raise ValueError(
            f"{len(tokens)} prompt tokens and {request.max_tokens} for the answer do not fit the "
            f"model's context of {loaded.context}"
        )
    return _Task(request, text, tokens)


def batches(tasks: Sequence[_Task], size: int) -> Iterator[list[_Task]]:
    """Yield batches of at most `size` with one `max_tokens`, of prompts of similar length."""
    ordered = sorted(tasks, key=lambda task: (task.request.max_tokens, len(task.tokens)))
    batch: list[_Task] = []
    for task in ordered:
        other_limit = batch and batch[0].request.max_tokens != task.request.max_tokens
        if batch and (other_limit or len(batch) == size):
            yield batch
            batch = []
        batch.append(task)
    if batch:
        yield batch


def _pad_token(loaded: _Loaded) -> int:
    pad = loaded.tokenizer.pad_token_id
    return int(pad) if pad is not None else min(loaded.ends, default=0)


def _explain(error: BaseException, name: str, options: BackendOptions) -> BackendError:
    from forensics.subjects.backends.decoding import NaNLogitsError

    if isinstance(error, NaNLogitsError):
        return BackendError(
            f"{name} gives NaN instead of probabilities in {options.dtype}; its weights are "
            "damaged, or it needs another --dtype"
        )
    text = str(error).lower()
    if isinstance(error, MemoryError) or "memory" in text:
        return BackendError(
            f"{name}: out of memory with batches of {options.batch_size}; answers so far are kept, "
            "use a smaller --batch-size"
        )
    return BackendError(f"{name} failed while answering: {why(error)}")


def _respond(loaded: _Loaded, task: _Task, tokens: list[int], started: str, done: str) -> Response:
    stopped = bool(tokens) and tokens[-1] in loaded.ends
    answer = _split(loaded, tokens, opening_at_end(task.text))
    return Response(
        prompt=task.request.prompt,
        text=answer.text,
        sample=task.request.sample,
        status="ok" if stopped else "truncated",
        reasoning=answer.reasoning,
        finish_reason="stop" if stopped else "length",
        input_tokens=len(task.tokens),
        output_tokens=len(tokens),
        requested_at=started,
        completed_at=done,
        model=loaded.name,
        key=task.request.key,
    )


def _split(loaded: _Loaded, tokens: list[int], opened: str) -> Split:
    """Return the answer, thinking apart.

    Many models mark their thinking with special tokens, which must be there for it to be seen and
    are dropped everywhere else. `opened` is how the chat template opened the thinking itself.
    """
    shown = [
        token
        for token in tokens
        if token not in loaded.special
        or (token not in loaded.ends and is_delimiter(loaded.special[token]))
    ]
    if any(token in loaded.special for token in shown):
        marked = loaded.tokenizer.decode(
            shown, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        parts = split(opened + marked)
        if parts.reasoning is not None or parts.cut_off:
            return parts
    text = loaded.tokenizer.decode(
        tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return split(opened + text)


def _failed(loaded: _Loaded, request: Request, message: str) -> Response:
    return Response(
        prompt=request.prompt,
        text="",
        sample=request.sample,
        status="error",
        error=message,
        model=loaded.name,
        key=request.key,
    )
