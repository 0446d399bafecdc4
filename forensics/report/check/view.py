"""What every report of a check shows, and in which words; formats differ only in layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.policy.declarations import Declarations
from forensics.policy.model import RuleName
from forensics.policy.outcomes import STATUSES, CheckResult, FalseAlarms, Outcome, Status

STATUS_WORDS: Mapping[Status, str] = {
    "violated": "violated",
    "error": "could not be checked",
    "review": "needs review",
    "inconclusive": "inconclusive",
    "not_measured": "not measured",
    "pass": "pass",
}


@dataclass(frozen=True)
class RuleText:
    """A rule in one line and in two sentences."""

    title: str
    description: str


RULE_TEXTS: Mapping[RuleName, RuleText] = {
    "undeclared-kinship": RuleText(
        "Close kinship to a model that is not declared",
        "The likelihood ratio for close kinship (the same weights, a fine-tune, a merge, a "
        "sibling) against independence reaches the policy's bound, and neither card nor "
        "configuration nor policy declares the model.",
    ),
    "contradicted-declaration": RuleText(
        "A declared parent that the weights do not confirm",
        "The card or configuration declares a parent, and the weights of both are independent.",
    ),
    "restricted-teacher": RuleText(
        "Kinship to a model whose terms forbid training on its outputs",
        "Close kinship to a model in the dated table of such terms. On text alone it asks for a "
        "review and never fails: text cannot tell how outputs were obtained. Not legal advice.",
    ),
    "drift": RuleText(
        "The endpoint is not the model of its baseline",
        "Answers to the baseline's prompts, asked again with its settings, differ by more than "
        "the model differs from itself.",
    ),
    "max-similarity": RuleText(
        "More similar than the policy's own limit",
        "A score's whole interval lies above a limit that the policy's author chose. It is "
        "uncalibrated: how often innocent models exceed it is unknown.",
    ),
}


def headline(result: CheckResult) -> str:
    """Return the answer in one sentence."""
    counts = {s: sum(o.status == s for o in result.outcomes) for s in STATUSES}
    counted = ", ".join(f"{n} {STATUS_WORDS[s]}" for s, n in counts.items() if n)
    answer = {
        "violated": "Policy violated",
        "error": "Check failed",
        "review": "Needs review",
        "inconclusive": "Inconclusive",
        "not_measured": "Not everything was measured",
        "pass": "Policy passed",
    }[result.status]
    if not result.checked and result.status != "error":
        answer = "Not checked"
    return f"{answer}: {counted or 'nothing was checked'}."


def exit_words(result: CheckResult) -> str:
    """Return the exit code with its meaning."""
    meaning = {
        0: "pass" if result.status == "pass" else "pass, as nothing is violated",
        1: "policy violated",
        2: "a model's file is damaged or incomplete",
        3: "undecided, under --strict",
        4: "failure",
    }
    if not result.checked and not result.exit_code:
        strict = "; with --strict this is exit 3" if result.status != "pass" else ""
        return f"exit 0: nothing is violated, as nothing was checked{strict}"
    strict = " (strict)" if result.strict else ""
    return f"exit {result.exit_code}: {meaning.get(result.exit_code, '?')}{strict}"


def ordered(result: CheckResult) -> list[Outcome]:
    """Return the outcomes, the gravest first."""
    return sorted(result.outcomes, key=lambda outcome: STATUSES.index(outcome.status))


def status_of(outcome: Outcome) -> str:
    """Return an outcome's status in words."""
    return "allowed" if outcome.allowed else STATUS_WORDS[outcome.status]


def message_of(outcome: Outcome) -> str:
    """Return an outcome's message, with what accepts it."""
    if outcome.allowed is None:
        return outcome.message
    allowed = outcome.allowed
    return f"{outcome.message}; allowed until {allowed.expires}: {allowed.reason}"


def declared_lines(declared: Declarations) -> Sequence[str]:
    """Return what is declared, one line each."""
    parents = [f"{parent.name} ({parent.source})" for parent in declared.base_models]
    lines = [
        f"parents: {', '.join(parents) or 'none'}",
        f"relation: {declared.relation}" if declared.relation else "",
        f"licence: {declared.license}" if declared.license else "",
        f"datasets: {', '.join(declared.datasets)}" if declared.datasets else "",
        f"training: {declared.training}" if declared.training else "",
    ]
    return [line for line in lines if line]


def alarm_line(alarm: FalseAlarms) -> str:
    """Return how many false alarms to expect of a rule, in one line."""
    if alarm.per_100 is not None:
        limit = f", 95 % upper limit {alarm.upper:.3g}" if alarm.upper is not None else ""
        count = f"{alarm.per_100:.3g}{limit}"
    elif alarm.upper is not None:
        count = f"at most {alarm.upper:.3g}"
    else:
        count = "unknown"
    return f"{alarm.rule}: {count} ({alarm.basis})"
