"""Answers to read, prompt by prompt: of one model, or of two with the wording they share marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from markupsafe import Markup

from forensics.case.document import Case
from forensics.report.html.markup import shown
from forensics.support.sanitise import Span, segments
from forensics.transcripts.transcript import Response, Transcript
from forensics.transcripts.words import shared_runs

PROMPTS_A_PART = 400
_MOST_CHARS = 100_000  # of an answer that is shown
_MOST_MARKED = 20_000  # of an answer that is searched for shared wording


class _Given(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def sample(self) -> int: ...
    @property
    def reasoning(self) -> str | None: ...


@dataclass(frozen=True)
class ReadAnswer:
    """One answer: its text with shared wording in `<mark>`; `notes` say what else is known."""

    letter: str
    text: Markup
    reasoning: Markup | None
    notes: tuple[str, ...]
    cut: str = ""


@dataclass(frozen=True)
class ReadPrompt:
    """A prompt with its answers, sample by sample: of A and B, or of one model only.

    `shared` counts the words of the longest run that both answers share and the prompt lacks.
    """

    prompt_id: str
    prompt: str
    category: str
    language: str
    rows: tuple[tuple[ReadAnswer, ...], ...]
    shared: int = 0


@dataclass(frozen=True)
class ReaderPart:
    """Prompts to read, `part` of `parts`."""

    prompts: tuple[ReadPrompt, ...]
    total: int
    part: int
    parts: int

    @property
    def first(self) -> int:
        """The number of the first prompt, counted from 1."""
        return self.part * PROMPTS_A_PART + 1


@dataclass(frozen=True)
class _Asked:
    prompt_id: str
    prompt: str
    category: str
    language: str
    a: Sequence[_Given]
    b: Sequence[_Given] | None


def of_case(case: Case, part: int) -> ReaderPart:
    """Return the answers that a case holds."""
    asked = [_Asked(p.prompt_id, p.prompt, p.category, p.language, p.a, p.b) for p in case.prompts]
    return _part(asked, part)


def of_transcript(transcript: Transcript, part: int) -> ReaderPart:
    """Return the answers of one model."""
    return _part([_asked(answers) for answers in _by_prompt(transcript).values()], part)


def of_transcripts(a: Transcript, b: Transcript, part: int) -> ReaderPart:
    """Return the answers of two models to the prompts that both were asked."""
    left, right = _by_prompt(a), _by_prompt(b)
    return _part([_asked(left[name], right[name]) for name in left if name in right], part)


def _by_prompt(transcript: Transcript) -> dict[str, list[Response]]:
    answers: dict[str, list[Response]] = {}
    for response in transcript.responses:
        answers.setdefault(response.prompt.sha256, []).append(response)
    return answers


def _asked(a: Sequence[Response], b: Sequence[Response] | None = None) -> _Asked:
    prompt = a[0].prompt
    return _Asked(prompt.id, prompt.text, prompt.category, prompt.language, a, b)


def _part(asked: Sequence[_Asked], part: int) -> ReaderPart:
    parts = max(-(-len(asked) // PROMPTS_A_PART), 1)
    chosen = asked[part * PROMPTS_A_PART : (part + 1) * PROMPTS_A_PART]
    return ReaderPart(tuple(map(_read, chosen)), len(asked), part, parts)


def _read(asked: _Asked) -> ReadPrompt:
    rows, shared = [], 0
    for a, b in zip_longest(asked.a, asked.b or ()):
        row, longest = _row(a, b, asked.prompt)
        rows.append(row)
        shared = max(shared, longest)
    return ReadPrompt(
        asked.prompt_id, asked.prompt, asked.category, asked.language, tuple(rows), shared
    )


def _row(a: _Given | None, b: _Given | None, prompt: str) -> tuple[tuple[ReadAnswer, ...], int]:
    runs = (
        shared_runs(a.text[:_MOST_MARKED], b.text[:_MOST_MARKED], prompt[:_MOST_MARKED])
        if a and b
        else []
    )
    sides = (("a", a, [run.a for run in runs]), ("b", b, [run.b for run in runs]))
    row = tuple(_answer(letter, given, spans) for letter, given, spans in sides if given)
    return row, max((run.novel_words for run in runs), default=0)


def _answer(letter: str, given: _Given, spans: Sequence[Span]) -> ReadAnswer:
    cut = ""
    if len(given.text) > _MOST_CHARS:
        cut = f"Cut here: {_MOST_CHARS:,} of {len(given.text):,} characters are shown."
    return ReadAnswer(
        letter,
        _marked(given.text[:_MOST_CHARS], spans),
        shown(given.reasoning[:_MOST_CHARS]) if given.reasoning else None,
        tuple(_notes(given)),
        cut,
    )


def _marked(text: str, spans: Sequence[Span]) -> Markup:
    if not text.strip():
        return Markup("<i>blank</i>")
    mark = Markup("<mark>{}</mark>")
    return Markup().join(
        mark.format(shown(piece)) if shared else shown(piece)
        for piece, shared in segments(text, spans)
    )


def _notes(given: _Given) -> Iterator[str]:
    if given.sample:
        yield f"sample {given.sample}"
    if given.status != "ok":
        yield given.status
    error = getattr(given, "error", None)
    if error:
        yield str(error)
