"""Subjects: one string names a model under examination."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from forensics.errors import UsageError
from forensics.support.resources import is_file, is_folder

BUILT_IN_KINDS = ("hf", "gguf", "openai", "transcript", "demo", "cohort")
FORMS = (
    "hf:org/name@revision, hf:./folder, gguf:file.gguf, openai:model@http://host/v1, "
    "transcript:file.jsonl, demo:name, cohort:model"
)


@dataclass(frozen=True)
class Subject:
    """A parsed subject.

    `kind` is one of `BUILT_IN_KINDS` or the name of a backend plugin.
    `target` is the model id, path or demo name, or a cohort's model (COHORT/MODEL where several
    cohorts have one of that name); `revision` a hub revision; `base_url` an endpoint's address
    without credentials; `api_key_env` the *name* of the environment variable that holds its key;
    `api` what the endpoint speaks, where that is known of it.
    """

    spec: str
    kind: str
    target: str
    revision: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    api: Literal["chat", "completions"] | None = None

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
    raise UsageError(f"cannot tell what subject {spec!r} is; forms: {FORMS}")


def _hub(spec: str, target: str) -> Subject:
    if is_folder(Path(target)):
        return Subject(spec, "hf", target)
    name, _, revision = target.partition("@")
    return Subject(spec, "hf", name, revision=revision or None)


def _endpoint(spec: str, target: str, base_url: str | None, api_key_env: str | None) -> Subject:
    head, marker, tail = target.partition("@http")
    url = f"http{tail}" if marker else base_url
    if not url:
        raise UsageError(
            f"subject {spec!r} needs an address: add --base-url URL or write openai:{head}@URL"
        )
    subject = Subject(spec, "openai", head, base_url=_clean_url(spec, url))
    # The spec is shown and stored, so what stood in it as credentials must not stay.
    shown = f"openai:{head}@{subject.base_url}" if marker else spec
    return replace(subject, spec=shown, api_key_env=api_key_env or "OPENAI_API_KEY")


def _clean_url(spec: str, url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"subject {spec!r}: {url!r} is not an http(s) address") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"subject {spec!r}: {url!r} is not an http(s) address")
    if parts.username or parts.password:
        raise UsageError(
            "an endpoint address must not hold a user name or key; put the key into an environment "
            "variable and name it with --api-key-env"
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
