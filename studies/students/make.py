"""Make the students that are missing: `python -m studies.students.make DATA [--most N]`.

What is kept of a student is written when it is done; killed at any time, the command goes on where
it was. Two processes may run side by side: a student is taken by writing the process's number into
a file of its name in the work folder.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.subjects.model_files.demo_files import demo_source
from forensics.subjects.model_files.model_loading import load_model
from forensics.support.resources import cache_folder
from studies.students import fitting, store
from studies.students.asking import ask
from studies.students.attention import use_shared_keys
from studies.students.material import Material, lessons, read_material
from studies.students.plan import Student, plan, replication
from studies.students.tuning import row, tune


@dataclass(frozen=True)
class _Untuned:
    """A model before it is tuned: its answers fill up lessons, its readings are compared."""

    answers: Mapping[str, str]
    readings: Mapping[fitting.Key, fitting.BaseReading]


def main() -> None:
    """Make students in the order of the plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the reference data")
    parser.add_argument("--most", type=int, default=1000, help="stop after so many")
    given = parser.parse_args()
    material = read_material(given.data)
    work = cache_folder("students")

    @functools.cache
    def untuned(base: str) -> _Untuned:
        return _Untuned(_base_answers(base, material, work), _base_readings(base, material, work))

    make_missing(
        (*plan(), *replication()),
        work,
        lambda student: bool(store.finished([student.name])),
        lambda student: _make(student, material, untuned(student.base)),
        given.most,
    )


def make_missing(
    students: Iterable[Student],
    work: Path,
    is_finished: Callable[[Student], bool],
    make: Callable[[Student], None],
    most: int,
) -> None:
    """Make students that are not finished and that no other process is at, in their order.

    Args:
        students: whom to make.
        work: folder of the claims by which processes share the work.
        is_finished: whether everything of a student is kept.
        make: makes one and keeps everything of it.
        most: after how many to stop.
    """
    made = 0
    for student in students:
        if made == most:
            return
        claim = work / student.name
        if is_finished(student) or not _taken(claim):
            continue
        try:
            make(student)
        finally:
            claim.unlink(missing_ok=True)
        made += 1


def _taken(claim: Path) -> bool:
    """Tell whether this process may make a student: no other one is at it."""
    try:
        with claim.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        if _alive(claim):
            return False
        claim.write_text(str(os.getpid()))  # left by a process that was killed
    return True


def _alive(claim: Path) -> bool:
    try:
        os.kill(int(claim.read_text() or 0), 0)
    except (OSError, ValueError):
        return False
    return True


def _loaded(base: str) -> tuple[Any, Any]:
    model, tokenizer = load_model(demo_source(base, "float32").folder(), "float32", base)
    use_shared_keys(model)
    return model, tokenizer


def _base_answers(base: str, material: Material, work: Path) -> Mapping[str, str]:
    """Return the untuned model's answers to the prompts that are tuned on, asked once."""
    name = store.untuned(base)
    path = work / f"{name}-answers.json"
    if not path.exists():
        model, tokenizer = _loaded(base)
        prompts = [(prompt, material.prompts[prompt]) for prompt in material.tuned_on]
        given_answers = ask(model, tokenizer, prompts, f"{name}-lessons", 1, most_tokens=256)
        text = json.dumps({answer.prompt_id: answer.text for answer in given_answers})
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    answers: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    if not store.answers_file(name).exists():
        model, tokenizer = _loaded(base)
        given_answers = ask(model, tokenizer, _held_out(material), name)
        store.write(store.answers_file(name), given_answers)
    return answers


def _held_out(material: Material) -> list[tuple[str, str]]:
    return [(prompt, material.prompts[prompt]) for prompt in material.held_out]


def _base_readings(
    base: str, material: Material, work: Path
) -> Mapping[fitting.Key, fitting.BaseReading]:
    """Return what the untuned model expects of the candidates' answers, read once."""
    path = work / f"{store.untuned(base)}-tokens.json"
    if not path.exists():
        model, tokenizer = _loaded(base)
        readings = fitting.read_base(model, tokenizer, material)
        rows = [[*key, reading.counted, reading.logp] for key, reading in readings.items()]
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(rows), encoding="utf-8")
        partial.replace(path)
    return {
        (model, prompt): fitting.BaseReading(tuple(counted), tuple(logp))
        for model, prompt, counted, logp in json.loads(path.read_text(encoding="utf-8"))
    }


def _make(student: Student, material: Material, untuned: _Untuned) -> None:
    began = time.process_time()
    model, tokenizer = _loaded(student.base)
    pairs = lessons(student, material, untuned.answers)
    loss = tune(model, [row(tokenizer, *pair) for pair in pairs], student.seed)
    tuned = time.process_time()
    gains = fitting.gains(model, tokenizer, material, untuned.readings)
    fitted = time.process_time()
    given_answers = ask(model, tokenizer, _held_out(material), student.name)
    store.write(store.fit_file(student.name), gains)
    store.write(store.answers_file(student.name), given_answers)
    done = time.process_time()
    print(  # noqa: T201 (a study's progress)
        f"{student.name}: loss {loss:.2f}; tuned {tuned - began:.0f} s, "
        f"read {fitted - tuned:.0f} s, asked {done - fitted:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
