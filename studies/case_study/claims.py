"""Public claims about lineage, and what the program answers to each of two models."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forensics.case.document import Case, Claim
from forensics.case.questions import ClaimAnswer
from forensics.custody.claim_answers import claim_answers
from forensics.custody.claims import KINDS

TABLE = Path(__file__).parent / "claims.csv"
# Kinds of the table → kinds that the program knows; whose accounts were used no answer can tell.
_KINDS: Mapping[str, str] = {
    "learned_from": "distilled",
    "close_descent": "fine-tuned",
    "same_model": "same-model",
    "account_activity": "other",
}


@dataclass(frozen=True)
class PublicClaim:
    """Who said what of two models, in this project's words, and what was offered for it."""

    id: str
    date: str
    claimed_by: str
    reported_by: str
    questioned: str
    known: str
    kind: str
    text: str
    offered: str
    source: str

    @property
    def by(self) -> str:
        """Who said it, and where it can be read."""
        if self.reported_by == self.claimed_by:
            return self.claimed_by
        return f"{self.claimed_by}, according to {self.reported_by}"


def read_claims(path: Path = TABLE) -> dict[str, PublicClaim]:
    """Read the table of claims: id → claim."""
    with path.open(encoding="utf-8", newline="") as file:
        claims = [
            PublicClaim(
                id=row["id"],
                date=row["claim_date"],
                claimed_by=row["claimed_by"],
                reported_by=row["reported_by"],
                questioned=row["questioned"],
                known=row["known"],
                kind=row["kind"],
                text=row["claim_in_our_words"],
                offered=row["evidence_offered"],
                source=row["source_note"],
            )
            for row in csv.DictReader(file)
        ]
    return {claim.id: claim for claim in claims}


def answered(claim: PublicClaim, case: Case) -> ClaimAnswer:
    """Return what the program says of a claim, from the material of a case."""
    kind = _KINDS[claim.kind]
    known = KINDS[kind]
    frozen = Claim(
        text=claim.text,
        source=claim.by,
        date=claim.date,
        kind=kind,
        testable=known.testable,
        needs=known.needs,
    )
    (answer,) = claim_answers([frozen], case.verdict.answers, case.evidence)
    return answer
