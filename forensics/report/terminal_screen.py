"""The answer on one screen of a terminal: at most fifteen lines of eighty columns."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.case.document import Case
from forensics.report.first_screen import FirstScreen, LeadAnswer, first_screen, tone
from forensics.report.four_answers import ShownAnswer, ShownClaim
from forensics.support.ci_commands import harmless
from forensics.support.sanitise import encodable, one_line, visible

if TYPE_CHECKING:
    from rich.console import Console

MOST_LINES = 13  # within the box, whose border takes two more
_INNER = 76
_LONG = 400
_STYLES = {"yes": "bold green", "no": "bold magenta", "open": "bold yellow"}


@dataclass(frozen=True)
class Line:
    """One line of text, and the style it is printed in."""

    text: str
    style: str = ""


def screen_lines(case: Case, width: int = _INNER) -> list[Line]:
    """Return what is said of a case on one screen.

    Args:
        case: the case.
        width: of a line, in characters.

    Returns:
        At most `MOST_LINES` lines of at most `width` characters: names, question and answer, why,
        the other questions, what would settle it. Where lines are short, reasons are cut first.
    """
    screen = first_screen(case)
    head: list[Line] = []
    for claim in screen.claims[:1]:
        head += _claim(claim, width, len(screen.claims) - 1)
    head.append(Line(_fit(" · ".join(screen.names), width), "bold"))
    head.append(_answer(screen.lead, width))
    tail = [_other(answer, width) for answer in screen.others] + _settle(screen, width)
    room = MOST_LINES - len(head) - len(tail)
    warned = _warnings(screen, width, min(room - 1, 3))
    said = _wrapped(screen.lead.said, width, max(room - len(warned), 1))
    return [*head, *map(Line, said), *warned, *tail]


def render_screen(case: Case, console: Console) -> None:
    """Print the answer to a case in a box, and nothing else.

    Text from the case is only ever printed as `Text`, never parsed as markup; what the console's
    encoding cannot express is printed as a visible escape.
    """
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    width = min(console.width, _INNER + 4)
    lines = [
        Text(
            harmless(encodable(visible(line.text), console.encoding)),
            style=line.style,
            overflow="crop",
            no_wrap=True,
        )
        for line in screen_lines(case, max(width - 4, 20))
    ]
    console.print(Panel(Group(*lines), padding=(0, 1), width=width), highlight=False)


def _claim(claim: ShownClaim, width: int, more: int) -> list[Line]:
    others = f" (and {more} more, see the full report)" if more else ""
    said = f'Claim: "{one_line(claim.text, _LONG)}"'
    return [
        Line(_fit(said, width)),
        Line(
            _fit(f"{claim.label.upper()}. {one_line(claim.reason, _LONG)}{others}", width),
            _STYLES[tone(claim.answer.answer)],
        ),
    ]


def _answer(answer: LeadAnswer, width: int) -> Line:
    return Line(_fit(f"{answer.question} {answer.label.upper()}", width), _STYLES[answer.tone])


def _warnings(screen: FirstScreen, width: int, most: int) -> list[Line]:
    if not screen.warnings or most < 1:
        return []
    first, *others = screen.warnings
    more = f" (and {len(others)} more, see the full report)" if others else ""
    return [Line(text, "yellow") for text in _wrapped(f"! {first}{more}", width, most)]


def _other(answer: ShownAnswer, width: int) -> Line:
    label = answer.label[:1].upper() + answer.label[1:]
    if answer.brief:
        return Line(_fit(f"{answer.short} {label}: {answer.brief}", width), "dim")
    said = " ".join((f"{label}.", *answer.reasons[:1]))
    return Line(_fit(f"{answer.short} {one_line(said, _LONG)}", width), "dim")


def _settle(screen: FirstScreen, width: int) -> list[Line]:
    if not screen.settle:
        return []
    lines = [Line(text) for text in _wrapped(f"What would settle it: {screen.settle}", width, 2)]
    # A command that is cut cannot be run: one that does not fit a line takes two.
    commands = [text for command in screen.commands[:1] for text in _wrapped(command, width, 2)]
    return lines + [Line(f"  {text}"[:width], "cyan") for text in commands]


def _wrapped(text: str, width: int, most: int) -> list[str]:
    lines = textwrap.wrap(text, width, break_long_words=True, break_on_hyphens=False)
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], _fit(" ".join(lines[most - 1 :]), width)]


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"
