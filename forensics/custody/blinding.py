"""Blinding: a case as an analyst may see it who must not know which models it is about.

The case on file keeps everything and says `blind`; every report is then made of `blinded(case)`.
Masked are the subjects' names and set-ups, the command, and in every text the names of models and
makers. Scores, answers otherwise, and the places of exhibits stay. Writing style can still give a
well-known model away: blinding removes names, nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import regex

from forensics.case.details.reference import LikenessDetails
from forensics.case.details.shared_manner import MannerDetails
from forensics.case.details.shift import ShiftDetails
from forensics.case.document import (
    Case,
    CasePlan,
    CasePrompt,
    CaseResponse,
    CaseSubject,
    Claim,
    LedgerEntry,
    Relative,
    Relatives,
    Verdict,
    read_case,
)
from forensics.case.evidence import Evidence, Exhibit
from forensics.case.questions import ClaimAnswer, NextStep, QuestionAnswer
from forensics.case.run_records import CaseManifest, CaseSuite, LedgerSettings, PlanSettings
from forensics.cohorts.newick import leaf_names, relabelled
from forensics.custody.masking import Masked, Masker, distinctive_parts
from forensics.errors import InputFileError, UsageError
from forensics.support.clock import now
from forensics.support.files import write_text

LABELS = {"a": "[MODEL A]", "b": "[MODEL B]"}
EITHER = "[MODEL]"
MASKED = "[MASKED]"
NOTICE = (
    "Labels such as [MODEL A] and [MAKER 1] stand for masked names; `forensics report CASE "
    "--unblind` shows them, and the case's ledger records that."
)
# How a model was run stays readable; what it was does not.
_OPEN_IDENTITY = ("api", "dtype", "batch_size")
# Sentences that go on with whatever an endpoint or a manifest called itself.
_QUOTING = regex.compile(
    r"((?:The model name that [AB] echoed|Different set-up|Subject [AB]|Identity of [AB],"
    r"|Model name that [AB] echoed|Control models|Identity of control) ?[^:]*: ).*",
    regex.S,
)

_ROLES = {"a": "known", "b": "questioned"}  # what a plan calls them

ANOTHER = "[ANOTHER MODEL]"
_Answers = Mapping[tuple[str, int], Masked]


def blinded(case: Case) -> Case:
    """Return the case with names of models and makers masked; one masked already as it is."""
    if case.masked:
        return case
    masker = Masker(_names(case))
    prompts, places_a, places_b = _prompts(case, masker)
    return case.model_copy(
        update={
            "blind": True,
            "masked": True,
            "command": MASKED,
            "suite": CaseSuite.model_validate(masker.value(case.suite.written())),
            "a": _subject(case.a, "a", masker),
            "b": _subject(case.b, "b", masker),
            "prompts": prompts,
            "evidence": tuple(_evidence(e, places_a, places_b, masker) for e in case.evidence),
            "comparability": tuple(_note(note, masker) for note in case.comparability),
            "verdict": _verdict(case.verdict, masker),
            "plan": None if case.plan is None else _plan(case.plan, masker),
            "relatives": _relatives(case, masker),
            "ledger": tuple(_entry(entry, masker) for entry in case.ledger),
        }
    )


def unblind(path: Path) -> Case:
    """Open a blind case: log that in its ledger, rewrite the file, and return it with its names.

    The log comes first: where the file cannot be written, nothing is shown.

    Raises:
        InputFileError: not a case, or one whose names were masked when it was written.
        UsageError: the case is not blind.
        OutputError: the file cannot be rewritten.
    """
    case = read_case(path)
    if case.masked:
        raise InputFileError(
            f"{path} was written with its names masked and does not hold them; "
            "unblind the case that `compare --blind --json FILE` wrote"
        )
    if not case.blind:
        raise UsageError(f"{path} is not blind: drop --unblind")
    raw = path.read_bytes()
    document: dict[str, Any] = json.loads(raw)
    settings = LedgerSettings(blind_case_sha256=hashlib.sha256(raw).hexdigest())
    entry = LedgerEntry(at=now(), what="unblind", settings=settings)
    # Written from the document rather than the case, so that fields of later versions stay.
    document["blind"] = False
    document["ledger"] = [*document.get("ledger", ()), entry.model_dump()]
    write_text(path, json.dumps(document, ensure_ascii=True, indent=1) + "\n")
    return case.model_copy(update={"blind": False, "ledger": (*case.ledger, entry)})


def _names(case: Case) -> dict[str, str]:
    """Return every string that names a subject → its label."""
    names_by_letter = {
        letter: set(_all_names(side)) for letter, side in (("a", case.a), ("b", case.b))
    }
    for letter, name in _planned_names(case.plan):
        names_by_letter[letter] |= set(_parts(name, is_file=name.endswith(".jsonl")))
    for letter, name in _known_as(case).items():
        names_by_letter[letter] |= set(_parts(name, is_file=False))
    labels: dict[str, str] = {}
    for letter, names in names_by_letter.items():
        for name in names:
            labels[name] = (
                EITHER if labels.get(name, LABELS[letter]) != LABELS[letter] else LABELS[letter]
            )
    for name in _near_relatives(case):
        labels.setdefault(name, ANOTHER)
    return labels


def _near_relatives(case: Case) -> set[str]:
    """Return the near relatives and pasts that a case names: they point to a maker."""
    details = [e.details for e in case.evidence if isinstance(e.details, MannerDetails)]
    foils = [foil for manner in details for foil in manner.one_model.foils]
    shifts = [e.details for e in case.evidence if isinstance(e.details, ShiftDetails)]
    pasts = {base.base for shift in shifts for base in shift.bases}
    return {name for foil in foils for name in (foil.a, foil.b)} | pasts


def _known_as(case: Case) -> dict[str, str]:
    """Return the cohort's names of the subjects whose answers it recognised: a or b → name."""
    known = [e.details.known_as for e in case.evidence if isinstance(e.details, LikenessDetails)]
    return {
        letter: name for both in known for letter, name in (("a", both.a), ("b", both.b)) if name
    }


def _all_names(side: CaseSubject) -> Iterator[str]:
    for name in set(_written_names(side)):
        yield from _parts(name, is_file=side.kind == "transcript")


def _parts(name: str, is_file: bool) -> Iterator[str]:
    yield name
    plain = regex.sub(r"^(?:hf|gguf|openai|transcript|demo|cohort):", "", name)
    path = PurePath(plain.split("@")[0])
    shown = {plain, path.name, path.stem, *path.parent.parts[-1:]}
    # A folder or a host is a name when it is a maker's or a model's, not when it is `tmp`.
    yield from (part for part in shown if distinctive_parts(part))
    yield from distinctive_parts(path.name)
    if not is_file and len(path.parts) == 2:
        yield from distinctive_parts(path.parts[0])


def _written_names(side: CaseSubject) -> Iterator[str]:
    yield from (side.spec, side.name)
    if side.transcript_path:
        yield side.transcript_path
    for manifest in side.manifests:
        known = (manifest.subject, manifest.identity.model, manifest.identity.base_url)
        yield from (name for name in known if name)


def _planned_names(plan: CasePlan | None) -> Iterator[tuple[str, str]]:
    """Yield the specs a plan names, which may be others than those that were compared."""
    settings = plan.settings if plan else PlanSettings()
    for letter, subject in (("a", settings.known), ("b", settings.questioned)):
        if subject.spec:
            yield letter, subject.spec


def _plan(plan: CasePlan, masker: Masker) -> CasePlan:
    settings = masker.value(plan.settings.written())
    settings |= {role: {"spec": LABELS[letter]} for letter, role in _ROLES.items()}
    if settings.get("controls"):
        settings["controls"] = [{"spec": MASKED} for _ in settings["controls"]]
    notes = (n.model_copy(update={"text": masker.text(n.text)}) for n in plan.notes)
    return plan.model_copy(
        update={
            "path": MASKED,
            "title": masker.text(plan.title),
            "propositions": tuple(masker.text(text) for text in plan.propositions),
            "claims": tuple(_claim(claim, masker) for claim in plan.claims),
            "settings": PlanSettings.model_validate(settings),
            "answers": tuple(_claim_answer(answer, masker) for answer in plan.answers),
            "notes": tuple(notes),
            "deviations": tuple(_note(text, masker) for text in plan.deviations),
        }
    )


def _claim(claim: Claim, masker: Masker) -> Claim:
    # An address leads to the names, whatever it looks like.
    return claim.model_copy(
        update={
            "text": masker.text(claim.text),
            "source": MASKED,
            "needs": tuple(masker.text(need) for need in claim.needs),
        }
    )


def _subject(side: CaseSubject, letter: str, masker: Masker) -> CaseSubject:
    label = LABELS[letter]
    return side.model_copy(
        update={
            "spec": label,
            "name": label,
            # The kind is a protocol's name, which happens to be a maker's too.
            "kind": "endpoint" if side.kind == "openai" else side.kind,
            "transcript_path": None,
            "manifests": tuple(_manifest(m, label, masker) for m in side.manifests),
            "warnings": tuple(masker.text(warning) for warning in side.warnings),
        }
    )


def _manifest(manifest: CaseManifest, label: str, masker: Masker) -> CaseManifest:
    known = manifest.identity.written()
    shown = {key: masker.value(known[key]) for key in _OPEN_IDENTITY if key in known}
    rest = {k: v for k, v in manifest.written().items() if k not in ("subject", "identity")}
    masked = masker.value(rest)
    return CaseManifest.model_validate(
        {"subject": label, "identity": shown | {"model": label}, **masked}
    )


def _prompts(case: Case, masker: Masker) -> tuple[tuple[CasePrompt, ...], _Answers, _Answers]:
    places: dict[str, dict[tuple[str, int], Masked]] = {"a": {}, "b": {}}
    prompts = []
    for prompt in case.prompts:
        sides = {
            letter: tuple(
                _response(response, prompt.prompt_sha256, places[letter], masker)
                for response in getattr(prompt, letter)
            )
            for letter in ("a", "b")
        }
        texts = {
            name: masker.text(getattr(prompt, name))
            for name in ("prompt_id", "prompt", "category", "language")
        }
        prompts.append(prompt.model_copy(update=sides | texts))
    return tuple(prompts), places["a"], places["b"]


def _response(
    response: CaseResponse, digest: str, places: dict[tuple[str, int], Masked], masker: Masker
) -> CaseResponse:
    masked = masker.mask(response.text)
    places[digest, response.sample] = masked
    reasoning = None if response.reasoning is None else masker.text(response.reasoning)
    return response.model_copy(update={"text": masked.text, "reasoning": reasoning})


def _evidence(evidence: Evidence, a: _Answers, b: _Answers, masker: Masker) -> Evidence:
    scores = (
        s.model_copy(update={"prompt_id": masker.text(s.prompt_id)}) for s in evidence.per_prompt
    )
    return evidence.model_copy(
        update={
            "reason": masker.text(evidence.reason),
            "per_prompt": tuple(scores),
            "exhibits": tuple(_exhibit(exhibit, a, b, masker) for exhibit in evidence.exhibits),
            "caveats": tuple(masker.text(caveat) for caveat in evidence.caveats),
            "details": masker.value(evidence.details.written()),
        }
    )


def _exhibit(exhibit: Exhibit, a: _Answers, b: _Answers, masker: Masker) -> Exhibit:
    def moved(spans: tuple[tuple[int, int], ...], masked: Masked | None) -> Any:
        return spans if masked is None else tuple(masked.span(*span) for span in spans)

    digest = exhibit.prompt_sha256
    return exhibit.model_copy(
        update={
            "prompt_id": masker.text(exhibit.prompt_id),
            "note": masker.text(exhibit.note),
            "spans_a": moved(exhibit.spans_a, a.get((digest, exhibit.sample_a))),
            "spans_b": moved(exhibit.spans_b, b.get((digest, exhibit.sample_b))),
        }
    )


def _note(note: str, masker: Masker) -> str:
    return masker.text(_QUOTING.sub(rf"\1{MASKED}.", note))


def _verdict(verdict: Verdict, masker: Masker) -> Verdict:
    def findings(name: str) -> Any:
        return tuple(
            f.model_copy(update={"text": masker.text(f.text)}) for f in getattr(verdict, name)
        )

    texts = {name: masker.text(getattr(verdict, name)) for name in ("headline", "reading")}
    lists = {
        name: tuple(masker.text(text) for text in getattr(verdict, name))
        for name in ("reasons", "limits")
    }
    lists["limits"] = (NOTICE, *lists["limits"])
    return verdict.model_copy(
        update={
            **texts,
            **lists,
            "answers": tuple(_answer(answer, masker) for answer in verdict.answers),
            "findings_for": findings("findings_for"),
            "findings_against": findings("findings_against"),
        }
    )


def _answer(answer: QuestionAnswer, masker: Masker) -> QuestionAnswer:
    step = answer.next_step
    return answer.model_copy(
        update={
            "reasons": tuple(map(masker.text, answer.reasons)),
            "next_step": step and _step(step, masker),
        }
    )


def _claim_answer(answer: ClaimAnswer, masker: Masker) -> ClaimAnswer:
    texts = {name: masker.text(getattr(answer, name)) for name in ("claim", "reason")}
    step = answer.next_step
    return answer.model_copy(update={**texts, "next_step": step and _step(step, masker)})


def _step(step: NextStep, masker: Masker) -> NextStep:
    # A command names both models by their addresses.
    return step.model_copy(
        update={"material": masker.text(step.material), "commands": (), "cost": step.cost}
    )


def _relatives(case: Case, masker: Masker) -> Relatives | None:
    """Number the relatives: a model's nearest ones would tell which it is.

    Those that are one of the subjects are called so.
    """
    if case.relatives is None:
        return None
    labels = {name: LABELS[letter] for letter, name in _known_as(case).items()}

    def label(name: str) -> str:
        others = sum(known_label not in LABELS.values() for known_label in labels.values())
        return labels.setdefault(name, f"[COHORT MODEL {others + 1}]")

    def masked(relatives: tuple[Relative, ...]) -> tuple[Relative, ...]:
        return tuple(
            relative.model_copy(
                update={
                    "name": label(relative.name),
                    "developer": MASKED if relative.developer else "",
                }
            )
            for relative in relatives
        )

    lists = {letter: masked(getattr(case.relatives, letter)) for letter in ("a", "b")}
    tree = case.relatives.newick
    if tree is not None:
        # In the tree the subjects go by their names, which may be a cohort model's too.
        a, b = leaf_names((case.a.name, case.b.name))
        subjects = {b: LABELS["b"], a: LABELS["a"]}
        tree = relabelled(tree, lambda name: subjects.get(name) or label(name))
    cohort = masker.text(case.relatives.cohort)
    return case.relatives.model_copy(update={**lists, "cohort": cohort, "newick": tree})


def _entry(entry: LedgerEntry, masker: Masker) -> LedgerEntry:
    # A hash of files leads to the names as an address does.
    chosen = entry.settings.written()
    named = {key: MASKED for key in ("controls", "identities") if key in chosen}
    settings = LedgerSettings.model_validate(masker.value(chosen) | named)
    return entry.model_copy(update={"what": masker.text(entry.what), "settings": settings})
