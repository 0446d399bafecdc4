"""What a model returned, as an object of whichever API: chat, completion, response, message.

Shapes: OpenAI's chat completion (`choices[].message`), completion (`choices[].text`) and response
(`output[]`); Anthropic's message (`content`, `stop_reason`); Gemini's `candidates[]`; Cohere's and
Ollama's `message`; or the text or message alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.transcripts.blocks import is_blank
from forensics.transcripts.endings import NATURAL, Ending, Status, ending, failure_status
from forensics.transcripts.messages import (
    Content,
    MessageError,
    read_content,
    read_items,
    read_message,
)

_WRITERS = frozenset({"assistant", "model", "ai", "gpt", "bot"})


@dataclass(frozen=True)
class Output:
    """One answer of a call."""

    content: Content
    ending: Ending = NATURAL

    @property
    def status(self) -> Status:
        """Whether it is a whole answer."""
        return self.ending.status(self.content.text)


@dataclass(frozen=True)
class Failure:
    """A call that was refused or failed."""

    status: Status
    message: str


@dataclass(frozen=True)
class Usage:
    """How many tokens a call took, where that was said."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Completion:
    """What a call returned; several outputs are samples."""

    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Usage = Usage()


def read_completion(value: object) -> Completion:
    """Read what a model returned: an object of an API, a message, a list of messages, or a text.

    Raises:
        MessageError: it holds no answer.
    """
    if isinstance(value, str):
        return Completion((Output(Content(value)),))
    if isinstance(value, list):
        return Completion(_listed(value))
    if not isinstance(value, Mapping):
        raise MessageError(f"the answer is {type(value).__name__}, not text or an object")
    if value.get("error") and not _holds_answer(value):
        return Completion(failure=read_failure(value["error"]), model=_string(value.get("model")))
    return Completion(
        outputs=_outputs(value),
        model=_string(value.get("model")) or _string(value.get("modelVersion")),
        system_fingerprint=_string(value.get("system_fingerprint")),
        usage=_usage(value),
    )


def read_failure(error: object, http_status: int | None = None) -> Failure:
    """Return what an error object or text says, and whether it was a filter's doing."""
    message, code = _describe(error)
    return Failure(failure_status(code, message, http_status), message[:500])


def _describe(error: object) -> tuple[str, str]:
    """Return an error's message, and its code, type and status fields joined."""
    if not isinstance(error, Mapping):
        said = str(error) if isinstance(error, str | int) and error is not True else ""
        return said or "the request failed", ""
    inner = error.get("error")
    if isinstance(inner, Mapping):  # Anthropic: {"type": "error", "error": {…}}
        return _describe(inner)
    nested = error.get("innererror")
    codes = [error.get(name) for name in ("code", "type", "status")]
    codes.append(nested.get("code") if isinstance(nested, Mapping) else None)
    code = " ".join(str(part) for part in codes if isinstance(part, str | int))
    texts = (error.get(name) for name in ("message", "detail", "msg", "code", "type"))
    message = next((str(t) for t in texts if isinstance(t, str | int) and t), "")
    return message or "the request failed", code


def _holds_answer(value: Mapping[str, object]) -> bool:
    return any(value.get(name) for name in ("choices", "output", "candidates", "message"))


def _outputs(value: Mapping[str, object]) -> tuple[Output, ...]:
    choices, items, candidates = (value.get(k) for k in ("choices", "output", "candidates"))
    if isinstance(choices, list) and choices:
        return tuple(read_choice(choice) for choice in choices)
    if isinstance(items, list):
        return (_response(value, items),)
    if isinstance(candidates, list) and candidates:
        return tuple(_candidate(candidate) for candidate in candidates)
    return (_single(value),)


def _single(value: Mapping[str, object]) -> Output:
    """Read an object that holds one answer."""
    feedback = value.get("promptFeedback")
    if isinstance(feedback, Mapping) and feedback.get("blockReason"):
        return Output(Content(""), Ending("filter", str(feedback["blockReason"])))
    if isinstance(value.get("message"), Mapping):  # Ollama, Cohere
        reason = value.get("done_reason", value.get("finish_reason"))
        return _output(value["message"], ending(reason))
    text = value.get("output_text", value.get("generated_text"))
    if isinstance(text, str):
        return Output(Content(text))
    if "content" in value or "parts" in value or "text" in value:
        return _output(value, ending(value.get("stop_reason", value.get("finish_reason"))))
    kind = str(value.get("object", value.get("type", "?")))[:40]
    raise MessageError(
        f"the response holds no text (object {kind!r}); "
        "only chat completions, completions and responses can be imported"
    )


def read_choice(choice: object) -> Output:
    """Read one of a completion's `choices`.

    Raises:
        MessageError: it holds no answer.
    """
    if isinstance(choice, str):
        return Output(Content(choice))
    if not isinstance(choice, Mapping):
        raise MessageError(f"a choice is {type(choice).__name__}, not an object")
    ended = ending(choice.get("finish_reason", choice.get("stop_reason")))
    if "message" in choice:
        return _output(choice["message"], ended)
    if "text" not in choice and "content" not in choice:
        raise MessageError("a choice has no 'message' and no 'text'")
    return Output(read_content(choice.get("text", choice.get("content"))), ended)


def _output(message: object, ended: Ending) -> Output:
    try:
        return Output(read_message(message), ended)
    except MessageError:
        # An answer that was blocked or cut off in its thinking has no content to show.
        if isinstance(message, Mapping) and ended.kind not in ("natural", "unknown"):
            return Output(Content(""), ended)
        raise


def _candidate(candidate: object) -> Output:
    """Read one of Gemini's candidates: `{content: {role, parts}, finishReason}`."""
    if not isinstance(candidate, Mapping):
        raise MessageError(f"a candidate is {type(candidate).__name__}, not an object")
    ended = ending(candidate.get("finishReason", candidate.get("finish_reason")))
    return _output(candidate.get("content") or {}, ended)


def _response(value: Mapping[str, object], items: list[object]) -> Output:
    details = value.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return Output(read_items(items), ending(reason or value.get("status")))


def _listed(values: list[object]) -> tuple[Output, ...]:
    """Read a list: of messages (the last that the model wrote), of parts, or of samples."""
    objects = [value for value in values if isinstance(value, Mapping)]
    spoken = [message for message in objects if "role" in message]
    if spoken:
        written = [m for m in spoken if str(m["role"]).lower() in _WRITERS]
        return (Output(read_message((written or spoken)[-1])),)
    if any("type" in part for part in objects):
        return (Output(read_content(values)),)
    return tuple(output for value in values for output in read_completion(value).outputs)


def _usage(value: Mapping[str, object]) -> Usage:
    usage = value.get("usage", value.get("usageMetadata"))
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        _count(usage, "prompt_tokens", "input_tokens", "promptTokenCount"),
        _count(usage, "completion_tokens", "output_tokens", "candidatesTokenCount"),
    )


def _count(usage: Mapping[str, object], *names: str) -> int | None:
    count = next((usage[name] for name in names if not is_blank(usage.get(name))), None)
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
