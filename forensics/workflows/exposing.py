"""`exposure test`: a log and a model → whether its training depended on what was served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import UsageError
from forensics.evidence.exposure import growing, refusing, wording
from forensics.evidence.exposure.arrangements import Unit
from forensics.evidence.exposure.balance import SideCheck, compared
from forensics.evidence.exposure.detectable import FullEffect, detectable_share
from forensics.evidence.exposure.effects import full_effect
from forensics.evidence.exposure.eligible import Eligible, eligible, is_later, with_refusals
from forensics.evidence.exposure.exposure_record import (
    ExposureRefusal,
    ExposureResult,
    Finding,
    PairsCounted,
    RefusalName,
    SidesCompared,
)
from forensics.evidence.exposure.exposure_test import FEWEST, ExposureMeasures, Scores, measured
from forensics.evidence.exposure.log import LoggedPrompt, LogHeader, ServedLog
from forensics.evidence.exposure.log_files import read_log
from forensics.evidence.exposure.nearness import in_common
from forensics.evidence.exposure.result_files import read_earlier_look
from forensics.support.cache import file_sha256
from forensics.support.version import VERSION
from forensics.workflows.asks import Ask, announce
from forensics.workflows.callbacks import Progress
from forensics.workflows.exposure_values import Reader, reader
from forensics.workflows.resolving import Named, ResolvedSubject, resolve
from forensics.workflows.settings import ExposureSettings


@dataclass(frozen=True)
class _Log:
    """A log as it is tested: what counts of it, and what speaks against it."""

    log: ServedLog
    chosen: Eligible
    sides: tuple[SideCheck, ...]
    refused: tuple[RefusalName, ...]
    declared: int | None
    in_common: float
    earlier: ExposureResult | None = None

    @property
    def grows(self) -> bool:
        """Whether it says in which batch its prompts arrived."""
        return growing.grows(self.log.prompts)

    @property
    def at_declared(self) -> bool:
        """Whether the test at a fixed number of prompts holds."""
        complete = self.declared is not None and self.log.logged >= self.declared
        return complete and not self.log.header.withheld_on_served_prefix

    @property
    def usable(self) -> bool:
        """Whether a model is asked anything about it."""
        return not self.refused and len(self.chosen.prompts) >= FEWEST


@dataclass(frozen=True)
class _Models:
    subject: ResolvedSubject
    base: ResolvedSubject | None
    controls: tuple[ResolvedSubject, ...]

    @property
    def every(self) -> tuple[ResolvedSubject, ...]:
        return (self.subject, *([self.base] if self.base else []), *self.controls)


def exposure(
    log: Path, subject: Named, settings: ExposureSettings, progress: Progress
) -> ExposureResult:
    """Test whether a model's training depended on which answers of a log were served.

    A log that cannot be used is refused by name before any model is asked.

    Args:
        log: see `evidence.exposure.log_files`.
        subject: a model at hand, an endpoint, or a transcript of its answers to the log's prompts.
        settings: base, controls, and how they are asked.
        progress: is measures what goes on.

    Raises:
        UsageError: a name means nothing, or more would be asked than may be.
        InputFileError: a file cannot be read.
        BackendError: a model cannot be asked or loaded.
    """
    models = _models(subject, settings, progress)
    how = reader(models.subject.subject, settings, progress)
    prepared = _after_earlier_look(_prepare(log, settings, progress), models, how, settings)
    second = (
        _prepare(settings.negative_control, settings, progress)
        if settings.negative_control
        else None
    )
    if not prepared.usable:
        return _without_test(prepared, models, how, settings)
    announce(_asks(models, how, prepared, second), settings.spending, progress)
    scores = _scores(models, how, prepared.chosen.prompts)
    if len(scores.subject) < FEWEST:
        return _without_test(prepared, models, how, settings, len(scores.subject))
    by_sign = how.route == "answers"
    measures = measured(scores, prepared.at_declared, settings.level, by_sign, settings.seed)
    other = _negative(models, how, second, settings)
    return _result(prepared, models, how, settings, scores, measures, other)


def would_ask(
    log: Path, subject: Named, settings: ExposureSettings, progress: Progress
) -> list[Ask]:
    """Return what `exposure` would ask; nothing is asked.

    Raises:
        UsageError, InputFileError, BackendError: see `exposure`.
    """
    models = _models(subject, settings, progress)
    how = reader(models.subject.subject, settings, progress)
    prepared = _prepare(log, settings, progress)
    return _asks(models, how, prepared, None) if prepared.usable else []


def _models(subject: Named, settings: ExposureSettings, progress: Progress) -> _Models:
    def resolved(name: Named) -> ResolvedSubject:
        asked = resolve(name, settings.endpoints, settings.asking.allow_broken, progress)
        if asked.subject.kind == "cohort":
            raise UsageError(f"{asked.subject.spec} cannot be asked; name a model or transcript")
        return asked

    return _Models(
        resolved(subject),
        resolved(settings.base) if settings.base else None,
        tuple(resolved(control) for control in settings.controls),
    )


def _prepare(path: Path, settings: ExposureSettings, progress: Progress) -> _Log:
    given = LogHeader(design=settings.design) if settings.design else None
    with progress.step(f"reading {path.name}"):
        log = read_log(path, settings.most, given)
        declared = settings.declared or log.header.declared_prompts
        if declared is not None and declared <= len(log.prompts):
            log = replace(log, prompts=log.prompts[:declared])
        elif declared is not None and declared <= log.logged:
            raise UsageError(f"--most {settings.most} is below the {declared} declared prompts")
        refusals = with_refusals(log.prompts)
        later = log.header.withheld_on_served_prefix
        chosen = eligible(log.prompts, refusals, later)
        sides = compared(log.prompts, chosen.prompts, refusals, log.header.design, settings.seed)
    refused = (
        *refusing.of_header(log.header),
        *refusing.of_prompts(log, chosen),
        *refusing.of_sides(sides),
    )
    return _Log(log, chosen, sides, refused, declared, _in_common(chosen.prompts))


def _after_earlier_look(
    log: _Log, models: _Models, how: Reader, settings: ExposureSettings
) -> _Log:
    """Return a log with what speaks against it after an earlier look, if there was one.

    Raises:
        InputFileError: the earlier look's result cannot be read.
    """
    if settings.previous is None:
        return log
    earlier = read_earlier_look(settings.previous)
    asked = _document(log, models, how, settings, 0, "insufficient", "", ())
    refused = (
        *log.refused,
        *growing.of_log(earlier, log.log.prompts),
        *growing.of_question(earlier, asked),
    )
    return replace(log, refused=refused, earlier=earlier)


def _in_common(prompts: Sequence[LoggedPrompt]) -> float:
    shares = [in_common([a.text for a in p.answers], len(p.served)) for p in prompts]
    return sum(shares) / len(shares) if shares else 0.0


def _asks(models: _Models, how: Reader, first: _Log, second: _Log | None) -> list[Ask]:
    prompts = [*first.chosen.prompts, *(second.chosen.prompts if second else ())]
    return [ask for model in models.every for ask in how.asks(model, prompts)]


def _scores(models: _Models, how: Reader, prompts: Sequence[LoggedPrompt]) -> Scores:
    tables = [how.values(model, prompts) for model in models.every]
    whole = [
        i
        for i in range(len(prompts))
        if all(value is not None for table in tables for value in table[i])
    ]

    def units(table: Sequence[Sequence[float | None]]) -> tuple[Unit, ...]:
        return tuple(
            Unit(
                prompts[i].key,
                tuple(value for value in table[i] if value is not None),
                len(prompts[i].served),
            )
            for i in whole
        )

    subject, *others = (units(table) for table in tables)
    base = others.pop(0) if models.base else ()
    return Scores(
        subject,
        base,
        tuple(others),
        tuple(prompts[i].account for i in whole),
        is_later([prompts[i] for i in whole]),
    )


def _negative(
    models: _Models, how: Reader, log: _Log | None, settings: ExposureSettings
) -> float | None:
    if log is None:
        return None
    if log.refused:
        names = ", ".join(log.refused)
        raise UsageError(f"--negative-control: this log cannot be used ({names})")
    scores = _scores(models, how, log.chosen.prompts)
    if len(scores.subject) < FEWEST:
        raise UsageError(f"--negative-control: fewer than {FEWEST} prompts of this log count")
    measures = measured(scores, True, settings.level, how.route == "answers", settings.seed)
    return measures.fixed.p_value if measures.fixed else 1.0


def _without_test(
    log: _Log,
    models: _Models,
    how: Reader,
    settings: ExposureSettings,
    read: int | None = None,
) -> ExposureResult:
    used = len(log.chosen.prompts) if read is None else read
    finding: Finding = "refused" if log.refused else "insufficient"
    sentence = (
        wording.REFUSED if log.refused else wording.INSUFFICIENT.format(used=used, least=FEWEST)
    )
    return _document(log, models, how, settings, used, finding, sentence, log.refused)


def _result(
    log: _Log,
    models: _Models,
    how: Reader,
    settings: ExposureSettings,
    scores: Scores,
    measures: ExposureMeasures,
    negative: float | None,
) -> ExposureResult:
    refused: list[RefusalName] = []
    if measures.controls_p_value is not None and measures.controls_p_value <= refusing.GUARD_LEVEL:
        refused.append("controls")
    if negative is not None and negative <= refusing.GUARD_LEVEL:
        refused.append("negative_control")
    if log.earlier is not None:
        refused += growing.of_capital(log.earlier, measures.process)
    # The mean over accounts changes when one arrives, so it is no betting process of many looks.
    by_account = bool(any(scores.accounts)) and not log.grows
    primary, p_value = measures.primary(by_account)
    name = models.subject.subject.name
    finding: Finding = "not_shown"
    sentence = wording.NOT_SHOWN.format(name=name)
    if refused:
        sentence, finding = wording.REFUSED, "refused"
    elif p_value <= settings.level:
        if refusing.above_controls(measures.difference, measures.controls):
            sentence, finding = wording.DEPENDED.format(name=name), "depended"
        elif measures.controls is not None:
            low, high = measures.difference.low, measures.controls.high
            sentence = wording.ABOVE.format(name=name, p=p_value, low=low, high=high)
    used = len(scores.subject)
    base = _document(log, models, how, settings, used, finding, sentence, refused)
    effect = _effect(how, log, measures)
    share = detectable_share(used - measures.ties, effect, settings.level)
    return base.model_copy(
        update={
            "primary": primary,
            "p_value": p_value,
            "fixed": measures.fixed,
            "watched": measures.watched,
            "difference": measures.difference,
            "controls_pooled": measures.controls,
            "controls_p_value": measures.controls_p_value,
            "negative_control_p_value": negative,
            "detectable_share": share,
            "power": wording.power_words(used - measures.ties, share, effect),
            "pairs": base.pairs.model_copy(update={"ties": measures.ties}),
        }
    )


def _effect(how: Reader, log: _Log, measures: ExposureMeasures) -> FullEffect:
    effect = full_effect(how.how, log.in_common)
    spread = measures.difference.deviation
    return replace(effect, spread=spread) if how.how is None and spread > 0 else effect


def _document(
    log: _Log,
    models: _Models,
    how: Reader,
    settings: ExposureSettings,
    used: int,
    finding: Finding,
    sentence: str,
    refused: Sequence[RefusalName],
) -> ExposureResult:
    names = tuple(dict.fromkeys(refused))
    effect = full_effect(how.how, log.in_common)
    share = detectable_share(used, effect, settings.level)
    return ExposureResult(
        tool_version=VERSION,
        subject=models.subject.subject.spec,
        base=models.base.subject.spec if models.base else None,
        controls=tuple(control.subject.spec for control in models.controls),
        log_sha256=log.log.sha256,
        prompts_sha256=growing.prompts_sha256(log.log.prompts),
        batches=len({prompt.batch for prompt in log.log.prompts}) if log.grows else 0,
        look=log.earlier.look + 1 if log.earlier else 1,
        earlier_sha256=file_sha256(settings.previous) if settings.previous else None,
        design=log.log.header.design,
        route=how.route,
        statistic=how.how or "log-probability a token",
        level=settings.level,
        finding=finding,
        sentence=sentence,
        refusals=tuple(ExposureRefusal(name=n, why=wording.WHY[n]) for n in names),
        primary="none",
        p_value=None,
        fixed=None,
        watched=None,
        difference=None,
        controls_pooled=None,
        controls_p_value=None,
        negative_control_p_value=None,
        compared=tuple(SidesCompared(**vars(side)) for side in log.sides),
        pairs=PairsCounted(
            logged=log.log.logged,
            read=len(log.log.prompts),
            used=used,
            left_out=dict(log.chosen.left_out),
            declared=log.declared,
            unscored=len(log.chosen.prompts) - used,
        ),
        in_common=log.in_common,
        assumed=effect.source,
        detectable_share=share,
        power=wording.power_words(used, share, effect),
        caveats=tuple(_caveats(log, settings)),
    )


def _caveats(log: _Log, settings: ExposureSettings) -> list[str]:
    header = log.log.header
    later = header.design == "sampled_again_later"
    holds = {
        wording.SERVED_PREFIX: header.withheld_on_served_prefix,
        wording.NO_DECLARED: not log.at_declared
        and not header.withheld_on_served_prefix
        and not log.grows,
        wording.growth(log.earlier.look if log.earlier else None): log.grows,
        wording.NOT_BY_ACCOUNT: log.grows and any(p.account for p in log.log.prompts),
        wording.NO_CONTROL: not settings.controls,
        wording.NO_BASE: not settings.base and not settings.controls,
        wording.NO_NEGATIVE_CONTROL: later and settings.negative_control is None,
        wording.FILTERS_UNSTATED: not header.served_filters and not header.withheld_filters,
    }
    return [text for text, true in holds.items() if true]
