"""Comparability: what differs between two runs besides the model."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from forensics.examination.examined import Examined
from forensics.support.numbers import percent

_SETTINGS = ("temperature", "max_tokens", "system_prompt", "seed")
_IDENTITY = ("template", "dtype", "api")


def comparability_notes(a: Examined, b: Examined) -> tuple[str, ...]:
    """Return one sentence for each thing that could make answers alike or different by itself."""
    if not (a.transcript.responses or b.transcript.responses):
        return ()
    notes = _same_source(a, b)
    notes += _differences(_settings(a), _settings(b), _SETTINGS, "generation setting")
    notes += _differences(_identity(a), _identity(b), _IDENTITY, "set-up")
    notes += _provenance(a, b) + _lengths(a, b) + _cut_off(a, b)
    for letter, side in (("A", a), ("B", b)):
        notes += _model_names(letter, side)
    return tuple(notes)


def _same_source(a: Examined, b: Examined) -> list[str]:
    first, second = a.transcript, b.transcript
    if first.sha256 and first.sha256 == second.sha256:
        return ["A and B are the same transcript: this compares a subject with itself."]
    identities = [_identity(side) for side in (a, b)]
    if identities[0] and identities[0] == identities[1]:
        return ["By their manifests, A and B were answered by the same model with the same set-up."]
    return []


def _settings(side: Examined) -> Mapping[str, Any]:
    manifests = side.transcript.manifests
    return manifests[-1].settings if manifests else {}


def _identity(side: Examined) -> Mapping[str, Any]:
    manifests = side.transcript.manifests
    return manifests[-1].identity if manifests else {}


def _differences(
    a: Mapping[str, Any], b: Mapping[str, Any], keys: tuple[str, ...], what: str
) -> list[str]:
    return [
        f"Different {what} {key}: {a[key]!r} (A), {b[key]!r} (B)."
        for key in keys
        if key in a and key in b and a[key] != b[key]
    ]


def _provenance(a: Examined, b: Examined) -> list[str]:
    unverified = [
        letter
        for letter, side in (("A", a), ("B", b))
        if not side.transcript.manifests
        or any(m.provenance == "imported" for m in side.transcript.manifests)
    ]
    if not unverified:
        return []
    who = " and ".join(unverified)
    return [f"Provenance unverified: the answers of {who} were imported, not collected here."]


def _lengths(a: Examined, b: Examined) -> list[str]:
    if not a.answers or not b.answers:
        return []
    first, second = (median(len(x.text) for x in side.answers) for side in (a, b))
    if max(first, second) < 2 * min(first, second):
        return []
    return [f"Answer lengths differ: median {first:.0f} characters (A), {second:.0f} (B)."]


def _cut_off(a: Examined, b: Examined) -> list[str]:
    shares = [
        sum(not x.complete for x in side.answers) / max(len(side.answers), 1) for side in (a, b)
    ]
    if max(shares) < 0.2:
        return []
    return [
        f"Cut off by the token limit: {percent(shares[0])} of A's answers, "
        f"{percent(shares[1])} of B's."
    ]


def _model_names(letter: str, side: Examined) -> list[str]:
    """Flag an endpoint that named several models, or dropped settings, during one run."""
    from forensics.subjects.backends.chat_protocol import dropped_parameters, echoed_models

    notes = []
    names = echoed_models(side.transcript)
    if len(names) > 1:
        notes.append(f"The model name that {letter} echoed changed mid-run: {', '.join(names)}.")
    dropped = dropped_parameters(side.transcript)
    if dropped:
        notes.append(f"The endpoint of {letter} refused these settings: {', '.join(dropped)}.")
    return notes
