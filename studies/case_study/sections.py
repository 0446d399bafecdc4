"""Sections of the page on measured pairs: claims, the central pairs, students for scale, nulls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from forensics.custody.claim_wording import CLAIM_WORDS
from forensics.report.markdown import code, prose
from forensics.support.numbers import counted
from studies.case_study.claims import PublicClaim, answered
from studies.case_study.measure import Measured
from studies.case_study.pairs import (
    LATER,
    NOT_IN_ANY_SET,
    NULL_MODEL,
    NULL_PAST,
    R1,
    V3,
)
from studies.case_study.standing import Place
from studies.case_study.tables import (
    CHANGE_HEAD,
    LABELS,
    between,
    change,
    change_row,
    labels,
    others_less,
    others_most,
    reached,
    share,
    table,
)

_NULLS_SHOWN = 8


def claims_section(claims: Mapping[str, PublicClaim], rows: Sequence[Measured]) -> str:
    """Return what is claimed, and what the program answers to it pair by pair."""
    answers: dict[str, Counter[str]] = {}
    for row in rows:
        for id_ in row.pair.claims:
            said = answered(claims[id_], row.case)
            answers.setdefault(id_, Counter())[CLAIM_WORDS[said.answer]] += 1
    lines = [
        (
            claim.date,
            prose(claim.by),
            f"{prose(claim.questioned)} · {prose(claim.known)}",
            prose(claim.text),
            prose(claim.offered),
            prose(claim.source),
            _claim_answer(claim, answers.get(claim.id, Counter())),
        )
        for claim in sorted(claims.values(), key=lambda c: (c.date, c.id))
    ]
    head = (
        "date", "who said it", "models", "the claim in our words", "evidence offered", "source",
        "what the program answers from these outputs",
    )  # fmt: skip
    return "\n\n".join(
        [
            "## What is claimed",
            "Claims stand in this project's words. The last column is the program's answer to "
            "the claim, with the number of pairs below that it can concern; pairs with an OpenAI "
            "model that was released in a later month are not counted. Text alone never supports "
            "a claim of learning: at most, a change is some evidence for it, even for documented "
            "students. A claim about accounts concerns events that no answer of a model records.",
            table(head, lines),
        ]
    )


def _claim_answer(claim: PublicClaim, counts: Counter[str]) -> str:
    if claim.id in NOT_IN_ANY_SET:
        return "not asked: the model is in none of the public sets"
    if claim.id in LATER:
        return "not asked: it concerns a later time"
    every = counted(counts.total(), "pair")
    return "; ".join(f"{word} ({count} of {every})" for word, count in counts.items())


def central_section(rows: Sequence[Measured]) -> str:
    """Return the central pairs, each with the reasons of all four answers."""
    return "\n\n".join(["## The central pairs, all four questions", *map(_central, rows)])


def _central(row: Measured) -> str:
    bullets = [
        f"- **{prose(answer.question)} {prose(answer.label)}.** "
        + " ".join(prose(reason) for reason in answer.reasons)
        for answer in row.answers
    ]
    against_past = f", against its own past {', '.join(row.pair.bases)}" if row.pair.bases else ""
    return "\n\n".join(
        [
            f"### {row.pair.questioned} (questioned) beside {row.pair.known} (known){against_past}",
            f"Shared manner {share(row)}; as much is shared by {reached(row)} unrelated pairs.",
            "\n".join(bullets),
            f"{code(row.pair.command, 400)}",
        ]
    )


def candidates_section(rows: Sequence[Measured]) -> str:
    """Return R1's change since V3, towards every house alike."""
    return "\n\n".join(
        [
            f"## Is OpenAI special? {R1} against {V3}, towards every candidate",
            f"{V3} is the developer's release before {R1} in this set, and serves as its past. "
            "Candidates are all models of other developers in the set that were not released "
            f"after {R1} and are not documented students themselves; the same question is asked "
            f"of each. {_readings(rows)} {_limit_words(rows)}",
            table(CHANGE_HEAD, map(change_row, rows)),
            "A change below zero means that the model became less like the candidate than its "
            f"past was. What {V3} itself had adopted earlier does not show in this table, because "
            "its own past is not in the set.",
        ]
    )


def _readings(rows: Sequence[Measured]) -> str:
    pointed = [row.pair.known for row in rows if row.answers[2].answer == "points to it"]
    if not pointed:
        return f"The change points to none of the {len(rows)}."
    return f"The change points to {len(pointed)} of the {len(rows)}: {', '.join(pointed)}."


def _limit_words(rows: Sequence[Measured]) -> str:
    others = [row.shift.others for row in rows if row.shift is not None and row.shift.others]
    most, shares = [o.most for o in others], [o.share_p99 for o in others]
    return (
        "**Detection limit:** the program points to a candidate only where the change exceeds "
        f"every change of models without that teacher ({between(min(most), max(most))}, depending "
        "on the candidate) and the two then share more of their manner than 99 % of unrelated "
        f"pairs do ({between(min(shares), max(shares))}). Anything smaller would not have been "
        "detected."
    )


def elsewhere_section(rows: Sequence[Measured]) -> str:
    """Return the pairs of the sets that were answered once."""
    return "\n\n".join(
        [
            "## The same question on other genres",
            "These sets have one answer per prompt, and no past of the questioned model to "
                "compare with. Each cell gives the program's answer with its reason in brief.",
            table(
                ("set", "questioned", "known", *LABELS),
                (
                    (
                        row.pair.cohort,
                        row.pair.questioned,
                        row.pair.known,
                        *(_with_reason(label, a.brief) for label, a in zip(
                            labels(row), row.answers, strict=True
                        )),
                    )
                    for row in rows
                ),
            ),
        ]
    )  # fmt: skip


def _with_reason(label: str, brief: str) -> str:
    return prose(f"{label}: {brief}") if brief else label


def documented_section(rows: Sequence[Measured]) -> str:
    """Return pairs whose relation its own developer announced: what the same test shows there."""
    head = (
        "questioned (its past)", "known", "shared manner now (95 %)", "unrelated pairs that share "
        "as much", "change since the past (95 %)", "models without that teacher that changed less",
        "largest change of those", *LABELS,
    )  # fmt: skip
    students = [row for row in rows if row.pair.known == R1]
    seen = [row.pair.questioned for row in students if row.answers[2].answer == "points to it"]
    missed = [row.pair.questioned for row in students if row.answers[2].answer != "points to it"]
    return "\n\n".join(
        [
            "## For scale: relations that developers announced",
            f"The same test on {len(students)} students of {R1} that their developers documented, "
            f"and on two early versions of gpt-4.1 under other names. **The change points to {R1} "
            f"in {len(seen)} of {len(students)} students; it misses "
            f"{', '.join(missed) or 'none'}.** So a documented student can stay below the limit, "
            "and a model that is not pointed to may be one. The students have one teacher and "
            "two lineages: no rate follows from so few. No student of an OpenAI model in the set "
            "has its own past there.",
            table(head, map(_documented_row, rows)),
        ]
    )


def _documented_row(row: Measured) -> tuple[str, ...]:
    return (
        f"{row.pair.questioned} ({', '.join(row.pair.bases)})",
        row.pair.known,
        share(row),
        reached(row),
        change(row),
        others_less(row),
        others_most(row),
        *labels(row),
    )


def null_section(releases: Measured, rows: Sequence[Measured]) -> str:
    """Return one house's releases, of which nobody documents another house as teacher."""
    houses = [row for row in rows if row.pair.known in (R1, V3)]
    shown = [*rows[:_NULLS_SHOWN], *(row for row in houses if row not in rows[:_NULLS_SHOWN])]
    return "\n\n".join(
        [
            f"## A null: {NULL_MODEL} against {NULL_PAST}",
            "The same test on two releases of one developer, where no teacher from another "
            f"developer is documented. {_readings(rows)} Shown are the {_NULLS_SHOWN} largest "
            "changes, and DeepSeek's models. One null step is an example, not a rate: the rates "
            "over all null steps are on [the page on shift](../SHIFT.md).",
            table(CHANGE_HEAD, map(change_row, shown)),
            f"The two releases themselves, {NULL_MODEL} beside {NULL_PAST}: "
            + "; ".join(_question_and_answer(releases))
            + ".",
        ]
    )


def _question_and_answer(row: Measured) -> Iterator[str]:
    for question, answer in zip(LABELS, row.answers, strict=True):
        yield f"{question} {_with_reason(answer.label, answer.brief)}"


def short_section(
    central: Sequence[Measured],
    elsewhere: Sequence[Measured],
    candidates: Sequence[Measured],
    documented: Sequence[Measured],
    exact: Measured,
    nearest: Place,
    openai: Sequence[str],
) -> str:
    """Return the page's answer in a few sentences, every count taken from what was measured."""
    every = [*central, *elsewhere]
    counts = Counter(row.answers[2].label for row in every)
    said = ", ".join(f"{label} ({count})" for label, count in counts.items())
    top = next(row for row in candidates if row.pair.known in openai)
    students = [row for row in documented if row.pair.known == R1]
    scale = [f"{row.pair.questioned} {change(row)}" for row in students]
    missed = sum(row.answers[2].answer != "points to it" for row in students)
    v3 = central[-1]
    return "\n".join(
        [
            "## In short\n",
            f'- To "Did one learn from the other\'s answers?" the program answers, over the '
            f"{len(every)} pairs of a DeepSeek and an OpenAI model below: {said}.",
            f"- Of OpenAI's models {R1} changed most towards {top.pair.known}: by {change(top)} "
            f"against {V3}. {others_less(top)} models without that teacher changed less; the "
            f"largest of their changes is {others_most(top)}. Among candidates of all developers "
            f"it is number {candidates.index(top) + 1} of {len(candidates)}.",
            f"- For scale, documented students of {R1} changed towards it by: {'; '.join(scale)}.",
            f"- {V3} and {v3.pair.known} share {share(v3)} of their manner, measured on the texts "
            f"{share(exact)}; {reached(v3)} unrelated pairs share as much as the first figure. "
            f"{nearest.rank - 1} other models of other developers share more with {v3.pair.known}.",
            "- By these answers the outputs neither support the claims nor speak against them. "
            f"The negative result says little: the same test misses {missed} of {len(students)} "
            "documented students. The end of this page says what would tell more.",
            "- The central pairs answered altered puzzles. OpenAI's GPT-4 and o1, which the claim "
            "names, did not answer them.",
        ]
    )
