"""A hand-written case, with answers that attack every report format."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from forensics.case.document import (
    Case,
    CasePrompt,
    CaseResponse,
    CaseSubject,
    CopyTripwire,
    Finding,
    LedgerEntry,
    Overlap,
    Verdict,
)
from forensics.case.evidence import (
    Evidence,
    Exhibit,
    ExplainedShare,
    Interval,
    NoiseFloor,
    PromptScore,
)

HOSTILE = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "<a href=\"javascript:document.title='pwned'\">click me</a> [x](javascript:alert(1))",
    "</style><style>body{display:none}</style>",
    "</script><script>document.title='pwned'</script>",
    "<svg onload=document.title='pwned'><script>1</script></svg>",
    "}</style> * { background: url(https://example.invalid/x.png) } @import 'https://e.invalid';",
    "{{7*7}} {% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %} ${7*7} #{7*7}",
    "access \u202egnp.exe\u202c and \u2066isolated\u2069 and \u200fmark",
    "\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://example.invalid\x07link\x1b]8;;\x07",
    "NUL \x00 bell \x07 backspace \x08 delete \x7f C1 \x9b31m",
    "lone surrogate \ud800 and \udfff and \udcff",
    "[bold red]markup[/bold red] [/] [link=https://example.invalid]x[/link] [@click=app.bell]y[/]",
    "<!-- unterminated comment <textarea> <title> <plaintext> <![CDATA[ ",
    "```\nout of the fence\n``` ~~~ ```` @octocat #1 https://example.invalid www.example.invalid",
    "| a | b |\n|---|---|\n| <details><summary>x</summary> | ![i](https://example.invalid/i.png) |",
    "\" onmouseover=\"document.title='pwned'\" x=\" ' onfocus='document.title=1' autofocus='",
    "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\"></iframe>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid'><base href=//e.invalid>",
    "Z̸̧̛͎͎̗͉̿̈́̏̀̚͝a̵̡̢̛̛͖͙̘̩͒͆̕͝lgo \U000e0041\U000e0042 zero\u200bwidth line\u2028sep \u0661\u0662 \ufeff",
    '=HYPERLINK("https://example.invalid") $x^2$ $`\\href{javascript:alert(1)}{x}`$',
    "&lt;script&gt; &#60;b&#62; &amp;amp; <b>bold</b> <form action=https://example.invalid>",
)

_WORDS = """the answer depends on what you want to keep and what you can let go so start with a list
of things that matter then order them by cost and think about the people around you before you
decide because a plan that nobody follows is worse than no plan at all in my experience""".split()

_SHARED = "It is important to remember that every situation is different"


def sha(text: str) -> str:
    """Return a sha256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _prose(rng: random.Random, words: int) -> str:
    lines = []
    while words > 0:
        count = min(words, rng.randint(8, 22))
        lines.append(" ".join(rng.choice(_WORDS) for _ in range(count)).capitalize() + ".")
        words -= count
    return "\n\n".join(" ".join(lines[i : i + 3]) for i in range(0, len(lines), 3))


def _answers(rng: random.Random, index: int, words: int) -> tuple[str, str]:
    if index < len(HOSTILE):
        return f"{_SHARED}. {HOSTILE[index]}", f"Sure! {HOSTILE[index]} {_SHARED}."
    first, second = _prose(rng, words), _prose(rng, words)
    return f"{first}\n\n{_SHARED}.", f"{second} {_SHARED}."


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    start = text.find(_SHARED)
    return ((start, start + len(_SHARED)),) if start >= 0 else ()


def _prompts(count: int, words: int) -> tuple[CasePrompt, ...]:
    rng = random.Random(7)
    categories = ("advice", "explanation", "refusal", "formatting")
    prompts = []
    for index in range(count):
        a, b = _answers(rng, index, words)
        text = f"Question {index}: how would you decide? <b>&</b>"
        prompts.append(
            CasePrompt(
                prompt_sha256=sha(text),
                prompt_id=f"core/{categories[index % 4]}-{index:03d}",
                prompt=text,
                category=categories[index % 4],
                language="en",
                a=(CaseResponse(sample=0, text=a, status="ok", reasoning="<think>hm</think>"),),
                b=(CaseResponse(sample=0, text=b, status="truncated" if index % 9 == 0 else "ok"),),
            )
        )
    return tuple(prompts)


def _evidence(
    name: str, title: str, prompts: tuple[CasePrompt, ...], level: float, seed: int, **more: Any
) -> Evidence:
    rng = random.Random(seed)
    scores = {p.prompt_sha256: round(rng.gauss(level, 0.12), 4) for p in prompts}
    ranked = sorted(prompts, key=lambda p: scores[p.prompt_sha256])
    chosen = [("for", p) for p in ranked[::-1][:4]] + [("against", p) for p in ranked[:4]]
    chosen += [("random", p) for p in rng.sample(prompts, min(3, len(prompts)))]
    mean = sum(scores.values()) / len(scores)
    fields: dict[str, Any] = {
        "scale": "share of word sequences in common on matched prompts, less that on mismatched",
        "score": mean,
        "interval": Interval(low=mean - 0.04, high=mean + 0.05),
        "noise_floor": NoiseFloor(a=0.08, b=0.11, method="resampled_prompts"),
        "matched": mean + 0.1,
        "baseline": 0.1,
        "caveats": ("Longer answers share more <i>phrases</i>.",),
        "details": {"n-gram": {"low": 1, "high": 4}, "top": ["<b>x</b>", "\x1b[1m"]},
    }
    return Evidence(
        comparator=name,
        title=title,
        status="ok",
        n=len(prompts),
        per_prompt=tuple(
            PromptScore(
                prompt_sha256=p.prompt_sha256,
                prompt_id=p.prompt_id,
                score=scores[p.prompt_sha256],
            )
            for p in prompts
        ),
        exhibits=tuple(
            Exhibit(
                prompt_sha256=p.prompt_sha256,
                prompt_id=p.prompt_id,
                side=side,  # type: ignore[arg-type]
                score=scores[p.prompt_sha256],
                sample_a=0,
                sample_b=0,
                spans_a=_spans(p.a[0].text),
                spans_b=_spans(p.b[0].text),
                note="shared wording <u>&</u>",
            )
            for side, p in chosen
        ),
        **(fields | more),
    )


def _all_evidence(prompts: tuple[CasePrompt, ...]) -> tuple[Evidence, ...]:
    return (
        _evidence(
            "phrasing",
            "Shared phrasing",
            prompts,
            0.35,
            1,
            explained_by_length_and_formatting=ExplainedShare(
                share=0.374,
                interval=Interval(low=0.2, high=0.55),
                correlations={"length ratio": -0.4},
                n=len(prompts),
            ),
        ),
        _evidence("openings", "How answers begin", prompts, 0.12, 2),
        _evidence("style", "Writing habits", prompts, -0.15, 3),
        _evidence(
            "embedding",
            "Meaning",
            prompts,
            0.7,
            4,
            noise_floor=NoiseFloor(a=0.93, b=0.95, method="repeat_samples"),
        ),
        _evidence(
            "refusal",
            "Refusals",
            prompts,
            0.2,
            5,
            details={"refused": {"a": 4, "b": 5}, "phrases": ["I can't help with that"]},
        ),
        _evidence("identity", "Claimed identity", prompts, 0.0, 6, weight="low", noise_floor=None),
        Evidence(
            comparator="formatting",
            title="Formatting",
            status="insufficient",
            reason="5 answers are long enough, 8 are needed",
            n=5,
        ),
        Evidence(
            comparator="logprobs",
            title="Token probabilities",
            tier="logprobs",
            status="not_measured",
            reason="neither subject gave token probabilities",
        ),
        Evidence(
            comparator="plugin",
            title="A third-party comparator",
            status="error",
            reason="ValueError: <b>bad</b> [red]value[/red] \x1b[31m\ud800",
        ),
    )


def _subject(letter: str, answers: int) -> CaseSubject:
    name = f"vicuna-<b>{letter}</b> [bold]\u202e\x1b[31m"
    return CaseSubject(
        spec=f"transcript:{name}.jsonl",
        name=name,
        kind="transcript",
        provenance="imported",
        transcript_sha256=sha(letter),
        answers=answers,
        empty=1,
        errors=2,
        truncated=3,
        manifests=(
            {
                "subject": name,
                "identity": {"kind": "hf", "model": "org/name", "files.with.dots": "x"},
                "settings": {"temperature": 0, "max_tokens": 256, "seed": None, "system": None},
                "provenance": "imported",
                "started_at": "2025-11-22T00:00:00Z",
                "version": "0.1.0",
                "notes": ["imported <from> a table"],
            },
        ),
        warnings=("the last line was cut off \x1b[5m",),
    )


def sample_case(count: int = 40, words: int = 120, **changes: Any) -> Case:
    """Return a screening case over `count` prompts with answers of about `words` words."""
    asked = _prompts(count, words)
    case = Case(
        created_at="2025-11-22T00:00:00+00:00",
        version="0.1.0",
        command="forensics compare transcript:a.jsonl 'transcript:<b>.jsonl' --html out.html",
        suite={"name": "core", "version": "1", "sha256": sha("core"), "prompts": count},
        a=_subject("a", count),
        b=_subject("b", count),
        overlap=Overlap(a=count + 2, b=count, both=count),
        prompts=asked,
        evidence=_all_evidence(asked),
        copy_tripwire=CopyTripwire(
            identical=1, compared=count, limit=3, min_chars=200, tripped=False
        ),
        comparability=("A ran at temperature 0, B's temperature is <unknown>",),
        verdict=Verdict(
            status="screening",
            headline="These two models answer more alike than their own habits explain.",
            reading="Kinship of some kind would explain it; so would shared training data.",
            findings_for=(
                Finding(comparator="phrasing", text="Shared phrasing is above the noise floor."),
                Finding(comparator="embedding", text='They say "<b>the same</b>" things.'),
            ),
            findings_against=(
                Finding(comparator="style", text="Writing habits differ: | `code` @octocat #1"),
            ),
            reasons=("No reference cohort was given.",),
            limits=("Both answered in English only.", "Answers were cut at 256 tokens."),
        ),
        ledger=(
            LedgerEntry(
                at="2025-11-22T00:00:00Z", what="compare", settings={"seed": 0, "suite": "core"}
            ),
        ),
    )
    return case.model_copy(update=changes)


def insufficient_case() -> Case:
    """Return a case in which nothing could be measured."""
    reason = "all answers of B are empty"
    evidence = tuple(
        Evidence(comparator=name, title=title, status="insufficient", reason=reason)
        for name, title in (("phrasing", "Shared phrasing"), ("style", "Writing habits"))
    )
    return sample_case(
        prompts=(),
        overlap=Overlap(a=40, b=40, both=0),
        evidence=evidence,
        verdict=Verdict(
            status="insufficient",
            headline="There is too little to compare.",
            reading="No comparator had enough answers.",
            reasons=(reason,),
        ),
    )
