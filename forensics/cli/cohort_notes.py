"""What is said of a cohort once it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort


def summary(cohort: Cohort) -> str:
    """Return a cohort's size, and whether it is calibrated, in a few words."""
    fitted = "calibrated" if cohort.calibration else "not calibrated"
    return f"{len(cohort.models)} models, {len(cohort.prompts)} prompts, {fitted}"


def say_what_lacks(cohort: Cohort, had_pairs: bool) -> None:
    """Say on stderr what a cohort cannot be used for, and why."""
    from forensics.cli.progress import note
    from forensics.cohorts.fitting import MIN_KIN_CLUSTERS
    from forensics.cohorts.population import MIN_PEERS
    from forensics.cohorts.similarity import MIN_REFERENCE

    copies = cohort.provenance.get("near_copies")
    if copies:
        note(
            "gives other models' answers as its own, so left out of calibration: "
            f"{', '.join(copies)}"
        )
    if len(cohort.models) < MIN_REFERENCE + 2:
        note(
            f"{len(cohort.models)} models are too few to judge any pair against: "
            f"{MIN_REFERENCE} of other families are needed, {MIN_PEERS} for a likelihood ratio"
        )
    if had_pairs and cohort.calibration is None:
        note(
            "not calibrated: likelihood ratios need unrelated pairs and close relatives from at "
            f"least {MIN_KIN_CLUSTERS} lineage clusters"
        )
