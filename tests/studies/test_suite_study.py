"""The study of a suite's categories finds what separates, and orders the suite by it."""

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import InputFileError
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.loading import load_suite
from forensics.suites.suite import Message, Prompt, Suite
from forensics.transcripts.transcript import Response, Transcript
from studies.suite.study import CategoryFigure, markdown, study, write
from tests.builders import essays

CATEGORIES = ("telling", "silent")


def subject(name: str, telling: list[str], silent: list[str]) -> Examined:
    responses = tuple(
        Response(prompt=prompt(category, i), text=text, output_tokens=50)
        for category, texts in zip(CATEGORIES, (telling, silent), strict=True)
        for i, text in enumerate(texts)
    )
    return Examined(parse_subject(f"transcript:{name}.jsonl"), Transcript(name, responses))


def prompt(category: str, number: int) -> Prompt:
    text = f"{category} question {number}?"
    return Prompt(f"{category}-{number}", (Message("user", text),), category)


def test_the_category_in_which_only_kin_agree_comes_first() -> None:
    mine, others = essays(12), essays(12, 3)
    more = [" ".join(f"word{i}x{k}," for k in range(40)) for i in range(12)]
    suite = Suite("s", "1", "t", tuple(prompt(c, i) for c in CATEGORIES for i in range(12)))
    model = subject("model", mine, mine)
    kin = subject("kin", mine, others)
    stranger = subject("stranger", more, others)
    first, second = study(suite, model, [kin], [stranger])
    assert first.category == "telling"
    assert first.auc > 0.9
    assert first.low > second.auc
    assert second.auc == pytest.approx(0.5, abs=0.2)
    assert first.tokens == 50
    assert first.per_thousand_tokens == pytest.approx((2 * first.auc - 1) * 20)


def test_writing_reorders_categories_and_touches_no_prompt(tmp_path: Path) -> None:
    core = load_suite("core")
    source = Path(__file__).resolve().parents[2] / "probes" / "core"
    for name in ("suite.yaml", "DATASHEET.md"):
        (tmp_path / name).write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")
    names = list(core.categories or ())
    figures = [CategoryFigure(name, 9, 0.8, 0.7, 0.9, 50) for name in reversed(names)]
    write(tmp_path, figures, markdown(figures, 1, 1))
    again = load_suite(str(tmp_path))
    assert list(again.categories or ()) == names[::-1]
    assert again.sha256 == core.sha256
    assert replace(again, categories=None) == replace(core, categories=None)
    assert f"| {names[0]} | 9 | 0.80 [0.70, 0.90] |" in (tmp_path / "DATASHEET.md").read_text()


def test_a_datasheet_without_a_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "DATASHEET.md").write_text("nothing")
    with pytest.raises(InputFileError, match="study:begin"):
        write(tmp_path, [], "")
