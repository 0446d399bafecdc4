"""A case derived once more from its transcripts: what comes out otherwise?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forensics.case.details.reference import LikenessDetails, TransferredDetails
from forensics.case.document import Case, CaseSubject
from forensics.case.evidence import Evidence
from forensics.case.run_records import LedgerSettings
from forensics.custody.compared_fields import Unrecorded, parts
from forensics.custody.plan import with_deviations
from forensics.custody.rederived_shift import shift_again
from forensics.errors import ForensicsError
from forensics.evidence import BUILT_IN, Comparator, load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.subject import Subject
from forensics.suites.suite import Suite
from forensics.support.months import is_month
from forensics.support.sanitise import one_line
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import concluded, measured, restrict
from forensics.verdicts.shifting import SHIFT
from forensics.verdicts.tier_readings import LIKENESS, TRANSFERRED

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.earlier_lines import EarlierLines
    from forensics.cohorts.transferred import Transferred

# Another processor's arithmetic moves the last digits of float32 embeddings, never more than this.
ROUNDING = 1e-6
COARSE = 0.01  # between two processors' bfloat16: an embedding has 8 bits a number


@dataclass(frozen=True)
class Difference:
    """One value that came out otherwise.

    `rounding` marks a number off by its last digits, `added` what the case does not have, and
    `dropped` what only the case has.
    """

    where: str
    recorded: str
    found: str
    rounding: bool = False
    added: bool = False
    dropped: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.where}: {self.recorded} in the case, {self.found} from the transcripts"


@dataclass(frozen=True)
class Rederivation:
    """What came of deriving a case again.

    `differences` are of data, `wording` of what the same data are called. `missing` could not be
    derived here, with the reason; `unrecorded` another version did not record yet.
    """

    differences: tuple[Difference, ...]
    wording: tuple[Difference, ...]
    missing: tuple[str, ...]
    unrecorded: tuple[str, ...] = ()


def rederive(
    case: Case,
    a: Transcript,
    b: Transcript,
    suite: Suite | None,
    progress: Callable[[str], None] | None = None,
    pasts: Sequence[Transcript | None] = (),
) -> Rederivation:
    """Derive `case` again and compare, data to the last digit.

    Where a comparator cannot run here, or the cohort or calibration is not at hand, the recorded
    evidence stands in, so that the verdict can still be derived from the rest.

    Args:
        case: the recorded case.
        a: transcript of the known subject, whole.
        b: transcript of the questioned subject, whole.
        suite: what the comparison was cut to; None for all prompts.
        progress: called with each comparator's title before it runs.
        pasts: transcripts of the questioned subject's pasts; None of a cohort's model.
    """
    again, missing = _again(case, a, b, suite, progress, pasts)
    if LIKENESS in missing or (case.relatives is None and case.version != VERSION):
        # Without the cohort there are none to find again, and earlier releases looked for none.
        again = again.model_copy(update={"relatives": case.relatives})
    if case.plan is not None:
        # What stands in for a transcript that moved or a live subject is not a deviation.
        named = {side: _as_recorded(getattr(case, side), getattr(again, side)) for side in "ab"}
        # The ledger says which tiers and controls were asked for: no transcript does.
        update = {**named, "version": case.version, "ledger": case.ledger}
        again = with_deviations(again.model_copy(update=update), case.plan, [a, b])
    old, new = parts(case), parts(again)
    differences = list(_differences(old.data, new.data))
    wording = tuple(_differences(old.wording, new.wording))
    reasons = [f"{name}: {why}" for name, why in missing.items()]
    if LIKENESS in missing:
        reasons.append("relatives, reference scores and rarity of wording: they are the cohort's")
    if case.version == VERSION:
        return Rederivation(tuple(differences), wording, tuple(reasons))
    # Another version may record less than this one, or what this one makes no longer.
    added = tuple(difference.where for difference in differences if difference.added)
    return Rederivation(
        tuple(
            difference for difference in differences if not (difference.added or difference.dropped)
        ),
        tuple(difference for difference in wording if not difference.where.startswith(added)),
        tuple(
            reasons
            + [
                f"{difference.where}: this version makes none"
                for difference in differences
                if difference.dropped
            ]
        ),
        added,
    )


def _again(
    case: Case,
    a: Transcript,
    b: Transcript,
    suite: Suite | None,
    progress: Callable[[str], None] | None,
    pasts: Sequence[Transcript | None],
) -> tuple[Case, dict[str, str]]:
    """Return the case as it comes out now, and why evidence on record had to stand in for some."""
    judged = next((e for e in case.evidence if e.comparator == LIKENESS), None)
    cohort, unjudged = _cohort(judged)
    fused = next((e for e in case.evidence if e.comparator == TRANSFERRED), None)
    lines, unfused = _lines(fused)
    derived = [e for e, by in ((judged, cohort), (fused, lines)) if by is not None]
    entries = [e for e in case.evidence if e not in derived]
    first, second = _examined(case.a, a, suite), _examined(case.b, b, suite)
    released = _released(judged, case)
    shift, unshifted = shift_again(case, first, second, pasts, suite, released, cohort, unjudged)
    entries = [shift if shift and e.comparator == SHIFT else e for e in entries]
    comparators, absent = _comparators(entries, unjudged | unfused | unshifted)
    run = [comparator for comparator in comparators if comparator is not None]
    computed, judgement = measured(first, second, run, progress, cohort, released)
    left = iter(computed)
    evidence = [
        entry if comparator is None else next(left)
        for entry, comparator in zip(entries, comparators, strict=True)
    ]
    missing = absent | _unmeasured(entries, evidence) | _coarse(entries, evidence)
    stand_in = [
        old if old.comparator in missing else new
        for old, new in zip(entries, evidence, strict=True)
    ]
    if unjudged or unfused:
        stand_in = _placed_as_recorded(stand_in, case.evidence)
    again = concluded(
        first,
        second,
        stand_in,
        suite,
        cohort=cohort,
        judged=judgement,
        transferred=lines,
        released=_released(judged or fused, case),
    )
    if unjudged or unfused:
        recorded = {e.comparator: e for e in case.evidence}
        beside = tuple(_beside(entry, recorded[entry.comparator]) for entry in again.evidence)
        again = again.model_copy(update={"evidence": beside})
    return again, {e.comparator: missing[e.comparator] for e in entries if e.comparator in missing}


def _placed_as_recorded(
    derived: Sequence[Evidence], recorded: Sequence[Evidence]
) -> list[Evidence]:
    """Place scores among unrelated pairs as the record does: who scored these is not at hand."""
    places = {entry.comparator: entry.neighbourhood for entry in recorded}
    return [
        entry.model_copy(update={"neighbourhood": places.get(entry.comparator)})
        for entry in derived
    ]


def _as_recorded(old: CaseSubject, new: CaseSubject) -> CaseSubject:
    recorded = {name: getattr(old, name) for name in ("spec", "kind", "transcript_sha256")}
    return new.model_copy(update=recorded)


def _beside(derived: Evidence, recorded: Evidence) -> Evidence:
    """Set what a cohort says beside evidence, as it is on record: the cohort is not at hand."""
    beside = {"reference": recorded.reference, "neighbourhood": recorded.neighbourhood}
    if len(derived.exhibits) != len(recorded.exhibits):
        return derived.model_copy(update=beside)
    exhibits = tuple(
        exhibit.model_copy(update={"rarity": on_record.rarity})
        for exhibit, on_record in zip(derived.exhibits, recorded.exhibits, strict=True)
    )
    return derived.model_copy(update={**beside, "exhibits": exhibits})


def _cohort(judged: Evidence | None) -> tuple[Cohort | None, dict[str, str]]:
    """Return the cohort a case was judged against, or why there is none."""
    if judged is None:
        return None, {}
    from forensics.cohorts.finding import fetched_cohort, find_cohort, known

    if not isinstance(judged.details, LikenessDetails):
        return None, {LIKENESS: "the case does not say which cohort judged it"}
    name, digest = judged.details.cohort, judged.details.cohort_sha256
    # A bundle is somebody else's: a name here, or a file fetched by its hash; never a path.
    shared = fetched_cohort(digest)
    if shared is None and name not in known():
        return None, {LIKENESS: f"no cohort {one_line(name, 80)!r} here"}
    try:
        cohort = find_cohort(name) if shared is None else shared
    except ForensicsError as error:
        return None, {LIKENESS: str(error)}
    if cohort.sha256 != digest:
        return None, {LIKENESS: f"the cohort {one_line(name, 80)!r} here is not the case's"}
    return cohort, {}


def _lines(fused: Evidence | None) -> tuple[Transferred | EarlierLines | None, dict[str, str]]:
    """Return the transferred calibration a case was judged by, or why it is not here."""
    if fused is None:
        return None, {}
    from forensics.cohorts.earlier_lines import earlier_lines
    from forensics.cohorts.transferred import shipped

    now = shipped()
    details = fused.details
    named = details.calibration_sha256 if isinstance(details, TransferredDetails) else ""
    if now is not None and now.sha256 == named:
        return now, {}
    lines = earlier_lines().get(named)
    if lines is None:
        return None, {TRANSFERRED: "the transferred calibration here is not the case's"}
    return lines, {}


def _released(judged: Evidence | None, case: Case) -> tuple[str, str]:
    if judged is None or not isinstance(judged.details, LikenessDetails | TransferredDetails):
        chosen = case.ledger[0].settings if case.ledger else LedgerSettings()
        months = (chosen.known_released or "", chosen.questioned_released or "")
        known, questioned = (month if is_month(month) else "" for month in months)
        return known, questioned
    return judged.details.released.a, judged.details.released.b


def _comparators(
    evidence: Sequence[Evidence], unjudged: Mapping[str, str]
) -> tuple[list[Comparator[Any] | None], dict[str, str]]:
    """Return what measures each entry again, None where the record has to do, and why it has."""
    measuring: list[Comparator[Any] | None] = []
    absent: dict[str, str] = dict(unjudged)
    for entry in evidence:
        is_text = entry.tier == "text" and entry.comparator in BUILT_IN
        stands = entry.comparator == SHIFT or entry.comparator in unjudged
        if stands or (entry.status == "not_measured" and not is_text):
            measuring.append(None)
            continue
        try:
            (comparator,) = load_comparators((entry.comparator,))
        except ForensicsError as error:
            absent[entry.comparator] = str(error)
            measuring.append(None)
            continue
        made_by = _as_then(comparator, entry)
        if made_by is None:
            absent[entry.comparator] = "another refusal classifier than this version's judged it"
        measuring.append(made_by)
    return measuring, absent


def _as_then(comparator: Comparator[Any], entry: Evidence) -> Comparator[Any] | None:
    """Return what made the evidence.

    Refusals were judged by another classifier before, and embeddings read on every prompt.
    """
    from forensics.evidence.text.embedding import Embedding
    from forensics.evidence.text.refusal import Refusal

    if isinstance(comparator, Refusal | Embedding):
        return comparator.of_record(entry.details)
    return comparator


def _coarse(recorded: Sequence[Evidence], derived: Sequence[Evidence]) -> dict[str, str]:
    """Return what was computed in bfloat16 and agrees as well as that can on two processors."""
    return {
        new.comparator: f"computed in bfloat16, it agrees to within {COARSE:g}"
        for old, new in zip(recorded, derived, strict=True)
        if old != new and _is_coarse(old) and _agree(old, new)
    }


def _is_coarse(entry: Evidence) -> bool:
    from forensics.case.details.text import EmbeddingDetails

    return isinstance(entry.details, EmbeddingDetails) and entry.details.precision == "bfloat16"


def _agree(old: Evidence, new: Evidence) -> bool:
    """Tell whether scores agree within the rounding of bfloat16, and all that is counted does."""
    if old.score is None or new.score is None or old.n != new.n:
        return False
    if len(old.per_prompt) != len(new.per_prompt):
        return False
    pairs = [(a.score, b.score) for a, b in zip(old.per_prompt, new.per_prompt, strict=True)]
    return all(abs(a - b) <= COARSE for a, b in [(old.score, new.score), *pairs])


def _unmeasured(recorded: Sequence[Evidence], derived: Sequence[Evidence]) -> dict[str, str]:
    """Return what was measured either then or now, but not both times."""
    reasons: dict[str, str] = {}
    for old, new in zip(recorded, derived, strict=True):
        if new.status == "not_measured" and old.status != "not_measured":
            reasons[new.comparator] = new.reason
        elif old.status == "not_measured" and new.status != "not_measured":
            reasons[new.comparator] = "the case says that it was not measured, and here it can be"
    return reasons


def _examined(side: CaseSubject, transcript: Transcript, suite: Suite | None) -> Examined:
    examined = Examined(Subject(side.spec, "transcript", side.name), transcript)
    if side.kind != "transcript":
        # A file may hold more samples than the run asked for.
        responses = tuple(r for r in transcript.responses if r.sample < side.samples)
        examined = replace(examined, transcript=replace(transcript, responses=responses))
    return examined if suite is None else restrict(examined, suite)


def _differences(old: Any, new: Any, where: str = "") -> Iterator[Difference]:
    new = new.default if isinstance(new, Unrecorded) else new
    if isinstance(old, Unrecorded):
        if old.default != new:
            yield Difference(one_line(where), _ABSENT, _shown(new), added=True)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _entries(old, new, where)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (first, second) in enumerate(zip(old, new, strict=True)):
            yield from _differences(first, second, f"{where} › {index + 1}")
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield _text_difference(where, old, new)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Difference(one_line(where), _shown(old), _shown(new), _rounding(old, new))


def _entries(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Difference]:
    for key in dict.fromkeys([*old, *new]):
        path = f"{where} › {key}" if where else str(key)
        if key in old and key in new:
            yield from _differences(old[key], new[key], path)
            continue
        gone = key in old
        first, second = (_shown(side.get(key, _ABSENT)) for side in (old, new))
        yield Difference(one_line(path), first, second, added=not gone, dropped=gone)
    if where == "prompts" and old.keys() == new.keys() and [*old] != [*new]:
        yield Difference(f"{where}, order", _shown([*old]), _shown([*new]))


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
    return one_line(value if isinstance(value, str) else json.dumps(value, default=_default), 60)


def _default(value: Unrecorded) -> Any:
    return value.default


def _rounding(old: Any, new: Any) -> bool:
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return numbers and abs(old - new) <= ROUNDING * max(1.0, abs(old))
