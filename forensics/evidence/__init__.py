"""One file, one kind of evidence."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forensics.errors import UsageError
from forensics.evidence.comparator import Comparator
from forensics.support.moved import moved
from forensics.support.plugins import load_plugin, load_plugins, plugin_names

__all__ = ["BUILT_IN", "Comparator", "load_comparators"]

# Name → module:class, in the order of the report; imported only when used.
BUILT_IN = {
    "phrasing": "forensics.evidence.text.phrasing:Phrasing",
    "openings": "forensics.evidence.text.openings:Openings",
    "lexicon": "forensics.evidence.text.lexicon:Lexicon",
    "choices": "forensics.evidence.text.choices:Choices",
    "style": "forensics.evidence.text.style:Style",
    "formatting": "forensics.evidence.text.formatting:Formatting",
    "reasoning": "forensics.evidence.text.reasoning:Reasoning",
    "refusal": "forensics.evidence.text.refusal:Refusal",
    "embedding": "forensics.evidence.text.embedding:Embedding",
    "sampling": "forensics.evidence.text.sampling:Sampling",
    "shared_manner": "forensics.evidence.text.shared_manner.manner_evidence:SharedManner",
    "identity": "forensics.evidence.text.identity:Identity",
    "next_tokens": "forensics.evidence.probabilities.next_tokens:NextTokens",
    "first_tokens": "forensics.evidence.probabilities.first_tokens:FirstTokenAgreement",
    "likelihoods": "forensics.evidence.probabilities.likelihoods:Likelihoods",
    "mutual_fit": "forensics.evidence.probabilities.mutual_fit:MutualFit",
    "student_fit": "forensics.evidence.probabilities.student_fit:StudentFit",
    "tokenizer": "forensics.evidence.tokenizer.vocabulary:Tokenizer",
    "token_counts": "forensics.evidence.tokenizer.token_counts:TokenCountVectors",
    "weights_tensors": "forensics.evidence.weights.tensors:WeightsTensors",
    "weights_units": "forensics.evidence.weights.units:WeightsUnits",
    "weights_matching": "forensics.evidence.weights.matching:WeightsMatching",
    "weights_attention": "forensics.evidence.weights.attention:WeightsAttention",
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
        raise UsageError(f"no comparator {unknown[0]!r}; choose from: {', '.join(known)}")
    names = [name for name in known if (not only or name in only) and name not in without]
    loaded = {name: _built_in(BUILT_IN[name]) for name in names if name in BUILT_IN}
    if only:
        asked = [name for name in names if name not in BUILT_IN]
        loaded |= {name: load_plugin("comparators", name)() for name in asked}
    elif plugins:
        registered = load_plugins("comparators", tuple(BUILT_IN))
        loaded |= {name: make() for name, make in registered.items() if name in names}
    if not loaded:
        raise UsageError("no comparator is left to run; drop --without or --only")
    return list(loaded.values())


def _built_in(target: str) -> Comparator[Any]:
    module, _, attribute = target.partition(":")
    comparator: Comparator[Any] = getattr(importlib.import_module(module), attribute)()
    return comparator


if (
    not TYPE_CHECKING
):  # names that stood here, for one release; new code must not miss a typo by them
    __getattr__ = moved(__name__, "forensics.case.evidence")
