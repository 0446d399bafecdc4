"""The suite file format (YAML), validated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from forensics.suites.suite import Message, Prompt, Suite, TextSource

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageEntry(_Strict):
    """One turn as written in the file."""

    role: Literal["system", "user", "assistant"]
    content: Text


class PromptEntry(_Strict):
    """One prompt as written in the file: either `prompt` (one user message) or `messages`."""

    id: Slug
    category: Slug
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] | None = None
    prompt: Text | None = None
    messages: Annotated[list[MessageEntry], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise PydanticCustomError("form", "give either `prompt` or `messages`")
        if self.messages is not None and self.messages[-1].role != "user":
            raise PydanticCustomError("form", "the last message must be the user's")
        return self

    def to_prompt(self) -> Prompt:
        """Return the prompt this entry describes."""
        turns = tuple(Message(m.role, m.content) for m in self.messages or ())
        messages = turns or (Message("user", self.prompt or ""),)
        return Prompt(self.id, messages, self.category, self.language, self.max_tokens)


class ReferencedTexts(_Strict):
    """Where a referenced suite's hashes (`prompts`, a CSV file beside it) and texts are."""

    prompts: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.csv$")]
    dataset: Text
    file: Text
    text_field: Text


class SuiteFile(_Strict):
    """A whole suite file: `prompts` with their texts, or a `reference` to texts elsewhere.

    `usual` is how many prompts are asked where nobody chose any.
    """

    name: Slug
    version: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    license: str = ""
    description: str = ""
    categories: dict[Slug, str] = {}
    prompts: Annotated[list[PromptEntry], Field(min_length=1)] | None = None
    reference: ReferencedTexts | None = None
    usual: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.prompts is None) == (self.reference is None):
            raise PydanticCustomError("form", "give either `prompts` or `reference`")
        return self

    def problem(self) -> tuple[tuple[str | int, ...], str] | None:
        """Return the place of the first prompt that does not fit the others, and what is wrong."""
        seen: dict[str, str] = {}
        for number, entry in enumerate(self.prompts or ()):
            if self.categories and entry.category not in self.categories:
                what = f"prompt {entry.id}: `categories` does not list {entry.category}"
                return ("prompts", number, "category"), what
            for kind, value in (("id", entry.id), ("text", entry.to_prompt().sha256)):
                first = seen.setdefault(f"{kind} {value}", entry.id)
                if first is not entry.id:
                    what = f"prompts {first} and {entry.id} have the same {kind}"
                    return ("prompts", number, "id"), what
        return None

    def to_suite(self, folder: Path) -> Suite:
        """Return the suite this file describes; `folder` is where it lies."""
        from forensics.suites.references import read_hashes

        prompts = tuple(entry.to_prompt() for entry in self.prompts or ())
        source = None
        if self.reference is not None:
            prompts = read_hashes(folder / self.reference.prompts)
            where = self.reference
            source = TextSource(where.dataset, where.file, where.text_field)
        return Suite(
            self.name,
            self.version,
            self.title,
            prompts,
            self.description.strip(),
            self.license,
            self.categories,
            source,
            self.usual,
        )
