"""FastChat's model answers: MT-bench, Vicuna bench and Arena-Hard 0.1, one file a model.

https://github.com/lm-sys/FastChat/tree/main/fastchat/llm_judge: `{question_id, model_id, choices:
[{index, turns: [text]}]}`; Arena-Hard 0.1 writes a turn as `{content}`, and the first Vicuna bench
had one `text` a question. The questions are in a file of their own, `question.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt
from forensics.support.compressed import plain_path
from forensics.transcripts.importers.calls import unseen_prompt
from forensics.transcripts.importers.conversation import parse_content
from forensics.transcripts.importers.head import Record, first_record, is_record, objects
from forensics.transcripts.importers.importer import (
    UNKNOWN,
    Imported,
    ImportedAnswer,
    PromptTable,
    Tally,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.messages import Content

# What FastChat and Arena-Hard write where the model's API failed.
API_ERROR = "$ERROR$"
_FOLDER = "model_answer"
_QUESTIONS = ("question.jsonl", "question.jsonl.gz")


@dataclass(frozen=True)
class Question:
    """What was asked, turn by turn."""

    turns: tuple[str, ...]
    category: str = UNKNOWN


@dataclass(frozen=True)
class FastChat:
    """Reads model answers; `prompts` is `question.jsonl`, else it is looked for beside."""

    prompts: Path | None = None
    name: str = "fastchat"
    description: str = "MT-bench and Arena-Hard 0.1 answers; prompts from question.jsonl"
    example: str = "mt_bench/model_answer/vicuna-13b-v1.5.jsonl"

    def with_prompts(self, prompts: Path) -> FastChat:
        """See `PromptsImporter`."""
        return replace(self, prompts=prompts)

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        if "question_id" not in record:
            return False
        turns = any("turns" in choice for choice in objects(record.get("choices")))
        return turns or {"text", "answer_id", "model_id"} <= record.keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`.

        Every turn is an answer, whose prompt is the questions so far with the model's own answers
        between them; several choices are samples. Without the questions, prompts are known by
        question and turn only.
        """
        problems = Problems()
        records = list(json_records(path, problems))
        ids = {str(record.get("question_id")) for _, record in records}
        questions = self._questions(path, ids, problems)
        reader = _FastChatReader(plain_path(path).stem, questions)
        answers = list(each_record(records, reader.read, problems))
        yield from by_model(answers, reader.tally.notes(), problems)

    def _questions(self, path: Path, ids: set[str], problems: Problems) -> Mapping[str, Question]:
        if self.prompts is not None:
            questions = read_questions(self.prompts, problems)
            missing = sorted(ids - questions.keys())
            if missing:
                raise InputFileError(
                    f"{self.prompts}: {len(missing)} of {len(ids)} questions are not in it "
                    f"(first: {missing[0][:60]!r}); is it the question file of these answers?"
                )
            return questions
        folder = path.absolute().parent
        places = [folder, folder.parent] if folder.name == _FOLDER else [folder]
        beside = (place / name for place in places for name in _QUESTIONS)
        return next((read_questions(file, problems) for file in beside if file.is_file()), {})


def read_questions(path: Path, problems: Problems) -> Mapping[str, Question]:
    """Return id → question of a question file; of Arena-Hard 2 too.

    Raises:
        InputFileError: the file cannot be read.
    """
    return dict(each_record(json_records(path, problems), _question, problems))


def _question(where: str, record: Record) -> Iterator[tuple[str, Question]]:
    identifier = record.get("question_id", record.get("uid"))
    turns = record.get("turns", record.get("text", record.get("prompt")))
    if not isinstance(identifier, str | int) or isinstance(identifier, bool):
        raise InputFileError(f"{where}: no question_id; this is not a question file")
    listed = turns if isinstance(turns, list) else [turns]
    texts = [_turn(turn, where).text for turn in listed]
    if not any(text.strip() for text in texts):
        raise InputFileError(f"{where}: a question without text")
    category = record.get("category")
    named = category if isinstance(category, str) and category else UNKNOWN
    yield str(identifier), Question(tuple(texts), named)


def _turn(value: object, where: str) -> Content:
    """Read a turn: a text, or Arena-Hard's `{content, token_len}`."""
    return parse_content(value.get("content") if is_record(value) else value, where)


@dataclass
class _FastChatReader:
    stem: str
    questions: Mapping[str, Question]
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def read(self, where: str, record: Record) -> Iterator[ImportedAnswer]:
        identifier = record.get("question_id")
        if not isinstance(identifier, str | int) or isinstance(identifier, bool):
            raise InputFileError(f"{where}: no question_id; this is not a FastChat answer")
        model = model_name(record.get("model_id"), record.get("model"))
        if model is None:
            model = self.stem
            self.tally.add(model, f"answers name no model; taken as {model!r}")
        for number, turns in _choices(record, where):
            yield from self._answers(where, model, str(identifier), number, turns)

    def _answers(
        self, where: str, model: str, identifier: str, number: int | None, turns: list[object]
    ) -> Iterator[ImportedAnswer]:
        question = self.questions.get(identifier)
        sent: tuple[Message, ...] = ()
        for index, turn in enumerate(turns):
            content = _turn(turn, where)
            if question is not None and index < len(question.turns):
                sent = (*sent, Message("user", question.turns[index]))
                prompt = self.prompts.get(sent, f"{identifier}-{index + 1}", question.category)
            else:
                question, prompt = None, self._unseen(model, identifier, index)
            self.tally.add(model, *content.notes)
            failed = content.text == API_ERROR
            text = "" if failed else content.text
            yield ImportedAnswer(model, prompt, text, number, content.reasoning, _details(failed))
            sent = (*sent, Message("assistant", content.text))

    def _unseen(self, model: str, identifier: str, index: int) -> Prompt:
        self.tally.add(
            model,
            "answers have no known prompt; matched by question and turn only, which says nothing "
            "unless all files answer the same question file (give it with --prompts)",
        )
        name = f"{identifier}-{index + 1}"
        return unseen_prompt("fastchat:question_id-turn", name)


def _details(failed: bool) -> dict[str, Any]:
    error = f"the model's API failed ({API_ERROR})"
    return {"status": "error", "error": error} if failed else {}


def _choices(record: Record, where: str) -> Iterator[tuple[int | None, list[object]]]:
    """Yield the number and the turns of each choice."""
    choices = record.get("choices")
    if choices is None and "text" in record:
        yield 0, [record["text"]]
        return
    if not isinstance(choices, list) or not choices:
        raise InputFileError(f"{where}: no choices; every question needs its answer")
    for choice in choices:
        turns = choice.get("turns") if is_record(choice) else None
        if not isinstance(turns, list) or not turns:
            raise InputFileError(f"{where}: a choice has no turns")
        number = choice.get("index")
        usable = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 10**9
        yield number if usable else None, turns
