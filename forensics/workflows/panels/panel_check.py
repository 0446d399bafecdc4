"""Does every model of a panel answer? One short call to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from forensics.errors import ForensicsError
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.backend import GenerationSettings, Request
from forensics.suites.suite import Message, Prompt
from forensics.support.sanitise import one_line
from forensics.transcripts.transcript import Response, read_transcript
from forensics.workflows.panels.members import PanelMember

MAX_TOKENS = 64
_PROMPT = Prompt("panel-check", (Message("user", "Answer with the word: yes"),))


@dataclass(frozen=True)
class MemberAnswer:
    """Whether a model of a panel answered; `failure` says why not, empty where it did."""

    name: str
    failure: str = ""


def check_members(
    members: Sequence[PanelMember], at_once: int, tell: Callable[[MemberAnswer], None]
) -> tuple[MemberAnswer, ...]:
    """Ask every model one short question.

    Args:
        members: the models.
        at_once: how many endpoints are asked at once; local models are asked in turn.
        tell: is called with each answer as it comes, from this thread.

    Returns:
        one answer for each model, in their order.
    """
    answers = {answer.name: answer for answer in _asked(members, at_once, tell)}
    return tuple(answers[member.name] for member in members)


def _asked(
    members: Sequence[PanelMember], at_once: int, tell: Callable[[MemberAnswer], None]
) -> Iterator[MemberAnswer]:
    remote = [member for member in members if not member.is_local]
    with ThreadPoolExecutor(max(1, min(at_once, len(remote)))) as pool:
        for answer in pool.map(_check, remote):
            tell(answer)
            yield answer
    for member in members:
        if member.is_local:
            answer = _check(member)
            tell(answer)
            yield answer


def _check(member: PanelMember) -> MemberAnswer:
    try:
        return MemberAnswer(member.name, one_line(_failure(member), 300))
    except ForensicsError as error:
        return MemberAnswer(member.name, one_line(str(error), 300))


def _failure(member: PanelMember) -> str:
    """Return why a model gave no answer, empty where it gave one."""
    if member.subject.kind == "transcript":
        from pathlib import Path

        return read_transcript(Path(member.subject.target)).broken
    settings = GenerationSettings(
        member.generation.temperature, MAX_TOKENS, system_prompt=member.generation.system_prompt
    )
    answers: list[Response] = []
    backend = open_backend(member.subject, member.options)
    backend.answer([Request(_PROMPT, 0, MAX_TOKENS, member.name)], settings, answers.append)
    failed = [answer.error or "no reason given" for answer in answers if answer.status == "error"]
    return failed[0] if failed else ("" if answers else "no answer came")
