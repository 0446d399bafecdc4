"""Conversations as OpenAI, Anthropic and Inspect write them: turns with text or content blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Role

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    # What a tool returns reaches the model from the outside, as a user's words do.
    "tool": "user",
    "function": "user",
}
_TEXT = ("text", "input_text", "output_text", "refusal")
_THINKING = ("thinking", "reasoning")


@dataclass(frozen=True)
class Content:
    """A message's text, its reasoning, and the kinds of blocks that are neither."""

    text: str
    reasoning: str | None = None
    other: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: Content
    model: str | None = None

    @property
    def message(self) -> Message:
        """The turn as part of a prompt: what is not text stands as `[kind]`."""
        return Message(self.role, self.content.text + "".join(f"[{k}]" for k in self.content.other))


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


def parse_turns(value: Any, where: str) -> list[Turn]:
    """Read a list of messages.

    Raises:
        InputFileError: not a list of messages, or an unknown role.
    """
    if not isinstance(value, list):
        raise InputFileError(f"{where}: messages is {type(value).__name__}, not a list")
    return [parse_turn(item, f"{where}, message {n}") for n, item in enumerate(value, start=1)]


def parse_turn(value: Any, where: str) -> Turn:
    """Read one `{role, content}` message."""
    if not isinstance(value, dict):
        raise InputFileError(f"{where}: {type(value).__name__}, not a message object")
    role = _ROLES.get(str(value.get("role")))
    if role is None:
        raise InputFileError(f"{where}: role {str(value.get('role'))[:40]!r} is not known")
    content = parse_content(value.get("content"), where, "" if role == "assistant" else "\n")
    text = content.text or _string(value.get("refusal")) or ""
    reasoning = content.reasoning or _string(value.get("reasoning_content"))
    reasoning = reasoning or _string(value.get("reasoning"))
    calls = ("tool_calls",) if value.get("tool_calls") or value.get("function_call") else ()
    return Turn(
        role,
        Content(text, reasoning, content.other + calls),
        _string(value.get("model")),
    )


def parse_content(value: Any, where: str, separator: str = "") -> Content:
    """Read a message's content: text, nothing, or a list of blocks."""
    if value is None or isinstance(value, str):
        return Content(value or "")
    if not isinstance(value, list):
        raise InputFileError(f"{where}: content is {type(value).__name__}, not text or blocks")
    texts: list[str] = []
    thoughts: list[str] = []
    other: list[str] = []
    for block in value:
        if isinstance(block, str):
            texts.append(block)
            continue
        if not isinstance(block, dict):
            raise InputFileError(f"{where}: a content block is {type(block).__name__}")
        _sort_block(block, texts, thoughts, other)
    return Content(separator.join(texts), "\n".join(thoughts) or None, tuple(other))


def _sort_block(
    block: Mapping[str, Any], texts: list[str], thoughts: list[str], other: list[str]
) -> None:
    kind = str(block.get("type", "text"))[:40]
    text = next((t for t in map(_string, map(block.get, _TEXT)) if t is not None), None)
    if kind in _TEXT and text is not None:
        texts.append(text)
        return
    thought = next((t for t in map(_string, map(block.get, (*_THINKING, "text"))) if t), None)
    thought = thought or _summary(block.get("summary"))
    if kind in _THINKING and thought:
        thoughts.append(thought)
        return
    other.append(kind)


def _summary(value: Any) -> str | None:
    """Return the text of a reasoning summary: a string, or a list of `{text}`."""
    if not isinstance(value, list):
        return _string(value)
    texts = [_string(item.get("text")) for item in value if isinstance(item, dict)]
    return "\n".join(text for text in texts if text) or None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
