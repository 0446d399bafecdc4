"""Placing a subject in a cohort: by its answers, collected if they are missing, or as a member."""

from __future__ import annotations

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.placed import Placed, place_examined, place_member
from forensics.examination.examined import Examined
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import restrict
from forensics.workflows.callbacks import Progress
from forensics.workflows.obtaining import obtain
from forensics.workflows.resolving import ResolvedSubject, SuiteChoice
from forensics.workflows.settings import Asking


def place(
    subject: ResolvedSubject,
    cohort: Cohort,
    released: str,
    choice: SuiteChoice,
    asking: Asking,
    progress: Progress,
) -> tuple[Placed, Transcript | None]:
    """Place a subject among a cohort's models.

    Args:
        subject: a model of the cohort, a transcript, or a model that can be asked its suite.
        cohort: whose prompts count.
        released: `YYYY-MM`, where the user knows it.
        choice: the prompts it is asked, or cut to; of the cohort's suite by default.
        asking: how.
        progress: is told of answers as they arrive.

    Returns:
        Where it stands, and its transcript; None of a cohort's model.

    Raises:
        UsageError: the cohort has no such model, or no suite of its name that could be asked.
        InputFileError: the transcript cannot be read, or its hash chain is broken.
    """
    if subject.subject.kind == "cohort":
        return place_member(subject.model_in(cohort), cohort), None
    if subject.subject.kind == "transcript" and not choice.prompts.chosen:
        # A cohort of the user's own need not have a suite of its name.
        examined = Examined(subject.subject, subject.recorded)
    else:
        asked = choice.of_cohort(cohort)
        answers = obtain(subject, asked, asking, progress)
        examined = restrict(Examined(subject.subject, answers), asked)
    return place_examined(examined, cohort, released), examined.transcript
