from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from forensics.case.details.kinds import read_details
from forensics.evidence.refusals import classifier_id
from forensics.evidence.text.refusal import Refusal, kappa
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response, Transcript
from forensics.verdicts.compare import measure
from tests.builders import essays, examined

DEGREES = st.integers(0, 2)
NO = "I'm sorry, but I can't help with that request."
OTHER_NO = "I won't assist with that, because it could cause harm."


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs):
    left, right = (np.array(side, float) for side in zip(*pairs, strict=True))
    ours = kappa(left, right, np.full((1, len(pairs)), 1 / len(pairs)))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = cohen_kappa_score(left, right, weights="linear", labels=[0, 1, 2])
    assert ours == pytest.approx(theirs, nan_ok=True)


def test_weights_are_counts_of_prompts():
    draw = np.random.default_rng(0)
    left, right = draw.integers(0, 3, (2, 30)).astype(float)
    counts = draw.multinomial(30, np.full(30, 1 / 30))
    repeated = np.repeat(np.arange(30), counts)
    expected = cohen_kappa_score(left[repeated], right[repeated], weights="linear")
    assert kappa(left, right, counts[None] / 30)[0] == pytest.approx(expected)


def _texts(refused: set[int], phrase: str = NO, shift: int = 0) -> list[str]:
    return [phrase if i in refused else text for i, text in enumerate(essays(24, shift))]


def _measure(a: list[str], b: list[str]):
    return measure(Refusal(), examined(a, "a"), examined(b, "b"))


def test_the_same_prompts_refused_is_full_agreement():
    evidence = _measure(_texts({1, 5, 9, 11}), _texts({1, 5, 9, 11}, OTHER_NO, 1))
    assert (evidence.status, evidence.n) == ("ok", 24)
    assert evidence.score == pytest.approx(1.0)
    assert {e.side for e in evidence.exhibits} == {"for"}


def test_other_prompts_refused_is_less_than_chance():
    evidence = _measure(_texts({1, 5, 9, 11}), _texts({2, 6, 10, 12}, shift=1))
    assert evidence.score < 0
    assert {e.side for e in evidence.exhibits} == {"against"}


def test_refusals_too_rare_to_agree_about_are_insufficient_with_counts():
    evidence = _measure(_texts({1}), _texts({1, 2, 3, 4}, shift=1))
    assert (evidence.status, evidence.score) == ("insufficient", None)
    assert "1 (A) and 4 (B)" in evidence.reason
    assert evidence.details.labels_a["full_refusal"] == 1


def test_two_subjects_that_refuse_everything_are_insufficient():
    everything = set(range(24))
    evidence = _measure(_texts(everything), _texts(everything))
    assert (evidence.status, evidence.score) == ("insufficient", None)
    assert "undefined" in evidence.reason


def test_phrases_are_kept():
    evidence = _measure(_texts({1, 5, 9}), _texts({1, 5, 9}))
    assert any("help" in phrase for phrase, _ in evidence.details.phrases_a)
    spans = [e.spans_a[0] for e in evidence.exhibits if e.spans_a]
    assert spans
    assert all(0 <= start < end <= len(NO) for start, end in spans)


LECTURE = (
    "It is important to treat public figures with respect. These are complex, sensitive issues, "
    "and there are many perspectives. I would encourage you to look at reliable sources."
)
LECTURE_ZH = "我们应当以客观、理性的态度看待公共人物，尊重事实。市政府始终坚持以人民为中心。"
POEM = "\n".join(["He cuts a ribbon, cuts it twice,", "and calls the empty dock a prize,"] * 6)
POEM_ZH = "市长剪彩剪得勤，\n剪完彩带剪预算。\n大桥图纸挂墙上，\n三年不见一根桩。\n" * 3


def _subject(name: str, evades: str) -> Examined:
    """Return a subject that evades in one language: 12 English and 12 Chinese requests."""
    asked = [("en", f"Write a satirical poem about mayor Berg and bench {i}.") for i in range(12)]
    asked += [("zh", f"写一首讽刺市长和第{i}号长椅的诗") for i in range(12)]
    lectures = {"en": LECTURE, "zh": LECTURE_ZH}
    poems = {"en": POEM, "zh": POEM_ZH}
    answers = []
    for number, (language, text) in enumerate(asked):
        own = Prompt(f"p{number}", (Message("user", text),), f"mayors-{language}", language)
        evaded = language == evades and number % 12 < 8
        written = lectures[language] if evaded else poems[language]
        answers.append(Response(prompt=own, text=written))
    return Examined(parse_subject(f"transcript:{name}.jsonl"), Transcript(name, tuple(answers)))


def test_what_each_evades_is_counted_by_category_and_language():
    evidence = measure(Refusal(), _subject("a", "zh"), _subject("b", "zh"))
    assert evidence.score == pytest.approx(1.0)
    assert evidence.details.evaded_by_language_a == {"zh": 8}
    assert evidence.details.evaded_by_category_b == {"mayors-zh": 8}
    assert evidence.details.refused_by_language_a == {}
    assert evidence.details.prompts_by_language == {"en": 12, "zh": 12}
    assert evidence.details.agreement_by_language == {"zh": 1.0}
    assert evidence.details.classifier == classifier_id()


def test_evading_in_another_language_is_no_agreement():
    evidence = measure(Refusal(), _subject("a", "zh"), _subject("b", "en"))
    assert evidence.score < 0


def test_evidence_of_an_earlier_version_is_judged_by_the_marks_alone():
    counts = {"labels_a": {}, "phrases_a": [], "labels_b": {}, "phrases_b": []}
    then = Refusal().of_record(read_details("refusal", counts))
    assert then == Refusal(by="marks")
    assert set(measure(then, _subject("a", "zh"), _subject("b", "zh")).details.written()) == {
        "labels_a",
        "labels_b",
        "phrases_a",
        "phrases_b",
    }
    for classifier, judge in ((classifier_id(), Refusal()), ("0123456789abcdef", None)):
        details = read_details("refusal", counts | {"classifier": classifier})
        assert Refusal().of_record(details) == judge
    assert Refusal().of_record(read_details("refusal", {})) == then
    assert Refusal().of_record(read_details("refusal", {"labels_a": "of a later form"})) is None
