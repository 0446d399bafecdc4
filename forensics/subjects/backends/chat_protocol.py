"""The OpenAI wire format: what is sent for a request, and what a reply says.

Pure functions, no network, so that reports may use the readers at the end of this file too.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from forensics.subjects.backends.backend import GenerationSettings, Request
from forensics.subjects.backends.chat_template import fold_system
from forensics.suites.suite import Message
from forensics.support.secrets import Secret
from forensics.transcripts.completions import read_choice
from forensics.transcripts.endings import Ending
from forensics.transcripts.messages import MessageError, apart
from forensics.transcripts.thinking import Split
from forensics.transcripts.transcript import Response, Transcript

Api = Literal["chat", "completions"]
PATHS: Mapping[Api, str] = {"chat": "/chat/completions", "completions": "/completions"}
_CHOICE_FIELDS: Mapping[Api, tuple[str, ...]] = {
    "chat": ("message", "finish_reason"),
    "completions": ("text", "finish_reason"),
}

# Stands among the parameters that an endpoint turned out not to take.
SYSTEM_ROLE = "system role"
# Real replies nest about ten levels; far deeper ones only serve to overflow a reader's stack.
DEEPEST_JSON = 64

_ADAPTABLE = ("max_tokens", "temperature", "seed", "n")
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|extra.(?:inputs|forbidden)|not permitted"
    r"|unexpected|not allowed|deprecated",
    re.IGNORECASE,
)


_HTML = re.compile(
    r"(?i)[\ufeff\s]*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|script)\b", re.DOTALL
)


class MalformedReplyError(ValueError):
    """A reply that is JSON but not what the protocol promises.

    `final` marks one that asking again will not change.
    """

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True)
class Reply:
    """What a server returned, without the key: `content` is the parsed JSON, None if it is none.

    `text` is the body as text where it is not JSON; `sha256` is that of the body's bytes as they
    came; header names are in lower case.
    """

    status: int
    headers: Mapping[str, str]
    sha256: str
    content: Any = None
    text: str = ""

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page: usually of a proxy, or of a wrong address."""
        return _HTML.match(self.text[:2000]) is not None


@dataclass(frozen=True)
class ErrorInfo:
    """What an error body says: `code` joins the code, type and status fields."""

    message: str
    code: str = ""
    param: str | None = None


def read_reply(status: int, headers: Mapping[str, str], body: bytes, secret: Secret) -> Reply:
    """Parse a reply's `body` and cut the key out of everything but the hash."""
    clean = {name.lower(): secret.redact(value) for name, value in headers.items()}
    digest = hashlib.sha256(body).hexdigest()
    try:
        return Reply(status, clean, digest, content=_scrub(json.loads(body), secret))
    except (ValueError, RecursionError):
        text = secret.redact(body.decode("utf-8", "replace"))
        return Reply(status, clean, digest, text=text)


def _scrub(value: Any, secret: Secret, depth: int = 0) -> Any:
    if depth > DEEPEST_JSON:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return secret.redact(value)
    if isinstance(value, float):
        # NaN and infinities, which Python's reader takes, are not JSON for anyone else.
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_scrub(item, secret, depth + 1) for item in value]
    if isinstance(value, dict):
        return {secret.redact(k): _scrub(v, secret, depth + 1) for k, v in value.items()}
    return value


def one_line(text: str, limit: int = 300) -> str:
    """Return hostile `text` as one printable line of at most `limit` characters."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * limit])
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def error_info(reply: Reply) -> ErrorInfo:
    """Return what an error reply says, whichever of the common shapes it has."""
    if reply.is_html:
        return ErrorInfo("an HTML page")
    content = reply.content
    if isinstance(content, list) and content:
        content = content[0]  # Gemini wraps its error object into a list
    inner = content.get("error", content) if isinstance(content, dict) else content
    if not isinstance(inner, dict):
        return ErrorInfo(one_line(inner if isinstance(inner, str) else reply.text))
    message = next((inner[k] for k in ("message", "detail", "msg") if inner.get(k)), inner)
    text = message if isinstance(message, str) else json.dumps(message)
    nested = inner.get("innererror")
    codes = [inner.get("code"), inner.get("type"), inner.get("status")]
    codes.append(nested.get("code") if isinstance(nested, dict) else None)
    code = " ".join(str(c) for c in codes if isinstance(c, str | int))
    param = inner.get("param")
    return ErrorInfo(one_line(text), one_line(code), param if isinstance(param, str) else None)


def messages_for(request: Request, settings: GenerationSettings) -> list[Message]:
    """Return the messages sent: a prompt's own system message wins over the run's."""
    messages = list(request.prompt.messages)
    has_system_message = any(message.role == "system" for message in messages)
    if settings.system_prompt is None or has_system_message:
        return messages
    return [Message("system", settings.system_prompt), *messages]


def request_body(
    request: Request,
    settings: GenerationSettings,
    model: str,
    api: Api,
    rejected: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the JSON object to send.

    One call draws one sample, with the seed `settings.seed + sample`: with one seed for all, every
    sample of a server that honours it would be the same.

    Args:
        request: what to ask.
        settings: generation settings.
        model: the model's name at the endpoint.
        api: chat messages, or for `completions` their contents joined by blank lines.
        rejected: parameters the endpoint said it does not take; `max_tokens` becomes
            `max_completion_tokens`, the others are left out.
    """
    messages = messages_for(request, settings)
    if SYSTEM_ROLE in rejected and api == "chat":
        messages = fold_system(messages)
    body: dict[str, Any] = {"model": model}
    if api == "chat":
        body["messages"] = [{"role": m.role, "content": m.content} for m in messages]
    else:
        body["prompt"] = "\n\n".join(m.content for m in messages)
    body |= {
        "temperature": settings.temperature,
        "max_tokens": request.max_tokens,
        "seed": settings.seed + request.sample,
        "n": 1,
        "stream": False,
    }
    if "max_tokens" in rejected:
        body["max_completion_tokens"] = body["max_tokens"]
    return {name: value for name, value in body.items() if name not in rejected}


def rejected_parameter(reply: Reply, sent: Mapping[str, Any]) -> str | None:
    """Return the parameter of `sent` that the reply calls unsupported and we can do without."""
    if reply.status not in (400, 422):
        return None
    info = error_info(reply)
    text = f"{info.message} {info.code}"
    if not _UNSUPPORTED.search(text):
        return None
    candidates = [name for name in _ADAPTABLE if name in sent]
    if info.param is not None:
        return info.param if info.param in candidates else None
    return next((name for name in candidates if _names(text, name)), None)


def _names(text: str, parameter: str) -> bool:
    quoted = rf"['\"`]{parameter}['\"`]"
    bare = rf"\b{parameter}\b" if len(parameter) > 1 else quoted
    return re.search(f"{quoted}|{bare}", text) is not None


def to_response(
    reply: Reply,
    request: Request,
    *,
    api: Api,
    rejected: frozenset[str],
    requested_at: str,
    completed_at: str,
) -> Response:
    """Return what a successful reply answers.

    Raises:
        MalformedReplyError: the reply has no answer in it, or says that the provider failed.
    """
    content = reply.content
    choice = _first_choice(content)
    answer, ended = _answer(choice, api)
    status = ended.status(answer.text)
    if status == "error":
        raise _failed(choice, ended)
    usage = content.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Response(
        prompt=request.prompt,
        text=answer.text,
        sample=request.sample,
        status="truncated" if answer.cut_off and ended.reason is None else status,
        reasoning=answer.reasoning,
        finish_reason=ended.reason,
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        logprobs=_logprobs(choice.get("logprobs")),
        requested_at=requested_at,
        completed_at=completed_at,
        request_id=reply.headers.get("x-request-id") or _string(content.get("id")),
        model=_string(content.get("model")),
        provider=_string(content.get("provider")) or reply.headers.get("server"),
        system_fingerprint=_string(content.get("system_fingerprint")),
        raw=_raw(content, rejected),
        raw_sha256=reply.sha256,
        key=request.key,
    )


def _first_choice(content: Any) -> dict[str, Any]:
    choices = content.get("choices") if isinstance(content, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedReplyError("the reply has no `choices`: not an OpenAI-compatible endpoint?")
    first: dict[str, Any] = choices[0]
    return first


def _failed(choice: Mapping[str, Any], ended: Ending) -> MalformedReplyError:
    """Return why there is no answer; asking again helps unless nobody knows what happened."""
    if ended.kind == "unknown":
        reason = one_line(ended.reason or "", 40)
        message = f"the answer is empty; its finish reason {reason!r} is not known"
        return MalformedReplyError(message, final=True)
    said = ended.reason if choice.get("error") is None else _failure(choice)
    return MalformedReplyError(f"the provider failed: {one_line(str(said))}")


def _failure(choice: Mapping[str, Any]) -> str:
    return error_info(Reply(200, {}, "", content={"error": choice.get("error")})).message


def _answer(choice: Mapping[str, Any], api: Api) -> tuple[Split, Ending]:
    """Return the answer, thinking apart, and how it ended."""
    needed = "message" if api == "chat" else "text"
    if needed not in choice:
        raise MalformedReplyError(f"the reply's choice has no `{needed}`")
    try:
        output = read_choice({k: v for k, v in choice.items() if k in _CHOICE_FIELDS[api]})
    except MessageError as error:
        message = f"the reply's choice is not readable: {error}"
        raise MalformedReplyError(message, final=True) from error
    return apart(output.content), output.ending


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _logprobs(value: Any) -> list[dict[str, Any]] | None:
    """Return log probabilities a token each, from the chat or the completions shape."""
    if not isinstance(value, dict):
        return None
    content = value.get("content")
    if isinstance(content, list):
        return [item for item in content if isinstance(item, dict)] or None
    tokens, chosen = value.get("tokens"), value.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(chosen, list):
        return None
    top = value.get("top_logprobs")
    top = top if isinstance(top, list) and len(top) == len(tokens) else [None] * len(tokens)
    return [
        {"token": token, "logprob": logprob, "top_logprobs": _alternatives(alternatives)}
        for token, logprob, alternatives in zip(tokens, chosen, top, strict=False)
    ] or None


def _alternatives(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return []
    return [{"token": token, "logprob": logprob} for token, logprob in value.items()]


def _raw(content: dict[str, Any], rejected: frozenset[str]) -> dict[str, Any]:
    # A temperature that was not sent is not the one in the manifest, so the answer must say so.
    dropped = sorted(rejected & {"temperature", "seed", SYSTEM_ROLE})
    return content | {"dropped_parameters": dropped} if dropped else content


def echoed_models(transcript: Transcript) -> tuple[str, ...]:
    """Return the model names the endpoint echoed, in order.

    More than one means that the name changed during the run.
    """
    return tuple(dict.fromkeys(r.model for r in transcript.responses if r.model))


def dropped_parameters(transcript: Transcript) -> tuple[str, ...]:
    """Return the settings (`seed`, `temperature`) the endpoint refused, so not in force.

    `SYSTEM_ROLE` among them means that system texts were put into the first user turn.
    """
    raws = (r.raw for r in transcript.responses if isinstance(r.raw, dict))
    names = {str(name) for raw in raws for name in raw.get("dropped_parameters") or ()}
    return tuple(sorted(names))
