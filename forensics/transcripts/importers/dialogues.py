"""Conversations of which every turn of the model is an answer, as data sets of chats hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from forensics.suites.suite import Message
from forensics.transcripts.importers.conversation import Turn
from forensics.transcripts.importers.importer import (
    UNKNOWN,
    ImportedAnswer,
    PromptTable,
    Tally,
    model_name,
)

_SEVERAL = "conversations have several answers; each is kept, with the turns before as its prompt"
_NONE = "the conversation has no turn of the model"


@dataclass
class DialogueReader:
    """Makes answers of conversations; `stem` is the model of those that name none."""

    stem: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answers(
        self,
        turns: Sequence[Turn],
        named: object,
        identifier: object = None,
        before: tuple[Message, ...] = (),
        category: object = None,
    ) -> Iterator[ImportedAnswer]:
        """Yield every answer in a conversation, the turns before it as its prompt.

        Args:
            turns: the conversation.
            named: the model that the record names, if it does.
            identifier: the conversation's id, if it has one.
            before: what was sent ahead of the turns, such as a system prompt.
            category: the prompt's category, if there is one.
        """
        model = model_name(named, *(turn.model for turn in turns if turn.role == "assistant"))
        if model is None:
            model = self.stem
            self.tally.add(model, f"conversations name no model; taken as {model!r}")
        kind = category if isinstance(category, str) and category else UNKNOWN
        name = str(identifier)[:200] if isinstance(identifier, str | int) and identifier else None
        places = _answering(turns)
        if not places:
            sent = (*before, *(turn.message for turn in turns))
            self.tally.add(model, "conversations have no answer; kept as errors")
            details = {"status": "error", "error": _NONE}
            yield ImportedAnswer(model, self.prompts.get(sent, name, kind), "", details=details)
            return
        if len(places) > 1:
            self.tally.add(model, _SEVERAL)
        for number, place in enumerate(places, start=1):
            sent = (*before, *(turn.message for turn in turns[:place]))
            label = f"{name}-{number}" if name and len(places) > 1 else name
            content = turns[place].content
            self.tally.add(model, *content.notes)
            prompt = self.prompts.get(sent, label, kind)
            yield ImportedAnswer(model, prompt, content.text, reasoning=content.reasoning)


def _answering(turns: Sequence[Turn]) -> list[int]:
    """Return the places of the model's turns that answer something and hold text."""
    return [
        index
        for index, turn in enumerate(turns)
        if index and turn.role == "assistant" and (turn.content.text or not turn.content.other)
    ]
