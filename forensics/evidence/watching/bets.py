"""Two e-processes against "new draws are the reference's", which is known from few draws only.

Every answer is reduced to whether it is *strange*: none of the answers that one half of the stored
draws holds. The other half has ``K`` strange draws of ``N``, as many of every prompt.

**All draws.** Each call asks a prompt drawn evenly at random, so that under the null new draws are
strange independently and with one unknown probability ``t``, the mean over prompts. The capital is
a mixture likelihood of both samples over the largest likelihood that one common ``t`` can give them
(universal inference: Wasserman, Ramdas and Balakrishnan 2020; Ramdas, Grünwald, Vovk and Shafer
2023, "Game-theoretic statistics and safe anytime-valid inference", section 5). The numerator lets
the probability change at the start of any block of calls, and is a proper distribution; over the
likelihood of the true ``t`` it is a supermartingale that starts at 1 or less: for the new draws by
independence, for the stored ones because a product over prompts of terms with mean 1 is at most 1
(arithmetic and geometric mean). Dividing by more, the maximum, cannot raise it. So the chance that
it *ever* reaches ``1/a`` is at most ``a`` (Ville 1939), whatever the reference's size.

**First draws.** A host that caches repeats an answer, and repeated answers are not independent.
Here only the first draw of each prompt in a round of calls counts. Given the ``m`` tested draws and
the new one without their order, each is equally likely to be the new one, so a bet on "strange"
pays ``(m + 1) / (number strange)`` fairly (conditional e-value of exchangeable draws; Shafer 2021,
"Testing by betting"; Shekhar and Ramdas 2023, "Nonparametric two-sample testing by betting").
Prompts are independent, so their product is a martingale within a round. Rounds share the
reference and may depend on one another in any way, so each has a share of the level (Bonferroni).

Mixtures over how often the other model answers stand for the plug-in bets of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.watching.watch_reference import WatchedPrompt, WatchReference

BLOCK = 25  # calls: how finely the start of a change is told
_SHARES = np.array([0.05, 0.1, 0.2, 0.4, 0.7, 0.95])
_LEAST = -700.0  # natural log of a capital below which nothing is told apart


@dataclass(frozen=True)
class Draw:
    """One counted answer: `call` is its number, `strange` whether it is not a usual one."""

    call: int
    prompt: WatchedPrompt
    text: str

    @property
    def strange(self) -> bool:
        """Whether it is not a usual answer."""
        return self.prompt.is_strange(self.text)


def start_weight(number: int) -> float:
    """Return the share of the first, second, … possible start, from 1; all sum to 1."""
    return 1.0 / (number * (number + 1))


@dataclass(frozen=True)
class AllDraws:
    """Natural log of the capital after each draw, and the likeliest start of a change at the end.

    `start` is a position among the draws.
    """

    log_capital: NDArray[np.float64]
    start: int


def all_draws(reference: WatchReference, strange: Sequence[bool]) -> AllDraws:
    """Return the capital of the bets on all draws.

    Args:
        reference: what is known.
        strange: of each draw, in the order of calls.
    """
    from scipy.special import betaln

    new = np.array(strange, dtype=np.int64)
    hits = np.concatenate([[0], np.cumsum(new)])
    paths, best, start = [], -np.inf, 0
    after = np.arange(1, len(new) + 1)
    for number, first in enumerate(range(0, max(len(new), 1), BLOCK), 1):
        # Until `first` the reference's probability, from then on another one; both unknown.
        old_hits = reference.strange + hits[np.minimum(after, first)]
        old_size = reference.tested + np.minimum(after, first)
        new_hits = hits[after] - hits[np.minimum(after, first)]
        new_size = after - np.minimum(after, first)
        path = np.log(start_weight(number)) + _jeffreys(old_hits, old_size, betaln)
        path = path + _jeffreys(new_hits, new_size, betaln)
        paths.append(path)
        if len(new) and path[-1] > best:
            best, start = float(path[-1]), first
    if not len(new):
        return AllDraws(np.zeros(0), 0)
    # Starts that lie ahead say what the reference's probability says.
    ahead = np.array([1.0 / (1 + -(-t // BLOCK)) for t in after])
    total = reference.strange + hits[after]
    size = reference.tested + after
    begun = [np.where(after > n * BLOCK, path, -np.inf) for n, path in enumerate(paths)]
    waiting = np.log(ahead) + _jeffreys(total, size, betaln)
    capital = np.logaddexp.reduce(np.stack([*begun, waiting]), axis=0) - _largest(total, size)
    return AllDraws(np.maximum(capital, _LEAST), start)


def _jeffreys(
    hits: NDArray[np.int64], size: NDArray[np.int64], betaln: np.ufunc
) -> NDArray[np.float64]:
    """Return the log likelihood of hits in a given order, the probability drawn from Beta(½, ½)."""
    mixed: NDArray[np.float64] = betaln(hits + 0.5, size - hits + 0.5) - betaln(0.5, 0.5)
    return mixed


def _largest(hits: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    share = hits / size
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(hits > 0, hits * np.log(share), 0.0)
        terms += np.where(hits < size, (size - hits) * np.log1p(-share), 0.0)
    largest: NDArray[np.float64] = terms
    return largest


def first_draws(reference: WatchReference, draws: Iterable[Draw]) -> NDArray[np.float64]:
    """Return the natural log of the capital of the bets on first draws, after each draw.

    It is the largest over rounds so far, each multiplied by its share of the level.

    Args:
        reference: what is known.
        draws: in the order of calls.
    """
    size = len(reference.prompts)
    round_now, seen = -1, set[str]()
    capital = np.ones(len(_SHARES))
    highest, path = 0.0, []
    for draw in draws:
        number = draw.call // size
        if number != round_now:
            round_now, seen, capital = number, set(), np.ones(len(_SHARES))
        if draw.prompt.sha256 not in seen:
            seen.add(draw.prompt.sha256)
            capital = capital * (1 - _SHARES + _SHARES * _payoff(draw))
            weighed = float(capital.mean()) * start_weight(number + 1)
            highest = max(highest, weighed)
        path.append(highest)
    logs: NDArray[np.float64] = np.log(np.maximum(np.array(path), 1e-300))
    return logs


def _payoff(draw: Draw) -> float:
    """Return what a fair bet on "strange" pays: its mean over whose draw is the new one is 1."""
    prompt, strange = draw.prompt, draw.strange
    total = prompt.strange + strange
    if not total:
        return 1.0  # neither the stored draws nor the new one: nothing was to be won
    return (prompt.tested + 1) / total if strange else 0.0
