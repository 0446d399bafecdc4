"""What a card declares of lineage is answered as a claim, by the case with that model."""

from __future__ import annotations

from forensics.case.document import Case
from forensics.case.questions import QuestionAnswer
from forensics.policy.declarations import Declarations, DeclaredModel
from forensics.policy.declared_claims import Compared, declared_claims
from forensics.verdicts.answer_records import answers_of
from forensics.verdicts.verdict import decide
from tests.policy.builders import by_weights

PARENT = DeclaredModel(name="org/parent", source="README.md")
DECLARED = Declarations(base_models=(PARENT,), from_scratch="It was trained from scratch.")


def _case(p_value: float) -> Case:
    """Give a case whose weights were tested, with the answers that follow."""
    case = by_weights(p_value)
    decision = decide(case.evidence, case.overlap, case.copy_tripwire)
    answers = answers_of(decision, case.evidence, case.a, case.b)
    verdict = case.verdict.model_copy(update={"answers": answers})
    return case.model_copy(update={"verdict": verdict})


def _measured(case: Case, name: str = "org/parent") -> Compared:
    return Compared((name,), case)


def _related(case: Case) -> QuestionAnswer:
    return next(one for one in case.verdict.answers if one.question == "close_relatives")


def test_weights_that_agree_support_a_parent_and_contradict_training_from_scratch() -> None:
    case = _case(1e-30)
    assert _related(case).answer == "supported"
    parent, scratch = declared_claims(DECLARED, [_measured(case)])
    assert (parent.claim, parent.answer) == ("README.md declares org/parent", "supported")
    assert (scratch.claim, scratch.answer) == (DECLARED.from_scratch, "contradicted")


def test_weights_that_differ_contradict_a_parent_and_leave_training_from_scratch_open() -> None:
    parent, scratch = declared_claims(DECLARED, [_measured(_case(0.4))])
    assert (parent.answer, scratch.answer) == ("contradicted", "cannot be told")


def test_a_parent_that_was_not_compared_is_not_answered() -> None:
    found = declared_claims(DECLARED, [_measured(_case(0.4), "org/other")])
    assert [one.claim for one in found] == [DECLARED.from_scratch]
    assert declared_claims(Declarations(), [_measured(_case(1e-30))]) == ()
