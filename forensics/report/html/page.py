"""What the templates of the HTML report ask for beyond the case itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from markupsafe import Markup

from forensics.case.details.reference import Judged, LikenessDetails
from forensics.case.details.text import RefusalDetails
from forensics.case.document import Case
from forensics.case.evidence import Evidence, Tier
from forensics.case.questions import AnswerWord, ClaimWord
from forensics.case.tier_names import TIER_NAMES
from forensics.report import view
from forensics.report.caveats import Caveat, caveats
from forensics.report.charts import charts
from forensics.report.charts.layers_chart import layers_chart
from forensics.report.charts.likelihood_chart import likelihood_chart
from forensics.report.charts.tree_chart import tree_chart
from forensics.report.counted import LabelCounts, tallies
from forensics.report.exhibits import SIDES, ShownExhibits, shown_exhibits
from forensics.report.first_screen import STRENGTHS, FirstScreen, Tone, first_screen, tone
from forensics.report.html.markup import shown
from forensics.report.html.picture import Picture, picture
from forensics.report.html.prompt_rows import (
    MAX_VALUE_CHARS,
    PromptRow,
    Strip,
    fitting_cut,
    prompt_rows,
    strip,
)
from forensics.report.likelihood import Likelihood, likelihoods
from forensics.report.refused import RefusedPrompt, refused
from forensics.report.stability import Stability, leaving_one_out
from forensics.report.tiers import TierSummary, tier_summaries
from forensics.support.sanitise import Span, clip, one_line, segments

MAX_ANSWER_CHARS = 4000
MAX_RECORDS = 30
_EXHIBITS_PER_SIDE = 5
_EXHIBIT_BYTES = 220_000
_CALIBRATION = (
    "cohort",
    "cohort_sha256",
    "reference_models",
    "known_as",
    "released",
    "log10_lr_bounds",
    "error_rates",
)
_CHARTED = ("layers",)  # details that a chart shows instead of a table
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Page:
    """A case as the templates see it.

    `room` is how many bytes prompts and their answers may take. `drawn` keeps what takes long to
    make, for a page made of this one with other room.
    """

    case: Case
    room: int = 0
    drawn: dict[str, Any] = field(default_factory=dict)

    def _once(self, name: str, make: Callable[[], _Made]) -> _Made:
        if name not in self.drawn:
            self.drawn[name] = make()
        made: _Made = self.drawn[name]
        return made

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

    @property
    def strengths(self) -> tuple[str, ...]:
        """How strongly something may be supported, the least first."""
        return STRENGTHS

    @cached_property
    def first(self) -> FirstScreen:
        """What stands on the first screen."""
        return first_screen(self.case)

    def tone(self, answer: AnswerWord | ClaimWord) -> Tone:
        """Return whether an answer says yes, says no, or leaves it open."""
        return tone(answer)

    def picture(self) -> Picture | None:
        """Return where this pair stands between unrelated models and one model, if known."""
        return self._once("picture", lambda: picture(self.case))

    @cached_property
    def exhibits(self) -> ShownExhibits:
        """The exhibits, as many against as for where there are as many."""
        return shown_exhibits(self.case, _EXHIBITS_PER_SIDE)

    def exhibit_cut(self) -> int:
        """Return to how many characters answers in exhibits are cut."""
        shown = [exhibit for side in SIDES for exhibit in self.exhibits.of(side)]
        texts = [text for exhibit in shown for text in (exhibit.a.text, exhibit.b.text)]
        return fitting_cut(texts, MAX_ANSWER_CHARS, _EXHIBIT_BYTES)[0]

    @cached_property
    def prompts(self) -> tuple[tuple[PromptRow, ...], int, int]:
        """The rows to show, to how many characters answers are cut, and rows left out."""
        return prompt_rows(self.case, MAX_ANSWER_CHARS, self.room)

    def strip(self, index: int) -> Strip:
        """Return the scores of one comparator, prompt by prompt."""
        return strip(self.case, index, len(self.prompts[0]))

    def stability(self, index: int) -> Stability | None:
        """Return how one comparator's scores move when a category of prompts is left out."""
        return leaving_one_out(self.case, self.case.evidence[index])

    def refused(self, index: int) -> tuple[RefusedPrompt, ...]:
        """Return who refused what, of the evidence on refusals."""
        evidence = self.case.evidence[index]
        return self._once(f"refused {index}", lambda: refused(self.case, evidence))[:MAX_RECORDS]

    def tallies(self, index: int) -> tuple[LabelCounts, ...]:
        """Return what evidence counted of A and of B: refusals, evasions, claims."""
        return tallies(self.case.evidence[index].details, f"evidence.{index}.details")

    def phrases(self, index: int, letter: str) -> list[str]:
        """Return where the refusing phrases of a subject lie, each with its count."""
        details = self.case.evidence[index].details
        if not isinstance(details, RefusalDetails):
            return []
        listed = details.phrases_a if letter == "a" else details.phrases_b
        path = f"evidence.{index}.details.phrases_{letter}"
        return [f"{path}.{place}" for place in range(len(listed))][:MAX_RECORDS]

    @cached_property
    def likelihoods(self) -> tuple[Likelihood, ...]:
        """The likelihood ratios of the verdict."""
        return likelihoods(self.case)

    def judged(self) -> list[int]:
        """Return where evidence lies that a cohort judged."""
        judged = enumerate(self.case.evidence)
        return [place for place, e in judged if isinstance(e.details, LikenessDetails)]

    def calibration_rows(self, index: int) -> list[tuple[str, str]]:
        """Return what is known of the cohort that judged this evidence, as (label, path)."""
        details = self.case.evidence[index].details.written()
        path = f"evidence.{index}.details"
        return [
            (f"{name.replace('_', ' ')} › {label}" if label else name.replace("_", " "), at)
            for name in _CALIBRATION
            if name in details
            for label, at in view.flatten(details[name], f"{path}.{name}")
        ]

    def conditions(self) -> list[tuple[str, bool]]:
        """Return where each condition of the validated population lies, and whether it is met."""
        return [
            (f"evidence.{index}.details.conditions.{place}", condition.met)
            for index, entry in enumerate(self.case.evidence)
            if isinstance(entry.details, Judged)
            for place, condition in enumerate(entry.details.conditions)
        ]

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What limits this very case."""
        return caveats(self.case)

    def summary(self, tier: Tier) -> TierSummary:
        """Return what a tier asks, and what was measured of it."""
        return next(summary for summary in tier_summaries(self.case) if summary.tier == tier)

    @property
    def missing_tiers(self) -> list[TierSummary]:
        """The tiers that were no part of the run."""
        present = {entry.tier for entry in self.case.evidence}
        return [summary for summary in tier_summaries(self.case) if summary.tier not in present]

    def tiers(self) -> list[tuple[Tier, list[tuple[int, Evidence]]]]:
        """Return the evidence by tier, each with its place."""
        groups: dict[Tier, list[tuple[int, Evidence]]] = {}
        for index, entry in enumerate(self.case.evidence):
            groups.setdefault(entry.tier, []).append((index, entry))
        return [(tier, groups[tier]) for tier in TIER_NAMES if tier in groups]

    def likelihood_chart(self, likelihood: Likelihood) -> Markup:
        """Return the bar of one likelihood ratio."""
        return self._once(likelihood.path, lambda: likelihood_chart(likelihood))

    def layers_chart(self, index: int) -> Markup:
        """Return the heat map of layers, where the evidence compared them."""
        evidence, path = self.case.evidence[index], f"evidence.{index}"
        return self._once(f"layers {index}", lambda: layers_chart(evidence, path))

    def tree(self) -> Markup:
        """Return the tree of relatives."""
        return self._once("tree", lambda: tree_chart(self.case))

    def scored(self) -> list[tuple[int, Evidence, bool]]:
        """Return evidence with a score, its place, and whether it is drawn; charts come first."""
        scored = [
            (i, e, bool(e.interval or e.noise_floor or e.reference or e.per_prompt))
            for i, e in enumerate(self.case.evidence)
            if e.status == "ok" and e.score is not None
        ]
        return sorted(scored, key=lambda entry: not entry[2])

    def chart(self, index: int) -> Markup:
        """Return the chart of one comparator's evidence."""
        evidence, path = self.case.evidence[index], f"evidence.{index}"
        return self._once(f"score {index}", lambda: charts.score_chart(evidence, path))

    def indices(self, *names: str) -> list[int]:
        """Return where evidence of these comparators lies."""
        return [i for i, e in enumerate(self.case.evidence) if e.comparator in names]

    def rows(self, path: str) -> list[tuple[str, str]]:
        """Return the leaves below `path` as (label, path), for a table of keys and values."""
        return view.flatten(view.lookup(self.case, path), path)

    def details(self, index: int) -> list[tuple[str, str]]:
        """Return the details of one comparator's evidence, without what a chart shows of them."""
        drawn = _CHARTED if self.layers_chart(index) else ()
        rows = self.rows(f"evidence.{index}.details")
        return [(label, at) for label, at in rows if label not in drawn]

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
