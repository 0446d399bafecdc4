"""What an importer is, and how the answers it found become responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt, prompt_sha256
from forensics.transcripts.completions import Completion, Output, Usage
from forensics.transcripts.importers.problems import NOTHING_SKIPPED, Problems, Skipped
from forensics.transcripts.messages import Content, apart
from forensics.transcripts.transcript import Response

UNKNOWN = "uncategorised"
# What tools write where no model is named.
_PLACEHOLDERS = frozenset(
    {"", "-", "?", "none", "none/none", "null", "nan", "n/a", "na", "undefined", "(none)"}
    | {"unknown", "unknown/unknown", "no model", "placeholder", "unnamed"}
)
_FAILED = {
    False: "requests failed; kept as errors",
    True: "requests were refused by the vendor's filter; kept as filtered",
}
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Imported:
    """One model's answers, and what must be known about how they were read.

    `skipped` says what of the whole file could not be read; it is the same for every model of it.
    """

    model: str
    responses: tuple[Response, ...]
    notes: tuple[str, ...] = ()
    skipped: Skipped = NOTHING_SKIPPED


class Importer(Protocol):
    """Reads one format of another tool.

    One that also has `example`, the path of such a file, is listed with it.
    """

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

        A record that cannot be read costs itself only, see `Imported.skipped`.

        Raises:
            InputFileError: the file, or each of its records, cannot be read.
        """
        ...


class PromptsImporter(Importer, Protocol):
    """An importer whose format leaves the prompts in a second file."""

    def with_prompts(self, prompts: Path) -> Importer:
        """Return this importer, reading the prompts from `prompts`."""
        ...


class BesideImporter(Importer, Protocol):
    """An importer that also looks into files beside the one it is given."""

    def beside(self, path: Path) -> list[Path]:
        """Return those files: where they change, what is read of `path` may change."""
        ...


@dataclass(frozen=True)
class ImportedAnswer:
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
    answers: Iterable[ImportedAnswer],
    notes: Mapping[str, Sequence[str]] | None = None,
    problems: Problems | None = None,
) -> Iterator[Imported]:
    """Group answers by model, in order of appearance.

    Args:
        answers: all answers of a file.
        notes: model → what must be known of its answers.
        problems: what of the file could not be read.

    Raises:
        InputFileError: there are no answers, as no record could be read.
    """
    groups: dict[str, list[ImportedAnswer]] = {}
    for answer in answers:
        groups.setdefault(answer.model, []).append(answer)
    if problems is not None and not groups:
        problems.refuse()
    # Each group is let go once it is yielded, so that a large file is not held twice.
    for model in list(groups):
        skipped = problems.found() if problems is not None else NOTHING_SKIPPED
        yield assemble(model, groups.pop(model), (notes or {}).get(model, ()), skipped)


def each_record(
    records: Iterable[tuple[str, T]],
    read: Callable[[str, T], Iterable[U]],
    problems: Problems,
) -> Iterator[U]:
    """Yield what `read` makes of every `(place, record)`; one that it refuses is left out."""
    for where, record in records:
        try:
            answers = list(read(where, record))
        except InputFileError as error:
            problems.skip(error)
            continue
        yield from answers


def assemble(
    model: str,
    answers: Sequence[ImportedAnswer],
    notes: Sequence[str] = (),
    skipped: Skipped = NOTHING_SKIPPED,
) -> Imported:
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
    return Imported(model, responses, tuple(notes), skipped)


def _number(answers: Sequence[ImportedAnswer]) -> tuple[list[int], int]:
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


def _response(answer: ImportedAnswer, sample: int) -> Response:
    content = apart(Content(answer.text, answer.reasoning))
    details = dict(answer.details)
    if content.cut_off and details.get("finish_reason") is None and "error" not in details:
        details["status"] = "truncated"
    return Response(
        prompt=answer.prompt,
        text=content.text,
        sample=sample,
        reasoning=content.reasoning,
        **details,
    )


def completion_answers(
    model: str, prompt: Prompt, completion: Completion, tally: Tally, request_id: str | None = None
) -> Iterator[ImportedAnswer]:
    """Yield the answers of one call to an API; a call that failed is an answer without text."""
    if completion.failure is not None:
        filtered = completion.failure.status == "filtered"
        tally.add(model, _FAILED[filtered])
        details: dict[str, Any] = {
            "status": completion.failure.status,
            "error": completion.failure.message,
            "request_id": request_id,
            "finish_reason": "content_filter" if filtered else None,
        }
        yield ImportedAnswer(model, prompt, "", details=details)
    counted = completion.usage if len(completion.outputs) == 1 else Usage()
    for output in completion.outputs:
        tally.add_output(model, output)
        details = {
            "finish_reason": output.ending.reason,
            "status": output.status,
            "request_id": request_id,
            "model": completion.model,
            "system_fingerprint": completion.system_fingerprint,
            "input_tokens": counted.input_tokens,
            "output_tokens": counted.output_tokens,
        }
        content = output.content
        yield ImportedAnswer(model, prompt, content.text, None, content.reasoning, details)


def model_name(*places: object) -> str | None:
    """Return the first of `places` that names a model; placeholders are no names."""
    names = (place for place in places if isinstance(place, str))
    return next((name for name in names if name.strip().lower() not in _PLACEHOLDERS), None)


@dataclass(frozen=True)
class Tally:
    """Counts what happened to each model's answers, for notes such as `3 answers hold images`."""

    _counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, model: str, *what: str) -> None:
        """Count one more of each `what` for `model`."""
        self._counts.setdefault(model, Counter()).update(what)

    def add_output(self, model: str, output: Output) -> None:
        """Count what must be known of an answer: left-out blocks, an unknown finish reason."""
        self.add(model, *output.content.notes)
        if output.ending.note is not None:
            self.add(model, output.ending.note)

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
