"""What each rule says of a reference: declared against measured."""

from __future__ import annotations

import datetime
import itertools

import pytest

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.placed import place_member
from forensics.exitcodes import ExitCode
from forensics.policy.declarations import Declarations, DeclaredModel
from forensics.policy.false_alarms import false_alarms
from forensics.policy.judgements import Known
from forensics.policy.measured import Search
from forensics.policy.outcomes import STATUSES, decide
from forensics.policy.rules import apply_rules, settle
from forensics.policy.terms import restricted_terms, terms_for
from forensics.subjects.subject import Subject
from forensics.verdicts.in_cohort import Side, compare_in_cohort
from tests.policy.builders import by_weights, calibrated, measured, policy, screened

NOTHING = Declarations()
DECLARED = Declarations(base_models=(DeclaredModel(name="Known", source="README.md"),))
TODAY = datetime.date(2026, 6, 1)


def _judge(folder, rules, one, declared=NOTHING):
    file = policy(folder, rules)
    found = apply_rules(file, Known(declared, restricted_terms()), [one])
    assert all(outcome.line > 1 for outcome in found)
    return found


@pytest.mark.parametrize(
    ("case", "declared", "status", "says"),
    [
        (calibrated("new"), NOTHING, "violated", "and not declared"),
        (calibrated("new"), DECLARED, "pass", "README.md names Known"),
        (calibrated("z"), NOTHING, "pass", "not evidence of independence"),
        (screened(1), NOTHING, "inconclusive", "no likelihood ratio"),
        (screened(0), NOTHING, "review", "20 long answers are identical"),
        (screened(0), DECLARED, "pass", "declared"),
        (by_weights(p_value=1e-9), NOTHING, "violated", "a close relative by its weights"),
        (by_weights(log10_lr=2.0), NOTHING, "violated", "log10 LR +2.00"),
        (by_weights(p_value=0.5), NOTHING, "inconclusive", "no likelihood ratio"),
    ],
)
def test_undeclared_kinship(tmp_path, case, declared, status, says):
    (outcome,) = _judge(tmp_path, "[rules.undeclared-kinship]\n", measured(case), declared)
    assert outcome.status == status
    assert says in outcome.message
    assert outcome.next_step or status == "pass"


def test_a_violation_says_by_how_much_and_shows_an_exhibit(tmp_path):
    rules = "[rules.max-similarity]\nlimits = { phrasing = 0.1 }\n"
    (outcome,) = _judge(tmp_path, rules, measured(screened(0)))
    assert outcome.value is not None
    assert outcome.value > outcome.bound == 0.1
    case, exhibit = screened(0), outcome.exhibit
    assert exhibit is not None
    _, number, _, evidence, _, place = exhibit.path.split(".")
    shown = case.evidence[int(evidence)].exhibits[int(place)]
    assert (number, shown.prompt_id) == ("0", exhibit.prompt_id)
    prompt = next(p for p in case.prompts if p.prompt_sha256 == shown.prompt_sha256)
    assert exhibit.shared
    assert exhibit.shared in prompt.a[0].text


def test_a_claim_to_be_trained_from_scratch_stands_beside_undeclared_kinship(tmp_path):
    claim = Declarations(from_scratch="trained from scratch")
    (outcome,) = _judge(
        tmp_path, "[rules.undeclared-kinship]\n", measured(calibrated("new")), claim
    )
    assert "the card says it was 'trained from scratch'" in outcome.message


def test_a_search_counts_only_what_stands_out_of_all_candidates(tmp_path):
    one = measured(calibrated("new"))
    for named, unmet, status in (
        (True, (), "violated"),
        (False, (), "pass"),
        (True, ("too few models of its year",), "inconclusive"),
    ):
        search = Search("made", 27, named, 0.004, unmet)
        searched = type(one)(one.name, one.names, case=one.case, number=0, search=search)
        (outcome,) = _judge(tmp_path, "[rules.undeclared-kinship]\n", searched)
        assert outcome.status == status


@pytest.mark.parametrize(
    ("case", "limit", "declared", "status"),
    [
        (screened(0), 0.1, NOTHING, "violated"),
        (screened(0), 0.1, DECLARED, "pass"),
        (screened(0), 5, NOTHING, "pass"),
        (screened(1), 0.4, NOTHING, "pass"),
    ],
)
def test_max_similarity(tmp_path, case, limit, declared, status):
    rules = f"[rules.max-similarity]\nlimits = {{ phrasing = {limit} }}\n"
    (outcome,) = _judge(tmp_path, rules, measured(case), declared)
    assert outcome.status == status
    if status == "violated":
        assert "uncalibrated" in outcome.message
        assert outcome.exhibit is not None
        assert outcome.exhibit.comparator == "phrasing"


def test_a_limit_within_the_interval_decides_nothing(tmp_path):
    interval = next(e.interval for e in screened(1).evidence if e.comparator == "openings")
    middle = (interval.low + interval.high) / 2
    rules = f"[rules.max-similarity]\nlimits = {{ openings = {middle} }}\n"
    (outcome,) = _judge(tmp_path, rules, measured(screened(1)))
    assert (outcome.status, outcome.bound) == ("inconclusive", middle)


def test_what_gave_no_score_is_not_measured_and_never_a_pass(tmp_path):
    rules = "[rules.max-similarity]\nlimits = { sampling = 9 }\n"
    (outcome,) = _judge(tmp_path, rules, measured(screened(1)))
    assert outcome.status == "not_measured"


@pytest.mark.parametrize(
    ("case", "declared", "status"),
    [
        (screened(0), DECLARED, "not_measured"),
        (by_weights(p_value=1e-9), DECLARED, "pass"),
        (by_weights(p_value=0.4), DECLARED, "violated"),
        (by_weights(p_value=1e-3), DECLARED, "inconclusive"),
        (by_weights(p_value=1e-9, approximate=True), DECLARED, "inconclusive"),
        (by_weights(p_value=1e-5), DECLARED, "inconclusive"),  # the verdict leaves it open too
        (by_weights(log10_lr=-2.0), DECLARED, "violated"),
        (by_weights(log10_lr=0.2), DECLARED, "inconclusive"),
        (screened(0), NOTHING, "pass"),
    ],
)
def test_only_weights_contradict_a_declaration(tmp_path, case, declared, status):
    (outcome,) = _judge(tmp_path, "[rules.contradicted-declaration]\n", measured(case), declared)
    assert outcome.status == status


def test_a_declared_parent_that_is_no_reference_is_not_measured(tmp_path):
    other = Declarations(base_models=(DeclaredModel(name="org/other", source="config.json"),))
    (outcome,) = _judge(
        tmp_path, "[rules.contradicted-declaration]\n", measured(screened(0)), other
    )
    assert (outcome.status, outcome.reference) == ("not_measured", "org/other")
    assert 'subject = "hf:org/other"' in outcome.next_step


def test_text_alone_never_violates_a_teachers_terms(tmp_path):
    rules = "[rules.restricted-teacher]\n"
    one = measured(calibrated("new"))
    named = type(one)(one.name, ("openai/GPT-4o",), case=one.case, number=0)
    (outcome,) = _judge(tmp_path, rules, named)
    assert outcome.status == "review"
    assert "not legal advice" in outcome.message
    assert "https://" in outcome.message
    heavy = type(one)(one.name, ("gpt-4o",), case=by_weights(p_value=1e-12), number=0)
    assert _judge(tmp_path, rules, heavy)[0].status == "violated"
    said = Declarations(base_models=(DeclaredModel(name="gpt-4o", source="README.md"),))
    (declared,) = _judge(tmp_path, rules, heavy, said)
    assert declared.status == "review"
    assert "as README.md declares; weights do not tell whether outputs" in declared.message
    copied = type(one)(one.name, ("gpt-4o",), case=screened(0), number=0)
    (same,) = _judge(tmp_path, rules, copied)
    assert same.status == "review"
    assert "no likelihood ratio can be given. OpenAI's terms of" in same.message
    light = type(one)(one.name, ("gpt-4o",), case=screened(1), number=0)
    assert _judge(tmp_path, rules, light)[0].status == "inconclusive"
    assert _judge(tmp_path, rules, one)[0].status == "not_measured"


def test_the_table_of_terms_has_a_source_and_a_date_in_every_row_and_can_be_extended(tmp_path):
    table = restricted_terms()
    assert all(row.source.startswith("https://") and row.as_of[:2] == "20" for row in table)
    known = {
        "gpt4_1106_preview": "OpenAI",
        "OpenAI/GPT-3.5-turbo": "OpenAI",
        "org/claude-2": "Anthropic",
        "gemini-pro": "Google",
        "Meta-Llama-3-8B-Instruct": "Meta",
        "llama-2-7b-chat-hf": "Meta",
    }
    free = (
        "Meta-Llama-3.1-8B-Instruct",
        "vicuna-13b",
        "gpt4all-13b",
        "claude2-alpaca-13B",
        "gpt-j",
    )
    found = {name: terms_for([name], table) for name in (*known, *free)}
    assert {name: row.developer for name, row in found.items() if row} == known
    own = tmp_path / "own.toml"
    own.write_text(
        '[[teacher]]\ndeveloper = "Us"\nmodels = ["ours-*"]\nterms = "ask"\n'
        'source = "https://example.org"\nas_of = "2026-01"\n'
    )
    assert terms_for(["x/ours-7b"], restricted_terms(own)).developer == "Us"


def test_an_error_is_an_error_of_every_rule_that_concerns_the_reference(tmp_path):
    rules = "[rules.undeclared-kinship]\n[rules.max-similarity]\nlimits = { style = 1 }\n"
    found = _judge(tmp_path, rules, measured(None, "no connection"))
    assert [outcome.status for outcome in found] == ["error", "error"]
    half = measured(screened(1), "7 calls failed")
    assert {o.status for o in _judge(tmp_path, rules, half, DECLARED)} == {"error"}


ALLOW = '[[allow]]\nrule = "undeclared-kinship"\nreason = "asked"\nexpires = 2026-05-31\n'


def test_an_allowance_passes_until_its_last_day_and_says_so(tmp_path):
    file = policy(tmp_path, f"[rules.undeclared-kinship]\n{ALLOW}")
    found = apply_rules(file, Known(NOTHING), [measured(calibrated("new"))])
    (allowed,), notes = settle(found, file, datetime.date(2026, 5, 31))
    assert (allowed.status, allowed.allowed.reason, notes) == ("pass", "asked", [])
    assert allowed.next_step == ""
    (expired,), notes = settle(found, file, TODAY)
    assert expired.status == "violated"
    assert "expired on 2026-05-31: it allows nothing" in notes[0]


def test_an_allowance_for_another_reference_or_for_nothing_is_noted(tmp_path):
    other = ALLOW.replace("reason", 'reference = "org/other"\nreason').replace("2026", "2027")
    file = policy(tmp_path, f"[rules.undeclared-kinship]\n{other}")
    found = apply_rules(file, Known(NOTHING), [measured(calibrated("new"))])
    (outcome,), notes = settle(found, file, TODAY)
    assert outcome.status == "violated"
    assert "accepted nothing" in notes[0]


def test_a_violation_of_a_warning_asks_for_a_review(tmp_path):
    file = policy(tmp_path, '[rules.undeclared-kinship]\nseverity = "warning"\n')
    found = apply_rules(file, Known(NOTHING), [measured(calibrated("new"))])
    assert settle(found, file, TODAY)[0][0].status == "review"


def test_false_alarms_are_given_where_they_are_known_and_unknown_otherwise(tmp_path):
    rules = "[rules.undeclared-kinship]\n[rules.max-similarity]\nlimits = { style = 1 }\n"
    drift = '[rules.drift]\nbaseline = "b"\nlevel = 0.02\n'
    file = policy(tmp_path, rules + drift)
    uncalibrated = false_alarms(file.policy, [measured(screened(1))], NOTHING)
    assert [(a.rule, a.per_100, a.upper) for a in uncalibrated] == [
        ("undeclared-kinship", None, None),
        ("drift", 2.0, None),
        ("max-similarity", None, None),
    ]
    one = measured(calibrated("z"))
    searched = type(one)("s", ("s",), case=one.case, search=Search("made", 27, False, 0.4))
    kinship = false_alarms(file.policy, [one, searched], NOTHING)[0]
    assert kinship.upper == pytest.approx(10 + 1)
    assert false_alarms(file.policy, [one], DECLARED)[0].upper is None


def test_exit_codes_follow_from_the_outcomes_alone():
    for size in range(len(STATUSES) + 1):
        for chosen in itertools.combinations(STATUSES, size):
            for strict in (False, True):
                status, code = decide(chosen, strict)
                if "violated" in chosen:
                    assert code == ExitCode.POLICY_VIOLATED
                elif "error" in chosen or not chosen:
                    assert (status, code) == ("error", ExitCode.FAILURE)
                elif strict and set(chosen) != {"pass"}:
                    assert code == ExitCode.INCONCLUSIVE
                else:
                    assert code == ExitCode.OK


def test_the_rate_at_the_bound_is_counted_on_pairs_held_out(tmp_path):
    cohort = find_cohort("alpaca-eval")
    sides = [
        Side(Subject(f"cohort:{model}", "cohort", model), place_member(model, cohort))
        for model in ("vicuna-13b", "Meta-Llama-3-8B-Instruct")
    ]
    one = measured(compare_in_cohort(*sides, cohort))
    found = [
        false_alarms(
            policy(tmp_path, f"[rules.undeclared-kinship]\nmin_log10_lr = {bound}\n").policy,
            [one],
            NOTHING,
        )[0]
        for bound in (0.0, 1.0, 1.5)
    ]
    rates = [alarm.per_100 for alarm in found]
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[1] < 10  # the limit by Markov's inequality
    assert all(alarm.upper > alarm.per_100 for alarm in found)
    assert "held out reach the bound" in found[0].basis
