"""One file, one kind of evidence."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from forensics.comparators.base import Comparator, Reference
from forensics.errors import UsageError
from forensics.support.plugins import load_plugin, load_plugins, plugin_names

__all__ = ["BUILT_IN", "Comparator", "Reference", "load_comparators"]

# Name → module:class, in the order of the report; imported only when used.
BUILT_IN = {
    "phrasing": "forensics.comparators.phrasing:Phrasing",
    "openings": "forensics.comparators.openings:Openings",
    "lexicon": "forensics.comparators.lexicon:Lexicon",
    "choices": "forensics.comparators.choices:Choices",
    "style": "forensics.comparators.style:Style",
    "formatting": "forensics.comparators.formatting:Formatting",
    "reasoning": "forensics.comparators.reasoning:Reasoning",
    "refusal": "forensics.comparators.refusal:Refusal",
    "embedding": "forensics.comparators.embedding:Embedding",
    "sampling": "forensics.comparators.sampling:Sampling",
    "identity": "forensics.comparators.identity:Identity",
    "next_tokens": "forensics.comparators.next_tokens:NextTokens",
    "first_tokens": "forensics.comparators.first_tokens:FirstTokenAgreement",
    "likelihoods": "forensics.comparators.likelihoods:Likelihoods",
    "mutual_fit": "forensics.comparators.mutual_fit:MutualFit",
    "student_fit": "forensics.comparators.student_fit:StudentFit",
    "tokenizer": "forensics.comparators.tokenizer:Tokenizer",
    "token_counts": "forensics.comparators.token_counts:TokenCountVectors",
    "weights_tensors": "forensics.comparators.weights_tensors:WeightsTensors",
    "weights_units": "forensics.comparators.weights_units:WeightsUnits",
    "weights_matching": "forensics.comparators.weights_matching:WeightsMatching",
    "weights_attention": "forensics.comparators.weights_attention:WeightsAttention",
}


def load_comparators(
    only: Sequence[str] = (), without: Sequence[str] = ()
) -> list[Comparator[Any]]:
    """Return the comparators to run, in the order of the report, plugins last.

    Raises:
        UsageError: a name there is no comparator for, a plugin asked for by name that does not
            load, or nothing left.
    """
    plugins = plugin_names("comparators")
    known = (*BUILT_IN, *(name for name in plugins if name not in BUILT_IN))
    unknown = [name for name in (*only, *without) if name not in known]
    if unknown:
        raise UsageError(f"no comparator {unknown[0]!r}; there are: {', '.join(known)}")
    names = [name for name in known if (not only or name in only) and name not in without]
    loaded = {name: _built_in(BUILT_IN[name]) for name in names if name in BUILT_IN}
    if only:
        asked = [name for name in names if name not in BUILT_IN]
        loaded |= {name: load_plugin("comparators", name)() for name in asked}
    elif plugins:
        found = load_plugins("comparators", tuple(BUILT_IN))
        loaded |= {name: make() for name, make in found.items() if name in names}
    if not loaded:
        raise UsageError("no comparator is left to run; drop --without or --only")
    return list(loaded.values())


def _built_in(target: str) -> Comparator[Any]:
    module, _, attribute = target.partition(":")
    comparator: Comparator[Any] = getattr(importlib.import_module(module), attribute)()
    return comparator
