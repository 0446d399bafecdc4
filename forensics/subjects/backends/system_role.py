"""Endpoints that take no system message: known by what they say of one.

Some models have no system role, and their servers refuse it, each in words of its own: o1-mini
("'messages[0].role' does not support 'system'"), Gemma ("System role not supported", "Developer
instruction is not enabled"), older Mistral ("Conversation roles must alternate").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.subjects.backends.chat_protocol import Reply, error_info

_SYSTEM = re.compile(
    r"\bsystem[ _-]?(?:role|prompt|message|instruction|turn)s?\b|developer instruction"
    r"|\brole\b[^.]{0,40}\bsystem\b|['\"`]system['\"`]|conversation roles must alternate"
    r"|only user(?:,| and) (?:assistant|model)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"must alternate|\bonly\b|invalid|unsupported|support|unrecogni[sz]ed|unknown|unexpected"
    r"|not (?:enabled|accepted|allowed|permitted|valid|one of|implemented)|cannot|can't|refus"
    r"|disallow|must be one of|should be '",
    re.IGNORECASE,
)


def rejects_system(reply: Reply, sent: Mapping[str, Any]) -> bool:
    """Tell whether the reply says that no system message is taken, and `sent` holds one."""
    # A chat template that raises makes some servers say 500.
    if reply.status not in (400, 422, 500):
        return False
    if not any(message["role"] == "system" for message in sent.get("messages", ())):
        return False
    info = error_info(reply)
    text = f"{info.message} {info.code} {info.param or ''}"
    return _SYSTEM.search(text) is not None and _REFUSED.search(text) is not None
