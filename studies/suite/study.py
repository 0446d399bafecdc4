"""How much does each category of a suite separate kin from strangers, per token spent?

    python -m studies.suite.study SUITE --model A.jsonl --kin B.jsonl --stranger C.jsonl [--write]

Every prompt is scored by wording, openings and style, on the answers of a model and a relative of
it and on those of the model and a stranger. A category separates as well as a prompt of it picks
the relative over the stranger: the area under the ROC curve over its prompts, with a bootstrap over
prompts. `--write` puts the table into the suite's datasheet and orders its categories by it, which
is the order in which `--limit` asks.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.errors import InputFileError
from forensics.evidence import load_comparators
from forensics.evidence.features.matched_prompts import Floats, percentile_interval
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.loading import load_suite
from forensics.suites.suite import Suite
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from forensics.transcripts.transcript import read_transcript
from forensics.verdicts.compare import measure, restrict

COMPARATORS = ("phrasing", "openings", "style")
_RESAMPLES = 1000
_BEGIN, _END = "<!-- study:begin -->", "<!-- study:end -->"


@dataclass(frozen=True)
class CategoryFigure:
    """One category's row: `auc` with its interval, and tokens of an answer on average."""

    category: str
    prompts: int
    auc: float
    low: float
    high: float
    tokens: float

    @property
    def per_thousand_tokens(self) -> float:
        """Separation beyond chance, 2 AUC - 1, that a thousand answer tokens buy."""
        return (2 * self.auc - 1) / self.tokens * 1000


def study(
    suite: Suite, model: Examined, kin: Sequence[Examined], strangers: Sequence[Examined]
) -> list[CategoryFigure]:
    """Return every category's figure, the one that separates most per token first."""
    related = [_scores(restrict(model, suite), restrict(other, suite)) for other in kin]
    unrelated = [_scores(restrict(model, suite), restrict(other, suite)) for other in strangers]
    tokens = _tokens((model, *kin, *strangers))
    members: dict[str, list[str]] = {}
    for prompt in suite.prompts:
        if all(prompt.sha256 in scores for scores in (*related, *unrelated)):
            members.setdefault(prompt.category, []).append(prompt.sha256)
    figures = [
        _figure(category, _table(related, found), _table(unrelated, found), tokens, found)
        for category, found in members.items()
    ]
    return sorted(figures, key=lambda figure: -figure.per_thousand_tokens)


def _scores(a: Examined, b: Examined) -> dict[str, float]:
    """Return prompt hash → mean of the comparators' scores, each in its own standard deviations."""
    totals: dict[str, float] = {}
    for comparator in load_comparators(only=COMPARATORS):
        per_prompt = measure(comparator, a, b).per_prompt
        spread = float(np.std([entry.score for entry in per_prompt])) or 1.0
        for entry in per_prompt:
            share = entry.score / spread / len(COMPARATORS)
            totals[entry.prompt_sha256] = totals.get(entry.prompt_sha256, 0.0) + share
    return totals


def _table(scores: Sequence[Mapping[str, float]], prompts: Sequence[str]) -> Floats:
    """Return scores of shape (pairs, prompts)."""
    return np.array([[one[prompt] for prompt in prompts] for one in scores])


def _tokens(subjects: Sequence[Examined]) -> dict[str, float]:
    counts: dict[str, list[int]] = {}
    for subject in subjects:
        for response in subject.transcript.responses:
            if response.output_tokens is not None:
                counts.setdefault(response.prompt.sha256, []).append(response.output_tokens)
    return {prompt: float(np.mean(found)) for prompt, found in counts.items()}


def _figure(
    category: str,
    kin: Floats,
    strangers: Floats,
    tokens: Mapping[str, float],
    prompts: Sequence[str],
) -> CategoryFigure:
    generator = np.random.default_rng(0)
    rows = generator.integers(0, len(prompts), (_RESAMPLES, len(prompts)))
    draws = np.array([_auc(kin[:, row], strangers[:, row]) for row in rows])
    interval = percentile_interval(draws)
    spent = float(np.mean([tokens[prompt] for prompt in prompts]))
    auc = _auc(kin, strangers)
    return CategoryFigure(category, len(prompts), auc, interval.low, interval.high, spent)


def _auc(kin: Floats, strangers: Floats) -> float:
    difference = kin.ravel()[:, None] - strangers.ravel()[None, :]
    return float((np.sign(difference) + 1).mean() / 2)


def markdown(figures: Sequence[CategoryFigure], kin: int, strangers: int) -> str:
    """Return the table for the datasheet."""
    head = (
        f"{kin} related and {strangers} unrelated pair(s); AUC over prompts with a 95 % bootstrap "
        "interval; the last column is (2 AUC - 1) per 1,000 answer tokens.\n\n"
        "| category | prompts | AUC | tokens per answer | per 1,000 tokens |\n"
        "|---|---:|---|---:|---:|\n"
    )
    rows = "".join(
        f"| {f.category} | {f.prompts} | {f.auc:.2f} [{f.low:.2f}, {f.high:.2f}] | "
        f"{f.tokens:.0f} | {f.per_thousand_tokens:.1f} |\n"
        for f in figures
    )
    return head + rows


def write(folder: Path, figures: Sequence[CategoryFigure], table: str) -> None:
    """Put the table into the datasheet and the categories of the suite file into its order.

    Raises:
        InputFileError: the datasheet has no place for the table, or the suite no categories.
    """
    sheet = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    if _BEGIN not in sheet or _END not in sheet:
        raise InputFileError(f"{folder / 'DATASHEET.md'} lacks the lines {_BEGIN} and {_END}")
    head, rest = sheet.split(_BEGIN, 1)
    tail = rest.split(_END, 1)[1]
    write_text(folder / "DATASHEET.md", f"{head}{_BEGIN}\n{table}{_END}{tail}")
    suite = (folder / "suite.yaml").read_text(encoding="utf-8")
    write_text(folder / "suite.yaml", _reordered(suite, [f.category for f in figures]))


def _reordered(text: str, order: Sequence[str]) -> str:
    """Return a suite file with its `categories` block in `order`, line by line as it stood."""
    block = re.search(r"^categories:\n((?:[ \t]+.*\n|\n)+)", text, re.MULTILINE)
    if block is None:
        raise InputFileError("the suite file has no categories to order")
    entries = re.findall(r"^  [a-z0-9-]+:.*\n(?:    .*\n)*", block.group(1), re.MULTILINE)
    named = {entry.split(":", 1)[0].strip(): entry for entry in entries}
    names = [*(n for n in order if n in named), *(n for n in named if n not in order)]
    start, end = block.span(1)
    return text[:start] + "".join(named[name] for name in names) + text[end:]


def _examined(path: str) -> Examined:
    return Examined(parse_subject(f"transcript:{path}"), read_transcript(Path(path)))


def main() -> None:
    """Read the transcripts, print the table and, if asked, write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("suite")
    parser.add_argument("--model", required=True)
    parser.add_argument("--kin", action="append", required=True)
    parser.add_argument("--stranger", action="append", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    kin = [_examined(path) for path in options.kin]
    strangers = [_examined(path) for path in options.stranger]
    figures = study(load_suite(options.suite), _examined(options.model), kin, strangers)
    table = markdown(figures, len(kin), len(strangers))
    print(table)  # noqa: T201 (a command of its own)
    if options.write:
        write(data_folder("probes") / options.suite, figures, table)


if __name__ == "__main__":
    main()
