"""What a model's tokenizer files say, read as data: no code of a model ever runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from forensics.errors import ModelFileError
from forensics.subjects.model_files.folder import ModelFiles
from forensics.subjects.model_files.gguf import read_layout
from forensics.support.json_files import read_json
from forensics.support.sanitise import one_line

_SPACE = "▁"  # how SentencePiece writes a space
_CONTINUES = "##"  # how WordPiece marks a token that goes on with a word


@dataclass(frozen=True)
class TokenizerFacts:
    """A tokenizer as its files describe it.

    `vocabulary` maps each token, as the file writes it, to its id, without the special ones;
    `merges` are the pairs of a BPE tokenizer in order; `special` maps a special token's text to its
    id; `normaliser` and `pre_tokeniser` are those steps as canonical JSON; `template` is the chat
    template, None where there is none.
    """

    name: str
    kind: str
    vocabulary: Mapping[str, int]
    merges: tuple[tuple[str, str], ...]
    special: Mapping[str, int]
    normaliser: str
    pre_tokeniser: str
    template: str | None

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """Each token as the bytes it stands for → its id: alike whatever a file's notation is."""
        return {self._bytes(token): number for token, number in self.vocabulary.items()}

    @cached_property
    def pairs(self) -> dict[tuple[bytes, bytes], int]:
        """Each merge as two byte strings → its rank."""
        return {
            (self._bytes(left), self._bytes(right)): rank
            for rank, (left, right) in enumerate(self.merges)
        }

    @cached_property
    def _byte_level(self) -> bool:
        return "ByteLevel" in self.pre_tokeniser or "Ġ" in "".join(list(self.vocabulary)[:2000])

    def _bytes(self, token: str) -> bytes:
        if self._byte_level:
            return (
                bytes(_BYTES[c] for c in token)
                if all(map(_BYTES.__contains__, token))
                else (token.encode("utf-8", "surrogatepass"))
            )
        if self.kind == "WordPiece":
            text = token[2:] if token.startswith(_CONTINUES) else f" {token}"
            return text.encode("utf-8", "surrogatepass")
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            try:
                return bytes([int(token[3:5], 16)])
            except ValueError:
                pass
        return token.replace(_SPACE, " ").encode("utf-8", "surrogatepass")


def _byte_alphabet() -> dict[str, int]:
    """Return the characters by which byte-level BPE (GPT-2) writes the 256 bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + i): b for i, b in enumerate(rest)}


_BYTES = _byte_alphabet()


def read_tokenizer(files: ModelFiles) -> TokenizerFacts:
    """Read the tokenizer of a local model.

    A `tokenizer.json` is read as it is. Other formats go through transformers, which never runs
    a model's own code here.

    Raises:
        ModelFileError: the files are damaged, of an unknown kind, or need code of the model's own.
    """
    from forensics.subjects.model_files.sources import read_template

    folder = files.folder
    if folder is None:
        return _from_gguf(files)
    if not (folder / "tokenizer.json").is_file():
        return _facts(folder.name, _through_transformers(folder), read_template(folder), folder)
    path = folder / "tokenizer.json"
    return _facts(folder.name, _read_json(path), read_template(folder), path)


def _read_json(path: Path) -> Any:
    return read_json(path, "tokenizer file")


def _damaged(path: Path, fault: str) -> ModelFileError:
    return ModelFileError(f"{path} is not a complete tokenizer file ({fault}); download it again")


def why_no_tokenizer(folder: Path) -> str:
    """Return in one line why a folder has no tokenizer that can be read."""
    try:
        if _needs_code(folder):
            return _code_wanted(folder)
    except ModelFileError as error:
        return str(error)
    return f"{folder} holds no tokenizer that is known; put a tokenizer.json into it"


def _needs_code(folder: Path) -> bool:
    config = folder / "tokenizer_config.json"
    settings = _read_json(config) if config.is_file() else {}
    code = settings.get("auto_map") if isinstance(settings, dict) else None
    return isinstance(code, dict) and "AutoTokenizer" in code


def _code_wanted(folder: Path) -> str:
    return (
        f"the tokenizer of {folder} needs the model's own code, which is never run; "
        "put a tokenizer.json beside it"
    )


def _through_transformers(folder: Path) -> Any:
    from forensics.support.quiet import quiet, why

    if _needs_code(folder):
        raise ModelFileError(_code_wanted(folder))
    quiet()
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        return json.loads(tokenizer.backend_tokenizer.to_str())
    except Exception as error:  # damaged or foreign files fail in any way at all
        raise ModelFileError(
            f"the tokenizer of {folder} cannot be read ({why(error)}); "
            "put a tokenizer.json beside it"
        ) from error


def _facts(name: str, content: Any, template: str | None, path: Path) -> TokenizerFacts:
    try:
        model = content["model"]
        added = _added(content)
        vocabulary = _vocabulary(model["vocab"])
        return TokenizerFacts(
            name=name,
            kind=_kind(model),
            vocabulary={token: n for token, n in vocabulary.items() if token not in added},
            merges=tuple(_pairs(model.get("merges") or ())),
            special=added,
            normaliser=_canonical(content.get("normalizer")),
            pre_tokeniser=_canonical(content.get("pre_tokenizer")),
            template=template,
        )
    except KeyError as error:
        raise _damaged(path, f"it has no {one_line(str(error), 40)}") from error
    except ValueError as error:
        raise _damaged(path, one_line(str(error), 100)) from error
    except (TypeError, AttributeError, IndexError, RecursionError) as error:
        raise _damaged(path, "its parts are not those of a tokenizer") from error


def _added(content: Any) -> dict[str, int]:
    return {
        str(entry["content"]): _token_number(entry["content"], entry["id"])
        for entry in content.get("added_tokens") or ()
    }


def _token_number(token: Any, number: Any) -> int:
    """Return a token's number, as the reference reader takes it: a whole number of 32 bits.

    Raises:
        ValueError: it is none.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 32:
        shown = one_line(str(token), 40)
        raise ValueError(f"the token {shown!r} has the number {one_line(repr(number), 40)}")
    return number


def _kind(model: Mapping[str, Any]) -> str:
    if model.get("type"):
        return str(model["type"])
    return "BPE" if "merges" in model else "Unigram" if "unk_id" in model else "WordPiece"


def _vocabulary(vocabulary: Any) -> dict[str, int]:
    if isinstance(vocabulary, list):  # Unigram: [token, score] in the order of ids
        return {str(entry[0]): number for number, entry in enumerate(vocabulary)}
    return {str(token): _token_number(token, n) for token, n in vocabulary.items()}


def _pairs(merges: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for merge in merges:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if len(pair) != 2:
            raise ValueError(f"the merge {one_line(str(merge), 40)!r} is not of two parts")
        yield str(pair[0]), str(pair[1])


def _canonical(step: Any) -> str:
    return json.dumps(step, sort_keys=True, ensure_ascii=True)


_GGUF_KINDS = {"gpt2": "BPE", "llama": "BPE", "bert": "WordPiece", "t5": "Unigram"}
_GGUF_CONTROL = frozenset({2, 3, 4})  # unknown, control and user-defined tokens


def _from_gguf(files: ModelFiles) -> TokenizerFacts:
    path = files.path
    layout = read_layout(path)
    tokens = layout.tokens
    if not tokens:
        raise ModelFileError(f"{path} holds no tokenizer; give the model's original files")
    types = layout.token_types or (1,) * len(tokens)
    marked = {t for t, kind in zip(tokens, types, strict=False) if kind in _GGUF_CONTROL}
    numbered = {token: number for number, token in enumerate(tokens)}
    model = layout.text("tokenizer.ggml.model") or ""
    # The file names its pre-tokeniser instead of describing it.
    pre = "ByteLevel " if model == "gpt2" else ""
    try:
        merges = tuple(_pairs(layout.merges))
    except (TypeError, ValueError) as error:
        raise _damaged(path, one_line(str(error), 100)) from error
    return TokenizerFacts(
        name=path.name,
        kind=_GGUF_KINDS.get(model, model),
        vocabulary={token: n for token, n in numbered.items() if token not in marked},
        merges=merges,
        special={token: n for token, n in numbered.items() if token in marked},
        normaliser="",
        pre_tokeniser=f"{pre}{layout.text('tokenizer.ggml.pre') or ''}",
        template=layout.text("tokenizer.chat_template"),
    )
