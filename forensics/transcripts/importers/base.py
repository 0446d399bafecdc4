"""What an importer is, and how the answers it found become responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from forensics.suites.suite import Message, Prompt, prompt_sha256
from forensics.transcripts.reasoning import split_reasoning
from forensics.transcripts.transcript import Response, Status

UNKNOWN = "uncategorised"


@dataclass(frozen=True)
class Imported:
    """One model's answers, and what must be known about how they were read."""

    model: str
    responses: tuple[Response, ...]
    notes: tuple[str, ...] = ()


class Importer(Protocol):
    """Reads one format of another tool."""

    @property
    def name(self) -> str:
        """The value of `--format`."""
        ...

    @property
    def description(self) -> str:
        """One line for a list of formats."""
        ...

    def detect(self, path: Path) -> bool:
        """Tell whether the file is in this format; reads its head only and never raises."""
        ...

    def read(self, path: Path) -> Iterator[Imported]:
        """Yield every model of the file, each once.

        Raises:
            InputFileError: what cannot be read, naming the row, line or member.
        """
        ...


class PromptsImporter(Importer, Protocol):
    """An importer whose format leaves the prompts in a second file."""

    def with_prompts(self, prompts: Path) -> Importer:
        """Return this importer, reading the prompts from `prompts`."""
        ...


@dataclass(frozen=True)
class Answer:
    """One answer as a file states it.

    `sample` is None where the file numbers no samples. `reasoning` is None where the file has no
    separate channel; it is then looked for in the text. `details` are further `Response` fields.
    """

    model: str
    prompt: Prompt
    text: str
    sample: int | None = None
    reasoning: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def by_model(
    answers: Iterable[Answer], notes: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Imported]:
    """Group answers by model, in order of appearance; `notes` maps models to theirs."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(answer.model, []).append(answer)
    # Each group is let go once it is yielded, so that a large file is not held twice.
    for model in list(groups):
        yield assemble(model, groups.pop(model), (notes or {}).get(model, ()))


def assemble(model: str, answers: Sequence[Answer], notes: Sequence[str] = ()) -> Imported:
    """Return one model's answers with every (prompt, sample) taken once and reasoning split off.

    An answer whose sample number is taken or not given gets the next free one of its prompt.
    """
    samples, repeated = _number(answers)
    responses = tuple(
        _response(answer, sample) for answer, sample in zip(answers, samples, strict=True)
    )
    if repeated:
        notes = (
            *notes,
            f"{repeated} answers repeat a prompt and sample of the same model; "
            "all are kept, later ones as further samples",
        )
    return Imported(model, responses, tuple(notes))


def _number(answers: Sequence[Answer]) -> tuple[list[int], int]:
    """Return a sample number for each answer, and how many repeated an earlier one's."""
    taken: set[tuple[str, int]] = set()
    chosen: list[int | None] = []
    for answer in answers:
        slot = (answer.prompt.sha256, answer.sample or 0)
        free = answer.sample is not None and slot not in taken
        chosen.append(answer.sample if free else None)
        if free:
            taken.add(slot)
    repeated, following = 0, dict[str, int]()
    for index, answer in enumerate(answers):
        if chosen[index] is not None:
            continue
        sha, sample = answer.prompt.sha256, following.get(answer.prompt.sha256, 0)
        while (sha, sample) in taken:
            sample += 1
        taken.add((sha, sample))
        following[sha], chosen[index] = sample + 1, sample
        repeated += answer.sample is not None
    return [sample or 0 for sample in chosen], repeated


def _response(answer: Answer, sample: int) -> Response:
    text, reasoning = answer.text, answer.reasoning
    if not reasoning:
        text, reasoning = split_reasoning(text)
    return Response(
        prompt=answer.prompt, text=text, sample=sample, reasoning=reasoning, **answer.details
    )


@dataclass(frozen=True)
class Tally:
    """Counts what happened to each model's answers, for notes such as `3 answers hold images`."""

    _counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, model: str, what: str) -> None:
        """Count one more `what` for `model`."""
        self._counts.setdefault(model, Counter())[what] += 1

    def notes(self) -> dict[str, tuple[str, ...]]:
        """Return model → its notes."""
        return {
            model: tuple(f"{count} {what}" for what, count in counts.items())
            for model, counts in self._counts.items()
        }


@dataclass(frozen=True)
class PromptTable:
    """Makes prompts, each once per file: models answer the same ones, and hashing costs."""

    _known: dict[tuple[object, ...], Prompt] = field(default_factory=dict)

    def get(
        self,
        messages: str | tuple[Message, ...],
        prompt_id: str | None = None,
        category: str = UNKNOWN,
        language: str = "und",
    ) -> Prompt:
        """Return the prompt of `messages`; a text is one user message.

        Without an id, the first 12 hex digits of its hash serve as one.
        """
        key = (messages, prompt_id, category, language)
        if key not in self._known:
            sent = (Message("user", messages),) if isinstance(messages, str) else messages
            name = prompt_id or prompt_sha256(sent)[:12]
            self._known[key] = Prompt(name, sent, category, language)
        return self._known[key]


def status_of(finish_reason: str | None) -> Status:
    """Return the status that a vendor's finish or stop reason stands for."""
    if finish_reason in ("length", "max_tokens", "model_length", "max_output_tokens"):
        return "truncated"
    # Anthropic's stop reason `refusal` is its filter cutting in; a refusal in words is `end_turn`.
    return "filtered" if finish_reason in ("content_filter", "refusal") else "ok"
