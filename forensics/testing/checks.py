"""What a comparator promises, checked one promise at a time."""

from __future__ import annotations

import json
import math
import random
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, get_args

from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import Comparator
from forensics.examination.examined import Examined, Need
from forensics.testing.samples import HOSTILE_TEXTS, Pair, examined_from, sample_pairs
from forensics.transcripts.transcript import Response
from forensics.verdicts.compare import measure

# Sums in another order differ in the last bits of a float32.
_TOLERANCE = 1e-5
_FEW = 2


def check_comparator(
    comparator: Comparator[Any], examined_pairs: Sequence[Pair] | None = None
) -> None:
    """Check that a comparator keeps the conventions all others rely on.

    Its declarations are valid; two runs give equal evidence; swapping the subjects leaves the score
    unless `symmetric` is False; the order of answers does not matter; the evidence survives JSON,
    is finite, counts its prompts right, and its exhibits and spans exist; nothing reaches for the
    network. Where `answers` is among its `needs`: too few of them are `insufficient`, and hostile
    text (NUL, lone surrogates, terminal escapes) raises nothing.

    The check blocks internet connections of the whole process while it runs.

    Args:
        comparator: an instance.
        examined_pairs: pairs of subjects to measure; made-up answers by default. Must be given
            for comparators that need more than answers.

    Raises:
        AssertionError: a convention is broken; the message says which, and how it showed.
    """
    _check_declarations(comparator)
    answers = "answers" in comparator.needs
    pairs = list(examined_pairs or ())
    if not pairs:
        _require(
            comparator.needs == {"answers"},
            comparator,
            "examined_pairs must be given for a comparator that needs more than answers",
        )
        pairs = sample_pairs()
    with _no_network() as attempts:
        for a, b in pairs:
            _check_pair(comparator, a, b)
            if answers:
                _check_order(comparator, a, b)
                _check_too_few(comparator, a, b)
        if answers:
            _check_no_answers(comparator, *pairs[0])
            _check_hostile(comparator)
    _require(not attempts, comparator, f"it reached for the network: {', '.join(attempts)}")


def _require(condition: bool, comparator: Comparator[Any], message: str) -> None:
    if not condition:
        raise AssertionError(f"comparator {comparator.name!r}: {message}")


def _check_declarations(comparator: Comparator[Any]) -> None:
    _require(
        bool(re.fullmatch(r"[a-z][a-z_]*", comparator.name)), comparator, "name must be [a-z_]+"
    )
    _require(bool(comparator.title.strip()), comparator, "title is blank")
    _require(comparator.tier in get_args(Tier), comparator, f"unknown tier {comparator.tier!r}")
    known = frozenset(get_args(Need))
    _require(bool(comparator.needs), comparator, "needs is empty")
    _require(comparator.needs <= known, comparator, f"needs must be among {sorted(known)}")
    _require(isinstance(comparator.symmetric, bool), comparator, "symmetric must be a bool")


def _run(comparator: Comparator[Any], a: Examined, b: Examined, situation: str) -> Evidence:
    try:
        evidence = comparator.compare(comparator.extract(a), comparator.extract(b))
    except Exception as error:
        raise AssertionError(
            f"comparator {comparator.name!r}: raised {type(error).__name__} on {situation}: {error}"
        ) from error
    _require(isinstance(evidence, Evidence), comparator, f"returned no Evidence on {situation}")
    _check_evidence(comparator, evidence, a, b, situation)
    return evidence


def _check_pair(comparator: Comparator[Any], a: Examined, b: Examined) -> None:
    what = f"the pair {a.name} / {b.name}"
    evidence = _run(comparator, a, b, what)
    _require(
        evidence.status in ("ok", "insufficient", "not_applicable"),
        comparator,
        f"{evidence.status} on {what}: {evidence.reason}",
    )
    again = _run(comparator, _fresh(a), _fresh(b), what)
    _require(again == evidence, comparator, f"two runs differ on {what}: it is not deterministic")
    _run(comparator, a, a, f"{a.name} against itself")
    if comparator.symmetric:
        swapped = _run(comparator, b, a, f"{what}, swapped")
        _require_same(
            comparator, evidence, swapped, f"{what} when swapped; make it so or declare it not"
        )


def _check_order(comparator: Comparator[Any], a: Examined, b: Examined) -> None:
    evidence = _run(comparator, a, b, "answers in order")
    for seed in (1, 2):
        shuffled = _run(comparator, _shuffled(a, seed), _shuffled(b, seed + 2), "shuffled answers")
        _require_same(comparator, evidence, shuffled, "the same answers in another order")


def _check_too_few(comparator: Comparator[Any], a: Examined, b: Examined) -> None:
    common = sorted(_prompts(a) & _prompts(b))
    for count in (0, 1, _FEW):
        shared = set(common[:count])
        # Without any prompt in common each keeps answers of its own: disjoint suites.
        first = _only(a, shared or set(common[::2]))
        second = _only(b, shared or set(common[1::2]))
        evidence = _run(comparator, first, second, f"{count} common prompts")
        _require(
            evidence.status == "insufficient",
            comparator,
            f"status is {evidence.status!r}, not 'insufficient', on {count} common prompts",
        )


def _check_no_answers(comparator: Comparator[Any], a: Examined, b: Examined) -> None:
    blank = replace(a.transcript, responses=tuple(_blank(a)))
    for first, second in ((Examined(a.subject, blank), b), (b, Examined(a.subject, blank))):
        evidence = measure(comparator, first, second)
        _require(
            evidence.status in ("insufficient", "not_measured"),
            comparator,
            f"status is {evidence.status!r} when one subject has no answers",
        )


def _check_hostile(comparator: Comparator[Any]) -> None:
    hostile = examined_from("hostile", HOSTILE_TEXTS)
    turned = examined_from("hostile-too", HOSTILE_TEXTS[::-1])
    _run(comparator, hostile, turned, "hostile text")
    _run(comparator, hostile, hostile, "hostile text against itself")


def _check_evidence(
    comparator: Comparator[Any], evidence: Evidence, a: Examined, b: Examined, situation: str
) -> None:
    def require(condition: bool, message: str) -> None:
        _require(condition, comparator, f"{message}, on {situation}")

    require(evidence.comparator == comparator.name, "evidence carries another comparator's name")
    require(evidence.tier == comparator.tier, "evidence carries another tier")
    _check_json(evidence, require)
    if evidence.status != "ok":
        require(evidence.score is None, f"status is {evidence.status!r} but there is a score")
        require(bool(evidence.reason.strip()), f"status {evidence.status!r} gives no reason")
        return
    score, interval = evidence.score, evidence.interval
    require(score is not None and math.isfinite(score), f"the score is {score}")
    require(bool(evidence.scale.strip()), "the scale is not put into words")
    require(interval is None or interval.low <= interval.high, "the interval is upside down")
    if "answers" in comparator.needs:
        _check_prompts(evidence, a, b, require)


Require = Callable[[bool, str], None]


def _check_json(evidence: Evidence, require: Require) -> None:
    try:
        text = json.dumps(evidence.model_dump(), allow_nan=False)
        read = Evidence.model_validate(json.loads(text))
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"comparator {evidence.comparator!r}: its evidence does not survive JSON: {error}"
        ) from error
    require(json.dumps(read.model_dump()) == text, "its evidence changes on the way through JSON")


def _check_prompts(evidence: Evidence, a: Examined, b: Examined, require: Require) -> None:
    common = _prompts(a) & _prompts(b)
    scored = [entry.prompt_sha256 for entry in evidence.per_prompt]
    require(set(scored) <= common, "a per-prompt score is of a prompt not both answered")
    require(len(set(scored)) == len(scored), "a prompt has two scores")
    require(0 < evidence.n <= len(common), f"n is {evidence.n}, common prompts {len(common)}")
    require(
        not scored or evidence.n == len(scored),
        f"n is {evidence.n} but {len(scored)} prompts have a score",
    )
    texts = [_texts(side) for side in (a, b)]
    for exhibit in evidence.exhibits:
        samples, spans = (exhibit.sample_a, exhibit.sample_b), (exhibit.spans_a, exhibit.spans_b)
        for side, sample, places in zip(texts, samples, spans, strict=True):
            text = side.get((exhibit.prompt_sha256, sample))
            require(text is not None, f"exhibit {exhibit.prompt_id!r} shows no existing answer")
            length = len(text or "")
            inside = all(0 <= start < end <= length for start, end in places)
            require(inside, f"exhibit {exhibit.prompt_id!r} has a span outside its text")


def _require_same(
    comparator: Comparator[Any], first: Evidence, second: Evidence, situation: str
) -> None:
    same = (first.status, first.n) == (second.status, second.n) and _close(
        first.score, second.score
    )
    seen = ", ".join(f"{e.status} {e.score} (n {e.n})" for e in (first, second))
    _require(same, comparator, f"differs on {situation}: {seen}")


def _close(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _prompts(side: Examined) -> set[str]:
    return {answer.prompt_sha256 for answer in side.answers}


def _texts(side: Examined) -> dict[tuple[str, int], str]:
    return {(answer.prompt_sha256, answer.sample): answer.text for answer in side.answers}


def _with(side: Examined, responses: Sequence[Response]) -> Examined:
    # `replace` keeps whatever else a subject has (weights, tokenizer), and drops cached answers.
    return replace(side, transcript=replace(side.transcript, responses=tuple(responses)))


def _fresh(side: Examined) -> Examined:
    return _with(side, side.transcript.responses)


def _shuffled(side: Examined, seed: int) -> Examined:
    responses = list(side.transcript.responses)
    random.Random(seed).shuffle(responses)  # noqa: S311 (no secret)
    return _with(side, responses)


def _only(side: Examined, prompts: set[str]) -> Examined:
    return _with(side, [r for r in side.transcript.responses if r.prompt.sha256 in prompts])


def _blank(side: Examined) -> list[Response]:
    return [replace(response, text=" \n") for response in side.transcript.responses]


@contextmanager
def _no_network() -> Iterator[list[str]]:
    """Refuse internet connections and name look-ups; yield a list of what was tried."""
    attempts: list[str] = []

    def connect(self: socket.socket, address: Any, *_: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            attempts.append(f"connection to {address}")
            raise OSError("no network while a comparator is checked")

    def look_up(host: Any, *_: Any, **__: Any) -> None:
        attempts.append(f"look-up of {host}")
        raise OSError("no network while a comparator is checked")

    # Methods, not the class: a library imported meanwhile may derive its own class from it.
    before = socket.getaddrinfo
    patched: Any = socket.socket
    patched.connect, patched.connect_ex = connect, connect
    socket.getaddrinfo = look_up  # type: ignore[assignment]
    try:
        yield attempts
    finally:
        del patched.connect, patched.connect_ex
        socket.getaddrinfo = before
