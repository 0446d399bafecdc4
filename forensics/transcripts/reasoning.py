"""Splits a model's thinking from its answer."""

from __future__ import annotations

import re

_OPEN = re.compile(r"<(think|thinking|thought|reasoning)>", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str, str | None]:
    """Return `(answer, reasoning)`; reasoning is None where the text has none.

    Handles `<think>…</think>` anywhere before the answer, a closing tag whose opening tag was part
    of the chat template, and an unclosed tag, after which everything is reasoning. Of several
    blocks all are reasoning; a tag quoted inside the answer's body stays, since only a tag that
    starts the text (after white space) opens the channel.
    """
    thoughts: list[str] = []
    rest = text
    while (match := _OPEN.match(rest.lstrip())) is not None:
        body = rest.lstrip()[match.end() :]
        closing = re.search(rf"</{match.group(1)}>", body, re.IGNORECASE)
        if closing is None:
            thoughts.append(body)
            return "", "\n".join(thoughts).strip()
        thoughts.append(body[: closing.start()])
        rest = body[closing.end() :]
    if thoughts:
        return rest.strip(), "\n".join(thoughts).strip()
    return _split_at_orphan_close(text)


def _split_at_orphan_close(text: str) -> tuple[str, str | None]:
    closing = re.search(r"</think(?:ing)?>", text, re.IGNORECASE)
    if closing is None or _OPEN.search(text, 0, closing.start()):
        return text, None
    return text[closing.end() :].strip(), text[: closing.start()].strip()
