"""Rows as pandas frames, and a few lines as HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from forensics.support.sanitise import one_line

if TYPE_CHECKING:
    import pandas as pd

# Text stays `object`: pandas' own type of strings refuses lone surrogates, which answers may hold.
Kind = Literal["object", "float64", "int64", "Int64", "bool"]
TEXT: Kind = "object"
NUMBER: Kind = "float64"
COUNT: Kind = "int64"
MAYBE_COUNT: Kind = "Int64"
FLAG: Kind = "bool"
_TITLE_CHARS = 200
_LINE_CHARS = 1_000


def frame(rows: Sequence[Mapping[str, object]], columns: Mapping[str, Kind]) -> pd.DataFrame:
    """Return rows as a frame that has every column with its type, whether there are rows or not.

    Args:
        rows: values by column; None is a missing one.
        columns: name → pandas type, in order.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Series([row[name] for row in rows], dtype=kind, name=name)
            for name, kind in columns.items()
        }
    )


def few_lines(title: str, answer: str, others: Sequence[str]) -> str:
    """Return an answer as HTML for a notebook: text only, escaped, nothing hidden, of fixed size.

    Args:
        title: what the answer is about.
        answer: the answer, in bold.
        others: what is to be read with it, a paragraph each.
    """
    lines = [
        f"<p>{_shown(title, _TITLE_CHARS)}</p>",
        f"<p><strong>{_shown(answer, _LINE_CHARS)}</strong></p>",
        *(f"<p>{_shown(text, _LINE_CHARS)}</p>" for text in others),
    ]
    return f"<div>{''.join(lines)}</div>"


def _shown(text: str, limit: int) -> str:
    return html.escape(one_line(text, limit))
