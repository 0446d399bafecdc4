"""Turns a prompt's messages into the text a model is given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forensics.suites.suite import Message

# Some templates write today's date into the system prompt: the same question would then be
# another one tomorrow. They see this date instead.
TEMPLATE_DATE = "01 Jan 2025"
_PROBE = "a system message"
_QUESTION = "a question"


@dataclass(frozen=True)
class ChatTemplate:
    """A tokenizer's chat template, or none.

    `text` is the Jinja source, None for plain text; `special_tokens` (`bos_token`, …) is what the
    template may refer to.
    """

    text: str | None
    special_tokens: Mapping[str, str] | None = None

    def identity(self) -> dict[str, str]:
        """Return what is recorded of the template: it decides what a model is asked."""
        if self.text is None:
            return {"template": "none"}
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        recorded = {"template": "chat", "template_sha256": digest}
        if "strftime_now" in self.text:
            recorded["template_date"] = TEMPLATE_DATE
        if not self.takes_system:
            recorded["system_role"] = "folded into the first user turn"
        if self.takes_parts:
            recorded["content"] = "given as a list of text parts"
        return recorded

    @cached_property
    def takes_parts(self) -> bool:
        """Whether the template drops a text that is not given as a list of parts.

        Templates of models that see images go through the parts of a message, and of a plain text
        through its letters.
        """
        probe = [Message("user", _QUESTION)]
        return not self._shows(probe, _QUESTION) and self._shows(probe, _QUESTION, parts=True)

    @cached_property
    def takes_system(self) -> bool:
        """Whether the template renders a system message; some raise, some drop it silently."""
        probe = [Message("system", _PROBE), Message("user", _QUESTION)]
        return self._shows(probe, _PROBE, parts=self.takes_parts)

    def _shows(self, turns: Sequence[Message], text: str, parts: bool = False) -> bool:
        try:
            return text in self._render(turns, parts)
        except _failures():
            return False

    def render(self, messages: Sequence[Message], system_prompt: str | None = None) -> str:
        """Return the text whose continuation is the answer.

        Without a template that is the messages' texts, joined by blank lines, with nothing after
        them: the model goes on where the last one ends.

        Raises:
            ValueError: the template refuses these messages.
        """
        turns = [Message("system", system_prompt)] if system_prompt else []
        turns += messages
        if self.text is None:
            return "\n\n".join(turn.content for turn in turns)
        if not self.takes_system:
            turns = fold_system(turns)
        try:
            return self._render(turns, self.takes_parts)
        except _failures() as error:
            raise ValueError(f"the chat template refuses this prompt: {error}") from error

    def _render(self, turns: Sequence[Message], parts: bool) -> str:
        from transformers.utils.chat_template_utils import render_jinja_template

        dated = (
            "{%- macro strftime_now(format) -%}" + TEMPLATE_DATE + "{%- endmacro -%}"
            if "strftime_now" in (self.text or "")
            else ""
        )
        chat = [
            {
                "role": turn.role,
                "content": [{"type": "text", "text": turn.content}] if parts else turn.content,
            }
            for turn in turns
        ]
        rendered: Any = render_jinja_template(
            [chat],
            chat_template=dated + (self.text or ""),
            add_generation_prompt=True,
            **(self.special_tokens or {}),
        )
        # Releases differ in whether the texts come alone or with the answers' positions.
        texts = rendered[0] if isinstance(rendered, tuple) else rendered
        return str(texts[0])


def _failures() -> tuple[type[Exception], ...]:
    """Return what a template may raise: of Jinja, by its own word, or of the Python it calls."""
    from jinja2 import TemplateError

    return (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


def fold_system(turns: Sequence[Message]) -> list[Message]:
    """Return the turns with the system texts put in front of the first user turn's text.

    That is what model cards advise where a template knows no system role.
    """
    system = [turn.content for turn in turns if turn.role == "system"]
    rest = [turn for turn in turns if turn.role != "system"]
    if not system:
        return rest
    first = next((i for i, turn in enumerate(rest) if turn.role == "user"), None)
    if first is None:
        return [Message("user", "\n\n".join(system)), *rest]
    rest[first] = Message("user", "\n\n".join([*system, rest[first].content]))
    return rest
