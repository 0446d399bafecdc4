"""Token probabilities beside a panel of controls: exact tests, made-up models, tiny real ones."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forensics.case.evidence import Evidence
from forensics.errors import UsageError
from forensics.evidence.probabilities.likelihoods import Likelihoods
from forensics.evidence.probabilities.next_tokens import NextTokens
from forensics.evidence.probabilities.panel import LEAST_FOR_P_VALUE, Seen, choose, holm, sign_flip
from forensics.evidence.probabilities.student_fit import StudentFit
from forensics.examination import local_probabilities as texts
from forensics.examination.examined import Examined
from forensics.examination.passages import load_passages
from forensics.examination.probability_values import TextProbabilities, TextScore, answer_key
from forensics.examination.token_probabilities import MAX_ANSWERS, observe
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import parse_subject
from forensics.testing import check_comparator, examined_from, sample_pairs
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import measure
from tests.subjects.backends.tiny_model import make_tiny_model

WORDS = ("a", "b", "c", "d", "e")


def made_model(
    name: str, seed: int, base: int = 0, share: float = 0.0, bits: float = 1.0, **fields: Any
) -> TextProbabilities:
    """Return made-up probabilities: a `share` of them is the base's, the rest the seed's own."""
    own, common = random.Random(f"{seed}"), random.Random(f"base {base}")
    passages: dict[str, TextScore] = {}
    for passage in load_passages():
        expected = {}
        for place in range(10, 20):
            theirs, mine = common.choice(WORDS), own.choice(WORDS)
            token = theirs if own.random() < share else mine
            expected[place] = (token, token)
        theirs, mine = common.gauss(0, 0.3), own.gauss(0, 0.3)
        likelihood = -bits * 100 + 100 * (share * theirs + (1 - share) * mine)
        passages[passage.id] = TextScore(likelihood, 100, expected)
    known = {"tokenizer": "t", "has_template": False, "answers": {}} | fields
    return TextProbabilities(name=name, model=name, passages=passages, **known)


CONTROLS = tuple(made_model(f"control-{n}", 100 + n) for n in range(3))
A, B = made_model("a", 1, base=7, share=0.8), made_model("b", 2, base=7, share=0.8)
STRANGER = made_model("stranger", 3)


def side(own: TextProbabilities, controls: tuple[TextProbabilities, ...] = CONTROLS) -> Examined:
    subject = parse_subject(f"demo:{own.name}")
    return Examined(subject, Transcript(own.name, ()), probabilities=own, controls=controls)


@pytest.mark.parametrize("comparator", [NextTokens(), Likelihoods()], ids=lambda c: c.name)
class TestPanel:
    def test_conventions(self, comparator: Any) -> None:
        check_comparator(comparator, [(side(A), side(B)), (side(A), side(STRANGER))])

    def test_kin_beat_every_control(self, comparator: Any) -> None:
        evidence = measure(comparator, side(A), side(B))
        assert evidence.status == "ok" and evidence.score is not None
        assert evidence.score > 0.2
        assert evidence.interval is not None and evidence.interval.low > 0
        assert evidence.p_value is not None and evidence.p_value < 1e-6

    def test_strangers_do_not(self, comparator: Any) -> None:
        evidence = measure(comparator, side(A), side(STRANGER))
        assert evidence.p_value is not None and evidence.p_value > 0.05

    def test_a_control_that_is_closer_hides_kinship_and_is_shown(self, comparator: Any) -> None:
        parent = made_model("parent", 4, base=7, share=0.95)
        evidence = measure(comparator, side(A, (*CONTROLS, parent)), side(B))
        assert evidence.p_value is not None and evidence.p_value > 0.05
        assert any(row.control == "parent" for row in evidence.details.controls)
        assert "hides kinship" in evidence.caveats[0]

    def test_one_control_gives_no_p_value(self, comparator: Any) -> None:
        evidence = measure(comparator, side(A, CONTROLS[:1]), side(B, CONTROLS[:1]))
        assert evidence.status == "ok" and evidence.p_value is None
        assert LEAST_FOR_P_VALUE == 2 and "One control only" in evidence.caveats[1]

    def test_no_control_is_insufficient(self, comparator: Any) -> None:
        evidence = measure(comparator, side(A, ()), side(B, ()))
        assert evidence.status == "insufficient" and "--control" in evidence.reason

    def test_a_much_weaker_control_is_left_out(self, comparator: Any) -> None:
        weak = made_model("weak", 9, bits=1.5)
        evidence = measure(comparator, side(A, (weak,)), side(B, (weak,)))
        assert evidence.status == "insufficient"
        assert "weak predicts the passages 1.37 times worse" in evidence.reason

    def test_a_subject_is_no_control_of_itself(self, comparator: Any) -> None:
        evidence = measure(comparator, side(A, (A, B, *CONTROLS)), side(B, (A, B, *CONTROLS)))
        assert evidence == measure(comparator, side(A), side(B))

    def test_too_few_passages(self, comparator: Any) -> None:
        few = replace(A, passages=dict(list(A.passages.items())[:10]))
        evidence = measure(comparator, side(few), side(B))
        assert evidence.status in ("not_applicable", "insufficient")
        assert "10" in evidence.reason


def test_other_tokenizers_are_compared_by_first_characters() -> None:
    other = replace(B, tokenizer="u")
    evidence = measure(NextTokens(), side(A), side(other))
    assert {row.compared for row in evidence.details.controls} == {"first two characters"}
    evidence = measure(NextTokens(), side(A), side(B))
    assert {row.compared for row in evidence.details.controls} == {"tokens"}


def test_the_sign_flip_test_is_exact() -> None:
    differences = [3, -1, 2, 2, 0, 1]
    sums = [
        sum(s * abs(d) for s, d in zip(signs, differences, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    expected = sum(total >= sum(differences) for total in sums) / len(sums)
    assert sign_flip(differences) == pytest.approx(expected)
    assert sign_flip([0, 0]) == 1.0
    assert sign_flip([1] * 40) == pytest.approx(2.0**-40)


def test_under_the_null_the_sign_flip_test_keeps_its_level() -> None:
    draw = random.Random(5)
    p_values = [sign_flip([draw.randint(-3, 3) for _ in range(30)]) for _ in range(400)]
    assert sum(p <= 0.05 for p in p_values) <= 33  # 20 expected; 33 is its 99.8th percentile


def test_holm_multiplies_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


# Student fit.


def answering(bits: Mapping[str, float], sides: tuple[Examined, ...]) -> dict[str, TextScore]:
    """Return scores of all answers of `sides`, at so many bits a byte by subject name."""
    return {
        answer_key(answer): TextScore(-bits[one.name] * 69.3, 100, {})
        for one in sides
        for answer in one.answers
    }


def student_case(teacher_bits: float, control_bits: float) -> Evidence:
    a, b = sample_pairs()[0]
    sides = (a, b)
    teacher = replace(
        made_model("t", 1), answers=answering({a.name: 1, b.name: teacher_bits}, sides)
    )
    controls = tuple(
        replace(c, answers=answering({a.name: 1, b.name: control_bits}, sides)) for c in CONTROLS
    )
    # The student's own model is not at hand, as behind an endpoint.
    first = replace(a, probabilities=teacher, controls=controls)
    second = replace(b, other_probabilities=teacher, controls=controls)
    return measure(StudentFit(), first, second)


def test_a_student_is_explained_by_its_teacher() -> None:
    evidence = student_case(teacher_bits=0.7, control_bits=1.1)
    assert evidence.status == "ok" and evidence.matched == pytest.approx(0.4, abs=0.01)
    [direction] = evidence.details.directions
    assert direction.direction == "A explains B"
    assert evidence.interval is not None and evidence.interval.low > 0.2


def test_a_model_that_is_better_at_everything_is_no_teacher() -> None:
    a, b = sample_pairs()[0]
    good = made_model("good", 1, bits=0.9)
    plain = made_model("plain", 2, bits=1.0)
    good = replace(good, answers=answering({a.name: 0.9, b.name: 0.9}, (a, b)))
    plain = replace(plain, answers=answering({a.name: 1.044, b.name: 1.044}, (a, b)))
    evidence = measure(
        StudentFit(),
        replace(a, probabilities=good, controls=(plain,)),
        replace(b, other_probabilities=good, controls=(plain,)),
    )
    assert evidence.score is not None and abs(evidence.score) < 0.12
    assert evidence.matched == pytest.approx(0.144, abs=0.01)


def test_controls_of_the_other_kind_do_not_count() -> None:
    a, b = sample_pairs()[0]
    chat = replace(made_model("chat", 1), has_template=True)
    evidence = measure(
        StudentFit(),
        replace(a, probabilities=chat, controls=CONTROLS),
        replace(b, other_probabilities=chat, controls=CONTROLS),
    )
    assert evidence.status == "insufficient" and "with a chat template" in evidence.reason


def test_student_fit_keeps_the_conventions() -> None:
    a, b = sample_pairs()[0]
    bits = {a.name: 1.0, b.name: 0.8}
    first, second = (
        replace(made_model(name, n), answers=answering(bits, (a, b)))
        for n, name in enumerate(("x", "y"))
    )
    controls = tuple(
        replace(c, answers=answering({a.name: 1.1, b.name: 1.2}, (a, b))) for c in CONTROLS
    )
    pair = (
        replace(a, probabilities=first, other_probabilities=second, controls=controls),
        replace(b, probabilities=second, other_probabilities=first, controls=controls),
    )
    check_comparator(StudentFit(), [pair])


# Real models, tiny.


@pytest.fixture(name="tiny", scope="module")
def tiny_fixture(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> dict[str, str]:
    """Give name → subject: a model, a noised copy of it, and three others of the same making."""
    import torch
    from safetensors.torch import load_file, save_file

    root = tmp_path_factory.mktemp("tiny")
    folders = {
        name: make_tiny_model(root / name, seed=seed, max_position_embeddings=1024)
        for name, seed in (("base", 1), ("copy", 1), ("one", 2), ("two", 3), ("three", 4))
    }
    torch.manual_seed(0)
    file = folders["copy"] / "model.safetensors"
    noised = {k: v + 0.02 * v.std() * torch.randn_like(v) for k, v in load_file(file).items()}
    save_file({k: v.contiguous() for k, v in noised.items()}, file, {"format": "pt"})
    return {name: f"hf:{folder}" for name, folder in folders.items()}


def observed(
    tiny: dict[str, str], a: str, b: str, controls: tuple[str, ...]
) -> dict[str, Evidence]:
    sides = [
        examined_from(tiny[name], [f"answer {n} of {name}" for n in range(40)]) for name in (a, b)
    ]
    subjects = [parse_subject(tiny[name]) for name in (a, b)]
    first, second = (replace(s, subject=x) for s, x in zip(sides, subjects, strict=True))
    panel = [parse_subject(tiny[name]) for name in controls]
    first, second = observe(first, second, panel, BackendOptions())
    return {c.name: measure(c, first, second) for c in (NextTokens(), Likelihoods(), StudentFit())}


def test_a_noised_copy_is_told_from_independent_models(tiny: dict[str, str]) -> None:
    kin = observed(tiny, "base", "copy", ("one", "two"))
    for name in ("next_tokens", "likelihoods"):
        assert kin[name].p_value is not None and kin[name].p_value < 1e-6, kin[name]
    others = observed(tiny, "base", "three", ("one", "two"))
    for name in ("next_tokens", "likelihoods"):
        p_value = others[name].p_value
        assert p_value is None or p_value > 0.05, others[name]
    assert kin["student_fit"].n == MAX_ANSWERS


def test_an_endpoints_answers_are_read_by_the_other_side(tiny: dict[str, str]) -> None:
    texts_of = [f"answer {n}" for n in range(30)]
    local = replace(examined_from("x", texts_of), subject=parse_subject(tiny["base"]))
    remote = examined_from("y", texts_of)
    first, second = observe(local, remote, [parse_subject(tiny["one"])], BackendOptions())
    assert "logprobs" in first.available and "logprobs" not in second.available
    assert measure(StudentFit(), first, second).status == "ok"
    assert measure(NextTokens(), first, second).status == "not_measured"


def test_without_controls_nothing_is_run(
    tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts._Once, "scorer", lambda _: pytest.fail("a model was run"))
    a, b = sample_pairs()[0]
    local = replace(a, subject=parse_subject(tiny["base"]))
    assert observe(local, b, [], BackendOptions()) == (local, b)


def test_a_control_must_be_a_local_model() -> None:
    a, b = sample_pairs()[0]
    endpoint = parse_subject("openai:m", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(UsageError, match="is not a local model"):
        observe(a, b, [endpoint], BackendOptions())


def test_choosing_names_what_is_left_out() -> None:
    cannot = replace(made_model("mute", 5), passages={})
    panel = choose(Seen(A, (cannot,)), Seen(B, ()))
    assert panel.controls == () and "mute can write 0 of the passages" in panel.why_empty
