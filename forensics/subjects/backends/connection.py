"""What a connection that fails means: which faults another attempt may cure, in plain words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class NoReply:
    """Why no reply came.

    `hopeless`: no attempt will do better. `early`: so it is before the first reply of a run.
    """

    text: str
    hopeless: bool = False
    early: bool = False


def fault_of(error: Exception) -> NoReply:  # noqa: PLR0911 (one return a kind of fault)
    """Return what an error of the HTTP client means; its text may hold what a server said."""
    causes = list(_chain(error))
    certificate = next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)
    if certificate is not None or "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = getattr(certificate, "verify_message", "") or "it cannot be verified"
        return NoReply(
            f"its TLS certificate is not accepted ({why}); check the address, or let SSL_CERT_FILE "
            "name the certificates to trust",
            hopeless=True,
        )
    if isinstance(error, httpx.ConnectError) and any(isinstance(c, ssl.SSLError) for c in causes):
        return NoReply(f"no TLS connection ({error}); is it an http:// address?", early=True)
    if any(isinstance(cause, socket.gaierror) for cause in causes) or _no_such_host(str(error)):
        return NoReply(f"no such host is known ({error}); check the address", early=True)
    if isinstance(error, httpx.ConnectTimeout):
        return NoReply("no connection in time; a firewall may be in the way", early=True)
    if isinstance(error, httpx.ProxyError):
        return NoReply(f"the proxy of the environment refuses ({error})", hopeless=True)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return NoReply(f"the call cannot be sent ({error})", hopeless=True)
    if isinstance(error, httpx.ConnectError):
        return NoReply(str(error) or type(error).__name__)
    return NoReply(f"connection failed: {str(error) or type(error).__name__}")


def _no_such_host(text: str) -> bool:
    return any(said in text for said in ("Name or service not known", "getaddrinfo failed"))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            todo += current.exceptions


def first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception a task group's several stand for; an interruption goes first."""
    interrupted = group.subgroup((KeyboardInterrupt, SystemExit))
    first: BaseException = interrupted or group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
