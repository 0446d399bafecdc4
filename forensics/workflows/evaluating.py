"""Error rates on labelled outputs, from files; and a cohort fitted on them, where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.cohorts.finding import calibrating_cohort, matching_cohort
from forensics.cohorts.lineage.hypotheses import LabelledPair, read_pairs
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.cohorts.pack_files import write_cohort
from forensics.cohorts.placed import shares_answers
from forensics.cohorts.transferred import shipped
from forensics.errors import UsageError
from forensics.evaluation import evaluate as measuring
from forensics.evaluation.cohort_build import build
from forensics.evaluation.evaluation import Evaluation
from forensics.evaluation.step_rates import KnownStep, read_steps, step_rates
from forensics.evaluation.transferred_rates import transferred_rates
from forensics.support.block_mapping import Mapper, in_a_loop
from forensics.workflows.callbacks import Progress
from forensics.workflows.settings import EvaluateSettings


def evaluated(
    outputs: Sequence[Path],
    settings: EvaluateSettings,
    progress: Progress,
    mapper: Mapper = in_a_loop,
) -> Evaluation:
    """Measure how often similarity misleads, on outputs with known lineage.

    Args:
        outputs: tables (parquet, CSV, JSONL with model, prompt_id, prompt, output) or transcripts.
        settings: who is related to whom, what is drawn, and where a fitted cohort goes.
        progress: is told what is done.
        mapper: has blocks of the work done.

    Raises:
        InputFileError: a file cannot be read, or the models share no prompt.
    """
    if settings.pairs is None and (settings.steps is None or settings.fit or settings.transferred):
        raise UsageError(
            "needs --pairs, a table of labelled pairs, or --steps, one of models' pasts"
        )
    with progress.step("reading") as retitle:
        facts = read_models(settings.models)
        steps = read_steps(settings.steps, facts) if settings.steps is not None else []
        pairs = settings.pairs
        labelled = read_pairs(pairs, facts, independent="best") if pairs is not None else []
        read = read_outputs(outputs, facts)
        if settings.pairs is None:
            retitle("judging changes against pasts")
            return Evaluation({"shift": _of_steps(read, steps, settings)})
        retitle("comparing every pair")
        cohort = calibrating_cohort([prompt.sha256 for prompt in read.prompts])
        shared = cohort is not None and shares_answers(read, cohort)
        figures = measuring.evaluate(
            read,
            labelled,
            settings.prompts,
            settings.cohort_size,
            settings.seed,
            cohort.calibration if cohort is not None and not shared else None,
            [fact.weights_id for fact in cohort.facts.values()] if cohort is not None else (),
            mapper,
        )
        if settings.transferred:
            retitle("judging pairs by lines fitted on other prompts")
            figures["transferred"] = _transferred(read, labelled, settings)
        if settings.steps is not None:
            retitle("judging changes against pasts")
            figures["shift"] = figures["shift"] | _of_steps(read, steps, settings)
        if settings.fit is not None:
            retitle("fitting a cohort")
            _fit(read, labelled, settings.fit, settings, mapper)
            progress.note(f"cohort written: {settings.fit}")
    return Evaluation(figures)


def _transferred(
    outputs: Outputs, labelled: Sequence[LabelledPair], settings: EvaluateSettings
) -> dict[str, Any]:
    known = shipped()
    if known is None:
        raise UsageError("no transferred calibration is shipped; evaluate without it")
    answered = matching_cohort([prompt.sha256 for prompt in outputs.prompts])
    used = measuring.drawn(outputs, settings.prompts, settings.seed)
    return transferred_rates(used, labelled, known, answered.name if answered else "")


def _of_steps(
    outputs: Outputs, steps: Sequence[KnownStep], settings: EvaluateSettings
) -> dict[str, Any]:
    return step_rates(measuring.drawn(outputs, settings.prompts, settings.seed), steps)


def _fit(
    outputs: Outputs,
    labelled: Sequence[LabelledPair],
    path: Path,
    settings: EvaluateSettings,
    mapper: Mapper,
) -> None:
    wanted = settings.prompts or len(outputs.prompts)
    write_cohort(path, build(outputs, labelled, path.stem, wanted, settings.seed, {}, mapper))
