"""`forensics evaluate --steps`: does change against a past name the teacher's developer?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from forensics import evaluate
from forensics.cohorts.lineage.models import read_models
from forensics.errors import InputFileError, UsageError
from forensics.evaluation.step_rates import read_steps
from tests.cli.cli import forensics as run_forensics

KEYS = {
    "n_pos", "n_neg", "n_neg_clusters", "auc", "auc_within_base_family", "tpr_at_fpr",
    "top1_developer", "abstained", "interval",
}  # fmt: skip
_WORDS = [f"{first}{last}" for first in ("bel", "cor", "dan", "fil", "gru", "hom") for last in
          ("ade", "ine", "ock", "ust", "ave", "imp", "ery", "old")]  # fmt: skip


def _manner(seed: int) -> np.ndarray:
    """Return how often a house uses each word."""
    return np.random.default_rng(seed).dirichlet(np.full(len(_WORDS), 0.2))


def made_files(folder: Path) -> Path:
    """Write answers of houses, of bases, of students of the first house, and of plain releases."""
    houses = {f"teacher-{n}": _manner(n) for n in range(4)}
    models: dict[str, np.ndarray] = dict(houses)
    facts = [(name, f"House {name[-1]}", "", "", "none known") for name in houses]
    steps = []
    for n in range(3):
        base = _manner(20 + n)
        models[f"base-{n}"] = base
        models[f"student-{n}"] = (base + houses["teacher-0"]) / 2
        models[f"release-{n}"] = (3 * base + _manner(40 + n)) / 4
        family = f"family {n}"
        facts += [
            (f"base-{n}", f"Makers {n}", family, "", "none known"),
            (f"student-{n}", f"Tuners {n}", family, "", "teacher-0/sft/high"),
            (f"release-{n}", f"Makers {n}", family, "", "none known"),
        ]
        steps += [
            (f"student-{n}", f"base-{n}", "House 0"), (f"release-{n}", f"base-{n}", "none"),
        ]  # fmt: skip
    rng = np.random.default_rng(0)
    with (folder / "outputs.jsonl").open("w", encoding="utf-8") as file:
        for name, manner in models.items():
            for prompt in range(16):
                text = " ".join(rng.choice(_WORDS, 120, p=manner))
                entry = {"model": name, "prompt_id": str(prompt), "prompt": f"Ask {prompt}"}
                file.write(json.dumps(entry | {"output": text}) + "\n")
    _write(folder / "models.csv", "model,developer,base_family,family,teachers", facts)
    _write(folder / "steps.csv", "model,base,teacher_developer", steps)
    return folder


def _write(path: Path, header: str, rows: list[tuple[str, ...]]) -> None:
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n", "utf-8")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_files(tmp_path_factory.mktemp("steps"))


def test_students_that_took_on_a_manner_are_told_from_releases(files: Path) -> None:
    figures = evaluate(
        files / "outputs.jsonl", models=files / "models.csv", steps=files / "steps.csv"
    ).figures["shift"]
    assert set(figures) == KEYS
    assert (figures["n_pos"], figures["n_neg"], figures["n_neg_clusters"]) == (3, 3, 3)
    assert figures["auc"] == 1.0
    assert figures["top1_developer"] == 1.0
    assert figures["tpr_at_fpr"] == {"0.05": 1.0, "0.1": 1.0}
    assert figures["abstained"] == 0.0
    assert figures["interval"]["auc"] == [1.0, 1.0]


def test_the_verb_prints_one_block_with_the_figures(files: Path) -> None:
    tables = ("--models", str(files / "models.csv"), "--steps", str(files / "steps.csv"))
    ran = run_forensics("evaluate", files / "outputs.jsonl", *tables, cwd=files)
    assert ran.code == 0, ran.err
    assert set(json.loads(ran.out)["shift"]) == KEYS


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nobody,base-1,none", "no row for 'nobody'"),
        ("student-1,,none", "needs a model and its base"),
        ("student-1,student-1,none", "its own base"),
    ],
)
def test_a_row_that_means_nothing_is_named_with_its_line(
    files: Path, tmp_path: Path, row: str, said: str
) -> None:
    table = tmp_path / "steps.csv"
    table.write_text(f"model,base,teacher_developer\n{row}\n", "utf-8")
    with pytest.raises(InputFileError, match="line 2") as raised:
        read_steps(table, read_models(files / "models.csv"))
    assert said in str(raised.value)


def test_a_table_without_a_column_is_refused(files: Path, tmp_path: Path) -> None:
    table = tmp_path / "steps.csv"
    table.write_text("model,base\nstudent-1,base-1\n", "utf-8")
    with pytest.raises(InputFileError, match="teacher_developer"):
        read_steps(table, read_models(files / "models.csv"))


def test_neither_pairs_nor_steps_is_a_usage_error(files: Path) -> None:
    with pytest.raises(UsageError, match="--pairs"):
        evaluate(files / "outputs.jsonl", models=files / "models.csv")
