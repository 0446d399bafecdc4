from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from forensics.case.document import Case, case_to_json, read_case
from forensics.case.evidence import Exhibit
from forensics.cli import run
from forensics.custody.blinding import blinded
from forensics.custody.masking import Masker
from forensics.evidence import load_comparators
from forensics.evidence.text.identity import MAKERS, Identity
from forensics.examination.examined import Examined
from forensics.report.html.html import render_html
from forensics.report.markdown import render_markdown
from forensics.report.terminal import render_terminal
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Manifest, Response, Transcript
from forensics.verdicts.compare import compare
from tests.report.sample_case import sample_case

# What the case below names, and no blind report may.
NAMES = ("zorblax", "openai", "chatgpt", "gpt-4", "claude", "anthropic", "qwen", "quux", "mistral")


def _transcript(name: str, claim: str) -> Transcript:
    manifest = Manifest(
        subject=f"openai:acme/{name}@http://api.zorblax.example/v1",
        identity={
            "kind": "openai",
            "model": f"acme/{name}",
            "base_url": "http://api.zorblax.example/v1",
            "template": "<|Zorblax|>",
            "dtype": "float32",
        },
        suite={"name": "short", "version": "1", "sha256": "0" * 64},
        settings={"temperature": 0.0, "system_prompt": "You are ChatGPT."},
        provenance="collected",
        started_at="2025-01-01T00:00:00Z",
        version="0",
        notes=(f"imported from {name}.csv",),
    )
    responses = [
        Response(
            prompt=Prompt(f"who-{i}", (Message("user", f"Are you Claude, number {i}?"),)),
            text=f"Well, {claim} It was {i} o'clock on a cold and windy day in the harbour town.",
            reasoning="The user thinks I am Claude by Anthropic. I am Qwen.",
            model=f"{name}-{i % 2}",
        )
        for i in range(12)
    ]
    path = f"runs/{name}.jsonl"
    return Transcript(name, tuple(responses), (manifest,), (f"{path}: odd",), "a" * 64, path)


@pytest.fixture(scope="module")
def case() -> Case:
    a = _transcript("zorblax-7b-chat", "I am ChatGPT, a language model developed by OpenAI.")
    b = _transcript("zorblax2-mini", "I'm Zorblax, made by Quux Labs, unlike GPT-4o or Mistral AI.")
    sides = [
        Examined(parse_subject(f"openai:{t.name}@http://api.zorblax.example/v1"), t) for t in (a, b)
    ]
    comparators = load_comparators((), ("embedding",))
    command = "forensics compare openai:zorblax-7b-chat openai:zorblax2-mini"
    return compare(sides[0], sides[1], comparators, command=command).model_copy(
        update={"blind": True}
    )


def shown(case: Case) -> str:
    page = io.StringIO()
    render_terminal(case, Console(file=page, width=100))
    return page.getvalue() + render_html(case) + render_markdown(case) + case_to_json(case)


def test_no_report_names_a_model_or_maker(case: Case) -> None:
    open_text = shown(case).lower()
    assert all(name in open_text for name in NAMES)
    text = shown(blinded(case)).lower()
    assert [name for name in NAMES if name in text] == []
    assert "acme" not in text
    assert "[model a]" in text and "[maker 1]" in text


def test_numbers_and_everything_measured_stay(case: Case) -> None:
    masked = blinded(case)
    for old, new in zip(case.evidence, masked.evidence, strict=True):
        assert (new.score, new.interval, new.n, new.status) == (
            old.score, old.interval, old.n, old.status,
        )  # fmt: skip
    assert masked.overlap == case.overlap
    assert masked.verdict.status == case.verdict.status
    assert len(masked.prompts) == len(case.prompts)
    assert masked.prompts[0].a[0].text.endswith("windy day in the harbour town.")


def test_one_maker_keeps_one_number(case: Case) -> None:
    [identity] = [e for e in blinded(case).evidence if e.comparator == Identity().name]
    [claimed] = identity.details.claims_a
    answers = [p.a[0].text for p in blinded(case).prompts]
    assert all(f"I am {claimed}, a language model developed by {claimed}." in a for a in answers)


def test_blinding_is_pure_and_stops_at_once(case: Case) -> None:
    before = case_to_json(case)
    masked = blinded(case)
    assert case_to_json(case) == before
    assert masked.masked and masked.blind
    assert blinded(masked) is masked


def test_exhibits_still_point_at_the_same_words() -> None:
    case = sample_case(6, 20)
    prompt = case.prompts[0]
    text = "Hi! I am ChatGPT, made by OpenAI. The sea is blue today. Ask Claude."
    at = text.index("The sea"), text.index(" Ask")
    whole = text.index("ChatGPT, made"), text.index(". The")
    inside = text.index("GPT, made"), text.index("AI. The")
    answers = (prompt.a[0].model_copy(update={"text": text}),)
    prompts = (prompt.model_copy(update={"a": answers}), *case.prompts[1:])
    exhibit = Exhibit(
        prompt_sha256=prompt.prompt_sha256, prompt_id="p", side="for", score=1.0,
        sample_a=answers[0].sample, sample_b=prompt.b[0].sample, spans_a=(at, whole, inside),
    )  # fmt: skip
    evidence = case.evidence[0].model_copy(update={"exhibits": (exhibit,)})
    masked = blinded(case.model_copy(update={"prompts": prompts, "evidence": (evidence,)}))
    new = masked.prompts[0].a[0].text
    assert new == "Hi! I am [MAKER 1], made by [MAKER 1]. The sea is blue today. Ask [MAKER 2]."
    spans = masked.evidence[0].exhibits[0].spans_a
    assert [new[start:end] for start, end in spans] == [
        "The sea is blue today.",
        "[MAKER 1], made by [MAKER 1]",
        "[MAKER 1], made by [MAKER 1]",
    ]


_PIECES = st.sampled_from(
    ["OpenAI", "Claude", "zorblax-7b", "sea", " ", ", ", "blue ", "\ud800", "\x1b[31m", "通义千问"]
)


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=12), data=st.data())
def test_spans_outside_names_keep_their_words(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    masked = Masker({"zorblax-7b": "[MODEL A]"}).mask(text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    low, high = masked.span(start, end)
    assert 0 <= low <= high <= len(masked.text)
    if not any(s < end and start < e for s, e, _, _ in masked.moves):
        assert masked.text[low:high] == text[start:end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("As ChatGPT by OpenAI, I", "As [MAKER 1] by [MAKER 1], I"),
        ("GPT-4o-mini, Claude 3.5 Sonnet", "[MAKER 1], [MAKER 2]"),
        ("TinyLlama-1.1B or Llama 2", "[MAKER 1] or [MAKER 1]"),
        ("我是通义千问，由阿里云开发。", "我是[MAKER 1]，由[MAKER 1]开发。"),
        ("Я создан Яндекс", "Я создан [MAKER 1]"),
        ("My name is Bob the Builder.", "My name is [MAKER 1]."),
        ("I'm Foo, an assistant", "I'm [MAKER 1], an assistant"),
        ("I am a model trained by Bar Labs.", "I am a model trained by [MAKER 1]."),
        ("Zorblax7B and ZORBLAX 7b", "[MODEL A]B and [MODEL A] 7b"),
        ("a zorblaxian idea", "a zorblaxian idea"),
    ],
)
def test_names_are_masked_however_they_are_written(text: str, expected: str) -> None:
    assert Masker({"zorblax-7": "[MODEL A]", "zorblax": "[MODEL A]"}).text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A coherent, philanthropic meta description of open airports.",
        "The command runs; command + r reloads. Incoherence follows.",
        "I am sorry, I cannot. I am from Paris. It was painted by Leonardo.",
        "granite and falcons, palm trees, a bard",
    ],
)
def test_common_words_stay(text: str) -> None:
    assert Masker({"model-b": "[MODEL B]", "m": "[MODEL A]"}).text(text) == text


@pytest.mark.parametrize("maker", sorted(MAKERS))
def test_every_maker_the_identity_comparator_knows_is_masked(maker: str) -> None:
    assert Masker({}).text(f"({maker})") == "([MAKER 1])"


def test_names_shared_by_both_are_neither_as(case: Case) -> None:
    assert "I'm [MODEL], made by" in blinded(case).prompts[0].b[0].text


def test_hostile_cases_are_masked_without_a_failure() -> None:
    text = shown(blinded(sample_case(12, 30)))
    assert "vicuna" not in text.lower()


@pytest.fixture
def on_file(case: Case, tmp_path: Path) -> Path:
    path = tmp_path / "case.json"
    path.write_text(case_to_json(case))
    return path


def test_reports_of_a_blind_case_stay_blind(
    on_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = on_file.read_bytes()
    outputs = ["--html", str(tmp_path / "x.html"), "--markdown", str(tmp_path / "x.md")]
    assert run(["report", str(on_file), *outputs, "--json", str(tmp_path / "x.json")]) == 0
    files = "".join((tmp_path / f"x.{kind}").read_text() for kind in ("html", "md", "json"))
    text = (files + capsys.readouterr().out).lower()
    assert [name for name in NAMES if name in text] == []
    assert on_file.read_bytes() == before
    assert run(["report", str(tmp_path / "x.json"), "--unblind"]) == 2
    assert "does not hold them" in capsys.readouterr().err


def test_unblinding_is_logged_before_anything_is_shown(
    on_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(on_file.read_text()) | {"of_a_later_version": [1]}
    on_file.write_text(json.dumps(document))
    assert run(["report", str(on_file), "--unblind"]) == 0
    assert "zorblax" in capsys.readouterr().out
    opened = read_case(on_file)
    assert not opened.blind
    assert [entry.what for entry in opened.ledger] == ["compare", "unblind"]
    assert opened.ledger[1].at.endswith("Z")
    assert len(opened.ledger[1].settings["blind_case_sha256"]) == 64
    assert json.loads(on_file.read_text())["of_a_later_version"] == [1]
    assert run(["report", str(on_file), "--unblind"]) == 2
    assert "is not blind" in capsys.readouterr().err
    assert run(["report", str(on_file), "--blind"]) == 0
    assert "zorblax" not in capsys.readouterr().out.lower()


def test_what_cannot_be_logged_is_not_shown(
    on_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_file.with_name("case.json.partial").mkdir()
    assert run(["report", str(on_file), "--unblind"]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
