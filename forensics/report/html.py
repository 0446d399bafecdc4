"""The HTML report: one self-contained file that loads nothing and in which nothing can run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from forensics.case import Case
from forensics.report import charts, view
from forensics.report.markup import shown
from forensics.report.prompt_rows import MAX_VALUE_CHARS, PromptRow, fitting_cut, prompt_rows
from forensics.report.sanitise import Span, clip, one_line, segments, visible
from forensics.resources import data_folder

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_ANSWER_CHARS = 4000
MAX_RECORDS = 30
_EXHIBITS_PER_SIDE = 5
_RANDOM = 3
# The page stays under 1 MB: what is left after these two is for tables, charts and the prompts.
_EXHIBIT_BYTES = 220_000
_PROMPT_BYTES = 560_000


@dataclass(frozen=True)
class HtmlReport:
    """One self-contained page."""

    name: str = "html"

    def render(self, case: Case) -> str:
        """Return the page."""
        return render_html(case)


def render_html(case: Case) -> str:
    """Return the report of `case` as one HTML file that works without script and network.

    Every element that carries a value of the case names it in `data-case`. Answers over
    `MAX_ANSWER_CHARS` characters are cut with a notice; where answers would still make the page
    larger than about 1 MB they are cut shorter, and the page says so.
    """
    folder = data_folder("reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8").strip()
    script = (folder / "report.js").read_text(encoding="utf-8").strip()
    page = _Page(case)
    return (
        _environment(folder)
        .get_template("report.html.j2")
        .render(
            page=page,
            case=case,
            view=view,
            v=page.value,
            style=Markup(style),  # noqa: S704 (our own file)
            script=Markup(script),  # noqa: S704 (our own file)
            policy=content_security_policy(style, script),
        )
    )


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that allows exactly this inline style and script, and loads nothing."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: Any) -> Any:
    # Whatever a template prints passes here, so that no value is printed with hidden characters.
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


@dataclass(frozen=True)
class _Page:
    """What the templates ask for beyond the case itself."""

    case: Case

    def value(self, path: str, tag: str = "span") -> Markup:
        """Return the value at `path` as an element that names it."""
        text = view.display(view.lookup(self.case, path))
        cut = clip(text, MAX_VALUE_CHARS)
        return Markup('<{0} data-case="{1}">{2}</{0}>').format(tag, path, shown(cut))

    def answer(self, path: str, spans: tuple[Span, ...], cut: int) -> Markup:
        """Return an answer's text as HTML, shared spans in `<mark>`, cut to `cut` characters."""
        text: str = view.lookup(self.case, path)
        parts = [
            Markup("<mark>{}</mark>").format(shown(part)) if shared else shown(part)
            for part, shared in segments(text[:cut], spans)
        ]
        body = Markup().join(parts) if text.strip() else Markup("<i>blank</i>")
        return Markup('<div class="text" data-case="{}">{}</div>{}').format(
            path, body, self._notice(text, spans, cut)
        )

    def _notice(self, text: str, spans: tuple[Span, ...], cut: int) -> Markup:
        if len(text) <= cut:
            return Markup()
        beyond = sum(stop > cut for _, stop in spans)
        also = f" Shared passages beyond the cut: {beyond}." if beyond else ""
        words = (
            f"Cut here: {cut:,} of {len(text):,} characters are shown; the JSON has the whole "
            f"answer.{also}"
        )
        return Markup('<p class="notice">{}</p>').format(words)

    def exhibits(self, side: view.Side) -> tuple[view.ShownExhibit, ...]:
        """Return the exhibits of one side; as many for as against where there are as many."""
        limit = _RANDOM if side == "random" else _EXHIBITS_PER_SIDE
        return view.shown_exhibits(self.case, side, limit)

    def exhibit_cut(self) -> int:
        """Return to how many characters answers in exhibits are cut."""
        sides: tuple[view.Side, ...] = ("for", "against", "random")
        texts = [
            text
            for side in sides
            for exhibit in self.exhibits(side)
            for text in (exhibit.a.text, exhibit.b.text)
        ]
        return fitting_cut(texts, MAX_ANSWER_CHARS, _EXHIBIT_BYTES)[0]

    def prompts(self) -> tuple[tuple[PromptRow, ...], int, int]:
        """Return the rows to show, to how many characters answers are cut, and rows left out."""
        return prompt_rows(self.case, MAX_ANSWER_CHARS, _PROMPT_BYTES)

    def chart(self, index: int) -> Markup:
        """Return the chart of one comparator's evidence."""
        return charts.score_chart(self.case.evidence[index], f"evidence.{index}")

    def indices(self, *names: str) -> list[int]:
        """Return where evidence of these comparators lies."""
        return [i for i, e in enumerate(self.case.evidence) if e.comparator in names]

    def rows(self, path: str) -> list[tuple[str, str]]:
        """Return the leaves below `path` as (label, path), for a table of keys and values."""
        return view.flatten(view.lookup(self.case, path), path)

    def columns(self, path: str) -> tuple[str, ...]:
        """Return the column names of the list of records at `path`, if it is one."""
        return view.columns(view.lookup(self.case, path))

    def count(self, path: str) -> int:
        """Return how many records of the list at `path` are shown."""
        return min(len(view.lookup(self.case, path)), MAX_RECORDS)

    def beginning(self, path: str) -> Markup:
        """Return how the text at `path` begins, on one line."""
        text: str = view.lookup(self.case, path)
        begun = one_line(text, 110)
        return Markup('<span class="begin" data-case="{}">{}</span>').format(path, begun)
