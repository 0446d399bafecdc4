"""The HTML report: one self-contained file that loads nothing and in which nothing can run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from forensics.case.document import Case
from forensics.case.tier_names import TIER_NAMES
from forensics.report import exhibits, glossary, likelihood, refused, view
from forensics.report.html.page import Page
from forensics.support.resources import data_folder
from forensics.support.sanitise import one_line, visible

if TYPE_CHECKING:
    from jinja2 import Environment

_PAGE_BYTES = 970_000
_LINKS_BYTES = 25_000  # what the strips' cells take more where there are rows to lead to
_NAME_CHARS = 80  # of prompt ids and categories within a sentence or an attribute


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
    `page.MAX_ANSWER_CHARS` characters are cut with a notice; where answers would still make the
    page larger than about 1 MB they are cut shorter, and the page says so.
    """
    folder = data_folder("reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8").strip()
    script = (folder / "report.js").read_text(encoding="utf-8").strip()
    page = Page(case)
    fill = partial(
        environment(folder).get_template("report.html.j2").render,
        case=case,
        view=view,
        exhibits=exhibits,
        likelihood=likelihood,
        glossary=glossary,
        plan=case.plan,
        relatives=case.relatives,
        refusal_labels=refused.LABELS,
        tier_names=TIER_NAMES,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        policy=content_security_policy(style, script),
        v=page.value,
    )
    # Everything but the prompts first: they get what room is left.
    taken = len(fill(page=page).encode("utf-8", "replace")) + _LINKS_BYTES
    return fill(page=replace(page, room=max(_PAGE_BYTES - taken, 0)))


def render_brief(case: Case) -> str:
    """Return the first screen with scope and limits as one HTML file, without script."""
    folder = data_folder("reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8").strip()
    page = Page(case)
    brief: str = (
        environment(folder)
        .get_template("brief.html.j2")
        .render(
            case=case,
            view=view,
            page=page,
            style=Markup(style),  # noqa: S704 (our own file)
            policy=content_security_policy(style, ""),
            v=page.value,
        )
    )
    return brief


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that allows exactly this inline style and script, and loads nothing."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def environment(folder: Path) -> Environment:
    """Return how templates of `folder` are filled: nothing hidden, everything escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["clip"] = _clip
    environment.tests["in_cohort"] = view.has_reference
    return environment


def _clip(text: str) -> str:
    return one_line(text, _NAME_CHARS)


def _finalize(value: Any) -> Any:
    # Whatever a template prints passes here, so that no value is printed with hidden characters.
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value
