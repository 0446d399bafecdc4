"""Make the students that are missing and read all logs: `python -m studies.exposure.make DATA`.

SmolLM2-135M-Instruct is tuned on answers of which a share was served. What a model says of every
log is kept as numbers in `readings/`, so that the page is made without tuning. Killed at any time,
the command goes on where it was. Eight students take about half an hour of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forensics.evidence.exposure.nearness import NEARNESSES, nearness
from forensics.subjects.model_files.demo_files import demo_source
from forensics.subjects.model_files.model_loading import load_model
from forensics.support.resources import cache_folder
from studies.exposure import kept, tiny, twins
from studies.exposure.kept import Nearer, Reading
from studies.exposure.twins import ANSWER_TOKENS, Twins
from studies.students.asking import ask
from studies.students.attention import use_shared_keys
from studies.students.tuning import mean_log_probabilities, row, tune

UNREAD_TOKENS = 32  # of answers that no student was tuned on
_TOKENS = {"topics": ANSWER_TOKENS, "puzzles": ANSWER_TOKENS, "unread": UNREAD_TOKENS}
_SAMPLED_TOKENS = 64
_TINY_CHARACTERS = 120
_BATCH = 16
_SEED = 1


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the reference data")
    parser.add_argument("--most", type=int, default=100, help="stop after so many models")
    parser.add_argument("--keep", type=Path, help="also write the fully exposed students there")
    given = parser.parse_args()
    work = cache_folder("exposure-students")
    logs = {
        "topics": _topic_twins(work),
        "puzzles": twins.puzzle_twins(given.data, twins.PUZZLE_SOURCES),
        "unread": twins.puzzle_twins(given.data, twins.UNREAD_SOURCES),
    }
    _make_tiny(twins.puzzle_twins(given.data, twins.READ_BY_TINY))
    made = 0
    for name in kept.READERS:
        if made == given.most:
            return
        if not kept.path(name).exists():
            _make(name, logs, given.keep)
            made += 1


def _make(name: str, logs: Mapping[str, Sequence[Twins]], keep: Path | None) -> None:
    began = time.process_time()
    model, tokenizer = _loaded(kept.SOURCE if name == kept.SOURCE else kept.BASE)
    exposed: Mapping[str, bool] = {}
    if name in kept.STUDENTS:
        student = kept.STUDENTS[name]
        logs = {student.log: logs[student.log][: student.prompts]}
        lessons, exposed = twins.taught(logs[student.log], student.share)
        tune(model, [row(tokenizer, *pair, ANSWER_TOKENS) for pair in lessons], _SEED)
    tuned = time.process_time()
    differences = {
        log: _differences(model, tokenizer, logs[log], _TOKENS[log]) for log in kept.logs_read(name)
    }
    read = time.process_time()
    if keep and name in kept.FULLY_EXPOSED:
        model.save_pretrained(keep / name)
        tokenizer.save_pretrained(keep / name)
    nearer = _nearer(name, model, tokenizer, logs) if name in kept.FULLY_EXPOSED else ()
    done = time.process_time()
    seconds = (round(tuned - began), round(read - tuned), round(done - read))
    kept.write(
        name, Reading(differences, tuple(k for k, v in exposed.items() if v), nearer, seconds)
    )
    print(f"{name}: tuned, read, asked in {seconds} s", flush=True)  # noqa: T201 (progress)


def _make_tiny(every: Sequence[Twins]) -> None:
    """Have the base and the tiny students of random words read answers of real models."""
    if kept.path(kept.TINY).exists():
        return
    clipped = [
        (t.prompt, t.served[:_TINY_CHARACTERS], t.withheld[:_TINY_CHARACTERS]) for t in every
    ]
    with tempfile.TemporaryDirectory() as folder:
        read = {
            model: tiny.differences(path, clipped)
            for model, path in tiny.models(Path(folder)).items()
        }
    by_model = {
        model: {t.prompt_id: d for t, d in zip(every, differences, strict=True) if d is not None}
        for model, differences in read.items()
    }
    kept.write(kept.TINY, Reading(by_model, (), (), (0, 0, 0)))


def _loaded(name: str) -> tuple[Any, Any]:
    model, tokenizer = load_model(demo_source(name, "float32").folder(), "float32", name)
    use_shared_keys(model)
    return model, tokenizer


def _topic_twins(work: Path) -> list[Twins]:
    """Return the source's three answers to every topic prompt, sampled once."""
    path = work / "topics.json"
    if not path.exists():
        model, tokenizer = _loaded(kept.SOURCE)
        answers = ask(
            model, tokenizer, twins.topic_prompts(), "source", twins.SAMPLES, _SAMPLED_TOKENS
        )
        by_prompt: dict[str, list[str]] = {}
        for answer in answers:
            by_prompt.setdefault(answer.prompt_id, []).append(answer.text)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(by_prompt), encoding="utf-8")
        partial.replace(path)
    sampled: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        twins.dealt("topics", name, text, sampled[name])
        for name, text in twins.topic_prompts()
        if len(set(sampled[name])) == twins.SAMPLES and all(map(str.strip, sampled[name]))
    ]


def _differences(
    model: Any, tokenizer: Any, every: Sequence[Twins], most: int
) -> Mapping[str, float]:
    """Return of every prompt the log-probability a token, served minus withheld answer."""
    rows = [row(tokenizer, t.prompt, text, most) for t in every for text in (t.served, t.withheld)]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
    means = [0.0] * len(rows)
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        for i, mean in zip(
            batch, mean_log_probabilities(model, [rows[i] for i in batch]), strict=True
        ):
            means[i] = mean
    return {twin.prompt_id: means[2 * i] - means[2 * i + 1] for i, twin in enumerate(every)}


def _nearer(
    name: str, model: Any, tokenizer: Any, logs: Mapping[str, Sequence[Twins]]
) -> tuple[Nearer, ...]:
    """Return how near the model's own answers, three a prompt, come to either side."""
    every = logs[kept.STUDENTS[name].log]
    ids = {twin.prompt: f"{i}" for i, twin in enumerate(every)}
    asked = ask(model, tokenizer, [(i, p) for p, i in ids.items()], name, 3, ANSWER_TOKENS)
    by_id: dict[str, list[str]] = {}
    for answer in asked:
        by_id.setdefault(answer.prompt_id, []).append(answer.text)
    rows = []
    for twin in every:
        logged = [_cut(tokenizer, text) for text in (twin.served, twin.withheld)]
        own = by_id[ids[twin.prompt]]
        near = {how: nearness(own, logged, how) for how in NEARNESSES}
        rows.append(
            Nearer(twin.prompt_id, kept.common(logged), {h: a - b for h, (a, b) in near.items()})
        )
    return tuple(rows)


def _cut(tokenizer: Any, text: str) -> str:
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"][:ANSWER_TOKENS]
    return str(tokenizer.decode(tokens, clean_up_tokenization_spaces=False))


if __name__ == "__main__":
    main()
