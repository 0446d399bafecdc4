"""Which fields of a case are data, which are wording, and which no transcript tells.

Deriving a case again must give the same data. The same data may be put into other words by another
version of this program, and that is no fault of the case. Every field of every record of a case is
in exactly one of the three lists; a test holds them against the records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.case import document, evidence, questions
from forensics.case.record import ErrorAtScore, Record, plain


@dataclass(frozen=True)
class Fields:
    """The fields of a record, by what deriving the case again can say of them.

    `data` is derived and has to be equal; `wording` is derived and may differ between versions;
    `recorded` no transcript tells.
    """

    data: frozenset[str] = frozenset()
    wording: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()


def _fields(data: str = "", wording: str = "", recorded: str = "") -> Fields:
    return Fields(*(frozenset(names.split()) for names in (data, wording, recorded)))


FIELDS: Mapping[type[Record], Fields] = {
    document.Case: _fields(
        data="suite a b overlap prompts evidence copy_tripwire verdict plan relatives",
        wording="comparability",
        recorded="schema_version created_at version command ledger blind masked",
    ),
    document.CaseSubject: _fields(
        data="provenance answers empty errors filtered truncated samples manifests",
        wording="warnings",
        # The transcript's hash is checked apart, against the file itself.
        recorded="spec name kind transcript_path transcript_sha256",
    ),
    document.CaseResponse: _fields(data="sample text status reasoning"),
    document.CasePrompt: _fields(data="prompt_sha256 prompt_id prompt category language a b"),
    document.Overlap: _fields(data="a b both"),
    document.Finding: _fields(data="comparator", wording="text"),
    document.CopyTripwire: _fields(data="identical compared limit min_chars tripped"),
    ErrorAtScore: _fields(data="pairs pairs_in_error clusters clusters_in_error"),
    document.Verdict: _fields(
        data="status calibration findings_for findings_against findings_apart log10_lr "
        "error_at_score answers",
        wording="headline reading reasons limits readings",
    ),
    document.Claim: _fields(data="text source date kind testable needs"),
    document.CaseNote: _fields(data="at text"),
    document.CasePlan: _fields(
        data="path sha256 frozen_at title propositions claims settings notes answers",
        wording="deviations",
    ),
    questions.KnownCases: _fields(data="kind seen of"),
    # What would settle a question hangs on what this version can do, and on how it is called.
    questions.NextStep: _fields(wording="material commands cost"),
    questions.QuestionAnswer: _fields(
        data="question answer strength log10_lr log10_lr_rival interval bounds error_rate "
        "detection hypotheses not_weighed evidence",
        wording="reasons brief next_step",
    ),
    questions.ClaimAnswer: _fields(data="claim question answer", wording="reason next_step"),
    document.Relative: _fields(data="name developer score"),
    document.Relatives: _fields(data="cohort a b newick"),
    document.LedgerEntry: _fields(recorded="at what settings"),
    evidence.Interval: _fields(data="low high level", wording="method"),
    evidence.NoiseFloor: _fields(data="a b method"),
    evidence.PromptScore: _fields(data="prompt_sha256 prompt_id score"),
    evidence.Rarity: _fields(data="cohort models of least_clusters"),
    evidence.Exhibit: _fields(
        data="prompt_sha256 prompt_id side score sample_a sample_b spans_a spans_b rarity",
        wording="note",
    ),
    evidence.ExplainedShare: _fields(data="share interval correlations n"),
    evidence.ReferenceScores: _fields(data="cohort n_prompts edges unrelated related clusters"),
    evidence.Neighbourhood: _fields(data="source prompts above reaching pairs"),
    evidence.Evidence: _fields(
        data="comparator tier status weight score interval noise_floor matched baseline n log10_lr "
        "p_value direction explained_by_length_and_formatting reference neighbourhood per_prompt "
        "exhibits details",
        wording="title reason scale caveats",
    ),
}
# Lists of sentences whose number is data: leaving out what was done otherwise than planned would
# hide a fact, not reword it.
COUNTED = frozenset({"deviations"})
# The sentences among the details of evidence, whose records name their own entries.
DETAIL_WORDING = frozenset("text reading direction_reason left_out problems test".split())


@dataclass(frozen=True)
class Unrecorded:
    """Stands for a field that a document does not have; `default` is how it is read."""

    default: Any


@dataclass(frozen=True)
class DataAndWording:
    """A value's data and its wording, as JSON values of the same shape."""

    data: Any
    wording: Any


def parts(value: Any) -> DataAndWording:
    """Separate the data of a record from its wording; what is only recorded is left out.

    Fields that the document it was read from does not have are `Unrecorded`.
    """
    if isinstance(value, Record):
        return _record(value)
    if isinstance(value, list | tuple) and any(isinstance(item, Record) for item in value):
        parts_by_key = dict(zip(_keys(value), map(parts, value), strict=True))
        return DataAndWording(_data(parts_by_key), _wording(parts_by_key))
    return DataAndWording(plain(value), {})


def _record(record: Record) -> DataAndWording:
    fields = FIELDS[type(record)]
    parts_by_field: dict[str, DataAndWording] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if name in fields.recorded:
            continue
        if name in fields.wording:
            parts_by_field[name] = DataAndWording(
                len(value) if name in COUNTED else None, plain(value)
            )
        elif name == "details":
            parts_by_field[name] = _details(value.written())
        else:
            parts_by_field[name] = parts(value)
            if name not in record.model_fields_set:
                parts_by_field[name] = DataAndWording(
                    Unrecorded(parts_by_field[name].data), parts_by_field[name].wording
                )
    data = {n: p for n, p in parts_by_field.items() if n not in fields.wording or n in COUNTED}
    return DataAndWording(_data(data), _wording(parts_by_field))


def _details(value: Any) -> DataAndWording:
    """Separate a free-form value: entries of certain names are wording, wherever they stand."""
    if isinstance(value, Mapping):
        parts_by_key = {
            str(key): DataAndWording(None, plain(item)) if key in DETAIL_WORDING else _details(item)
            for key, item in value.items()
        }
        data = {key: part for key, part in parts_by_key.items() if key not in DETAIL_WORDING}
        return DataAndWording(_data(data), _wording(parts_by_key))
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        items = {str(number): _details(item) for number, item in enumerate(value, 1)}
        return DataAndWording([part.data for part in items.values()], _wording(items))
    return DataAndWording(plain(value), {})


def _data(parts_by_key: Mapping[str, DataAndWording]) -> dict[str, Any]:
    return {key: part.data for key, part in parts_by_key.items()}


def _wording(parts_by_key: Mapping[str, DataAndWording]) -> dict[str, Any]:
    return {key: part.wording for key, part in parts_by_key.items() if part.wording != {}}


def _keys(records: Sequence[Record]) -> list[str]:
    """Return what each record is about, or its number; of two with one name the second says so."""
    keys: dict[str, None] = {}
    for number, record in enumerate(records, 1):
        if isinstance(record, evidence.Evidence):
            key = record.comparator
        elif isinstance(record, document.CasePrompt):
            key = f"{record.prompt_id} {record.prompt_sha256[:8]}"
        else:
            key = str(number)
        keys[key if key not in keys else f"{key} (entry {number})"] = None
    return list(keys)
