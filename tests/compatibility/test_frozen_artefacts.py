"""What an earlier release wrote is still read, rendered and verified: see README.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from forensics.cli import run
from tests.compatibility import running
from tests.compatibility.artefacts import ARTEFACTS, SUMS, lay_pack, sums
from tests.compatibility.freeze import material

pytestmark = pytest.mark.xdist_group("frozen-artefacts")

FORMATS = ("json", "html", "markdown", "text", "csv", "junit", "step-summary", "cyclonedx")
BUNDLES = sorted(path.stem for path in (ARTEFACTS / "bundles").iterdir())
CASES = [*BUNDLES, *sorted(path.stem for path in (ARTEFACTS / "cases").iterdir())]
TRANSCRIPTS = sorted(path.stem for path in (ARTEFACTS / "transcripts").iterdir())
POLICIES = sorted(path.name for path in (ARTEFACTS / "policies").iterdir())
# Weights are in no bundle, so what was measured of them cannot be derived again.
NOT_PACKED = {"text-and-weights"}


@pytest.fixture(name="held", scope="module")
def held_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that a user holds, and a cohort under its name beside it."""
    folder = material(tmp_path_factory.mktemp("held") / "run")
    lay_pack(folder.parent / "home" / "forensics")
    return folder


@pytest.fixture(name="here")
def here_fixture(held: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(held)
    monkeypatch.setenv("FORENSICS_CACHE", str(held.parent / "home" / "forensics"))
    return held


def said(command: str, held: Path) -> tuple[int, str]:
    """Run a command in a process of its own, with one thread as when the artefacts were made."""
    done = running.run(command, held, held.parent / "home")
    return done.code, done.out.decode("utf-8")


def test_the_artefacts_are_those_that_were_made() -> None:
    assert "".join(sums(ARTEFACTS)) == (ARTEFACTS / SUMS).read_text(encoding="utf-8")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("case", CASES)
def test_a_case_is_rendered_in_every_format(case: str, tmp_path: Path) -> None:
    for form in FORMATS:
        target = tmp_path / f"report.{form}"
        assert run(["report", f"{case}.json", "--format", form, "-o", str(target)]) == 0, form
        assert target.stat().st_size > 0, form


@pytest.mark.parametrize("bundle", sorted({*BUNDLES} - NOT_PACKED))
def test_a_bundle_is_verified(held: Path, bundle: str) -> None:
    code, out = said(f"verify {bundle}.zip --json -", held)
    found = json.loads(out)
    # Machines add up in another order: a last digit may differ, and nothing else.
    only_digits = all(one.get("rounding") for one in found["differences"])
    assert found["problems"] == []
    assert found["missing"] == []
    assert only_digits, found["differences"]
    assert code == (3 if found["differences"] or found["missing"] else 0)


def test_a_bundle_without_its_weights_is_verified_as_far_as_it_goes(held: Path) -> None:
    code, out = said("verify text-and-weights.zip --json -", held)
    found = json.loads(out)
    assert code == 3
    assert found["problems"] == []
    assert all(one.get("rounding") for one in found["differences"])
    assert found["missing"]
    assert all(one.startswith("weights_") for one in found["missing"])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_is_intact_and_judged(name: str) -> None:
    assert run(["verify", f"{name}.jsonl"]) == 0
    assert run(["doctor", f"{name}.jsonl"]) == 0
    assert run(["refusals", f"{name}.jsonl"]) == 0


@pytest.mark.usefixtures("here")
def test_a_case_file_is_intact_and_opens(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "plan.jsonl"]) == 0
    assert run(["case", "show", "plan.jsonl"]) == 0
    shown = capsys.readouterr().out
    assert '"heron-7b-tuned was tuned from heron-7b."' in shown
    assert "They did not answer." in shown


@pytest.mark.usefixtures("here")
def test_a_plan_is_carried_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "case.json"
    assert run(["compare", "--case", "plan.jsonl", "--json", str(target)]) == 0
    assert "plan frozen at" in capsys.readouterr().err
    assert len(json.loads(target.read_bytes())["plan"]["notes"]) == 2


@pytest.mark.usefixtures("here")
def test_a_cohort_is_read_and_judges(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cohort", "info", "small", "--models"]) == 0
    assert "30 in 24 clusters" in capsys.readouterr().out
    assert run(["trace", "heron-7b.jsonl", "--cohort", "small", "--released", "2024-05"]) == 0


@pytest.mark.usefixtures("here")
def test_a_trace_names_the_same_relatives(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["heron-7b.jsonl", "--cohort", "small", "--released", "2024-05", "--json", "-"]
    assert run(["trace", *arguments]) == 0
    before = json.loads((ARTEFACTS / "trace" / "trace.json").read_bytes())
    now = json.loads(capsys.readouterr().out)
    names = [[one["model"] for one in found["relatives"]] for found in (before, now)]
    assert names[0] == names[1]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("subject", "verdict"),
    # One answer a prompt tells sameness, and of another model only that it is not the same text.
    [("collected.jsonl", "same"), ("collected-other.jsonl", "inconclusive")],
)
def test_a_baseline_is_read_and_compared(
    subject: str, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["baseline", "compare", subject, "baseline.jsonl", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_read(policy: str) -> None:
    place = str(ARTEFACTS / "policies" / policy)
    assert Path(policy).read_bytes() == Path(place).read_bytes()
    assert run(["check", "heron-7b.jsonl", "--policy", policy, "--dry-run"]) == 0


def test_a_check_is_what_its_schema_says() -> None:
    schema = json.loads((running.ROOT / "reports" / "check.schema.json").read_bytes())
    found = json.loads((ARTEFACTS / "check" / "check.json").read_bytes())
    Draft202012Validator(schema).validate(found)
