from __future__ import annotations

from pathlib import Path

from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import read_transcript
from forensics.verdicts.compare import compare


def test_compare_of_two_transcripts_of_405_prompts(benchmark, reference_files: dict[str, Path]):
    paths = [reference_files[name] for name in ("vicuna-13b", "vicuna-7b")]

    def whole():
        sides = [Examined(parse_subject(str(path)), read_transcript(path)) for path in paths]
        return compare(*sides, load_comparators(without=["embedding"]))

    case = benchmark.pedantic(whole, rounds=3, iterations=1)
    assert case.overlap.both == 405
