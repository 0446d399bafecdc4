"""`--base`: two subjects and the questioned one's past, as files and as a cohort's models."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensics import compare, import_outputs
from forensics.case.details.shift import ShiftDetails
from forensics.case.document import Case

DATA = Path(os.environ.get("FORENSICS_DATA", ""))
TABLE = DATA / "modern" / "misguided_attention_outputs.parquet"
MEMBERS = ("cohort:misguided-attention/deepseek-r1", "cohort:DeepHermes-3-Mistral-24B-Pre")
NAMES = ("deepseek-r1", "DeepHermes-3-Mistral-24B-Pre", "mistral-small-3")


def learned(case: Case) -> tuple[str, str]:
    (answer,) = (a for a in case.verdict.answers if a.question == "learned")
    return answer.answer, " ".join(answer.reasons)


def test_models_of_a_cohort() -> None:
    case = compare(*MEMBERS, bases=["cohort:mistral-small-3"])
    answer, reasons = learned(case)
    assert answer == "points to it"
    assert (
        "mistral-small-3" in reasons
        and "not documented to have learned from the known model" in reasons
    )
    assert case.ledger[0].settings.bases == ("cohort:mistral-small-3",)
    assert Case.model_validate_json(case.model_dump_json()) == case


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give three models' own answers as transcripts."""
    if not TABLE.is_file():
        pytest.skip("needs FORENSICS_DATA")
    return transcripts_of(tmp_path_factory.mktemp("bases"))


def transcripts_of(folder: Path) -> dict[str, Path]:
    """Write three models' own answers as transcripts."""
    import pandas as pd

    table = pd.read_parquet(TABLE)
    table[table["model"].isin(NAMES)].to_parquet(folder / "some.parquet")
    written = import_outputs(folder / "some.parquet", folder / "transcripts")
    return {read.name: Path(read.path or "") for read in written}


def test_files_give_what_the_cohorts_own_models_give(files: dict[str, Path]) -> None:
    known, questioned, past = (str(files[name]) for name in NAMES)
    case = compare(known, questioned, bases=[past], only="shared_manner")
    assert learned(case)[0] == "points to it"
    of_files = shift(case)
    members = compare(*MEMBERS, bases=["cohort:mistral-small-3"])
    assert of_files.least.change == pytest.approx(shift(members).least.change, abs=0.02)
    mixed = compare(known, questioned, bases=["cohort:mistral-small-3"], only="shared_manner")
    assert shift(mixed).reading == "points"


def test_a_base_without_these_prompts_is_named_with_what_would_settle(
    files: dict[str, Path], tmp_path: Path
) -> None:
    known, questioned, past = (files[name] for name in NAMES)
    lines = past.read_text("utf-8").splitlines()
    short = tmp_path / "short.jsonl"
    short.write_text("\n".join(lines[:8]) + "\n", "utf-8")
    case = compare(str(known), str(questioned), bases=[str(short)], only="shared_manner")
    (entry,) = (e for e in case.evidence if e.comparator == "shift")
    assert entry.status == "insufficient"
    assert "--samples 3" in entry.reason and "short" in entry.reason
    assert learned(case)[0] == "cannot be told"


def test_a_base_that_is_the_questioned_model_is_told_so(files: dict[str, Path]) -> None:
    known, questioned, _ = (str(files[name]) for name in NAMES)
    case = compare(known, questioned, bases=[questioned], only="shared_manner")
    (entry,) = (e for e in case.evidence if e.comparator == "shift")
    assert "same answers as the questioned model" in entry.reason


def shift(case: Case) -> ShiftDetails:
    (details,) = (e.details for e in case.evidence if isinstance(e.details, ShiftDetails))
    return details
