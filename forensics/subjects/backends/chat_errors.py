"""What an endpoint's failures mean: try again, go on without this answer, or stop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from forensics.errors import BackendError
from forensics.subjects.backends.chat_protocol import (
    PATHS,
    Api,
    ErrorInfo,
    Reply,
    error_info,
    one_line,
)
from forensics.transcripts.endings import Status, failure_status

KEPT = "answers so far are kept; run again to go on"

_QUOTA = re.compile(r"insufficient_(?:quota|balance|credits?|funds)|billing", re.IGNORECASE)
_TRANSIENT = frozenset({408, 409, 425, 429})


class TransientError(Exception):
    """A failure that another attempt may cure; `wait` is how long the server asks for (s).

    `final` marks one that is not worth another attempt.
    """

    def __init__(self, message: str, wait: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.final = final


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
        return self.base_url + PATHS[self.api]


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
    status = _status(reply)
    said = f"HTTP {status}" + (f": {info.message}" if info.message else "")
    if status < 300:
        _check_body(reply, endpoint, proven)
        return
    if status < 400:
        raise BackendError(_redirected(reply, endpoint))
    if status == 401:
        raise BackendError(_unauthorised(endpoint, said))
    if status == 402 or _QUOTA.search(info.code):
        raise BackendError(
            f"{endpoint.base_url} has no quota left for this key ({said}); "
            f"check plan and billing; {KEPT}"
        )
    if status in _TRANSIENT or status >= 500:
        raise TransientError(said, _wait(reply, endpoint, longest_wait))
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
    if "model_not_found" in info.code or (status == 404 and "model" in info.message.lower()):
        raise BackendError(
            f"{endpoint.base_url} does not know model {endpoint.model!r} ({said}); "
            "check the name after openai:"
        )
    if status in (404, 405):
        raise BackendError(_no_such_path(endpoint, said))
    raise RejectedError(said, "error", f"{status} {info.code}", reply)


def _status(reply: Reply) -> int:
    """Return the status, or that of an error object which some routers send with status 200."""
    content = reply.content
    if reply.status != 200 or not isinstance(content, dict) or content.get("choices"):
        return reply.status
    if not content.get("error"):
        return reply.status
    code = content["error"].get("code") if isinstance(content["error"], dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 502


def _check_body(reply: Reply, endpoint: Endpoint, proven: bool) -> None:
    if reply.content is not None:
        return
    if reply.is_html:
        message = f"{endpoint.url} returned HTML, not JSON: is --base-url right?"
        if not proven:
            raise BackendError(f"{message}{_hint(endpoint)}")
        raise TransientError(message)
    if not reply.text.strip():
        raise TransientError("the reply's body is empty")
    raise TransientError(f"the reply is not JSON, or cut off: {one_line(reply.text, 80)!r}")


def _redirected(reply: Reply, endpoint: Endpoint) -> str:
    target = one_line(reply.headers.get("location", "an unnamed address"))
    return (
        f"{endpoint.url} redirects to {target} (HTTP {reply.status}); redirects are not followed, "
        "so that the key goes nowhere else: give the right address with --base-url"
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
    if endpoint.base_url.endswith(tuple(PATHS.values())):
        return "; it should end before /chat/completions or /completions"
    return "" if re.search(r"/v\d+\w*$", endpoint.base_url) else "; it usually ends in /v1"


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

    None where there is none, it cannot be read, or it lies in the past.
    """
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
        return {"status": "error", "error": one_line(str(error))}
    reply = error.reply
    found = {"status": error.status, "error": one_line(str(error)), "raw": reply.content}
    if error.status == "filtered":
        found["finish_reason"] = "content_filter"
    return found | {"raw_sha256": reply.sha256, "request_id": reply.headers.get("x-request-id")}
