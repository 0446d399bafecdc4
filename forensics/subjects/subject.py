"""Subjects: one string names a model under examination."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forensics.errors import UsageError
from forensics.subjects.addresses import clean_address
from forensics.support.resources import is_file, is_folder
from forensics.support.secrets import DEFAULT_KEY_VARIABLE, holds_key, is_variable_name, redacted

BUILT_IN_KINDS = ("hf", "gguf", "openai", "transcript", "demo", "cohort")
FORMS = (
    "hf:org/name@revision, hf:./folder, gguf:file.gguf, openai:model@http://host/v1, "
    "transcript:file.jsonl, demo:name, cohort:model"
)
# Where the address begins in `openai:model@address`; other schemes are found to be refused.
_ADDRESS = re.compile(r"(?i)(?:^|@)(?=https?:|[a-z][a-z0-9+.-]*://)")
_CREDENTIALS = re.compile(r"@[^@]*:[^@]*@")


@dataclass(frozen=True)
class Subject:
    """A parsed subject.

    `kind` is one of `BUILT_IN_KINDS` or the name of a backend plugin.
    `target` is the model id, path or demo name, or a cohort's model (COHORT/MODEL where several
    cohorts have one of that name); `revision` a hub revision; `base_url` an endpoint's address
    without credentials; `api_key_env` the *name* of the environment variable that holds its key;
    `key_header` the header that carries it, where that is set; `api` what the endpoint speaks,
    where that is known of it; `body` a JSON object of further fields of every request, such as a
    switch for reasoning: with another one it is another subject.
    """

    spec: str
    kind: str
    target: str
    revision: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    api: Literal["chat", "completions"] | None = None
    key_header: str | None = None
    body: str = ""

    @property
    def name(self) -> str:
        """A short name to show; not unique."""
        if self.kind == "transcript":
            return Path(self.target).stem
        return Path(self.target).name if self.kind == "gguf" else self.target


def parse_subject(
    spec: str, base_url: str | None = None, api_key_env: str | None = None
) -> Subject:
    """Parse `spec`; a plain path is taken for what it is.

    Args:
        spec: one of the forms in `FORMS`.
        base_url: endpoint address for `openai:` subjects that name none themselves.
        api_key_env: name of the environment variable with the endpoint's key.

    Raises:
        UsageError: an unknown form, or an endpoint without an address.
    """
    prefix, separator, target = spec.partition(":")
    if not separator or prefix not in BUILT_IN_KINDS:
        return _from_plugin_or_path(spec, prefix, target)
    if not target:
        raise UsageError(f"subject {spec!r} names nothing after {prefix!r}; forms: {FORMS}")
    match prefix:
        case "hf":
            return _hub(spec, target)
        case "openai":
            return _endpoint(spec, target, base_url, api_key_env)
        case _:
            return Subject(spec, prefix, target)


def _from_plugin_or_path(spec: str, prefix: str, target: str) -> Subject:
    if not target or is_file(Path(spec)) or is_folder(Path(spec)):
        return _from_path(spec)
    from forensics.support.plugins import plugin_names

    if prefix in plugin_names("backends"):
        return Subject(spec, prefix, target)
    return _from_path(spec)


def _from_path(spec: str) -> Subject:
    path = Path(spec)
    if path.suffix == ".gguf":
        return Subject(spec, "gguf", spec)
    if path.suffix == ".jsonl":
        return Subject(spec, "transcript", spec)
    if spec and is_folder(path):
        return Subject(spec, "hf", spec)
    # An address, or something before one that may be a password, is not repeated.
    hidden = "://" in spec or set("@?#") & set(spec)
    which = "the subject given" if hidden else f"subject {redacted(spec)!r}"
    raise UsageError(f"cannot tell what {which} is; forms: {FORMS}")


def _hub(spec: str, target: str) -> Subject:
    if is_folder(Path(target)):
        return Subject(spec, "hf", target)
    name, _, revision = target.partition("@")
    return Subject(spec, "hf", name, revision=revision or None)


def holds_address(target: str) -> bool:
    """Tell whether `model@address` is what follows `openai:`, whatever the address's scheme."""
    return _ADDRESS.search(target) is not None


def _endpoint(spec: str, target: str, base_url: str | None, api_key_env: str | None) -> Subject:
    marker = _ADDRESS.search(target)
    head, url = (target[: marker.start()], target[marker.end() :]) if marker else (target, base_url)
    # What stands before an @ may be a user and password of an address without http://.
    shown = redacted(f"openai:{head}") if "@" not in head else "openai:MODEL"
    if not head:
        raise UsageError("the subject names no model; write openai:MODEL@URL")
    if _CREDENTIALS.search(head) or holds_key(head):
        raise UsageError(
            f"subject {shown}@…: that is not a model and looks like a password or "
            f"key; write openai:MODEL@http://HOST/v1; {_KEYS}"
        )
    if not url:
        raise UsageError(
            f"subject {shown!r} needs an address: add --base-url URL or write {shown}@URL"
        )
    check_key_variable(api_key_env)
    try:
        address = clean_address(url)
    except ValueError as error:
        raise UsageError(f"subject {shown}: {error}") from None
    return Subject(
        # The spec is shown and stored, in one form.
        f"openai:{head}@{address}" if marker else spec,
        "openai",
        head,
        base_url=address,
        api_key_env=api_key_env or DEFAULT_KEY_VARIABLE,
    )


_KEYS = "a key belongs in an environment variable, named with --api-key-env"


def check_key_variable(name: str | None) -> None:
    """Check what was given as the name of a variable; None is none.

    Raises:
        UsageError: it can be no name, or looks like a key; the message does not show it.
    """
    if name is not None and not is_variable_name(name):
        raise UsageError(
            "--api-key-env takes the name of an environment variable, and what was given is not "
            "one; if it is the key itself (not shown here), put it into a variable"
        )
