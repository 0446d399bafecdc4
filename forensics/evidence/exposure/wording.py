"""The sentences of an exposure test. What they say is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.evidence.exposure.detectable import FullEffect
from forensics.evidence.exposure.exposure_record import RefusalName
from forensics.evidence.exposure.log import Design
from forensics.support.numbers import percent

# Names no account and no conduct, and stays so.
DEPENDED = (
    "{name}'s training depended on which answers were served, by whatever route (this account, a "
    "reposting, another customer, a data set, a parent model)."
)
NOT_SHOWN = (
    "Nothing shows that {name}'s training depended on which answers were served. A negative result "
    "is not evidence that no training on them took place."
)
REFUSED = "No result: this log, or this test, cannot tell what was asked of it."
INSUFFICIENT = "No result: {used} prompts count, and at least {least} are needed."
ABOVE = (
    "{name} tells served answers from withheld ones (p = {p:.2g}), but not by more than controls "
    "may: its lower bound {low:.3f} does not lie above theirs, {high:.3f}."
)

DESIGNS: Mapping[Design, str] = {
    "split_before_serving": "split before serving: exact by design",
    "sampled_again_later": "sampled again later: exact if nothing changed in between",
}

WHY: Mapping[RefusalName, str] = {
    "split_after_the_fact": "Answers were divided after the fact, by date, author, topic or "
    "quality. Such a division gives small p-values for models that saw nothing; draw which answer "
    "is served, before serving (forensics exposure split).",
    "no_twins": "Most prompts have answers of one side only. A test needs served and withheld "
    "answers to the same prompts; keep a withheld answer to each.",
    "both_served": "A user chose between two answers, so both were served. Withhold a third.",
    "filters_differ": "Served and withheld answers passed different filters or length limits. Put "
    "both through the same.",
    "calls_not_independent": "Answers share a call, a cache or a seed. Every answer must be a call "
    "of its own; sample again without a cache.",
    "not_attested": "Answers sampled again later need weights, system_prompt, tools and decoding "
    "attested in the log's header.",
    "turns_unordered": "Two prompts of a conversation have the same turn, or a later turn arrived "
    "in an earlier batch. Where withheld answers follow on served ones, every prompt needs the "
    "number of its turn.",
    "batches_missing": "The batches of this log are not numbered 1, 2, 3 and so on, so a batch was "
    "left out. Leaving out what was unfavourable makes any model look exposed.",
    "log_changed": "The log no longer begins with the prompts that the earlier look read: rows "
    "were lost, changed, reordered or put into a batch that had been read. Restore the log; what "
    "is new belongs in a batch of its own, at the end (column arrival_batch).",
    "look_differs": "The earlier look asked another question: another model, base, control, "
    "statistic, design or declared number. Only looks at one question are one test.",
    "path_changed": "The prompts of the earlier look gave another capital this time, so what the "
    "model says of them has changed. Test the same model, with the same answers of its own.",
    "length": "Served and withheld answers differ in length.",
    "hour_of_day": "Served and withheld answers were sampled at different hours of the day.",
    "date": "Served and withheld answers were sampled on different days, which a split before "
    "serving excludes.",
    "finish_reason": "Served and withheld answers ended for different reasons.",
    "empty": "More answers of one side are empty.",
    "refused": "More answers of one side are refusals: one side was filtered.",
    "public": "More answers of one side are public.",
    "cached": "More answers of one side came from a cache.",
    "text_only": "Text alone tells served from withheld answers, without any model. They were not "
    "drawn alike.",
    "controls": "Control models tell served from withheld answers too, so the log itself differs.",
    "negative_control": "The model tells served from withheld answers in the log of unsuspected "
    "accounts too. If nobody trained on those, something changed between both times of sampling.",
}

NO_DECLARED = (
    "No number of prompts was declared, or fewer were logged, so only the e-process counts: it "
    "holds however far this log is read, not for looks at a log that grows in between, unless the "
    "log says in which batch every prompt arrived (column arrival_batch)."
)
NOT_BY_ACCOUNT = (
    "Accounts are not combined in a log that grows: the mean over accounts holds for one look only."
)
SERVED_PREFIX = (
    "Later turns follow on answers that were served, so only the e-process counts; each turn is "
    "judged by those before it."
)
NO_CONTROL = "No control models were given; with --control it shows whether the log itself differs."
NO_NEGATIVE_CONTROL = (
    "No log of unsuspected accounts was given (--negative-control): whether nothing changed "
    "rests on what the header attests."
)
NO_BASE = (
    "No base was given (--base): how likely answers are anyway is not taken off. That costs power, "
    "not exactness."
)
FILTERS_UNSTATED = (
    "The header does not say which filters answers passed; if they differed by side, there is no "
    "result."
)


LIMITS = (
    "It names no account and no conduct: answers get reposted, resold and collected.",
    "It does not say how much was learned, or that all served answers were used: a mean difference "
    "is not a share.",
    "A negative result is not evidence that no training on served answers took place: a trace "
    "fades with later tuning, rewording weakens it, and a small share stays below what few pairs "
    "can show.",
    "It rests on the log: that a draw decided which answers were served, and that the header is "
    "true.",
)


def growth(earlier_look: int | None) -> str:
    """Return what holds of a log that grows, and whether it was compared with an earlier look."""
    compared = (
        "give this result at the next look (--previous), which compares it"
        if earlier_look is None
        else f"that was compared with look {earlier_look}"
    )
    return (
        "This log grows by batches. All looks at it are one test if nothing that was read is "
        f"changed; {compared}."
    )


def power_words(used: int, share: float | None, effect: FullEffect) -> str:
    """Return what so many prompts would have shown, in a sentence."""
    counted = f"{used} prompts"
    if share is None:
        return (
            f"Even if all served answers had been trained on, {counted} would not have shown it "
            f"with 80 % power ({effect.source})."
        )
    return (
        f"With 80 % power {counted} show that {percent(share, 1)} of the served answers or more "
        f"were trained on ({effect.source})."
    )
