"""The viewer's pages: each is made of the folder when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from pydantic import ValidationError

from forensics.case.document import Case, read_case
from forensics.errors import InputFileError
from forensics.evidence.exposure.result_files import read_exposure
from forensics.evidence.exposure.wording import LIMITS
from forensics.policy.outcomes import CheckResult
from forensics.report import exposure, view
from forensics.report.check import view as check_words
from forensics.report.html.html import content_security_policy, environment, render_html
from forensics.report.html.page import Page
from forensics.support.resources import data_folder
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Transcript, read_transcript
from forensics.view.answer_reader import of_case, of_transcript, of_transcripts
from forensics.view.beside_page import beside_page
from forensics.view.fleet_page import document_places, fleet_result, shown_finding
from forensics.view.kinship_page import Kinship, compared, of_cohort
from forensics.view.kinship_page import of_transcripts as kinship_of_transcripts
from forensics.view.links import Address, Links, Screen
from forensics.view.recognising import document
from forensics.view.table_rows import Listing
from forensics.view.trace_page import shown_trace
from forensics.view.viewed_folder import ALL, Place, ViewedFolder

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS = (
    ("check", "Checks"),
    ("trace", "Traces"),
    ("exposure", "Exposure tests"),
    ("plan", "Case files"),
    ("transcript", "Transcripts"),
    ("cohort", "Cohorts"),
    ("fleet", "Fleet"),
    ("page", "Exported pages"),
)
_PIECES = 400  # of a template that are sent at once


@dataclass(frozen=True)
class Screens:
    """Pages of a folder, with links as a server or a static site has them."""

    folder: ViewedFolder
    links: Links

    @cached_property
    def _templates(self) -> Environment:
        return environment(data_folder("reports") / "templates")

    @cached_property
    def _style(self) -> str:
        return f"{_ours('report.css')}\n{_ours('view/view.css')}"

    @cached_property
    def _script(self) -> str:
        return _ours("view/view.js")

    @cached_property
    def policy(self) -> str:
        """What the viewer's pages may do: run their own script, and load nothing."""
        return content_security_policy(self._style, self._script)

    @property
    def report_policy(self) -> str:
        """The same for the page of a whole report."""
        return content_security_policy(_ours("report.css"), _ours("report.js"))

    def index(self, listing: Listing | None = None) -> Iterator[str]:
        """Yield the first page in pieces, rows as files are read."""
        listing = listing or Listing.of(self.folder)
        name = self.folder.root.name or str(self.folder.root)
        template = self._templates.get_template("view/index.html.j2")
        stream = template.stream(
            **self._shared, listing=listing, everything=ALL, name=name, sections=SECTIONS
        )
        stream.enable_buffering(_PIECES)
        yield from stream

    def page(self, address: Address) -> str:
        """Return what a file holds as a page.

        Raises:
            InputFileError: there is no such file, or it does not hold that.
        """
        made: Mapping[Screen, Callable[[Address], str]] = {
            "case": self._case_page,
            "report": self._report,
            "answers": self._answers,
            "check": self._check,
            "trace": self._trace,
            "exposure": self._exposure,
            "plan": self._plan,
            "transcript": self._transcript,
            "pair": self._pair,
            "fleet": self._fleet,
            "kinship": lambda of: self.kinship(Listing.of(self.folder), of.place),
            "beside": lambda of: self.beside(Listing.of(self.folder), (of.place, of.other)),
        }
        return made[address.screen](address)

    def parts(self, address: Address) -> int:
        """Return of how many pages this is the first.

        Raises:
            InputFileError: there is no such file, or it does not hold that.
        """
        if address.screen == "answers":
            return of_case(self.case(address.place), address.part).parts
        if address.screen == "transcript":
            return of_transcript(self._responses(address.place), address.part).parts
        if address.screen == "pair" and address.other:
            both = self._responses(address.place), self._responses(address.other)
            return of_transcripts(*both, address.part).parts
        return 1

    def beside(
        self,
        listing: Listing,
        chosen: tuple[Place | None, Place | None] = (None, None),
        with_all: bool = False,
    ) -> str:
        """Return the page of two cases side by side, see `beside_page`."""
        page = beside_page(listing, self.links, self.case, chosen, with_all)
        return self._filled("beside", **vars(page))

    def kinship(self, listing: Listing, place: Place) -> str:
        """Return the matrix and tree of a cohort, or of all that occurs (the place `ALL`)."""
        made: Kinship | None = None
        reason = ""
        try:
            if place == ALL:
                transcripts = [
                    self.folder.inside(of.relative) for of in listing.places["transcript"]
                ]
                made = kinship_of_transcripts(transcripts)
            else:
                made = of_cohort(self.folder.inside(place.relative))
        except InputFileError as error:
            if place != ALL:
                raise
            reason = self.folder.reason(error)
        table = compared(listing.pairs()) if place == ALL else None
        return self._filled("kinship", place=place, kinship=made, table=table, reason=reason)

    def problem(self, reason: str) -> str:
        """Return a page that says why something cannot be shown."""
        return self._filled("problem", reason=reason)

    def case(self, place: Place) -> Case:
        """Return the case at a place, masked where it is blind.

        Raises:
            InputFileError: there is none.
        """
        path = self.folder.inside(place.relative)
        case = read_case(path) if place.number is None else self._of_check(place)
        if not case.blind:
            return case
        from forensics.custody.blinding import blinded

        return blinded(case)

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return {
            "links": self.links,
            "version": VERSION,
            "policy": self.policy,
            "style": Markup(self._style),  # noqa: S704 (our own file)
            "script": Markup(self._script),  # noqa: S704 (our own file)
        }

    def _filled(self, name: str, **values: Any) -> str:
        template = self._templates.get_template(f"view/{name}.html.j2")
        return template.render(**self._shared, **values)

    def _case_page(self, address: Address) -> str:
        case = self.case(address.place)
        page = Page(case)
        return self._filled(
            "case", place=address.place, case=case, page=page, v=page.value, view=view
        )

    def _report(self, address: Address) -> str:
        return render_html(self.case(address.place))

    def _answers(self, address: Address) -> str:
        case = self.case(address.place)
        reading = of_case(case, address.part)
        names = (case.a.name, case.b.name)
        return self._filled("answers", address=address, reading=reading, names=names)

    def _transcript(self, address: Address) -> str:
        transcript = self._responses(address.place)
        reading = of_transcript(transcript, address.part)
        return self._filled(
            "transcript",
            address=address,
            reading=reading,
            names=(transcript.name,),
            transcript=transcript,
            others=self._readable_beside(address.place),
        )

    def _pair(self, address: Address) -> str:
        if address.other is None:
            raise InputFileError("the address names no second transcript")
        a, b = self._responses(address.place), self._responses(address.other)
        reading = of_transcripts(a, b, address.part)
        return self._filled("answers", address=address, reading=reading, names=(a.name, b.name))

    def _responses(self, place: Place) -> Transcript:
        return read_transcript(self.folder.inside(place.relative))

    def _readable_beside(self, place: Place) -> list[Place]:
        listed = Listing.of(self.folder).places["transcript"]
        return [other for other in listed if other != place and self.links.has_pair(place, other)]

    def _check(self, address: Address) -> str:
        result = self._result(address.place)
        return self._filled("check", place=address.place, result=result, words=check_words)

    def _trace(self, address: Address) -> str:
        trace = shown_trace(self.folder.inside(address.place.relative))
        return self._filled("trace", place=address.place, trace=trace)

    def _exposure(self, address: Address) -> str:
        result = read_exposure(self.folder.inside(address.place.relative))
        return self._filled(
            "exposure",
            place=address.place,
            result=result,
            headline=exposure.headline(result),
            rows=list(exposure.rows(result)),
            notes=list(exposure.notes(result)),
            limits=LIMITS,
        )

    def _plan(self, address: Address) -> str:
        from forensics.custody.case_file import read_case_file

        plan = read_case_file(self.folder.inside(address.place.relative)).plan
        settings = [(n, view.display(value)) for n, value in plan.settings.written().items()]
        return self._filled("plan", place=address.place, plan=plan, settings=settings, view=view)

    def _fleet(self, address: Address) -> str:
        result = fleet_result(self.folder.inside(address.place.relative))
        return self._filled(
            "fleet",
            place=address.place,
            result=result,
            findings=[shown_finding(finding) for finding in result.findings],
            documents=document_places(self.folder, address.place, result),
        )

    def _result(self, place: Place) -> CheckResult:
        try:
            return CheckResult.model_validate(document(self.folder.inside(place.relative)))
        except ValidationError as error:
            raise InputFileError("it is not the result of a check") from error

    def _of_check(self, place: Place) -> Case:
        cases = self._result(place).cases
        if place.number is None or not 0 <= place.number < len(cases):
            raise InputFileError("the check has no such case")
        return cases[place.number]


def _ours(name: str) -> str:
    folder: Path = data_folder("reports") / "templates"
    return (folder / name).read_text(encoding="utf-8").strip()
