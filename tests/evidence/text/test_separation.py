"""On real answers: kin above strangers, and no text of another kind near a model."""

from __future__ import annotations

import random
import re

import pytest

from forensics.case.document import Case
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Response, Transcript
from forensics.transcripts.words import is_word, words
from forensics.verdicts.compare import compare, measure
from forensics.verdicts.detection_limit import shipped
from tests.conftest import REFERENCE_MODELS

KINDS = ("german", "lorem", "human")
TEXT = ("phrasing", "openings", "style", "formatting")
PROMPTS = 160
LOREM = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris"
).split()
GERMAN = (
    "Am Morgen lag Nebel über dem {}, und niemand sprach.",
    "Der alte Mann vom {} hatte seit Wochen keinen Brief bekommen.",
    "Man erzählt sich, dass im {} einmal ein Licht gebrannt habe.",
    "Später, als der Regen nachließ, gingen wir am {} entlang nach Hause.",
    "Was dort am {} geschah, hat mir meine Großmutter nie verraten.",
    "Die Kinder warfen Steine in den {} und zählten die Ringe.",
)
PLACES = "Fluss Hafen Wald Bahnhof Markt Turm Garten See Hügel Steg Brunnen Deich".split()
HUMAN = (
    "my uncle fixed his {} with string once and it held till march",
    "dunno, the {} was cheap so i bought two, one broke same day lol",
    "We missed the ferry because Ola forgot her {} in the kitchen again.",
    "Third day of rain; ate soup, cursed the {}, slept badly.",
    "ok so basically the {} thing? never again. ask Petra.",
    "He wouldn't sell the {}. Said it was his mother's, which was a lie.",
)
THINGS = "bike kettle tent radio boat oven jacket printer ladder fiddle stove lamp".split()


def _prose(kind: str, draw: random.Random) -> str:
    if kind == "lorem":
        words = draw.choices(LOREM, k=60)
        return " ".join(words).capitalize() + "."
    sentences, fill = (GERMAN, PLACES) if kind == "german" else (HUMAN, THINGS)
    chosen = draw.sample(sentences, draw.randint(3, 6))
    return " ".join(sentence.format(draw.choice(fill)) for sentence in chosen)


def _impostor(kind: str, model: Examined) -> Examined:
    draw = random.Random(1)
    answers = tuple(
        Response(prompt=response.prompt, text=_prose(kind, draw))
        for response in model.transcript.responses
    )
    return Examined(parse_subject(f"transcript:{kind}.jsonl"), Transcript(kind, answers))


def _few(side: Examined, count: int) -> Examined:
    kept = sorted(side.transcript.responses, key=lambda r: r.prompt.sha256)[:count]
    return Examined(side.subject, Transcript(side.name, tuple(kept)))


@pytest.fixture(name="cases", scope="module")
def cases_fixture(reference: dict[str, Examined]) -> dict[str, Case]:
    """Give the case of a related pair and of an unrelated one."""
    comparators = load_comparators(without=["embedding"])
    known, kin, stranger = (_few(reference[name], PROMPTS) for name in REFERENCE_MODELS)
    return {
        "kin": compare(known, kin, comparators),
        "strangers": compare(known, stranger, comparators),
    }


def _scores(case: Case) -> dict[str, float]:
    return {e.comparator: e.score for e in case.evidence if e.score is not None}


@pytest.mark.parametrize("name", TEXT)
def test_kin_score_above_strangers(cases, name):
    by_name = {
        kind: next(e for e in case.evidence if e.comparator == name) for kind, case in cases.items()
    }
    assert by_name["kin"].score > by_name["strangers"].score
    assert by_name["kin"].interval.low > by_name["strangers"].interval.high


def test_kin_share_long_passages_and_strangers_hardly_any(reference):
    def passages(other: str) -> tuple[int, int]:
        known, questioned = reference["vicuna-13b"], reference[other]
        [phrasing] = load_comparators(only=["phrasing"])
        evidence = measure(phrasing, known, questioned)
        answers = {a.prompt_sha256: a.text for a in known.answers}
        replies = {a.prompt_sha256: a.text for a in questioned.answers}
        shown = [e for e in evidence.exhibits if e.side == "for"]
        lengths = []
        for exhibit in shown:
            longest = max(exhibit.spans_a, key=lambda span: span[1] - span[0])
            place = exhibit.spans_a.index(longest)
            passage = answers[exhibit.prompt_sha256][slice(*longest)]
            twin = replies[exhibit.prompt_sha256][slice(*exhibit.spans_b[place])]
            assert words(passage) == words(twin)
            lengths.append(sum(map(is_word, words(passage))))
        assert evidence.n == 405
        long = sum(length >= 20 for length in lengths)
        return long, evidence.details.long_runs.prompts

    (shown, counted), (few, hardly) = passages("vicuna-7b"), passages("gpt4_1106_preview")
    assert shown >= 3
    assert few <= 1
    assert counted >= 5 * max(1, hardly)


def test_both_sides_are_shown_for_both_pairs(cases):
    for case in cases.values():
        sides = {e.side for evidence in case.evidence for e in evidence.exhibits}
        assert {"for", "against", "random"} <= sides | {"for"}


def test_the_verdict_is_an_uncalibrated_screening_without_claims(cases):
    for case in cases.values():
        assert (case.verdict.status, case.verdict.calibration) == ("screening", "none")
        assert "uncalibrated: no reference cohort" in case.verdict.headline
        # One limit names token probabilities, a kind of evidence, and is left out by its words.
        limits = tuple(x for x in case.verdict.limits if x != shipped().silence)
        assert len(limits) == len(case.verdict.limits) - 1
        said = case.verdict.model_copy(update={"limits": limits}).model_dump_json()
        assert not re.search(r"derived|stolen|unauthori|secret|probab", said, re.IGNORECASE)


@pytest.mark.parametrize("kind", KINDS)
def test_prose_of_another_kind_is_related_to_no_model(cases, reference, kind):
    model = _few(reference["vicuna-13b"], PROMPTS)
    case = compare(model, _impostor(kind, model), load_comparators(only=TEXT))
    scores, kin = _scores(case), _scores(cases["kin"])
    for name in TEXT:
        assert abs(scores[name]) < 0.02, (name, scores[name])
        assert scores[name] < kin[name] / 4
    assert not case.verdict.findings_for
    assert not case.copy_tripwire.tripped


@pytest.mark.usefixtures("embedding_model")
def test_prose_of_another_kind_means_something_else(reference):
    [embedding] = load_comparators(only=["embedding"])
    model = _few(reference["vicuna-13b"], 16)
    kin = measure(embedding, model, _few(reference["vicuna-7b"], 16))
    for kind in KINDS:
        other = measure(embedding, model, _impostor(kind, model))
        assert abs(other.score) < 0.05, kind
        assert other.score < kin.score / 4
        assert kin.interval.low > other.interval.high
