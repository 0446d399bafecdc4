"""The result of an exposure test, with any words in it."""

from __future__ import annotations

from forensics.evidence.exposure.exposure_record import (
    ExposureRefusal,
    ExposureResult,
    PairsCounted,
)


def exposure_result(words: str = "hf:org/questioned", **changes: object) -> ExposureResult:
    """Give a result in which the subject and every sentence hold `words`."""
    return ExposureResult(
        tool_version="0.2.0",
        subject=words,
        base=None,
        controls=(),
        log_sha256="a" * 64,
        design="split_before_serving",
        route="probabilities",
        statistic="log-probability",
        level=0.01,
        finding="depended",
        sentence=f"{words} learned from served answers.",
        refusals=(ExposureRefusal(name="length", why=f"longer: {words}"),),
        primary="fixed",
        p_value=0.0003,
        fixed=None,
        watched=None,
        difference=None,
        controls_pooled=None,
        controls_p_value=None,
        negative_control_p_value=None,
        compared=(),
        pairs=PairsCounted(logged=210, read=210, used=205, left_out={"refused": 5}, declared=None),
        detectable_share=0.1,
        power="200 prompts would have shown a share of 10 % in 80 of 100 cases",
        caveats=(words,),
    ).model_copy(update=changes)
