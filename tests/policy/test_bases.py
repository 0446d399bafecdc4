"""`bases` of a policy: change against the subject's own past is a review, never a violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import check

_TERMS = """[[teacher]]
developer = "Somebody"
models = ["deepseek-r1"]
terms = "output may not be used to train models"
source = "https://example.org/terms"
as_of = "2025-01"
"""


def outcome(folder: Path, subject: str, bases: str) -> tuple[str, str]:
    (folder / "terms.toml").write_text(_TERMS, "utf-8")
    policy = folder / "policy.toml"
    against = '[[against]]\nsubject = "cohort:misguided-attention/deepseek-r1"\n'
    rule = f'[rules.restricted-teacher]\ntable = "{(folder / "terms.toml").as_posix()}"\n'
    policy.write_text(f"{bases}{against}{rule}", "utf-8")
    (only,) = check(f"cohort:misguided-attention/{subject}", policy).outcomes
    return only.status, only.message


def test_a_change_towards_a_restricted_teacher_is_to_be_reviewed(tmp_path: Path) -> None:
    student = "DeepHermes-3-Mistral-24B-Pre"
    status, message = outcome(tmp_path, student, 'bases = ["cohort:mistral-small-3"]\n')
    assert status == "review"
    assert "mistral-small-3" in message and "34 of 34 other models" in message
    assert outcome(tmp_path, student, "")[0] != "review"


@pytest.mark.parametrize("past", ["claude-3.7-sonnet", "claude-sonnet-4"])
def test_no_larger_a_change_than_others_or_none_at_all_is_no_review(
    tmp_path: Path, past: str
) -> None:
    bases = f'bases = ["cohort:misguided-attention/{past}"]\n'
    assert outcome(tmp_path, "claude-sonnet-4", bases)[0] != "review"
