from __future__ import annotations

import pytest

from forensics.case.document import Case, CasePrompt
from forensics.case.evidence import Evidence, PromptScore
from forensics.report.stability import leaving_one_out
from tests.report.sample_case import insufficient_case, sample_case


def _case(*categories: str) -> Case:
    prompts = tuple(
        CasePrompt(
            prompt_sha256=str(place),
            prompt_id=str(place),
            prompt="",
            category=category,
            language="en",
            a=(),
            b=(),
        )
        for place, category in enumerate(categories)
    )
    return sample_case(8).model_copy(update={"prompts": prompts})


def _evidence(*scores: float) -> Evidence:
    entries = tuple(
        PromptScore(prompt_sha256=str(place), prompt_id=str(place), score=score)
        for place, score in enumerate(scores)
    )
    return Evidence(comparator="x", title="X", status="ok", per_prompt=entries)


def test_a_case_worked_by_hand() -> None:
    # Without a: (0.2 + 0.4 + 0.9) / 3; without b: (1.0 + 0.0 + 0.9) / 3; without c: 1.6 / 4.
    found = leaving_one_out(_case("a", "a", "b", "b", "c"), _evidence(1.0, 0.0, 0.2, 0.4, 0.9))
    assert found is not None
    assert (found.mean, found.n) == (pytest.approx(0.5), 5)
    assert [(one.category, one.n) for one in found.without] == [("a", 3), ("b", 3), ("c", 4)]
    assert [one.mean for one in found.without] == pytest.approx([0.5, 1.9 / 3, 0.4])
    assert found.farthest.category == "b"
    assert found.ends == pytest.approx((0.4, 1.9 / 3))


def test_one_category_cannot_be_left_out() -> None:
    assert leaving_one_out(_case("a", "a"), _evidence(1.0, 0.0)) is None
    assert leaving_one_out(_case("a", "b"), _evidence(1.0)) is None
    assert leaving_one_out(insufficient_case(), _evidence(1.0, 0.0)) is None
