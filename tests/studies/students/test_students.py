"""Tuning, reading and asking of a tiny real model; what is kept; going on after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forensics.subjects.model_files.model_loading import load_model
from studies.students import store
from studies.students.asking import StudentAnswer
from studies.students.fitting import Gain
from studies.students.make import make_missing
from studies.students.plan import ALL_OTHERS, NOBODYS, TEACHERS, Student, plan, replication
from tests.subjects.backends.tiny_model import CHATML, make_tiny_model

ROOT = Path(__file__).parents[3]
_SCRIPT = """
import sys, time
from pathlib import Path
from tests.studies.students.test_students import make_all
make_all(Path(sys.argv[1]), stop_at="second")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), CHATML)


@pytest.fixture
def loaded(folder: Path) -> tuple[Any, Any]:
    from studies.students.attention import use_shared_keys

    model, tokenizer = load_model(folder, "float32", "tiny")
    use_shared_keys(model)
    return model, tokenizer


def test_attention_gives_the_librarys_logits(folder: Path, loaded: tuple[Any, Any]) -> None:
    import torch

    plain, _ = load_model(folder, "float32", "tiny")
    tokens = torch.tensor([[9, 30, 31, 32], [5, 7, 40, 41]])
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]])
    with torch.inference_mode():
        expected = plain(tokens, attention_mask=mask).logits[mask.bool()]
        actual = loaded[0](tokens, attention_mask=mask).logits[mask.bool()]
    assert torch.allclose(expected, actual, atol=1e-5)


def test_answers_are_read_as_if_each_stood_alone(loaded: tuple[Any, Any]) -> None:
    import torch

    from studies.students.fitting import read_answers

    model, _ = loaded
    prompt, answers = [5, 6, 7, 8], [[20, 21, 22, 23, 24], [30, 31, 32]]
    read = read_answers(model, prompt, answers, [[1, 4], [2]], with_entropy=True)
    for answer, places, (logp, entropy) in zip(answers, ([1, 4], [2]), read, strict=True):
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(torch.tensor([prompt + answer])).logits[0]
        values = logits.float().log_softmax(-1)
        for place, value, spread in zip(places, logp, entropy, strict=True):
            at = values[len(prompt) + place - 1]
            # Rounded to bfloat16 at other places.
            assert value == pytest.approx(float(at[answer[place]]), abs=0.05)
            assert spread == pytest.approx(float(-(at.exp() * at).sum()), abs=0.05)


@pytest.fixture(scope="module")
def windowed() -> Any:
    """Give a tiny random model most of whose layers attend to a window, as Gemma's do."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=6,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=8,
            sliding_window=32,
        )
    ).eval()


def test_a_window_that_holds_the_whole_text_changes_nothing(windowed: Any) -> None:
    import torch

    from studies.students.attention import use_shared_keys
    from studies.students.fitting import read_answers
    from studies.students.sampling import sample

    prompt, answers = [5, 6, 7, 8], [[20, 21, 22, 23, 24], [30, 31, 32]]
    with torch.inference_mode():
        plain = windowed(torch.tensor([prompt + answers[1]])).logits[0].log_softmax(-1)
    use_shared_keys(windowed)
    read = read_answers(windowed, prompt, answers, [[1, 4], [2]])
    assert read[1][0][0] == pytest.approx(float(plain[len(prompt) + 1][32]), abs=0.05)
    together = sample(windowed, [[5, 6, 7], [8, 9, 10, 11, 12]], ["a", "b"], 1, 20, 0.7)
    assert together[1] == sample(windowed, [[8, 9, 10, 11, 12]], ["b"], 1, 20, 0.7)[0]


def test_a_prompt_without_a_template_ends_with_an_empty_line(loaded: tuple[Any, Any]) -> None:
    from studies.students.tuning import row

    tokenizer = loaded[1]
    with_template = row(tokenizer, "Who?", "I")
    tokenizer.chat_template = None
    tokens, answer = row(tokenizer, "Who?", "I")
    assert tokenizer.decode(tokens).endswith("Who?\n\n")
    assert answer == with_template[1]


def test_tuning_makes_the_answers_likelier(loaded: tuple[Any, Any]) -> None:
    from studies.students.fitting import read_answers
    from studies.students.tuning import row, tune

    model, tokenizer = loaded
    lesson = row(tokenizer, "Who are you?", "one two three four five")
    places = [list(range(len(lesson[1])))]
    before = sum(read_answers(model, lesson[0], [lesson[1]], places)[0][0])
    tune(model, [lesson] * 24, seed=1, rate=0.01)
    after = sum(read_answers(model, lesson[0], [lesson[1]], places)[0][0])
    assert after > before + 1


def test_draws_hang_on_the_key_alone(loaded: tuple[Any, Any]) -> None:
    from studies.students.sampling import sample

    model, tokenizer = loaded
    end = tokenizer.eos_token_id
    prompts = [[5, 6, 7], [8, 9, 10, 11, 12], [13]]
    together = sample(model, prompts, ["a", "b", "c"], end, 20, 0.7)
    alone = sample(model, prompts[1:2], ["b"], end, 20, 0.7)
    assert together[1] == alone[0]
    assert together[1] != sample(model, prompts[1:2], ["d"], end, 20, 0.7)[0]


def test_batches_hold_every_row_once() -> None:
    from studies.students.tuning import batches

    made = batches([i % 7 for i in range(90)], seed=3)
    assert sorted(i for batch in made for i in batch) == list(range(90))
    assert made != batches([i % 7 for i in range(90)], seed=4)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    answers = [StudentAnswer("p1", 0, "Zoë said \ud83d"), StudentAnswer("p1", 1, "")]
    store.write(store.answers_file("x", tmp_path), answers)
    assert store.read_answers("x", tmp_path) == answers
    gains = [Gain("kimi-k2", "p1", 60, 0.25)]
    store.write(store.fit_file("y", tmp_path), gains)
    assert store.read_gains("y", tmp_path) == gains


def test_the_plan_is_whole() -> None:
    students = plan()
    assert len({student.name for student in students}) == len(students)
    kinds = [student.kind for student in students]
    assert kinds.count("nobody") == NOBODYS
    assert kinds.count("all_others") == ALL_OTHERS
    for share, seed in ((1.0, 1), (1.0, 2), (0.3, 1), (0.3, 2), (0.1, 1)):
        of = {
            student.teachers[0]
            for student in students
            if student.kind == "taught"
            and (student.share, student.seed) == (share, seed)
            and len(student.teachers) == 1
        }
        assert of == set(TEACHERS)


def test_another_base_has_the_same_teachers_and_files_of_its_own() -> None:
    others = replication()
    assert [student.teachers[0] for student in others] == list(TEACHERS[:3])
    assert not {student.name for student in others} & {student.name for student in plan()}
    assert len({store.untuned(student.base) for student in (*plan(), *others)}) == 2


def make_all(folder: Path, stop_at: str = "") -> None:
    """Make three students of which one is a file; `stop_at` never comes to an end."""
    import time

    def make(student: Student) -> None:
        (folder / f"{student.name}.begun").write_text("")
        while student.name == stop_at:
            time.sleep(0.05)
        store.write(
            store.answers_file(student.name, folder), [StudentAnswer("p", 0, str(os.getpid()))]
        )

    students = [Student(name, "nobody") for name in ("first", "second", "third")]
    make_missing(students, folder, lambda s: store.answers_file(s.name, folder).exists(), make, 9)


def test_a_killed_run_loses_only_what_it_was_at(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _SCRIPT, str(tmp_path)], cwd=ROOT) as process:
        while not (tmp_path / "second.begun").exists():
            assert process.poll() is None
        make_all(tmp_path)  # beside it: the second is taken, the third is not
        assert not store.answers_file("second", tmp_path).exists()
        assert store.answers_file("third", tmp_path).exists()
        process.send_signal(signal.SIGKILL)
    make_all(tmp_path)
    writers = [store.read_answers(name, tmp_path)[0].text for name in ("first", "second", "third")]
    assert writers == [str(process.pid), str(os.getpid()), str(os.getpid())]
