"""The channels of gpt-oss (the harmony format), with their tokens or stripped of them.

Source: OpenAI's harmony format guide. A reply is a row of messages
`<|start|>assistant<|channel|>analysis<|message|>…<|end|>`, of which the channel `final` is the
answer; `analysis` and `commentary` are not shown to a user. Servers that drop special tokens leave
`analysis…assistantfinal…`.
"""

from __future__ import annotations

import re

TOKENS = frozenset(
    f"<|{name}|>" for name in ("start", "channel", "message", "end", "return", "call", "constrain")
)
_ROLE = r"(?:<\|start\|>)?(?:assistant)?(?:[ \t]+to=\S+?)?"
_HEADER = re.compile(
    rf"(?:{_ROLE}<\|channel\|>\s*(?P<channel>\w+)|(?P<bare>analysis|commentary|final))"
    r"(?P<more>[^<]{0,200}?(?:<\|constrain\|>\s*\w+)?)<\|message\|>"
    r"|<\|start\|>assistant<\|message\|>"
)
_END = re.compile(r"<\|(?:end|return|call)\|>|(?=<\|start\|>|<\|channel\|>)")
_FINAL = re.compile(
    r"<\|end\|>\s*(?P<final><\|start\|>assistant\s*<\|channel\|>\s*final[^<]{0,200}<\|message\|>)"
)
_STRIPPED = re.compile(r"(?:assistant)?analysis(?=[^a-z\s]|\s*[A-Z])")
_NEXT = re.compile(r"assistant(?P<channel>final|analysis|commentary)")


def split(text: str) -> tuple[str, str | None, bool] | None:
    """Return answer, thinking and whether it broke off; None where the text has no channels."""
    start = text.lstrip()
    if _HEADER.match(start):
        return _split_marked(start)
    if start.startswith("<|channel|>"):
        return "", None, True  # cut off within the header
    final = _FINAL.search(text) if "<|channel|>" in text else None
    if final is not None:
        # The prompt's template had opened the thinking.
        answer, _, _ = _split_marked(text[final.start("final") :])
        return answer, text[: final.start()].strip() or None, False
    if _STRIPPED.match(start):
        return _split_stripped(start)
    return None


def _split_marked(text: str) -> tuple[str, str | None, bool]:
    finals: list[str] = []
    thoughts: list[str] = []
    place, opened = 0, ""
    while (header := _HEADER.search(text, place)) is not None:
        opened = header["channel"] or header["bare"] or "final"
        end = _END.search(text, header.end())
        body = text[header.end() : end.start() if end else len(text)]
        place = end.end() if end else len(text)
        is_call = "to=" in header.group()
        if opened == "final":
            finals.append(body)
        elif not is_call:
            thoughts.append(body)
    answer = "\n\n".join(part.strip() for part in finals)
    reasoning = "\n".join(part.strip() for part in thoughts if part.strip())
    return answer, reasoning or None, not finals


def _split_stripped(text: str) -> tuple[str, str | None, bool] | None:
    marks = list(_NEXT.finditer(text))
    final = next((mark for mark in marks if mark["channel"] == "final"), None)
    opening = _STRIPPED.match(text)
    if opening is None or (final is None and not text[opening.end() : opening.end() + 1].isupper()):
        return None
    thinking = text[opening.end() : final.start() if final else len(text)]
    reasoning = _NEXT.sub("\n", thinking).strip()
    return text[final.end() :].strip() if final else "", reasoning or None, final is None
