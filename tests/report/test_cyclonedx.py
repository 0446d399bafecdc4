from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from forensics.case.document import Case, CasePlan
from forensics.case.evidence import Evidence
from forensics.custody.blinding import blinded
from forensics.custody.claims import claim
from forensics.report.cyclonedx import CycloneDxReport
from tests.report.sample_calibrated import likeness
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def bom(case: Case) -> dict[str, Any]:
    """Return the BOM after the official schema, formats included, has passed it."""
    text = CycloneDxReport().render(case)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, fault
    document: dict[str, Any] = json.loads(text)
    return document


def calibrated(value: float, **changes: Any) -> Case:
    case = sample_case(4)
    ratios = {"same_model": value, "close_descent": value, "independent": 0.0}
    verdict = case.verdict.model_copy(
        update={"status": "calibrated", "calibration": "matched", "log10_lr": ratios}
    )
    return case.model_copy(update={"verdict": verdict, **changes})


def weights(direction: str | None, status: str = "ok") -> Evidence:
    return Evidence.model_validate(
        {
            "comparator": "weights",
            "title": "Weights",
            "tier": "weights",
            "status": status,
            "direction": direction,
        }
    )


def with_claims(case: Case, *kinds: str, text: str = "B was distilled", source: str = "") -> Case:
    plan = CasePlan(path="p.jsonl", sha256="0" * 64, frozen_at="2026-01-01T00:00:00Z")
    claims = tuple(
        claim(text, kind, source or "https://x.example/a?b=1", "2026-01-02") for kind in kinds
    )
    update = {"claims": claims, "deviations": ("Suite: x, where y was planned.",)}
    return case.model_copy(update={"plan": plan.model_copy(update=update)})


def pedigrees(case: Case) -> list[list[str]]:
    components = bom(case)["components"]
    return [sorted(set(one.get("pedigree", {})) - {"notes"}) for one in components]


@pytest.mark.parametrize("case", [sample_case(), insufficient_case(), blinded(sample_case(4))])
def test_it_is_a_bom_of_two_models(case: Case) -> None:
    document = bom(case)
    assert [(c["type"], c["bom-ref"]) for c in document["components"]] == [
        ("machine-learning-model", "known-model"),
        ("machine-learning-model", "questioned-model"),
    ]
    assert len(document["declarations"]["evidence"]) == len(case.evidence)


def test_the_same_case_gives_the_same_bytes_and_another_another_number() -> None:
    case = sample_case(3)
    assert CycloneDxReport().render(case) == CycloneDxReport().render(sample_case(3))
    assert bom(case)["serialNumber"] != bom(sample_case(4))["serialNumber"]


def test_likeness_without_calibration_states_no_kinship() -> None:
    assert pedigrees(sample_case(4)) == [[], []]
    assert pedigrees(calibrated(-1.2)) == [[], []]
    inconclusive = calibrated(0.1)
    verdict = inconclusive.verdict.model_copy(update={"status": "inconclusive"})
    assert pedigrees(inconclusive.model_copy(update={"verdict": verdict})) == [[], []]


def test_a_ratio_whose_interval_spans_both_sides_states_no_kinship() -> None:
    judged = likeness(2.0)
    for low, expected in ((0.2, "variants"), (-0.4, None), ("0.2", None)):
        details = judged.details.written() | {"log10_lr_interval": [low, 3.0]}
        weighed = judged.model_copy(update={"details": details})
        wanted = [expected] if expected else []
        assert pedigrees(calibrated(2.0, evidence=(weighed,))) == [wanted, wanted]


def test_supported_kinship_is_a_variant_of_both() -> None:
    assert pedigrees(calibrated(2.0)) == [["variants"], ["variants"]]
    first, second = bom(calibrated(2.0))["components"]
    assert first["pedigree"]["variants"][0]["name"] == second["name"]
    assert "in which direction, is not known" in first["pedigree"]["notes"]


def test_ancestors_need_weights_that_tell_the_direction() -> None:
    for direction, expected in (
        ("a_to_b", [["descendants"], ["ancestors"]]),
        ("b_to_a", [["ancestors"], ["descendants"]]),
        ("undetermined", [["variants"], ["variants"]]),
        (None, [["variants"], ["variants"]]),
    ):
        assert pedigrees(calibrated(2.0, evidence=(weights(direction),))) == expected
    text = weights("a_to_b").model_copy(update={"tier": "text"})
    for evidence in (
        (text,),
        (weights("a_to_b"), weights("b_to_a")),
        (weights("a_to_b", "insufficient"),),
    ):
        assert pedigrees(calibrated(2.0, evidence=evidence)) == [["variants"], ["variants"]]


def test_claims_carry_what_speaks_for_and_against() -> None:
    document = bom(with_claims(sample_case(4), "distilled", "trained-from-scratch"))
    measured, distilled, scratch = document["declarations"]["claims"]
    by_ref = {e["bom-ref"]: e for e in document["declarations"]["evidence"]}
    for one in (measured, distilled):
        cited = [
            [by_ref[r]["propertyName"] for r in one[k]] for k in ("evidence", "counterEvidence")
        ]
        assert cited == [
            ["model-forensics:evidence:phrasing", "model-forensics:evidence:embedding"],
            ["model-forensics:evidence:style"],
        ]
    assert "evidence" not in scratch and "counterEvidence" not in scratch
    assert "Not testable from the models' outputs. It would need:" in scratch["reasoning"]
    assert distilled["predicate"] == "B was distilled"
    assert distilled["externalReferences"][0]["url"] == "https://x.example/a?b=1"
    facts = {p["name"]: p["value"] for p in document["properties"]}
    assert facts["model-forensics:plan.deviation"] == "Suite: x, where y was planned."


def test_every_reference_is_to_something_in_the_bom() -> None:
    document = bom(with_claims(sample_case(4), "distilled"))
    declared = document["declarations"]
    everything = [*document["components"], *declared["claims"], *declared["evidence"]]
    refs = [one["bom-ref"] for one in everything]
    assert len(set(refs)) == len(refs)
    for one in declared["claims"]:
        assert {one["target"], *one["evidence"], *one["counterEvidence"]} <= set(refs)


def test_a_revision_names_the_component() -> None:
    side = sample_case(1).a
    for identity, expected in (
        (
            {"kind": "hf", "model": "org/name", "commit": COMMIT},
            {"version": COMMIT, "purl": f"pkg:huggingface/org/name@{COMMIT}"},
        ),
        (
            {"kind": "gguf", "model": "m.gguf", "sha256": "a" * 64},
            {"hashes": [{"alg": "SHA-256", "content": "a" * 64}]},
        ),
        ({"kind": "hf", "model": "x/y?<z>", "commit": "main"}, {}),
    ):
        known = side.model_copy(update={"manifests": ({"identity": identity},)})
        component = bom(sample_case(1, a=known))["components"][0]
        found = {k: component[k] for k in ("version", "purl", "hashes") if k in component}
        assert found == expected


@pytest.mark.parametrize("text", [*HOSTILE, "", "not a date", "http://a:b:c/%zz"])
def test_hostile_text_keeps_to_the_schema(text: str) -> None:
    case = with_claims(calibrated(2.0), "distilled", "other", text=text, source=text)
    broken = Evidence(comparator=text, title=text, status="error", reason=text, caveats=(text,))
    identity = {"model": text, "commit": text, "sha256": text}
    side = case.a.model_copy(
        update={"name": text, "spec": text, "manifests": ({"identity": identity},)}
    )
    hostile = {"a": side, "b": side, "evidence": (*case.evidence, broken), "created_at": text}
    document = bom(case.model_copy(update=hostile))
    strings = json.dumps(document, ensure_ascii=False)
    strings.encode("utf-8")
    assert not any(ord(c) < 32 for c in strings)


@given(st.text(st.characters(codec=None)))
def test_any_source_keeps_to_the_schema(text: str) -> None:
    bom(with_claims(sample_case(1), "distilled", text=text, source=f"https://x.example/{text}"))
