"""What a file really is, told by how it begins, where it is not what its name says."""

from __future__ import annotations

import struct

HEAD = 1024  # bytes at the start of a file that `foreign` wants to see

_AGAIN = "download the file itself"
_UNPACK = "unpack it first"
_CONVERT = "convert the model again with llama.cpp's convert_hf_to_gguf.py"
# Pointers, which stand in a clone until files are fetched: how they begin, what they are, and what
# fetches (specifications of Git LFS and git-xet; git-annex's "pointer files").
POINTERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer", "git lfs pull"),
    (b"# xet version", "a git-xet pointer", "git xet checkout"),
    (b"/annex/objects/", "a git-annex pointer", "git annex get"),
)
# How llama.cpp's formats before GGUF begin (little-endian), and those of other programs.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    *((start, what, f"fetch the file itself: {command}") for start, what, command in POINTERS),
    (b"lmgg", "of the format GGML, which came before GGUF", _CONVERT),
    (b"fmgg", "of the format GGMF, which came before GGUF", _CONVERT),
    (b"tjgg", "of the format GGJT, which came before GGUF", _CONVERT),
    (b"algg", "a LoRA adapter of the format GGLA, which came before GGUF", _CONVERT),
    (b"nsgg", "a saved session of llama.cpp", "give the model's file"),
    (b"qsgg", "a saved session of llama.cpp", "give the model's file"),
    (b"GGUF", "a GGUF file", "give it as gguf:FILE"),
    (b"PK\x03\x04", "a ZIP archive, as PyTorch's pickled weights are", "give safetensors or GGUF"),
    (b"\x80\x02", "a pickle, which can run code when loaded", "give safetensors or GGUF"),
    (b"\x80\x03", "a pickle, which can run code when loaded", "give safetensors or GGUF"),
    (b"\x80\x04", "a pickle, which can run code when loaded", "give safetensors or GGUF"),
    (b"\x1f\x8b", "compressed with gzip", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (b"\xfd7zXZ\x00", "compressed with xz", _UNPACK),
    (b"BZh", "compressed with bzip2", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"\x89HDF\r\n", "an HDF5 file", "give safetensors or GGUF"),
    (b"\x93NUMPY", "a numpy array", "give safetensors or GGUF"),
)
_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")
_ERROR = (b'{"error"', b'{"message"', b'{"detail"', b"entry not found", b"access to model")
_LONGEST_HEADER = 100_000_000  # of safetensors


def foreign(head: bytes) -> tuple[str, str] | None:
    """Return what a file is, and what to do, where its start shows a well-known other format.

    Args:
        head: the file's first bytes, `HEAD` of them where it has as many.

    Returns:
        `("a Git LFS pointer", "fetch the file itself…")`, or None where nothing is recognised.
    """
    for beginning, what, advice in _BEGINNINGS:
        if head.startswith(beginning):
            return what, advice
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGE):
        return "a web page, not a model", _AGAIN
    if text.startswith(_ERROR):
        return "a server's error message, not a model", _AGAIN
    if is_safetensors(head):
        return "a safetensors file", "give its folder as hf:./FOLDER"
    if len(head) >= 64 and not head.strip(b"\x00"):
        return "filled with zeros, as a download that was never finished", "download it again"
    return None


def is_safetensors(head: bytes) -> bool:
    """Tell whether a file that begins with `head` (16 bytes or more) is one of safetensors."""
    if len(head) < 16 or not head[8:].lstrip().startswith(b'{"'):
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return bool(2 <= length <= _LONGEST_HEADER)
