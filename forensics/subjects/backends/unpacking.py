"""Bodies that come packed (gzip, deflate), unpacked without ever holding more than a limit.

The HTTP client unpacks whatever it has received at once: a few kilobytes may become many megabytes,
for every call under way.
"""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_EITHER = 32 + zlib.MAX_WBITS  # gzip or zlib, told apart by their first bytes
_BARE = -zlib.MAX_WBITS


class UnpackingError(ValueError):
    """A body that is not packed as its header says, or cut off."""


class TooLargeError(ValueError):
    """A body that is larger than the limit once unpacked."""


class Body:
    """A body as it arrives: `add` its pieces as received, then ask for `whole`.

    Args:
        encoding: the reply's `Content-Encoding`.
        limit: most bytes that the unpacked body may have.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower().removeprefix("x-")
        self._limit = limit
        self._found = bytearray()
        self._head = b""
        self._packed = self._encoding in ("gzip", "deflate")
        self._unpacker = zlib.decompressobj(_EITHER)
        if not self._packed and self._encoding not in ("", "identity"):
            raise UnpackingError("the reply is packed in a way that was not asked for")

    def add(self, piece: bytes) -> None:
        """Take a piece of the body.

        Raises:
            UnpackingError: it is not packed as its header says.
            TooLargeError: the body is larger than the limit.
        """
        if not self._packed:
            self._found += piece
        elif self._begun(piece):
            head, self._head = self._head, b""
            self._unpack(head)
        if len(self._found) > self._limit:
            raise TooLargeError

    def whole(self) -> bytes:
        """Return the body.

        Raises:
            UnpackingError: its end is missing.
        """
        if self._packed and (self._head or self._found) and not self._unpacker.eof:
            raise UnpackingError(f"the reply's {self._encoding} is cut off")
        return bytes(self._found)

    def _begun(self, piece: bytes) -> bool:
        """Tell whether enough is there to know how it is packed."""
        first = not self._found and self._encoding == "deflate"
        self._head += piece
        if not first:
            return True
        if len(self._head) < 2:
            return False
        # Some servers send bare deflate, without the header of zlib (RFC 1950, 2.2).
        if self._head[0] & 15 != 8 or int.from_bytes(self._head[:2], "big") % 31:
            self._unpacker = zlib.decompressobj(_BARE)
        self._encoding = "deflate's data"
        return True

    def _unpack(self, piece: bytes) -> None:
        while piece and len(self._found) <= self._limit:
            if self._unpacker.eof:  # several packed one after the other are one body
                self._unpacker = zlib.decompressobj(_EITHER)
            room = self._limit + 1 - len(self._found)
            try:
                self._found += self._unpacker.decompress(piece, room)
            except zlib.error:
                raise UnpackingError(
                    f"the reply is not {self._encoding}, as its header says"
                ) from None
            piece = self._unpacker.unused_data or self._unpacker.unconsumed_tail
