from __future__ import annotations

import io
import re
import unicodedata

import pytest
from rich.cells import cell_len
from rich.console import Console

from forensics.case.document import Case
from forensics.case.evidence import Evidence, Interval, NoiseFloor
from forensics.report.terminal import range_plot, render_terminal
from forensics.support.numbers import number
from tests.report.sample_calibrated import calibrated_case
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

CASES = {
    "screening": sample_case(),
    "insufficient": insufficient_case(),
    "calibrated": calibrated_case(8),
}


def rendered(case: Case, **options: object) -> str:
    settings: dict[str, object] = {"width": 80, "file": io.StringIO(), **options}
    console = Console(**settings)  # type: ignore[arg-type]
    render_terminal(case, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    text = rendered(CASES[name], width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= min(width, 100)


def test_claims_deviations_and_the_error_rate_are_told() -> None:
    text = _flat(rendered(CASES["calibrated"]))
    for words in (
        "about 12 times as probable if the two are one model or of close descent",
        "95 % interval 4.79 to 15.8",
        "Error rate at this score: 4.9 % (2 of 41 lineage clusters).",
        "not testable from outputs; besides outputs it would need API logs; training data",
        "Deviation from the case file: --limit was 40, the plan says 100",
    ):
        assert words in text, words


def test_a_narrow_terminal_still_gets_a_report() -> None:
    text = rendered(sample_case(8), width=40)
    assert max(cell_len(line) for line in text.splitlines()) <= 40


def test_a_pipe_gets_no_control_characters_whatever_the_models_said() -> None:
    text = rendered(_showing_everything())
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"]


def test_a_terminal_gets_only_our_own_styles() -> None:
    text = rendered(_showing_everything(), force_terminal=True, color_system="standard")
    assert "\x1b[" in text
    assert not [c for c in re.sub(r"\x1b\[[0-9;]*m", "", text) if ord(c) < 32 and c != "\n"]
    assert "\x1b]8" not in text  # no hyperlinks


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = rendered(sample_case(8), force_terminal=True)
    codes = {code for run in re.findall(r"\x1b\[([0-9;]*)m", text) for code in run.split(";")}
    assert codes <= {"", "0", "1", "2", "3", "4"}


def test_rich_markup_is_text() -> None:
    assert "[bold red]markup[/bold red]" in _flat(rendered(_showing("[bold red]")))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_strict_console_of_any_encoding_is_served(encoding: str) -> None:
    raw = io.BytesIO()
    console = Console(width=80, file=io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
    render_terminal(_showing_everything(), console)
    console.file.flush()
    assert b"Evidence" in raw.getvalue()


def test_all_statuses_are_finished_results_with_reasons() -> None:
    text = _flat(rendered(sample_case()))
    assert "Formatting: insufficient data: 5 answers are long enough, 8 are needed" in text
    assert "Token probabilities: not measured: neither subject gave token probabilities" in text
    assert "A third-party comparator: could not be computed: ValueError" in text


def test_a_screening_says_that_it_is_uncalibrated() -> None:
    assert "uncalibrated: no reference cohort" in _flat(rendered(sample_case()))
    assert "Insufficient data" in _flat(rendered(insufficient_case()))


def test_shared_wording_is_marked_without_styles() -> None:
    text = _flat(rendered(sample_case()))
    assert "«It is important to remember that every situation is different»" in text


def test_numbers_of_the_table_are_those_of_the_case() -> None:
    case = sample_case()
    row = next(line for line in rendered(case).splitlines() if line.startswith("Shared phrasing"))
    entry = case.evidence[0]
    assert entry.interval and entry.noise_floor
    for value, digits in ((entry.score, 3), (entry.interval.low, 2), (entry.noise_floor.b, 2)):
        assert number(value, digits) in row


def test_the_share_that_length_and_formatting_explain_is_there() -> None:
    said = "Of the differences between prompts, length and formatting explain: "
    assert f"{said}Shared phrasing 37 %" in _flat(rendered(sample_case()))
    assert "How answers begin 0 %" not in _flat(rendered(sample_case()))
    assert said.strip() not in _flat(rendered(insufficient_case()))


def test_the_same_case_gives_the_same_report() -> None:
    assert rendered(sample_case()) == rendered(sample_case())


def test_the_plot_is_to_scale() -> None:
    entry = Evidence(
        comparator="x",
        title="X",
        status="ok",
        score=0.5,
        interval=Interval(low=0.3, high=1.0),
        noise_floor=NoiseFloor(a=0.0, b=0.1, method="resampled_prompts"),
    )
    assert range_plot(entry, 11, plain=False) == "││ ──●─────"
    assert range_plot(entry, 11, plain=True) == "|| --o-----"
    flat = entry.model_copy(update={"score": 0.0, "interval": None, "noise_floor": None})
    assert range_plot(flat, 5, plain=True) == ""


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[│|]", " ", text))


def _showing(needle: str) -> Case:
    """Return the case with a prompt whose answers hold `needle` as its only exhibit."""
    case = sample_case()
    index = next(i for i, text in enumerate(HOSTILE) if needle in text)
    wanted = case.prompts[index]
    template = case.evidence[0].exhibits[0]
    exhibit = template.model_copy(
        update={"prompt_sha256": wanted.prompt_sha256, "prompt_id": wanted.prompt_id}
    )
    evidence = case.evidence[0].model_copy(update={"exhibits": (exhibit,)})
    return case.model_copy(update={"evidence": (evidence,)})


def _showing_everything() -> Case:
    """Return the case with everything hostile in the places a terminal shows."""
    whole = " ".join(HOSTILE)
    case = sample_case()
    prompts = tuple(
        p.model_copy(update={"prompt": whole, "prompt_id": whole}) for p in case.prompts
    )
    verdict = case.verdict.model_copy(
        update={"headline": whole, "reading": whole, "limits": (whole,), "reasons": (whole,)}
    )
    a = case.a.model_copy(update={"name": whole, "warnings": (whole,)})
    changes = {"prompts": prompts, "verdict": verdict, "a": a, "comparability": (whole,)}
    return case.model_copy(update=changes)
