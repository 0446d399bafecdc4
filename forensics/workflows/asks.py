"""What a run will ask, in words and money, and held to what it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.workflows.callbacks import Progress
from forensics.workflows.settings import Spending


@dataclass(frozen=True)
class Ask:
    """What one model will be asked: prompts to answer, or texts to score, and what for.

    What is on file already is not asked again and not counted; nor is a call that an endpoint
    refuses and that is repeated. Tokens are upper bounds; `by_wire` says that somebody else's
    endpoint is called, which costs money.
    """

    model: str
    what: str
    calls: int
    output_tokens: int
    input_tokens: int = 0
    by_wire: bool = False


def check_spending(asks: Sequence[Ask], most: Spending) -> None:
    """Refuse a run that would ask more than it may.

    Args:
        found: see `asks`.
        most: the limits, and the names by which the user set them.

    Raises:
        UsageError: it would; the message has the figures.
    """
    calls = sum(ask.calls for ask in asks)
    tokens = sum(ask.output_tokens for ask in asks)
    names = most.names
    if most.max_calls is not None and calls > most.max_calls:
        raise UsageError(
            f"this {names.run} would make {calls} calls{_shares(asks)}, and {names.max_calls} is "
            f"{most.max_calls}; lower {names.limit} or {names.samples}, leave out tiers, or raise "
            "it"
        )
    if most.max_output_tokens is not None and tokens > most.max_output_tokens:
        raise UsageError(
            f"this {names.run} may ask for {tokens} answer tokens, and {names.max_output_tokens} "
            f"is {most.max_output_tokens}; lower {names.limit}, {names.samples} or "
            f"{names.max_tokens}, or raise it"
        )


def announce(asks: Sequence[Ask], spending: Spending, progress: Progress) -> None:
    """Say in one line what will be asked, and refuse what may not be.

    Raises:
        UsageError: see `check_spending`.
    """
    check_spending(asks, spending)
    if asks:
        costs = money(asks, spending)
        price = f", {costs}" if costs else ""
        progress.note(f"{summary(asks)}{price}{spending.hint}")


def summary(asks: Sequence[Ask]) -> str:
    """Return what will be asked in one line, such as `404 calls to 2 endpoints, …`."""
    shares = []
    for by_wire, thing in ((True, "endpoint"), (False, "local model")):
        some = [ask for ask in asks if ask.by_wire is by_wire]
        models = len({ask.model for ask in some})
        calls = sum(ask.calls for ask in some)
        if models:
            counted = "call" if calls == 1 else "calls"
            shares.append(f"{calls:,} {counted} to {models} {thing}{'s' if models > 1 else ''}")
    tokens = sum(ask.output_tokens for ask in asks)
    return f"{' and '.join(shares)}, at most {tokens:,} answer tokens"


def money(asks: Sequence[Ask], spending: Spending) -> str:
    """Return what endpoints may charge at most, empty without a price."""
    if spending.price is None:
        return ""
    paid = [ask for ask in asks if ask.by_wire]
    cost = spending.price.of(
        sum(ask.input_tokens for ask in paid), sum(ask.output_tokens for ask in paid)
    )
    return f"at most {cost:.2f} at {spending.price} per million tokens"


def _shares(asks: Sequence[Ask]) -> str:
    """Return how many calls are for what, where they are for several things."""
    sums: dict[str, int] = {}
    for ask in asks:
        sums[ask.what] = sums.get(ask.what, 0) + ask.calls
    if len(sums) < 2:
        return ""
    return f" ({', '.join(f'{calls} for {what}' for what, calls in sums.items())})"


def described(asks: Sequence[Ask], spending: Spending | None = None) -> list[str]:
    """Return what will be asked in lines, the sum after them, and what it may cost at last."""
    calls, tokens, read = (sum(getattr(ask, name) for ask in asks) for name in _FIGURES)
    lines = [
        *(
            f"{ask.model}: {ask.calls} calls for {ask.what}, at most {ask.output_tokens} answer "
            "tokens"
            for ask in asks
        ),
        f"{calls} calls in all, at most {tokens} answer tokens",
    ]
    if spending is None or not asks:
        return lines
    lines.append(f"at most {read} prompt tokens (one token per byte; most tokens have four)")
    costs = money(asks, spending)
    return [*lines, costs] if costs else lines


_FIGURES = ("calls", "output_tokens", "input_tokens")
