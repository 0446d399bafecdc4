"""Conversations: turns with roles, and which of them is the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Role
from forensics.transcripts.blocks import Block, block_of, is_blank, marks, media_beside
from forensics.transcripts.messages import Content, MessageError, read_content, read_message

__all__ = [
    "Content",
    "Exchange",
    "Turn",
    "exchange",
    "parse_content",
    "parse_turn",
    "parse_turns",
    "with_extras",
]

# In lower case.
ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "platform": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "ai": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    # What a tool returns reaches the model from the outside, as a user's words do.
    "tool": "user",
    "tools": "user",
    "function": "user",
    "ipython": "user",
    "environment": "user",
    "observation": "user",
    "tool_response": "user",
    "tool_result": "user",
    "tool_results": "user",
    "tool_output": "user",
    "function_response": "user",
    "function_result": "user",
    "toolresult": "user",
    "context": "user",
    "documents": "user",
}


# What a request offers beside its messages, and what it is called in a prompt.
_OFFERED = {"tools": "tools", "functions": "tools", "documents": "documents"}


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: Content
    model: str | None = None

    @property
    def message(self) -> Message:
        """The turn as part of a prompt: what is not text stands as `[kind sha256:…]`."""
        return Message(self.role, self.content.as_prompt)


@dataclass(frozen=True)
class Exchange:
    """A prompt and the turn that answers it; `left_out` counts the turns after it."""

    prompt: tuple[Message, ...]
    answer: Turn | None
    left_out: int = 0


def exchange(turns: Sequence[Turn]) -> Exchange:
    """Return the last assistant turn as the answer, and everything before it as its prompt."""
    for index in range(len(turns) - 1, -1, -1):
        if turns[index].role == "assistant":
            prompt = tuple(turn.message for turn in turns[:index])
            return Exchange(prompt, turns[index], len(turns) - 1 - index)
    return Exchange(tuple(turn.message for turn in turns), None)


def with_extras(messages: tuple[Message, ...], record: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return a prompt that differs by what was sent beside its messages; else as it is.

    Args:
        messages: what was sent.
        record: the request or record; its tools, documents and media are looked at.
    """
    offered = ((kind, record.get(name)) for name, kind in _OFFERED.items())
    blocks = [block_of(kind, value) for kind, value in offered if _some(value)]
    return _marked(messages, [*blocks, *media_beside(record)])


def _marked(messages: tuple[Message, ...], blocks: Sequence[Block]) -> tuple[Message, ...]:
    return (Message("system", marks(blocks)), *messages) if blocks else messages


def _some(value: Any) -> bool:
    return not is_blank(value) and bool(value)


def parse_turns(value: Any, where: str) -> list[Turn]:
    """Read a list of messages.

    Raises:
        InputFileError: not a list of messages, or an unknown role.
    """
    if not isinstance(value, list):
        raise InputFileError(f"{where}: messages is {type(value).__name__}, not a list")
    return [parse_turn(item, f"{where}, message {n}") for n, item in enumerate(value, start=1)]


def parse_turn(value: Any, where: str) -> Turn:
    """Read one `{role, content}` message, or an item of OpenAI's responses.

    Raises:
        InputFileError: no message, nothing said, or an unknown role.
    """
    if not isinstance(value, dict):
        raise InputFileError(f"{where}: {type(value).__name__}, not a message object")
    if "role" not in value and isinstance(value.get("type"), str):
        return _item(value, where)
    role = ROLES.get(str(value.get("role")).lower())
    if role is None:
        raise InputFileError(f"{where}: role {str(value.get('role'))[:40]!r} is not known")
    try:
        content = read_message(value, "" if role == "assistant" else "\n")
    except MessageError as error:
        raise InputFileError(f"{where}: {error}") from error
    model = value.get("model")
    return Turn(role, content, model if isinstance(model, str) else None)


def _item(value: Mapping[str, Any], where: str) -> Turn:
    """Read an item of a response's input that is no message: a call, its output, thinking."""
    kind = str(value["type"])
    if "output" in value and kind.endswith(("_output", "_result")):
        return Turn("user", parse_content(value["output"], where, "\n"))
    return Turn("assistant", parse_content([value], where))


def parse_content(value: Any, where: str, separator: str = "") -> Content:
    """Read a message's content: text, nothing, or a list of parts.

    Raises:
        InputFileError: it is something else.
    """
    try:
        return read_content(value, separator)
    except MessageError as error:
        raise InputFileError(f"{where}: {error}") from error
