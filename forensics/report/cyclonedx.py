"""The CycloneDX 1.6 report: both models as components of an ML-BOM, the claims with their evidence.

A bill of materials is read by programs that take `ancestors` for fact. So kinship stands under
`variants` ("related, but it is unclear how"), and only where the verdict supports it; `ancestors`
is left to evidence of the weights themselves that tells the direction. Every claim carries what
speaks for it *and* what speaks against it.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from forensics.case.answer_labels import label
from forensics.case.details.reference import Judged
from forensics.case.document import Case, CaseSubject, Claim, case_to_json
from forensics.case.evidence import Evidence
from forensics.case.questions import ClaimAnswer
from forensics.case.run_records import CaseIdentity
from forensics.custody.claim_wording import CLAIM_WORDS
from forensics.custody.claims import kind_of
from forensics.report import view
from forensics.support.numbers import number
from forensics.support.sanitise import clip, one_line, visible

_PREFIX = "model-forensics"
_LONGEST = 4_000
_HEX64 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Few enough characters that what matches is an address by any standard.
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/?&=+,;:@!-]*)?")
_REFS = {"a": "known-model", "b": "questioned-model"}
_ROLES = {"a": "known (A)", "b": "questioned (B)"}

Direction = Literal["a_to_b", "b_to_a"]


@dataclass(frozen=True)
class CycloneDxReport:
    """An ML-BOM of the two models."""

    name: str = "cyclonedx"

    def render(self, case: Case) -> str:
        """Return the BOM as JSON; its serial number follows from the case."""
        digest = hashlib.sha256(case_to_json(case).encode("ascii")).hexdigest()
        bom = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
            "version": 1,
            "metadata": _metadata(case),
            "components": [_component(case, "a"), _component(case, "b")],
            "declarations": _declarations(case),
            "properties": _facts(case),
        }
        return json.dumps(bom, ensure_ascii=True, indent=1) + "\n"


def _metadata(case: Case) -> dict[str, Any]:
    tool = {"type": "application", "name": _PREFIX, "version": _line(case.version)}
    return {**_timestamp("timestamp", case.created_at), "tools": {"components": [tool]}}


def _component(case: Case, letter: Literal["a", "b"]) -> dict[str, Any]:
    side, other = (case.a, case.b) if letter == "a" else (case.b, case.a)
    known = side.manifests[-1].identity if side.manifests else CaseIdentity()
    component = {
        **_model(side),
        "bom-ref": _REFS[letter],
        **_version(known),
        "description": f"The {_ROLES[letter]} model of this comparison.",
    }
    other_model = {**_model(other), "description": f"See {_REFS['b' if letter == 'a' else 'a']}."}
    pedigree = _pedigree(case, letter, other_model)
    if pedigree:
        component["pedigree"] = pedigree
    facts = {
        "role": _ROLES[letter],
        "subject": side.spec,
        "answers": str(side.answers),
        "provenance-of-answers": side.provenance,
        "transcript-sha256": side.transcript_sha256,
    }
    identified = {f"identity.{key}": str(value) for key, value in known.written().items()}
    component["properties"] = _properties({**facts, **identified})
    return component


def _model(side: CaseSubject) -> dict[str, Any]:
    return {"type": "machine-learning-model", "name": _line(side.name) or "unnamed"}


def _version(identity: CaseIdentity) -> dict[str, Any]:
    """Return what identifies the weights, where the backend knew it."""
    version: dict[str, Any] = {}
    if _COMMIT.fullmatch(identity.commit):
        version["version"] = identity.commit
        if re.fullmatch(r"[\w.-]+/[\w.-]+", identity.model, re.ASCII):
            version["purl"] = f"pkg:huggingface/{quote(identity.model)}@{identity.commit}"
    if _HEX64.fullmatch(identity.sha256):
        version["hashes"] = [{"alg": "SHA-256", "content": identity.sha256}]
    return version


def _pedigree(case: Case, letter: str, other: dict[str, Any]) -> dict[str, Any]:
    """Return how this component is related to the other, as far as the case supports it."""
    direction = _direction(case.evidence)
    if direction is not None:
        child = "b" if direction == "a_to_b" else "a"
        place = "ancestors" if letter == child else "descendants"
        notes = "The weights show which of the two models the other was made from."
        return {place: [other], "notes": notes}
    if not _kin(case):
        return {}
    notes = f"{case.verdict.headline} How the two are related, and in which direction, is not known"
    return {"variants": [other], "notes": _text(f"{notes}.")}


def _direction(evidence: Iterable[Evidence]) -> Direction | None:
    """Return the direction that evidence of weights tells; None where it tells none, or both."""
    directions: set[Direction] = set()
    for entry in evidence:
        if (
            entry.tier == "weights"
            and entry.status == "ok"
            and entry.direction in ("a_to_b", "b_to_a")
        ):
            directions.add(entry.direction)
    return directions.pop() if len(directions) == 1 else None


def _kin(case: Case) -> bool:
    """Tell whether the verdict supports kinship, over the whole interval of the likelihood ratio.

    Likeness alone does not, nor does a ratio that may as well speak for independence.
    """
    verdict = case.verdict
    ratios = {k: v for k, v in (verdict.log10_lr or {}).items() if k != "independent"}
    lowest = [_lowest(evidence) for evidence in case.evidence if evidence.log10_lr]
    values = (max(ratios.values(), default=0.0), *lowest)
    return verdict.status == "calibrated" and all(value > 0 for value in values)


def _lowest(evidence: Evidence) -> float:
    """Return the lower end of a log10 likelihood ratio; 0, which is no support, without one."""
    details = evidence.details
    interval = details.log10_lr_interval if isinstance(details, Judged) else None
    return interval[0] if interval else 0.0


def _declarations(case: Case) -> dict[str, Any]:
    refs = {e.comparator: f"evidence-{i}" for i, e in enumerate(case.evidence)}
    verdict = case.verdict
    by_side = view.sides(case)
    alike = (*by_side.speak_for, *by_side.unplaced)
    sides = {
        "evidence": _cited(refs, (f.comparator for f in alike)),
        "counterEvidence": _cited(refs, (f.comparator for f in verdict.findings_against)),
    }
    measured = {
        "bom-ref": "claim-measured",
        "target": _REFS["b"],
        "predicate": _text(f"{_line(case.b.name)} is related to {_line(case.a.name)}."),
        "reasoning": _text(
            " ".join((verdict.headline, verdict.reading, *verdict.limits, *view.is_not(case)))
        ),
        **sides,
    }
    stated = case.plan.claims if case.plan else ()
    answered = dict(enumerate(case.plan.answers)) if case.plan else {}
    claims = [
        measured,
        *(_claim(i, claim, answered.get(i), sides) for i, claim in enumerate(stated)),
    ]
    evidence = [_evidence(refs[e.comparator], e, case) for e in case.evidence]
    return {"claims": claims, "evidence": evidence}


def _cited(refs: Mapping[str, str], comparators: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(refs[name] for name in comparators if name in refs))


def _claim(
    index: int, claim: Claim, answer: ClaimAnswer | None, sides: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Return somebody's claim; evidence is cited only where it can tell for or against it."""
    weighed = kind_of(claim).question not in (None, "independent")
    reasoning = f"Claimed on {claim.date} ({claim.source}). "
    if answer is not None:
        reasoning += f"{CLAIM_WORDS[answer.answer].capitalize()}: {answer.reason} "
    if weighed:
        reasoning += "The evidence weighs similarity only, not how it came about."
    else:
        reasoning += "Not testable from the models' outputs."
    if claim.needs:
        reasoning += f" It would need: {'; '.join(claim.needs)}."
    document: dict[str, Any] = {
        "bom-ref": f"claim-{index}",
        "target": _REFS["b"],
        "predicate": _text(claim.text),
        "reasoning": _text(reasoning),
        **(sides if weighed else {}),
    }
    if _URL.fullmatch(claim.source):
        document["externalReferences"] = [{"type": "website", "url": claim.source}]
    return document


def _evidence(ref: str, evidence: Evidence, case: Case) -> dict[str, Any]:
    interval = evidence.interval
    measured = {
        "status": evidence.status,
        "reason": visible(evidence.reason),
        "tier": evidence.tier,
        "score": evidence.score,
        "scale": evidence.scale,
        "interval": interval.model_dump() if interval else None,
        "noise_floor": evidence.noise_floor.model_dump() if evidence.noise_floor else None,
        "n": evidence.n,
        "log10_lr": evidence.log10_lr,
        "caveats": [visible(text) for text in evidence.caveats],
    }
    given = {name: value for name, value in measured.items() if value not in (None, "", [])}
    content = json.dumps(given, ensure_ascii=True)
    attachment = {"contentType": "application/json", "content": content}
    score = f", score {number(evidence.score)}" if evidence.score is not None else ""
    status = view.EVIDENCE_STATUS[evidence.status]
    return {
        "bom-ref": ref,
        "propertyName": _line(f"{_PREFIX}:evidence:{evidence.comparator}"),
        "description": _text(f"{evidence.title}: {status}{score}, n = {evidence.n} prompts."),
        "data": [{"name": "measurement", "contents": {"attachment": attachment}}],
        **_timestamp("created", case.created_at),
    }


def _facts(case: Case) -> list[dict[str, str]]:
    verdict, plan = case.verdict, case.plan
    facts = {
        "verdict.status": verdict.status,
        "verdict.calibration": verdict.calibration,
        "prompts-answered-by-both": str(case.overlap.both),
        "suite": case.suite.name,
    }
    facts |= {f"answer.{a.question}": label(a.answer, a.strength) for a in verdict.answers}
    facts |= {f"verdict.log10-lr.{name}": str(v) for name, v in (verdict.log10_lr or {}).items()}
    if plan is None:
        return _properties(facts)
    facts |= {"plan.sha256": plan.sha256, "plan.frozen-at": plan.frozen_at}
    deviations = [{"plan.deviation": text} for text in plan.deviations]
    return [fact for each in (facts, *deviations) for fact in _properties(each)]


def _properties(facts: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"name": _line(f"{_PREFIX}:{name}"), "value": _text(value)} for name, value in facts.items()
    ]


def _timestamp(field: str, text: str) -> dict[str, str]:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return {}
    return {field: time.isoformat()} if time.tzinfo else {}


def _line(text: str) -> str:
    return one_line(text, 300)


def _text(text: str) -> str:
    return clip(visible(text), _LONGEST)
