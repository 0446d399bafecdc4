"""One call of a model's API: what was sent and what came back, as answers."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import InputFileError
from forensics.suites.suite import Prompt, text_sha256
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Completion, Failure, read_completion
from forensics.transcripts.importers.head import is_record
from forensics.transcripts.importers.importer import (
    UNKNOWN,
    ImportedAnswer,
    PromptTable,
    Tally,
    completion_answers,
    model_name,
)
from forensics.transcripts.importers.requests import Messages
from forensics.transcripts.messages import MessageError

PARSED = "answers are kept parsed, as JSON objects; they are written back as JSON text"


@dataclass(frozen=True)
class Call:
    """What a file says of one call.

    `returned` is what came back, of whichever API; `failure` says why nothing did. Without
    `messages` the prompt is known by `identifier` only. `asked_model` is what was asked for;
    `cached` says that the answer may be an earlier one, given again.
    """

    where: str
    identifier: str | None
    messages: Messages | None
    returned: object = None
    failure: Failure | None = None
    asked_model: str | None = None
    request_id: str | None = None
    cached: bool = False


@dataclass(frozen=True)
class CallReader:
    """Makes answers of calls.

    `space` names what identifies prompts that have no text, such as `gemini-batch:key`; `fallback`
    is the model where neither side names one. The model that answered names the answers, with
    `prefer_asked` the one that was asked for.
    """

    space: str
    fallback: str
    prefer_asked: bool = False
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)
    _given: set[tuple[str, ...]] = field(default_factory=set)

    def answers(self, call: Call) -> list[ImportedAnswer]:
        """Return the answers of a call, several choices as samples; a failed one as an error.

        Raises:
            InputFileError: what came back holds no answer, or there is no prompt and no id.
        """
        completion = _completion(call)
        model = self._model(call, completion)
        prompt = self._prompt(call, model)
        given = (model, prompt.sha256, *(output.content.text for output in completion.outputs))
        if call.cached and given in self._given:
            self.tally.add(model, "answers came from a cache, given before; they are one sample")
            return []
        self._given.add(given)
        return list(completion_answers(model, prompt, completion, self.tally, call.request_id))

    def _model(self, call: Call, completion: Completion) -> str:
        places = (completion.model, call.asked_model)
        name = model_name(*(reversed(places) if self.prefer_asked else places))
        if name is None and completion.failure is None:
            self.tally.add(self.fallback, f"answers name no model; taken as {self.fallback!r}")
        return name or self.fallback

    def _prompt(self, call: Call, model: str) -> Prompt:
        if call.messages is not None:
            return self.prompts.get(call.messages, call.identifier)
        if call.identifier is None:
            raise InputFileError(f"{call.where}: neither a prompt nor an id of one")
        self.tally.add(
            model,
            f"answers have no known prompt; matched by {self.space.partition(':')[2]} only, which "
            "says nothing unless all files come from the same requests",
        )
        return unseen_prompt(self.space, call.identifier)


def json_text(value: object) -> str:
    """Return as text an answer that a tool holds parsed as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _completion(call: Call) -> Completion:
    if call.failure is not None:
        return Completion(failure=call.failure)
    try:
        completion = read_completion(call.returned)
    except MessageError as error:
        raise InputFileError(f"{call.where}: {error}") from error
    if not completion.outputs and completion.failure is None:
        raise InputFileError(f"{call.where}: the response holds no answer")
    return completion


def unseen_prompt(space: str, identifier: str, category: str = UNKNOWN) -> Prompt:
    """Return a prompt of which only an id is known.

    There is no text to hash: the name space keeps such hashes apart from all real ones.
    """
    return Prompt(identifier, (), category, known_as=text_sha256(f"{space}:{identifier}"))


def only_model(calls: Collection[Call], path: Path) -> str:
    """Return the model of calls that echo none: the only one of the file, else the file's name."""
    named = (
        model_name(call.returned.get("model"), call.returned.get("modelVersion"))
        for call in calls
        if is_record(call.returned)
    )
    names = {name for name in named if name}
    return names.pop() if len(names) == 1 else plain_path(path).stem
