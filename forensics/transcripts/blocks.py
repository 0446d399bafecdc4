"""What a message holds besides text: its kind, and a digest by which prompts differ."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

# Names of a part's kind where it has no `type`: Gemini's and Bedrock's parts are named by a field.
_FIELD_KINDS: Mapping[str, str] = {
    "inlineData": "file",
    "inline_data": "file",
    "fileData": "file",
    "file_data": "file",
    "functionCall": "function_call",
    "function_call": "function_call",
    "functionResponse": "function_response",
    "function_response": "function_response",
    "executableCode": "executable_code",
    "executable_code": "executable_code",
    "codeExecutionResult": "code_execution_result",
    "toolUse": "tool_use",
    "toolResult": "tool_result",
    "image": "image",
    "image_url": "image_url",
    "document": "document",
    "video": "video",
    "audio": "audio",
    "thinking": "thinking",
}
# Fields of a record or message that hold media; each is what was shown beside the text.
MEDIA_FIELDS = (
    *("image", "images", "image_url", "image_path", "audios", "video", "videos"),
    *("attachments", "experimental_attachments"),
)
_MEDIA = re.compile(r"image|audio|video|file|document|media|pdf|attachment|visual", re.IGNORECASE)
# Descriptions of a medium, not the medium: tools name the same picture's type and detail
# differently.
_DESCRIPTIONS = frozenset(
    {"type", "detail", "format", "media_type", "mime_type", "mimeType", "mediaType"}
    | {"cache_control", "title", "filename", "name", "annotations", "transcript", "expires_at"}
)
# What is drawn at random for each call.
_VOLATILE = frozenset({"id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "tool_use_id"})
_DATA_URL = re.compile(r"data:[^,]{0,200}?;base64,")
_DEEPEST = 50


@dataclass(frozen=True)
class Block:
    """Something in a message that is no text: its kind, and the sha256 (hex) of what it holds."""

    kind: str
    sha256: str

    @property
    def mark(self) -> str:
        """What stands for the block in a prompt's text."""
        medium = _MEDIA.search(self.kind)
        return f"[{medium.group().lower() if medium else self.kind} sha256:{self.sha256[:16]}]"


def is_blank(value: object) -> bool:
    """Tell whether a value is missing: null, or the NaN that data frames write for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def kind_of(part: Mapping[str, object]) -> str:
    """Return a part's kind: its `type`, or what its fields say."""
    given = part.get("type", part.get("content_type"))
    if isinstance(given, str) and given:
        return given[:40]
    for name in ("inlineData", "inline_data"):
        inline = part.get(name)
        if isinstance(inline, Mapping):
            medium = _MEDIA.search(str(inline.get("mimeType", inline.get("mime_type"))))
            return medium.group().lower() if medium else "file"
    return next((kind for name, kind in _FIELD_KINDS.items() if name in part), "text")


def block_of(kind: str, value: object) -> Block:
    """Return the block of `value`.

    The digest of a picture, sound or file is over its data or address alone, so that it is the
    same in the shapes of different vendors; that of anything else over its canonical JSON without
    what is drawn at random for each call.
    """
    if _MEDIA.search(kind):
        leaves = sorted(_leaves(value, 0))
        if leaves:
            return Block(kind, _digest("\n".join(leaves)))
    plain = json.dumps(_steady(value, 0), sort_keys=True, ensure_ascii=True, default=str)
    return Block(kind, _digest(plain))


def media_beside(record: Mapping[str, object]) -> tuple[Block, ...]:
    """Return the media that a record or message names in fields of their own, beside its text.

    So do Ollama's messages, tables of vision models and their training data (`images`).
    """
    media = ((name, record.get(name)) for name in MEDIA_FIELDS)
    return tuple(block_of(name, value) for name, value in media if not is_blank(value) and value)


def marks(blocks: Iterable[Block]) -> str:
    """Return what stands for blocks in a prompt's text."""
    return "".join(block.mark for block in blocks)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _leaves(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield _DATA_URL.sub("", value, count=1)
    elif isinstance(value, bytes):
        yield value.hex()
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _DESCRIPTIONS and name not in _VOLATILE:
                yield from _leaves(inner, depth + 1)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _leaves(inner, depth + 1)


def _steady(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(k): _steady(v, depth + 1) for k, v in value.items() if k not in _VOLATILE}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_steady(inner, depth + 1) for inner in value]
    return value
