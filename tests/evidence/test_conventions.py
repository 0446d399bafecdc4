"""Every built-in keeps the conventions, and the check that says so can fail."""

from __future__ import annotations

import contextlib
import itertools
import socket
from dataclasses import dataclass
from typing import Any

import pytest

from forensics.case.evidence import Evidence, Exhibit, PromptScore, Tier
from forensics.evidence import BUILT_IN, load_comparators
from forensics.evidence.comparator import too_few, without_score
from forensics.examination.examined import Examined, Need
from forensics.testing import check_comparator, examined_from, sample_pairs
from forensics.transcripts.answers import Answer

OF_ANSWERS = [c.name for c in load_comparators(only=list(BUILT_IN)) if c.needs == {"answers"}]


@pytest.mark.parametrize("name", [name for name in OF_ANSWERS if name != "embedding"])
def test_built_in_comparators_keep_the_conventions(name):
    [comparator] = load_comparators(only=[name])
    check_comparator(comparator)


@pytest.mark.usefixtures("embedding_model")
def test_the_embedding_comparator_keeps_the_conventions():
    [comparator] = load_comparators(only=["embedding"])
    check_comparator(comparator, sample_pairs()[1:2])


Found = dict[str, Answer]


@dataclass(frozen=True)
class Lengths:
    """A well-behaved comparator: do answers have the same length?"""

    name: str = "lengths"
    title: str = "Answer lengths"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Found:
        return {a.prompt_sha256: a for a in reversed(examined.answers)}

    def alike(self, a: Answer, b: Answer) -> float:
        return 1 / (1 + abs(len(a.text) - len(b.text)))

    def compare(self, a: Found, b: Found) -> Evidence:
        prompts = sorted(a.keys() & b.keys())
        if len(prompts) < self.least():
            return without_score(self, "insufficient", too_few(len(prompts)), len(prompts))
        scores = [self.alike(a[p], b[p]) for p in prompts]
        return Evidence(
            comparator=self.name,
            title=self.title,
            status="ok",
            scale="share of equal length",
            score=sum(scores) / len(scores),
            n=len(prompts),
            per_prompt=tuple(
                PromptScore(prompt_sha256=p, prompt_id="x", score=s)
                for p, s in zip(prompts, scores, strict=True)
            ),
        )

    def least(self) -> int:
        return 8


class OneSided(Lengths):
    def alike(self, a: Answer, b: Answer) -> float:
        return len(a.text) / (1 + len(b.text))


class OneSidedAndSaysSo(OneSided):
    symmetric = False

    def __init__(self) -> None:
        object.__setattr__(self, "symmetric", False)


class Drifting(Lengths):
    runs = itertools.count(1)

    def alike(self, a: Answer, b: Answer) -> float:
        return 1 / next(self.runs)


class ByPosition(Lengths):
    def extract(self, examined: Examined) -> Found:
        first = examined.transcript.responses[0].prompt.sha256
        return {
            a.prompt_sha256: a for a in examined.answers if (a.prompt_sha256 > first) or a.complete
        } | {"": next(a for a in examined.answers if a.prompt_sha256 == first)}

    def compare(self, a: Found, b: Found) -> Evidence:
        first = (a.pop(""), b.pop(""))
        evidence = super().compare(a, b)
        if evidence.status != "ok":
            return evidence
        return evidence.model_copy(update={"score": float(len(first[0].text + first[1].text))})


class Bold(Lengths):
    def least(self) -> int:
        return 0


class Raising(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        if len(a.keys() & b.keys()) < 3:
            raise ValueError("too few")
        return super().compare(a, b)


class NotANumber(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        evidence = super().compare(a, b)
        return evidence.model_copy(update={"score": float("nan")}) if evidence.score else evidence


class Chatty(Lengths):
    def extract(self, examined: Examined) -> Found:
        # Swallowing the refusal must not hide the attempt.
        with contextlib.suppress(OSError), socket.socket() as plug:
            plug.connect(("127.0.0.1", 9))
        return super().extract(examined)


class LookingUp(Lengths):
    def extract(self, examined: Examined) -> Found:
        with contextlib.suppress(OSError):
            socket.getaddrinfo("example.org", 443)
        return super().extract(examined)


class StrictlyUtf8(Lengths):
    def alike(self, a: Answer, b: Answer) -> float:
        return float(len(a.text.encode()) == len(b.text.encode()))


class Unserialisable(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        return super().compare(a, b).model_copy(update={"details": {"prompts": a.keys()}})


class Overcounting(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        evidence = super().compare(a, b)
        return evidence.model_copy(update={"n": evidence.n * 2})


def _with_exhibit(evidence: Evidence, **fields: Any) -> Evidence:
    if evidence.status != "ok":
        return evidence
    known: dict[str, Any] = {
        "prompt_sha256": evidence.per_prompt[0].prompt_sha256,
        "prompt_id": "x",
        "side": "for",
        "score": 1.0,
        "sample_a": 0,
        "sample_b": 0,
    }
    exhibit = Exhibit(**known | fields)
    return evidence.model_copy(update={"exhibits": (exhibit,)})


class Beyond(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        return _with_exhibit(super().compare(a, b), spans_a=((0, 10**6),))


class FromNowhere(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        return _with_exhibit(super().compare(a, b), prompt_sha256="0" * 64)


class Speechless(Lengths):
    def compare(self, a: Found, b: Found) -> Evidence:
        return super().compare(a, b).model_copy(update={"reason": "", "scale": ""})


class OfTheFirstRelease(Lengths):
    """Takes a `reference`, as comparators once had to; nobody passes one."""

    def compare(self, a: Found, b: Found, reference: object = None) -> Evidence:
        assert reference is None
        return super().compare(a, b)


def test_a_comparator_written_for_an_earlier_protocol_passes():
    check_comparator(OfTheFirstRelease())


@pytest.mark.parametrize("comparator", [Lengths(), OneSidedAndSaysSo()])
def test_a_well_behaved_comparator_passes(comparator):
    check_comparator(comparator)


@pytest.mark.parametrize(
    ("comparator", "says"),
    [
        (OneSided(), "swapped"),
        (Drifting(), "not deterministic"),
        (ByPosition(), "another order"),
        (Bold(), "raised ZeroDivisionError on 0 common prompts"),
        (Raising(), "raised ValueError on 0 common prompts: too few"),
        (NotANumber(), "does not survive JSON"),
        (Chatty(), "network: connection to"),
        (LookingUp(), "network: look-up of example.org"),
        (StrictlyUtf8(), "raised UnicodeEncodeError on hostile text"),
        (Unserialisable(), "does not survive JSON"),
        (Overcounting(), "n is 60, common prompts 30"),
        (Beyond(), "span outside its text"),
        (FromNowhere(), "no existing answer"),
        (Speechless(), "not put into words"),
        (Lengths(name="Bad Name"), "name must be"),
        (Lengths(title=" "), "title is blank"),
        (Lengths(needs=frozenset()), "needs is empty"),
        (Lengths(needs=frozenset({"luck"})), "needs must be among"),
        (Lengths(needs=frozenset({"weights"})), "examined_pairs must be given"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_broken_comparator_is_caught(comparator, says):
    with pytest.raises(AssertionError) as caught:
        check_comparator(comparator)
    assert says in str(caught.value)
    assert repr(comparator.name) in str(caught.value)


def test_the_network_is_back_after_a_check(loopback):
    check_comparator(Lengths())
    with pytest.raises(AssertionError):
        check_comparator(Chatty())
    server = loopback()
    port = int(server.root.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_answer_rules_apply_only_where_answers_are_needed():
    class Deaf(Bold):
        def extract(self, examined: Examined) -> Found:
            return {a.prompt_sha256: a for a in sample_pairs()[0][0].answers}

    deaf = Deaf(needs=frozenset({"weights"}))
    check_comparator(deaf, [(examined_from("a", []), examined_from("b", []))])
