"""A case derived once more from its transcripts: what comes out otherwise?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forensics.case.document import Case, CaseSubject
from forensics.case.evidence import Evidence, Tier
from forensics.custody.plan import with_deviations
from forensics.errors import ForensicsError
from forensics.evidence import Comparator, load_comparators
from forensics.examination.examined import Examined, Need
from forensics.subjects.subject import Subject
from forensics.suites.suite import Suite
from forensics.support.sanitise import one_line
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import compare
from forensics.verdicts.tier_readings import LIKENESS, TRANSFERRED

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.transferred import Transferred

# Another processor's arithmetic moves the last digits of float32 embeddings, never more than this.
ROUNDING = 1e-6
# When and where a case was made, not what was found; the transcripts' hashes are checked apart.
_IGNORED = frozenset("schema_version created_at version command ledger blind masked".split())
_IGNORED_OF_SUBJECT = frozenset("spec name kind warnings transcript_path transcript_sha256".split())


@dataclass(frozen=True)
class Difference:
    """One value that came out otherwise; `rounding` marks a number off by its last digits."""

    where: str
    recorded: str
    found: str
    rounding: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.where}: {self.recorded} in the case, {self.found} from the transcripts"


@dataclass(frozen=True)
class Rederivation:
    """What came of deriving a case again; `missing` could not be derived here, with the reason."""

    differences: tuple[Difference, ...]
    missing: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether everything was derived and nothing differs."""
        return not self.differences and not self.missing


@dataclass(frozen=True)
class _Recorded:
    """Stands in for a comparator with evidence that is there already."""

    evidence: Evidence
    needs: frozenset[Need] = frozenset()
    symmetric: bool = True

    @property
    def name(self) -> str:
        return self.evidence.comparator

    @property
    def title(self) -> str:
        return self.evidence.title

    @property
    def tier(self) -> Tier:
        return self.evidence.tier

    def extract(self, examined: Examined) -> None:
        return None

    def compare(self, a: None, b: None) -> Evidence:
        return self.evidence


def rederive(
    case: Case,
    a: Transcript,
    b: Transcript,
    suite: Suite | None,
    progress: Callable[[str], None] | None = None,
) -> Rederivation:
    """Derive `case` again and compare, to the last digit.

    Where a comparator cannot run here, or the cohort or calibration is not at hand, the recorded
    evidence stands in, so that the verdict can still be derived from the rest.

    Args:
        case: the recorded case.
        a: transcript of the known subject, whole.
        b: transcript of the questioned subject, whole.
        suite: what the comparison was cut to; None for all prompts.
        progress: called with each comparator's title before it runs.
    """
    judged = next((e for e in case.evidence if e.comparator == LIKENESS), None)
    cohort, unjudged = _cohort(judged)
    fused = next((e for e in case.evidence if e.comparator == TRANSFERRED), None)
    lines, unfused = _lines(fused)
    added = [e for e, by in ((judged, cohort), (fused, lines)) if by is not None]
    comparators, absent = _comparators(
        [e for e in case.evidence if e not in added], unjudged | unfused
    )
    sides = (_examined(case.a, a), _examined(case.b, b))
    first = compare(
        *sides,
        comparators,
        suite,
        progress=progress,
        cohort=cohort,
        released=_released(judged),
        transferred=lines,
    )
    missing = absent | _unmeasured(case.evidence, first.evidence)
    recorded = {e.comparator: e for e in case.evidence}
    settled = [
        _Recorded(recorded[e.comparator] if e.comparator in missing else e)
        for e in (_beside(e, recorded, unjudged) for e in first.evidence)
    ]
    # Without a cohort there are no relatives to find again, and earlier releases looked for none.
    derivable = cohort is not None and case.relatives is not None
    related = first.relatives if derivable else case.relatives
    again = compare(*sides, settled, suite).model_copy(update={"relatives": related})
    if case.plan is not None:
        # What stands in for a transcript that moved or a live subject is not a deviation.
        named = {side: _as_recorded(getattr(case, side), getattr(again, side)) for side in "ab"}
        # The ledger says which tiers and controls were asked for: no transcript does.
        update = {**named, "version": case.version, "ledger": case.ledger}
        again = again.model_copy(update=update)
        again = with_deviations(again, case.plan, [side.transcript for side in sides])
    reasons = tuple(f"{name}: {missing[name]}" for name in recorded if name in missing)
    return Rederivation(tuple(_differences(_plain(case), _plain(again))), reasons)


def _as_recorded(old: CaseSubject, new: CaseSubject) -> CaseSubject:
    kept = {name: getattr(old, name) for name in ("spec", "kind", "transcript_sha256")}
    return new.model_copy(update=kept)


def _beside(
    found: Evidence, recorded: Mapping[str, Evidence], unjudged: Mapping[str, str]
) -> Evidence:
    """Set the recorded scores of a cohort's own pairs beside evidence, where it is not at hand."""
    if not unjudged:
        return found
    return found.model_copy(update={"reference": recorded[found.comparator].reference})


def _cohort(judged: Evidence | None) -> tuple[Cohort | None, dict[str, str]]:
    """Return the cohort a case was judged against, or why there is none."""
    if judged is None:
        return None, {}
    from forensics.cohorts.finding import find_cohort, known

    name, digest = (str(judged.details.get(key, "")) for key in ("cohort", "cohort_sha256"))
    # A bundle is somebody else's: what it names must be a cohort's name here, never a path.
    if name not in known():
        return None, {LIKENESS: f"no cohort {one_line(name, 80)!r} here"}
    try:
        cohort = find_cohort(name)
    except ForensicsError as error:
        return None, {LIKENESS: str(error)}
    if cohort.sha256 != digest:
        return None, {LIKENESS: f"the cohort {one_line(name, 80)!r} here is not the case's"}
    return cohort, {}


def _lines(fused: Evidence | None) -> tuple[Transferred | None, dict[str, str]]:
    """Return the transferred calibration a case was judged by, or why it is not at hand."""
    if fused is None:
        return None, {}
    from forensics.cohorts.transferred import shipped

    lines = shipped()
    if lines is None or lines.sha256 != fused.details.get("calibration_sha256"):
        return None, {TRANSFERRED: "the transferred calibration here is not the case's"}
    return lines, {}


def _released(judged: Evidence | None) -> tuple[str, str]:
    months = judged.details.get("released") if judged else None
    if not isinstance(months, Mapping):
        return "", ""
    first, second = (str(months.get(side, "")) for side in ("a", "b"))
    return first, second


def _comparators(
    evidence: Sequence[Evidence], unjudged: Mapping[str, str]
) -> tuple[list[Comparator[Any]], dict[str, str]]:
    found: list[Comparator[Any]] = []
    absent: dict[str, str] = dict(unjudged)
    for entry in evidence:
        try:
            found += (
                [_Recorded(entry)]
                if entry.status == "not_measured" or entry.comparator in unjudged
                else load_comparators((entry.comparator,))
            )
        except ForensicsError as error:
            absent[entry.comparator] = str(error)
            found.append(_Recorded(entry))
    return found, absent


def _unmeasured(recorded: Sequence[Evidence], found: Sequence[Evidence]) -> dict[str, str]:
    return {
        new.comparator: new.reason
        for old, new in zip(recorded, found, strict=True)
        if new.status == "not_measured" and old.status != "not_measured"
    }


def _examined(side: CaseSubject, transcript: Transcript) -> Examined:
    subject = Subject(side.spec, "transcript", side.name)
    if side.kind == "transcript":
        return Examined(subject, transcript)
    # A file may hold more samples than the run asked for.
    kept = tuple(r for r in transcript.responses if r.sample < side.samples)
    return Examined(subject, replace(transcript, responses=kept))


def _plain(case: Case) -> dict[str, Any]:
    """Return what is compared of a case, as JSON values, lists keyed by what they are about."""
    document = json.loads(json.dumps(case.model_dump()))
    plain = {key: value for key, value in document.items() if key not in _IGNORED}
    for side in ("a", "b"):
        plain[side] = {k: v for k, v in plain[side].items() if k not in _IGNORED_OF_SUBJECT}
    plain["evidence"] = {e["comparator"]: e for e in plain["evidence"]}
    plain["prompts"] = {p["prompt_id"] + " " + p["prompt_sha256"][:8]: p for p in plain["prompts"]}
    return plain


def _differences(old: Any, new: Any, where: str = "") -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            path = f"{where} › {key}" if where else str(key)
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), path)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (first, second) in enumerate(zip(old, new, strict=True)):
            yield from _differences(first, second, f"{where} › {index + 1}")
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield _text_difference(where, old, new)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Difference(one_line(where), _shown(old), _shown(new), _rounding(old, new))


_ABSENT = "(absent)"


def _text_difference(where: str, old: str, new: str) -> Difference:
    if max(len(old), len(new)) <= 60:
        return Difference(one_line(where), one_line(repr(old)), one_line(repr(new)))
    pairs = enumerate(zip(old, new, strict=False))
    at = next((i for i, (x, y) in pairs if x != y), min(len(old), len(new)))
    start = max(0, at - 10)
    place = f"{where}, from character {at + 1} on"
    return Difference(
        one_line(place),
        one_line(repr(old[start : at + 25])),
        one_line(repr(new[start : at + 25])),
    )


def _shown(value: Any) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value), 60)


def _rounding(old: Any, new: Any) -> bool:
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return numbers and abs(old - new) <= ROUNDING * max(1.0, abs(old))
