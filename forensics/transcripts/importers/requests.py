"""What a model was sent, as a request of whichever API: the prompt of a log's or batch's answer.

Shapes: OpenAI chat completions (`messages`), completions (`prompt`) and responses (`input` with
`instructions`), Anthropic messages (`messages` with `system` beside) and Gemini (`contents` with
`systemInstruction`); https://platform.openai.com/docs/api-reference,
https://docs.anthropic.com/en/api/messages, https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

from forensics.errors import InputFileError
from forensics.suites.suite import Message
from forensics.transcripts.blocks import block_of
from forensics.transcripts.importers.conversation import (
    parse_content,
    parse_turn,
    parse_turns,
    with_extras,
)
from forensics.transcripts.importers.head import Record, is_record

Messages = tuple[Message, ...]
_FIELDS = ("messages", "contents", "prompt", "input")
_SYSTEMS = ("instructions", "system", "systemInstruction", "system_instruction")


def is_request(value: object) -> bool:
    """Tell whether a JSON value is a request that carries a prompt."""
    return is_record(value) and any(value.get(name) for name in _FIELDS)


def asked(request: Record, where: str) -> Messages:
    """Return the messages of a request, the system prompt first; tools and media take part.

    Raises:
        InputFileError: it carries no prompt, or one that cannot be read.
    """
    name = next((name for name in _FIELDS if request.get(name)), None)
    if name is None:
        raise InputFileError(f"{where}: the request carries no prompt ({', '.join(_FIELDS)})")
    earlier = request.get("previous_response_id", request.get("conversation"))
    sent = _earlier(earlier) + _system(request, where) + _sent(request[name], where)
    return with_extras(sent, request)


def _earlier(identifier: object) -> Messages:
    """Return what stands for earlier turns that only the server has, so that they count."""
    if is_record(identifier):
        identifier = identifier.get("id")
    if not isinstance(identifier, str) or not identifier:
        return ()
    return (Message("system", block_of("earlier_turns", {"of": identifier}).mark),)


def _system(request: Record, where: str) -> Messages:
    """Return the system prompt that stands beside the messages, as one message."""
    texts = [_system_text(request[name], where) for name in _SYSTEMS if request.get(name)]
    text = "\n".join(text for text in texts if text)
    return (Message("system", text),) if text else ()


def _system_text(given: object, where: str) -> str:
    if is_record(given):
        given = given.get("parts", given.get("content", given))
    if isinstance(given, list) and any(is_record(item) and "role" in item for item in given):
        return "\n".join(message.content for message in _sent(given, where))
    return parse_content(given, where, "\n").as_prompt


def _sent(given: object, where: str) -> Messages:
    """Read a prompt: a text, one message, messages, or the parts of one message."""
    if isinstance(given, str):
        return (Message("user", given),)
    if is_record(given):
        return (parse_turn({"role": "user"} | dict(given), where).message,)
    if not isinstance(given, list):
        raise InputFileError(f"{where}: the prompt is {type(given).__name__}, not text or messages")
    if len(given) == 1 and isinstance(given[0], str):
        return (Message("user", given[0]),)
    if not all(is_record(item) and ("role" in item or "parts" in item) for item in given):
        return tuple(turn.message for turn in parse_turns(_typed(given), where))
    named = [{"role": "user"} | dict(item) for item in given]
    return tuple(turn.message for turn in parse_turns(named, where))


def _typed(items: list[object]) -> list[object]:
    """Return a response's input items, or the parts of one message as that message."""
    kinds = [item.get("type") if is_record(item) else None for item in items]
    inputs = ("message", "reasoning", "item_reference")
    calls = ("_call", "_output")
    if any(isinstance(kind, str) and (kind in inputs or kind.endswith(calls)) for kind in kinds):
        return items
    return [{"role": "user", "content": items}]
