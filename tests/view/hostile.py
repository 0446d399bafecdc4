"""A folder in which everything attacks: names of files and models, answers, policies, titles."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from forensics.case.document import case_to_json
from forensics.report.exposure import exposure_formats
from forensics.transcripts.writer import write_transcript
from tests.builders import manifest, responses
from tests.report.answered_case import answered_case
from tests.report.sample_case import HOSTILE, sample_case
from tests.view.exposures import exposure_result


def hostile_folder(folder: Path, attacks: Sequence[str] = HOSTILE) -> int:
    """Fill `folder`, with a case named by each attack; return how many cases it holds."""
    cases = 0
    answered = answered_case()
    for number, text in enumerate(attacks):
        subject = answered.a.model_copy(update={"name": text, "transcript_sha256": str(number)})
        case = answered.model_copy(update={"a": subject, "created_at": text})
        named = folder / f"{number} {text.replace('/', ';')[:60]}.json"
        with contextlib.suppress(ValueError, UnicodeEncodeError, OSError):
            named.write_text(case_to_json(case))
            cases += 1
            continue
        (folder / f"{number}.json").write_text(case_to_json(case))
        cases += 1
    (folder / "whole.json").write_text(case_to_json(sample_case(len(attacks))))
    everything = " ".join(HOSTILE)
    trace = {
        "subject": everything,
        "cohort": everything,
        "known_as": None,
        "relatives": [
            {"model": text, "developer": text, "released": text, "score": 1.0, "log10_lr": None,
             "family_wise": None}
            for text in HOSTILE
        ],
        "named": list(HOSTILE),
        "reading": everything,
        "teacher": {"statement": everything},
    }  # fmt: skip
    (folder / "trace.json").write_text(json.dumps(trace))
    (folder / "exposure.json").write_text(exposure_formats()["json"](exposure_result(everything)))
    about = manifest(everything, suite={"name": everything}, started_at=everything)
    write_transcript(folder / "answers.jsonl", about, responses(attacks))
    (folder / "damaged.json").write_text('{"' + everything.replace('"', ""), "utf-8", "replace")
    return cases + 1
