"""What would give a likelihood ratio: only what can, for models of this time, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.cohorts.askable import AskableSuite, askable_suites


def suite_advice(released: Sequence[str]) -> str:
    """Say which suite to ask, so that a cohort can judge, and with how many calls.

    Args:
        released: `YYYY-MM` of both models, empty where unknown.
    """
    suites = askable_suites()
    if not all(released):
        spans = "; ".join(
            f"{suite.name} for models of {_span(suite)} ({_cost(suite)})" for suite in suites
        )
        return (
            "To have it measured, give both release dates (--known-released, "
            "--questioned-released) and ask both models a suite with a cohort of their time: "
            f"{spans}."
        )
    fitting = [suite for suite in suites if all(map(suite.covers, released))]
    if not fitting:
        return (
            f"No suite here has a cohort of their time ({' and '.join(dict.fromkeys(released))}); "
            "build one with forensics cohort build."
        )
    ways = " or ".join(f"--suite {suite.name} ({_cost(suite)})" for suite in fitting)
    return f"To have it measured, ask both models a suite with a cohort of their time: {ways}."


def _cost(suite: AskableSuite) -> str:
    return f"{suite.prompts} prompts, {2 * suite.prompts} calls in all"


def _span(suite: AskableSuite) -> str:
    return " to ".join(suite.span) if suite.span else "no time"
