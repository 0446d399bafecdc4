"""How a case came about: what was asked of whom, what was chosen, and what a plan fixed."""

from __future__ import annotations

from forensics.case.as_given import AsGiven
from forensics.case.record import ModelText


class CaseSuite(AsGiven):
    """The prompts a case is about; without a hash they are those that both answered."""

    name: ModelText = ""
    version: ModelText = ""
    sha256: str | None = None


class CaseIdentity(AsGiven):
    """Exactly what answered, as far as its backend knew: `commit` and `sha256` are of weights.

    Which other entries there are depends on the kind of subject.
    """

    kind: ModelText = ""
    model: ModelText = ""
    base_url: ModelText = ""
    commit: ModelText = ""
    sha256: ModelText = ""


class CaseManifest(AsGiven):
    """What one session asked, of whom, and how, see `forensics.transcripts.transcript.Manifest`."""

    subject: ModelText = ""
    identity: CaseIdentity = CaseIdentity()
    suite: CaseSuite = CaseSuite()
    provenance: str = ""
    started_at: ModelText = ""
    version: ModelText = ""


class IdentityOf(AsGiven):
    """A model that no transcript tells of, and who it is."""

    spec: ModelText = ""
    identity: CaseIdentity = CaseIdentity()


class LedgerSettings(AsGiven):
    """What was chosen for a run; what was not chosen is left out.

    A comparison has `cut` (whether the subjects were cut to a suite) and what follows it, or the
    cohort whose `search` led to it. A search has how many `candidates` of which `cohort` it ranked,
    and whether this one was `named`. Opening a blind case has the hash of the opened file.
    """

    cut: bool | None = None
    suite: ModelText | None = None
    category: tuple[ModelText, ...] = ()
    limit: int | None = None
    every: bool = False
    samples: int | None = None
    only: tuple[ModelText, ...] = ()
    without: tuple[ModelText, ...] = ()
    blind: bool = False
    tiers: tuple[ModelText, ...] = ()
    controls: tuple[ModelText, ...] = ()
    bases: tuple[ModelText, ...] = ()
    all_embeddings: bool = False
    cohort_name: ModelText | None = None
    known_released: ModelText | None = None
    questioned_released: ModelText | None = None
    identities: tuple[IdentityOf, ...] = ()
    search: ModelText | None = None
    cohort: ModelText | None = None
    candidates: int | None = None
    named: bool | None = None
    blind_case_sha256: str | None = None

    def as_chosen(self) -> LedgerSettings:
        """Return a comparison's settings as the ledger holds them: without what nobody chose."""
        always = ("cut", "suite")
        chosen = {name: value for name, value in self.written().items() if value or name in always}
        return LedgerSettings.model_validate(chosen)


class PlannedName(AsGiven):
    """A subject as a plan names it."""

    spec: ModelText = ""


class PlanSettings(AsGiven):
    """What a plan froze; `forensics.custody.plan.Planned` is all of it, and refuses other forms."""

    known: PlannedName = PlannedName()
    questioned: PlannedName = PlannedName()
    controls: tuple[PlannedName, ...] = ()
