"""The one reader of messages: what a model or a user said, in whichever shape it was written.

Endpoints and every importer read messages here. Shapes: OpenAI chat completions (content parts,
`refusal`, `reasoning_content`, `tool_calls`) and responses (`output_text`, reasoning items),
Anthropic (thinking, redacted and tool blocks), Gemini (`parts`, `thought: true`), Mistral
(thinking parts with a list inside), Bedrock (`reasoningContent`), OpenRouter
(`reasoning_details`), Ollama (`thinking`), Inspect (`redacted` with `summary`), Vercel's AI SDK
(`parts`), Arena-Hard (`{"answer": …}`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from forensics.transcripts.blocks import Block, block_of, is_blank, kind_of, marks, media_beside
from forensics.transcripts.thinking import Split, split

_TEXT_KINDS = frozenset({"text", "input_text", "output_text", "refusal", "summary_text"})
_TEXT_FIELDS = ("text", "input_text", "output_text", "refusal", "content", "value")
_THINKING_KINDS = frozenset(
    {"thinking", "reasoning", "thought", "thoughts", "reasoning_text", "reasoning_content"}
    | {"redacted_thinking", "reasoning.text", "reasoning.summary", "reasoning.encrypted"}
    | {"redacted_reasoning"}
)
_THINKING_FIELDS = ("thinking", "reasoning", "thought", "text", "content", "reasoning_text")
_CIPHERTEXTS = ("encrypted_content", "encrypted", "data", "signature", "redactedContent")
# Fields of a message besides its content that hold what it says.
_CHANNELS = ("reasoning_content", "reasoning", "thinking", "thought")
_SAYS = frozenset(
    {"content", "parts", "text", "refusal", "reasoning_details", "thinking_blocks"}
    | {"tool_calls", "function_call", "audio", *_CHANNELS}
)
# Marks in a row of parts that say nothing by themselves.
_EMPTY_KINDS = frozenset({"step-start", "step_start"})
_DEEPEST = 8
ENCRYPTED = "answers have reasoning that the vendor encrypted; it is left out"


class MessageError(ValueError):
    """Something that is no message; the text says what is wrong, without a place."""


@dataclass(frozen=True)
class Content:
    """What a message says.

    `text` is the answer or question, `reasoning` the thinking apart from it (None if there is
    none), `other` what is neither (images, tool calls …), `encrypted` whether there is thinking
    that nobody but its vendor can read.
    """

    text: str
    reasoning: str | None = None
    other: tuple[Block, ...] = ()
    encrypted: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the message is left out when only text and reasoning are kept."""
        left_out = [f"answer blocks of type {block.kind} are left out" for block in self.other]
        unread = [ENCRYPTED] if self.encrypted and not self.reasoning else []
        return (*left_out, *unread)

    @property
    def as_prompt(self) -> str:
        """The text a prompt is hashed by: what is no text stands as `[kind sha256:…]`."""
        return self.text + marks(self.other)


@dataclass
class _Pile:
    """What the parts of one message add up to."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    other: list[Block] = field(default_factory=list)
    encrypted: bool = False


def read_message(message: object, separator: str = "") -> Content:
    """Read a message object.

    Args:
        message: the object; a text alone is a message too.
        separator: what stands between text parts.

    Raises:
        MessageError: it is no message, or has no field that says anything.
    """
    if isinstance(message, str):
        return Content(message)
    if not isinstance(message, Mapping):
        raise MessageError(f"{type(message).__name__}, not a message object")
    if not _SAYS & message.keys():
        shown = ", ".join(repr(str(name)[:40]) for name in list(message)[:8]) or "none"
        raise MessageError(f"a message without 'content' (its fields: {shown})")
    pile = _content(message)
    pile.other.extend(media_beside(message))
    calls = [(k, message[k]) for k in ("tool_calls", "function_call") if message.get(k)]
    pile.other.extend(block_of(kind, value) for kind, value in calls if not is_blank(value))
    text = separator.join(pile.texts) or _string(message.get("refusal")) or _spoken(message, pile)
    return Content(text, _reasoning(message, pile), tuple(pile.other), pile.encrypted)


def apart(content: Content) -> Split:
    """Return an answer's text without the thinking that its delimiters set apart, and all thinking.

    Some servers give the thinking in a field of its own and leave it in the text too: whole, for
    a delimiter alone is then something that the answer speaks of.
    """
    if not content.reasoning:
        return split(content.text)
    parts = split(content.text, whole=True)
    repeated = not parts.reasoning or parts.reasoning.strip() == content.reasoning.strip()
    thoughts = content.reasoning if repeated else f"{content.reasoning}\n{parts.reasoning}"
    return replace(parts, reasoning=thoughts)


def _content(message: Mapping[str, object]) -> _Pile:
    """Return what a message's content adds up to; parts beside a text say more than the text."""
    pile = _Pile()
    said = [message[k] for k in ("content", "parts", "text") if _says(message.get(k))]
    parts = message.get("parts")
    if isinstance(parts, list) and (not said or isinstance(said[0], str)):
        _add(parts, pile)
    if not pile.texts:
        _add(next(iter(said), message.get("content")), pile := _Pile(thoughts=pile.thoughts))
    return pile


def read_content(value: object, separator: str = "") -> Content:
    """Read a message's content: text, nothing, an object, or a list of parts.

    Raises:
        MessageError: it is something else.
    """
    pile = _Pile()
    _add(value, pile)
    return Content(
        separator.join(pile.texts),
        "\n".join(pile.thoughts) or None,
        tuple(pile.other),
        pile.encrypted,
    )


def read_items(items: Sequence[object]) -> Content:
    """Read the `output` of OpenAI's responses: several messages are joined with a blank line.

    Raises:
        MessageError: an item is no object.
    """
    texts: list[str] = []
    pile = _Pile()
    for item in items:
        if not isinstance(item, Mapping):
            raise MessageError(f"an output item is {type(item).__name__}, not an object")
        if item.get("type", "message") != "message" or "content" not in item:
            _add_part(item, pile, 0)
            continue
        said = read_message(item)
        texts.append(said.text)
        pile.thoughts.extend([said.reasoning] if said.reasoning else [])
        pile.other.extend(said.other)
    text = "\n\n".join(part for part in (*texts, "".join(pile.texts)) if part)
    return Content(text, "\n".join(pile.thoughts) or None, tuple(pile.other), pile.encrypted)


def _reasoning(message: Mapping[str, object], pile: _Pile) -> str | None:
    """Join the thinking of all channels; gateways repeat one text in several."""
    thinking: list[str] = []
    for name in _CHANNELS:
        value = message.get(name)
        thoughts = _Pile()
        if _says(value):
            _add_thoughts(value, thoughts, 0)
        thinking.extend(thoughts.thoughts)
        pile.encrypted |= thoughts.encrypted
    for name in ("reasoning_details", "thinking_blocks"):
        detailed = _details(message.get(name), pile)
        if not thinking:
            thinking.extend(detailed)
    thinking.extend(pile.thoughts)
    return "\n".join(dict.fromkeys(part for part in thinking if part)) or None


def _details(value: object, pile: _Pile) -> list[str]:
    """Return the thinking in a list of details: the texts, else their summaries.

    Pieces of one index are one text, as a stream cuts it.
    """
    pieces: dict[tuple[str, object], str] = {}
    items = value if isinstance(value, list) else []
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            continue
        thoughts = _Pile()
        _add_part(item, thoughts, 0)
        pile.encrypted |= thoughts.encrypted
        key = (kind_of(item), str(item.get("index", f"item {number}")))
        pieces[key] = pieces.get(key, "") + "".join(thoughts.thoughts)
    texts = [text for (kind, _), text in pieces.items() if text and "summary" not in kind]
    return texts or [text for text in pieces.values() if text]


def _spoken(message: Mapping[str, object], pile: _Pile) -> str:
    """Return the transcript of an answer given as sound."""
    audio = message.get("audio")
    if not isinstance(audio, Mapping):
        return ""
    pile.other.append(block_of("audio", audio))
    return _string(audio.get("transcript")) or ""


def _add(value: object, pile: _Pile, depth: int = 0) -> None:
    if is_blank(value):
        return
    if isinstance(value, str):
        pile.texts.append(value)
    elif isinstance(value, Mapping):
        _add_object(value, pile, depth)
    elif isinstance(value, Sequence):
        if depth > _DEEPEST:
            raise MessageError("content parts are nested too deeply")
        for part in value:
            _add_item(part, pile, depth + 1)
    else:
        raise MessageError(f"content is {type(value).__name__}, not text or parts")


def _add_item(part: object, pile: _Pile, depth: int) -> None:
    if is_blank(part):
        return
    if isinstance(part, str):
        pile.texts.append(part)
    elif isinstance(part, Mapping):
        _add_part(part, pile, depth)
    else:
        raise MessageError(f"a content part is {type(part).__name__}, not text or an object")


def _add_object(value: Mapping[str, object], pile: _Pile, depth: int) -> None:
    """Add content that is one object: Arena-Hard's answer, or a part without its list."""
    if "type" not in value and ("answer" in value or "parts" in value):
        for name in ("thought", "thinking", "reasoning"):
            if not is_blank(value.get(name)):
                _add_thoughts(value[name], pile, depth)
        _add(value.get("answer", value.get("parts")), pile, depth + 1)
        return
    _add_part(value, pile, depth)


def _add_part(part: Mapping[str, object], pile: _Pile, depth: int) -> None:
    if depth > _DEEPEST:
        raise MessageError("content parts are nested too deeply")
    kind = kind_of(part)
    if kind in _EMPTY_KINDS:
        return
    if part.get("thought") is True or kind in _THINKING_KINDS:
        _add_thinking(part, pile, depth)
        return
    if isinstance(part.get("reasoningContent"), Mapping):
        _add_thinking(part["reasoningContent"], pile, depth)  # type: ignore[arg-type]
        return
    text = _text_of(part) if kind in _TEXT_KINDS else None
    if text is None:
        pile.other.append(block_of(kind, part))
    else:
        pile.texts.append(text)
        # garak puts a picture or sound beside the text of the same message.
        shown = next((part[k] for k in ("data_checksum", "data_path") if _says(part.get(k))), None)
        pile.other.extend([block_of("file", shown)] if shown is not None else [])


def _text_of(part: Mapping[str, object]) -> str | None:
    """Return a text part's text; OpenAI's assistants wrap it as `{"value": text}`."""
    for name in _TEXT_FIELDS:
        value = part.get(name)
        if isinstance(value, Mapping):
            value = value.get("value")
        if isinstance(value, str):
            return value
    return "" if any(name in part and is_blank(part[name]) for name in _TEXT_FIELDS) else None


def _add_thinking(part: Mapping[str, object], pile: _Pile, depth: int) -> None:
    """Add a part that holds thinking: its text, else the summary; ciphertext is never text."""
    redacted = part.get("redacted") is True or kind_of(part).startswith("redacted")
    redacted = redacted or kind_of(part) == "reasoning.encrypted"
    before = len(pile.thoughts)
    if not redacted:
        field_name = next((k for k in _THINKING_FIELDS if _says(part.get(k))), None)
        nested = part.get("reasoningText")
        if field_name is not None:
            _add_thoughts(part[field_name], pile, depth + 1)
        elif isinstance(nested, Mapping):
            _add_thoughts(nested.get("text"), pile, depth + 1)
    if len(pile.thoughts) == before and _says(part.get("summary")):
        _add_thoughts(part["summary"], pile, depth + 1, "\n")
    if len(pile.thoughts) == before:
        pile.encrypted |= redacted or any(_says(part.get(name)) for name in _CIPHERTEXTS)


def _says(value: object) -> bool:
    return not is_blank(value) and not isinstance(value, bool | int | float) and bool(value)


def _add_thoughts(value: object, pile: _Pile, depth: int, separator: str = "") -> None:
    """Add thinking that is a text, an object or a list of parts, as one thought."""
    if depth > _DEEPEST:
        raise MessageError("content parts are nested too deeply")
    inner = _Pile()
    if isinstance(value, Mapping) and kind_of(value) in _THINKING_KINDS:
        _add_thinking(value, inner, depth)
    elif not is_blank(value):
        _add(value, inner, depth)
    thought = separator.join([*inner.texts, *inner.thoughts])
    pile.thoughts.extend([thought] if thought else [])
    pile.encrypted |= inner.encrypted


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
