"""The manifest of a bundle: what is in it, and how the case is derived from it again."""

from __future__ import annotations

from typing import Literal

from forensics.case.record import Record
from forensics.case.run_records import LedgerSettings


class BundleSubject(Record):
    """A subject's transcript in the bundle; `lines` and `seal` as `forensics verify` gives them."""

    transcript: str
    sha256: str
    lines: int
    seal: str | None = None


class BundleSuite(Record):
    """The prompts; `cut`: the comparison was cut to them, rather than they being those found."""

    member: str
    sha256: str
    cut: bool


class BundleManifest(Record):
    """What is in a bundle and how the case is derived from it again.

    `bases` are the transcripts of the questioned model's pasts, in the case's order; None of a
    past that has none, such as a cohort's model.
    """

    format: Literal["model-forensics bundle"] = "model-forensics bundle"
    format_version: Literal[1] = 1
    version: str
    members: dict[str, str]
    a: BundleSubject
    b: BundleSubject
    suite: BundleSuite
    comparators: tuple[str, ...]
    settings: LedgerSettings = LedgerSettings()
    versions: dict[str, str] = {}
    bases: tuple[BundleSubject | None, ...] = ()

    @property
    def transcripts(self) -> tuple[str, ...]:
        """The members that are transcripts: of A, of B, and of the pasts that have one."""
        pasts = tuple(past.transcript for past in self.bases if past is not None)
        return (self.a.transcript, self.b.transcript, *pasts)
