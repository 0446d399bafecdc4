"""Any OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp server, OpenRouter, …"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import anyio
import httpx

from forensics.errors import BackendError, UsageError
from forensics.subjects.addresses import clean_address, key_headers
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, Request, Sink
from forensics.subjects.backends.chat_errors import (
    FEW,
    Endpoint,
    Health,
    RejectedError,
    TransientError,
    check_reply,
    error_fields,
)
from forensics.subjects.backends.chat_protocol import (
    SYSTEM_ROLE,
    MalformedReplyError,
    Reply,
    messages_for,
    one_line,
    rejected_parameter,
    request_body,
    to_response,
)
from forensics.subjects.backends.chat_stream import NO_STREAM, STREAM, demands_stream, read_body
from forensics.subjects.backends.connection import fault_of, first_cause
from forensics.subjects.backends.metering import Meter, metered
from forensics.subjects.backends.system_role import rejects_system
from forensics.subjects.backends.unpacking import ACCEPTED, Body, TooLargeError, UnpackingError
from forensics.subjects.subject import Subject
from forensics.support.clock import now
from forensics.support.secrets import DEFAULT_KEY_VARIABLE, Secret, proxy_secrets
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Response

# A proxy from the environment cannot reach this machine's own servers.
_NO_PROXY = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class OpenAIBackend:
    """Answers requests at an endpoint, several at a time.

    Class attributes hold what few need to change; set them on an instance or a subclass.
    """

    attempts: int = 5
    # A hang rarely heals, and every repeat may be a generation that is paid for again.
    timeout_attempts: int = 2
    # Before the first reply a refused connection is a wrong address, not a busy server.
    first_contact_attempts: int = 3
    retry_wait_initial: float = 1.0
    # 1, 3, 9, 27 s: together most of a minute, the window of usual rate limits.
    retry_wait_factor: float = 3.0
    retry_wait_max: float = 30.0
    longest_retry_after: float = 60.0
    connect_timeout: float = 15.0
    give_up_after: int = 5
    # How long calls under way may still be answered once going on turned out pointless.
    grace: float = 2.0
    max_body_bytes: int = 32 * 1024 * 1024
    # Fields that every call carries besides the usual ones, such as a wish for log probabilities.
    extra_body: Mapping[str, Any] = MappingProxyType({})
    # Holds a budget that other endpoints share; is asked before every call.
    meter: Meter | None = None

    def __init__(self, subject: Subject, options: BackendOptions) -> None:
        """Prepare; nothing is called yet.

        Raises:
            UsageError: the subject has no address, or one that cannot be called.
        """
        if not subject.base_url:
            raise UsageError(f"subject {subject.spec!r} needs an address: add --base-url URL")
        try:
            self._base_url = clean_address(subject.base_url)
        except ValueError as error:
            raise UsageError(str(error)) from None
        self.options = replace(options, api=subject.api or options.api)
        # What the endpoint turned out not to take, learned once.
        self.rejected: frozenset[str] = frozenset()
        self._model = subject.target
        self._key_name = subject.api_key_env or DEFAULT_KEY_VARIABLE
        self._key_header = subject.key_header
        self._body: Mapping[str, Any] = json.loads(subject.body) if subject.body else {}

    def identity(self) -> Mapping[str, Any]:
        """Return who answers; calls nothing."""
        identity = {
            "kind": "openai",
            "model": self._model,
            "base_url": self._base_url,
            "api": self.options.api,
        }
        # Only where there is one: the answers of all others keep their keys.
        return {**identity, "body": dict(self._body)} if self._body else identity

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        """Answer every request and hand each response to `sink` as it arrives.

        A prompt the endpoint rejects, and a call that fails in every attempt, become a response
        with status `filtered` or `error`.

        Raises:
            BackendError: no access, no quota, no such model, unreachable, or it keeps failing.
            Whatever `sink` raises, as it is; it is not called again then.
        """
        key = self._key()
        endpoint = Endpoint(
            self._base_url, self._model, self.options.api, self._key_name, bool(key.value)
        )
        run = _Run(self, endpoint, key, self._key_header, settings, sink, iter(requests))
        try:
            anyio.run(run.main, min(self.options.concurrency, len(requests)))
        except BaseExceptionGroup as group:
            raise first_cause(group) from None

    def _key(self) -> Secret:
        if self._key_name != DEFAULT_KEY_VARIABLE and self._key_name not in os.environ:
            # Not named here: a password given by mistake may look like a name.
            raise UsageError(
                "the environment variable that --api-key-env or api_key_env names is not set; set "
                "it to the key, or to nothing where the server wants no key"
            )
        key = os.environ.get(self._key_name, "").strip()
        if not (key.isascii() and (key.isprintable() or not key)):
            raise UsageError(
                f"the key in {self._key_name} holds characters that no key has; set it again"
            )
        return Secret(key, proxy_secrets())

    def notes(self) -> tuple[str, ...]:
        """Return what a manifest should say of how the endpoint had to be asked."""
        if SYSTEM_ROLE not in self.rejected:
            return ()
        return ("the endpoint takes no system role: system text folded into the first user turn",)


@dataclass
class _Run:
    """One `answer` call: what its workers share."""

    backend: OpenAIBackend
    endpoint: Endpoint
    key: Secret = field(repr=False)
    key_header: str | None
    settings: GenerationSettings
    sink: Sink
    pending: Iterator[Request]

    def __post_init__(self) -> None:
        self.health = Health(self.backend.give_up_after)
        self.reached = False
        self.resume_at = 0.0
        self.stopped = False
        self.ending = False
        self.under_way = 0

    async def main(self, workers: int) -> None:
        async with self._client() as self.client, anyio.create_task_group() as tasks:
            for _ in range(max(1, workers)):
                tasks.start_soon(self._work)

    def _client(self) -> httpx.AsyncClient:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": f"model-forensics/{VERSION}",
        }
        headers |= key_headers(self.endpoint.base_url, self.key.value, self.key_header)
        connect = min(self.backend.connect_timeout, self.backend.options.timeout)
        try:
            return httpx.AsyncClient(
                headers=headers,
                follow_redirects=False,
                # The timeout of a whole call is set in `_post`: a server that drips a byte a second
                # would never hit one that starts afresh with every read.
                timeout=httpx.Timeout(None, connect=connect),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                mounts=dict.fromkeys(_NO_PROXY),
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            # Their messages repeat the proxy's address, in which a password may stand.
            raise BackendError(
                "a proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) cannot be "
                "used: its address is wrong, or of a kind that is not installed (socks)"
            ) from None

    async def _work(self) -> None:
        for request in self.pending:
            if self.ending:
                return
            try:
                await self._call(request)
            except BackendError:
                await self._drain()
                raise

    async def _drain(self) -> None:
        """Ask nothing new, and wait a little for answers that others are about to get."""
        self.ending = True
        with anyio.move_on_after(self.backend.grace):
            while self.under_way:
                await anyio.sleep(0.02)

    async def _call(self, request: Request) -> None:
        started = now()
        try:
            response = await self._ask(request)
        except (TransientError, RejectedError) as error:
            self._deliver(_failed(request, error, started))
            self._judge(error)
            return
        self._deliver(response)
        self.health.answered()

    def _judge(self, error: TransientError | RejectedError) -> None:
        if isinstance(error, TransientError):
            self.health.exhausted(error)
        elif error.status == "filtered":
            self.health.answered()
        else:
            self.health.rejected(error)

    def _deliver(self, response: Response) -> None:
        if self.stopped:  # a full disk may have left half a line: nothing may follow it
            return
        try:
            self.sink(response)
        except BaseException:
            self.stopped = True
            raise

    async def _ask(self, request: Request) -> Response:
        # A loop of our own: retry libraries announce each retry through process-wide hooks, which
        # print into the progress display, and with structlog installed to standard output.
        for number in itertools.count(1):
            try:
                return await self._attempt(request, number)
            except TransientError as error:
                most = min(self.backend.attempts, error.tries or self.backend.attempts)
                if error.final or number >= most:
                    raise
                pause = self._pause(number, error)
            await anyio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, number: int, error: TransientError) -> float:
        """Return the seconds before the next attempt: what the server asks, or exponential."""
        backend = self.backend
        jitter = random.uniform(0, backend.retry_wait_initial)  # noqa: S311
        if error.wait is not None:
            return error.wait + jitter
        exponential = backend.retry_wait_initial * backend.retry_wait_factor ** (number - 1)
        return min(exponential, backend.retry_wait_max) + jitter

    async def _attempt(self, request: Request, number: int) -> Response:
        await anyio.sleep_until(self.resume_at)
        requested_at = now()
        reply = await self._exchange(request, number)
        try:
            check_reply(
                reply,
                self.endpoint,
                proven=self.health.proven,
                longest_wait=self.backend.longest_retry_after,
            )
            return to_response(
                reply,
                request,
                api=self.endpoint.api,
                rejected=self._rejected(request),
                requested_at=requested_at,
                completed_at=now(),
            )
        except MalformedReplyError as error:
            raise TransientError(str(error), final=error.final, tries=FEW) from error
        except TransientError as error:
            self._hold_back(error)
            raise

    def _rejected(self, request: Request) -> frozenset[str]:
        messages = messages_for(request, self.settings)
        has_system = any(message.role == "system" for message in messages)
        return self.backend.rejected - (set() if has_system else {SYSTEM_ROLE})

    def _hold_back(self, error: TransientError) -> None:
        """Make every worker wait as long as the server asked one of them to."""
        if error.wait is not None:
            self.resume_at = max(self.resume_at, anyio.current_time() + error.wait)

    async def _exchange(self, request: Request, number: int) -> Reply:
        """Send the request, once more for every parameter the endpoint turns out not to take."""
        while True:
            body = request_body(
                request,
                self.settings,
                self.endpoint.model,
                self.endpoint.api,
                self.backend.rejected,
            )
            body |= {**self.backend._body, **self.backend.extra_body}
            if NO_STREAM in self.backend.rejected:
                body |= STREAM
            async with metered(self.backend.meter, request, self.settings) as bill:
                reply = await self._post(body, number)
                bill.read(reply)
            parameter = rejected_parameter(reply, body)
            if parameter is None and rejects_system(reply, body):
                parameter = SYSTEM_ROLE
            if parameter is None and demands_stream(reply, body):
                parameter = NO_STREAM
            if parameter is None:
                return reply
            self.backend.rejected |= {parameter}

    async def _post(self, body: Mapping[str, Any], number: int) -> Reply:
        timeout = self.backend.options.timeout
        # ASCII JSON carries lone surrogates, which UTF-8 cannot.
        content = json.dumps(body, ensure_ascii=True).encode("ascii")
        try:
            self.under_way += 1
            with anyio.fail_after(timeout):
                reply = await self._stream(content)
        except TimeoutError:
            final = number >= self.backend.timeout_attempts
            raise TransientError(
                f"no complete answer within {timeout:g} s; raise --timeout or lower --concurrency",
                final=final,
            ) from None
        except httpx.HTTPError as error:
            raise self._unreachable(error, number) from None
        except (httpx.InvalidURL, UnicodeError):
            raise BackendError(
                "the endpoint's address is not a usable address: check host and port"
            ) from None
        finally:
            self.under_way -= 1
        return reply

    async def _stream(self, content: bytes) -> Reply:
        async with self.client.stream("POST", self.endpoint.url, content=content) as response:
            self.reached = True
            most = self.backend.max_body_bytes
            try:
                body = Body(response.headers.get("content-encoding", ""), most)
                async for piece in response.aiter_raw():
                    body.add(piece)
                whole = body.whole()
            except TooLargeError:
                message = f"the reply is larger than {most / 2**20:g} MiB"
                raise TransientError(message, final=True) from None
            except UnpackingError as error:
                raise TransientError(str(error), tries=FEW) from None
            return read_body(response.status_code, response.headers, whole, self.key)

    def _unreachable(self, error: Exception, number: int) -> Exception:
        fault = fault_of(error)
        text = self.key.redact(one_line(fault.text))
        if self.reached and not fault.hopeless:
            return TransientError(text, tries=None if self.health.proven else FEW)
        message = f"cannot reach {self.endpoint.base_url}: {text}"
        if fault.hopeless or fault.early:
            return BackendError(message)
        if number >= self.backend.first_contact_attempts:
            return BackendError(f"{message}; is the server running, and --base-url right?")
        return TransientError(message, wait=self.backend.retry_wait_initial)


def _failed(request: Request, error: TransientError | RejectedError, started: str) -> Response:
    return Response(
        prompt=request.prompt,
        text="",
        sample=request.sample,
        requested_at=started,
        completed_at=now(),
        key=request.key,
        **error_fields(error),
    )
