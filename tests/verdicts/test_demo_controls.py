"""The demo's controls: a pruned copy must look more alike than an unrelated base model does."""

from pathlib import Path

import pytest

from forensics.errors import MissingDependencyError
from forensics.evidence import load_comparators
from forensics.examination.collect import collect
from forensics.examination.examined import Examined
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.backend import GenerationSettings
from forensics.subjects.subject import parse_subject
from forensics.suites.loading import load_suite
from forensics.verdicts.compare import compare

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Examined]:
    """Sixteen short answers of each demo model."""
    folder: Path = tmp_path_factory.mktemp("controls")
    suite = load_suite("core").select(limit=16)
    settings = GenerationSettings(max_tokens=40)
    examined = {}
    for name in ("smollm2", "smollm2-pruned", "gemma3-270m"):
        subject = parse_subject(f"demo:{name}")
        try:
            backend = open_backend(subject)
            transcript = collect(suite, subject, backend, settings, folder / f"{name}.jsonl")
        except MissingDependencyError as error:
            pytest.skip(f"demo models missing: {error}")
        examined[name] = Examined(subject, transcript)
    return examined


@pytest.mark.parametrize("name", ["phrasing", "openings", "embedding"])
def test_pruned_copy_scores_above_unrelated_base(answers: dict[str, Examined], name: str) -> None:
    comparators = load_comparators(only=[name])
    positive = compare(answers["smollm2"], answers["smollm2-pruned"], comparators)
    negative = compare(answers["smollm2"], answers["gemma3-270m"], comparators)
    (kin,), (stranger,) = positive.evidence, negative.evidence
    assert kin.score is not None
    assert stranger.score is not None
    assert kin.score > stranger.score
    assert kin.interval is not None
    assert kin.interval.low > 0
