"""What an endpoint's failures mean: try again, go on without this answer, or stop."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from forensics.errors import BackendError
from forensics.subjects.addresses import call_address, without_query
from forensics.subjects.backends.chat_protocol import (
    PATHS,
    Api,
    ErrorInfo,
    Reply,
    error_info,
    one_line,
)
from forensics.subjects.backends.chat_stream import OTHER_STREAM
from forensics.transcripts.endings import Status, failure_status

KEPT = "answers so far are kept; run again to go on"

_QUOTA = re.compile(r"insufficient_(?:quota|balance|credits?|funds)|billing", re.IGNORECASE)
_NO_PATH = re.compile(
    r"unexpected endpoint|(?:endpoint|path|route|url|page|resource) (?:was )?not found"
    r"|(?:unknown|invalid|no such|unsupported) (?:endpoint|path|route|url|method)"
    r"|no (?:route|handler)|cannot (?:post|get)|method not allowed|^not found",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model\S* .{0,200}?\b(?:not (?:be )?found|does not exist|not exist|is not (?:a )?valid)"
    r"|model not (?:found|exist)|(?:unknown|invalid|no such) model\b|not a valid model",
    re.IGNORECASE,
)
# What passes by itself: a server that starts, or is crowded.
_PASSING = re.compile(
    r"loading|warming|starting|overload|busy|capacity|temporar|try again|rate.?limit|too many"
    r"|throttl|timed? ?out",
    re.IGNORECASE,
)
_PLAIN_TO_TLS = re.compile(r"http request (?:was sent )?to (?:an )?https", re.IGNORECASE)
_TRANSIENT = frozenset({408, 409, 425, 429})
_NEVER = frozenset({501, 505, 511})
# Gemini says so with 400.
_BAD_KEY = re.compile(
    r"api.?key.{0,20}(?:not valid|invalid|incorrect|expired|missing)"
    r"|(?:invalid|incorrect|expired|missing).{0,10}api.?key",
    re.IGNORECASE,
)
# What comes back the same a third time will come back the same a fifth.
FEW = 3


class TransientError(Exception):
    """A failure that another attempt may cure; `wait` is how long the server asks for (s).

    `final` marks one that is not worth another attempt; `tries` is how often it is tried at most,
    where that is less than usual. `reply` holds what came of an answer that broke off.
    """

    def __init__(
        self,
        message: str,
        wait: float | None = None,
        final: bool = False,
        tries: int | None = None,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(message)
        self.wait = wait
        self.final = final
        self.tries = tries
        self.reply = reply


class RejectedError(Exception):
    """A call the endpoint will not answer however often it is asked; the run goes on.

    `kind` (status and code) tells whether calls fail the same way.
    """

    def __init__(self, message: str, status: Status, kind: str, reply: Reply) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.reply = reply


@dataclass(frozen=True)
class Endpoint:
    """Where calls go; `key_name` is the environment variable for the key, if any."""

    base_url: str
    model: str
    api: Api
    key_name: str
    has_key: bool

    @property
    def url(self) -> str:
        """The address calls are sent to."""
        return call_address(self.base_url, PATHS[self.api])


def check_reply(reply: Reply, endpoint: Endpoint, *, proven: bool, longest_wait: float) -> None:
    """Return if the reply may hold an answer, and raise what it means otherwise.

    Args:
        reply: what came back.
        endpoint: where it came from.
        proven: whether the endpoint has given a proper answer in this run.
        longest_wait: the longest `Retry-After` (seconds) to honour.

    Raises:
        TransientError: another attempt may help.
        RejectedError: this call has failed for good.
        BackendError: every further call would fail too.
    """
    info = error_info(reply)
    if reply.status < 300 and not _holds_error(reply):
        _check_body(reply, endpoint, proven)
        return
    status = _hidden_status(reply) if reply.status < 300 else reply.status
    if status is None:
        raise _unnumbered(reply, endpoint, info, proven)
    said = f"HTTP {status}" if status == reply.status else f"HTTP {reply.status}, error {status}"
    said += f": {info.message}" if info.message else ""
    if status < 400:
        raise BackendError(_redirected(reply, endpoint))
    if status == 407:
        raise BackendError(f"the proxy of the environment refuses ({said}); check HTTP_PROXY")
    if status == 401 or (status == 400 and _BAD_KEY.search(f"{info.message} {info.code}")):
        raise BackendError(_unauthorised(endpoint, said))
    if status == 402 or _QUOTA.search(info.code):
        raise BackendError(
            f"{endpoint.base_url} has no quota left for this key ({said}); "
            f"check plan and billing; {KEPT}"
        )
    if status in _TRANSIENT or (status >= 500 and status not in _NEVER):
        patient = proven or status in _TRANSIENT or _PASSING.search(info.message)
        raise TransientError(
            said,
            _wait(reply, endpoint, longest_wait),
            tries=None if patient else FEW,
            reply=reply if _has_partial(reply) else None,
        )
    _check_rejection(reply, endpoint, status, info, said)


def _check_rejection(
    reply: Reply, endpoint: Endpoint, status: int, info: ErrorInfo, said: str
) -> None:
    if failure_status(info.code, info.message, status) == "filtered":
        raise RejectedError(said, "filtered", f"{status} {info.code}", reply)
    if status == 403:
        raise BackendError(
            f"{endpoint.base_url} refuses access to {endpoint.model!r} ({said}); "
            f"check what the key in {endpoint.key_name} may use"
        )
    if status == 400 and _PLAIN_TO_TLS.search(info.message):
        raise BackendError(f"{endpoint.base_url} wants https ({said}): write https://, not http://")
    unknown = "model_not_found" in info.code or _NO_MODEL.search(info.message)
    if unknown or (status == 404 and "model" in info.message.lower()):
        raise BackendError(
            f"{endpoint.base_url} does not know model {endpoint.model!r} ({said}); "
            "check the name after openai:"
        )
    if status in (404, 405, 410):
        raise BackendError(_no_such_path(endpoint, said))
    raise RejectedError(said, "error", f"{status} {info.code}", reply)


def _holds_error(reply: Reply) -> bool:
    content = reply.content
    if not isinstance(content, dict) or content.get("choices"):
        return False
    said = content.get("object") == "error" or set(content) <= {"detail", "message", "msg", "code"}
    return bool(content.get("error")) or (said and bool(content))


def _hidden_status(reply: Reply) -> int | None:
    """Return the status in an error object, which some routers send with HTTP 200."""
    error = reply.content.get("error") or reply.content
    for name in ("code", "status"):
        code = error.get(name) if isinstance(error, dict) else None
        if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)):
            return int(code)
    return None


def _has_partial(reply: Reply) -> bool:
    return isinstance(reply.content, dict) and "partial" in reply.content


def _unnumbered(
    reply: Reply, endpoint: Endpoint, info: ErrorInfo, proven: bool
) -> TransientError | RejectedError | BackendError:
    """Return what an error means that came with HTTP 200 and without a status of its own."""
    said = f"an error with HTTP {reply.status}: {info.message}"
    known = _known_error(reply, endpoint, info, said, proven)
    if known is not None:
        return known
    if not proven and _NO_PATH.search(info.message):
        return BackendError(_no_such_path(endpoint, said))
    content = reply.content
    # Servers that are up answer a call with an object; a bare text is said to a wrong address.
    bare = isinstance(content, dict) and not isinstance(content.get("error"), dict)
    if bare and not proven and not _PASSING.search(info.message):
        return BackendError(
            f"{endpoint.url} gives {said}; check --base-url and the model{_hint(endpoint)}"
        )
    partial = reply if _has_partial(reply) else None
    return TransientError(said, tries=FEW, reply=partial)


def _known_error(
    reply: Reply, endpoint: Endpoint, info: ErrorInfo, said: str, proven: bool
) -> RejectedError | BackendError | None:
    if _QUOTA.search(info.code):
        return BackendError(
            f"{endpoint.base_url} has no quota left for this key ({said}); "
            f"check plan and billing; {KEPT}"
        )
    if failure_status(info.code, info.message) == "filtered":
        return RejectedError(said, "filtered", f"{reply.status} {info.code}", reply)
    if "model_not_found" in info.code or _NO_MODEL.search(info.message):
        return BackendError(
            f"{endpoint.base_url} does not know model {endpoint.model!r} ({said}); "
            "check the name after openai:"
        )
    if info.code == OTHER_STREAM and not proven:
        return BackendError(f"{endpoint.url}: {info.message}; check --base-url{_hint(endpoint)}")
    return None


def _check_body(reply: Reply, endpoint: Endpoint, proven: bool) -> None:
    if reply.content is not None:
        return
    if reply.is_html:
        title = _TITLE.search(reply.text[:20_000])
        named = f" (a page titled {one_line(html.unescape(title[1]), 60)!r})" if title else ""
        message = f"{endpoint.url} returned HTML, not JSON: is --base-url right?"
        if not proven:
            raise BackendError(
                f"{message} This is a web page or a sign-in, not an API{named}{_hint(endpoint)}"
            )
        raise TransientError(message, tries=FEW)
    if not reply.text.strip():
        raise TransientError("the reply's body is empty", tries=FEW)
    raise TransientError(
        f"the reply is not JSON, or cut off: {one_line(reply.text, 80)!r}", tries=FEW
    )


_TITLE = re.compile(r"(?is)<title[^>]*>\s*(.*?)\s*</title>")


def _redirected(reply: Reply, endpoint: Endpoint) -> str:
    given = reply.headers.get("location", "")
    target = one_line(without_query(urljoin(endpoint.url, given))) if given else "no address"
    path = PATHS[endpoint.api]
    advice = "give the right address with --base-url"
    if target.rstrip("/").endswith(path):
        advice = f"if that is the server you mean, write {target.rstrip('/').removesuffix(path)}"
    return (
        f"{endpoint.url} redirects to {target} (HTTP {reply.status}); redirects are not followed, "
        f"so that the key goes nowhere else: {advice}"
    )


def _unauthorised(endpoint: Endpoint, said: str) -> str:
    if endpoint.has_key:
        return f"{endpoint.base_url} does not accept the key in {endpoint.key_name} ({said})"
    return (
        f"{endpoint.base_url} wants a key ({said}) and {endpoint.key_name} is not set: "
        "set it, or name another variable with --api-key-env"
    )


def _no_such_path(endpoint: Endpoint, said: str) -> str:
    return f"nothing answers at {endpoint.url} ({said}): check --base-url{_hint(endpoint)}"


def _hint(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.base_url)
    if parts.path.endswith(tuple(PATHS.values())):
        return "; it should end before /chat/completions or /completions"
    if "/openai/deployments/" in parts.path:
        return "" if parts.query else "; this host wants ?api-version=YYYY-MM-DD at its end"
    return "" if re.search(r"/v\d+\w*$", parts.path) else "; it usually ends in /v1"


def _wait(reply: Reply, endpoint: Endpoint, longest: float) -> float | None:
    wait = retry_after(reply.headers, datetime.now(UTC))
    if wait is not None and wait > longest:
        raise BackendError(
            f"{endpoint.base_url} asks to wait {wait:.0f} s (Retry-After, HTTP {reply.status}), "
            f"more than the {longest:.0f} s this run waits; {KEPT} later"
        )
    return wait


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds a `Retry-After` header asks to wait (RFC 9110, 10.2.3).

    OpenAI and Azure say it in `retry-after-ms` too, more exactly.

    None where there is none, it cannot be read, or it lies in the past.
    """
    exact = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", exact) and float(exact):
        return float(exact) / 1000
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value) or None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None


@dataclass
class Health:
    """Tells when going on is pointless, from how the calls of a run end.

    Arguments are counts of calls: `give_up_after` rejections of one kind from the start on, or as
    many exhausted retries in a row, stop the run.
    """

    give_up_after: int
    proven: bool = False
    _same: int = 0
    _kind: str | None = None
    _in_a_row: int = 0

    def answered(self) -> None:
        """Note a call that was answered (or filtered, which only a working endpoint does)."""
        self.proven = True
        self._in_a_row = 0

    def rejected(self, error: RejectedError) -> None:
        """Note a call that was rejected.

        Raises:
            BackendError: so were all calls before, for the same reason.
        """
        self._in_a_row = 0
        self._same = self._same + 1 if error.kind == self._kind else 1
        self._kind = error.kind
        if not self.proven and self._same >= self.give_up_after:
            raise BackendError(f"the first {self._same} calls were all rejected: {error}")

    def exhausted(self, error: TransientError) -> None:
        """Note a call that failed in every attempt.

        Raises:
            BackendError: so did the calls right before.
        """
        self._in_a_row += 1
        if self._in_a_row >= self.give_up_after:
            raise BackendError(f"the endpoint keeps failing ({error}); {KEPT}")


def error_fields(error: TransientError | RejectedError) -> dict[str, Any]:
    """Return the fields of the response that stands for a failed call."""
    if isinstance(error, TransientError):
        fields: dict[str, Any] = {"status": "error", "error": one_line(str(error))}
        broken = error.reply
        return fields | ({"raw": broken.content, "raw_sha256": broken.sha256} if broken else {})
    reply = error.reply
    rejected = {"status": error.status, "error": one_line(str(error)), "raw": reply.content}
    if error.status == "filtered":
        rejected["finish_reason"] = "content_filter"
    return rejected | {"raw_sha256": reply.sha256, "request_id": reply.headers.get("x-request-id")}
