"""Token counts: real tokenizers, behind a real server that wraps prompts in a chat template."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.case.evidence import Evidence
from forensics.errors import ModelFileError, UsageError
from forensics.evidence.tokenizer.token_counts import TokenCountVectors, nearest
from forensics.examination.examined import Examined
from forensics.examination.token_counting import (
    LEAST_STRINGS,
    collect_counts,
    from_responses,
    from_tokenizer_file,
    known_counts,
    plan_counts,
    suite,
)
from forensics.subjects.backends import open_backend
from forensics.subjects.model_files.folder import folder_files
from forensics.subjects.subject import parse_subject
from forensics.testing import check_comparator
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import measure
from studies.tokenizers.token_table import build_table
from tests.cli.cli import QUICK, forensics
from tests.loopback import Call, Loopback, Reply, chat_reply, loopback_fixture
from tests.tokenizers import code_lines, prose_lines, save, train_bpe

__all__ = ["loopback_fixture"]
Start = Callable[..., Loopback]
Counter = Callable[[str], Any]


@pytest.fixture(name="tokenizers", scope="module")
def tokenizers_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("tokenizers")
    for name, lines in (("code", code_lines()), ("prose", prose_lines())):
        save(train_bpe(lines, 1_500), root / name)
    return {name: root / name / "tokenizer.json" for name in ("code", "prose")}


def counting(path: Path, template: str = "<s>user\n{}</s>assistant\n") -> Counter:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda prompt: len(tokenizer.encode(template.format(prompt.strip())).ids)


def serving(count: Counter) -> Callable[[Call], Reply]:
    def script(call: Call) -> Reply:
        reply = chat_reply("a", "length")
        assert isinstance(reply.body, dict)
        reply.body["usage"] = {"prompt_tokens": count(call.prompt), "completion_tokens": 1}
        return reply

    return script


def measured(url: str, folder: Path) -> Examined:
    subject = parse_subject("openai:m", base_url=url)
    backend = open_backend(subject)
    path, _ = plan_counts(subject, backend.identity(), folder)
    counted = collect_counts(subject, backend, path, lambda _: None)
    return Examined(subject, Transcript("m", ()), counted=counted)


def of_file(path: Path) -> Examined:
    subject = parse_subject(f"hf:{path.parent}")
    return Examined(subject, Transcript("m", ()), files=folder_files(path.parent))


def compared(a: Examined, b: Examined) -> Evidence:
    return measure(TokenCountVectors(), a, b)


def test_the_template_cancels_out_and_the_files_say_the_same(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path]
) -> None:
    path = tokenizers["code"]
    plain = loopback(serving(counting(path, "{}")))
    wordy = loopback(serving(counting(path, "<<SYS>>\nBe brief.\n<</SYS>>\n\n[INST] {} [/INST]")))
    sides = [measured(server.url, tmp_path) for server in (plain, wordy)]
    assert [len(server.calls) for server in (plain, wordy)] == [32, 32]
    assert {call.body["max_tokens"] for call in plain.calls} == {1}
    evidence = compared(*sides)
    assert (evidence.score, evidence.n, evidence.tier) == (1.0, 16, "tokenizer")
    with_files = compared(sides[1], of_file(path))
    assert with_files.score == 1.0
    assert with_files.details.sources == ("endpoint", "files")


def test_other_tokenizers_count_otherwise(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path]
) -> None:
    served = loopback(serving(counting(tokenizers["prose"])))
    evidence = compared(measured(served.url, tmp_path), of_file(tokenizers["code"]))
    assert evidence.score is not None and evidence.score < 0.6
    assert evidence.details.kin is False


def test_it_keeps_the_conventions(tokenizers: dict[str, Path]) -> None:
    sides = [of_file(path) for path in tokenizers.values()]
    check_comparator(TokenCountVectors(), [(sides[0], sides[1])])


def test_answers_on_file_are_not_asked_again(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path]
) -> None:
    served = loopback(serving(counting(tokenizers["code"])))
    first = measured(served.url, tmp_path)
    again = measured(served.url, tmp_path)
    assert len(served.calls) == 32
    assert compared(first, again).score == 1.0


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (lambda _: None, "0 of 16 strings report their prompt tokens"),
        (lambda _: "many", "0 of 16 strings report their prompt tokens"),
        (lambda _: 7, "0 of 16 strings count alike at both lengths"),
        (lambda prompt: len(prompt) // 4, "strings count alike|follow the length"),
        (lambda prompt: len(prompt.encode()) + 9, "follow the length of the text"),
        (
            lambda prompt: len(prompt) + zlib.crc32(prompt.encode()) % 97,
            "strings count alike at both lengths",
        ),
    ],
    ids=["absent", "text", "constant", "quarter", "bytes", "noise"],
)
def test_what_is_no_count_is_not_measured(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path], count: Counter, says: str
) -> None:
    served = loopback(serving(count))
    evidence = compared(measured(served.url, tmp_path), of_file(tokenizers["code"]))
    assert (evidence.status, evidence.score) == ("not_measured", None)
    assert re.search(says, evidence.reason), evidence.reason
    assert evidence.reason.startswith("A: ")


def test_a_count_that_is_off_at_one_length_drops_only_that_string(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path]
) -> None:
    exact = counting(tokenizers["code"])
    odd = next(prompt.text for prompt in suite().prompts if prompt.id == "emoji-8")
    served = loopback(serving(lambda prompt: exact(prompt) + (prompt == odd)))
    counts = from_responses(measured(served.url, tmp_path).counted.responses)  # type: ignore[union-attr]
    assert counts.dropped == ("emoji",)
    assert len(counts.counts) == 15 >= LEAST_STRINGS


def test_known_tokenizers_are_told_from_one_another() -> None:
    known = known_counts()
    assert len(known) >= 10
    for name, counts in known.items():
        assert nearest(counts, known)[0][1] == 1.0
        # gpt-oss took over o200k, and the counts cannot tell them.
        alike = {other for other, share in nearest(counts, known) if share == 1.0}
        assert alike == ({"gpt-oss", "o200k"} if name in ("gpt-oss", "o200k") else {name})


def test_the_table_is_of_the_suite_as_it_is(tokenizers: dict[str, Path]) -> None:
    from forensics.support.resources import data_folder

    stored = json.loads((data_folder("probes") / "token-counts" / "known.json").read_text())
    assert stored["sha256"] == suite().sha256
    made = json.loads(build_table([f"mine={tokenizers['code']}"]))
    assert made["tokenizers"]["mine"] == dict(from_tokenizer_file(tokenizers["code"]).counts)
    with pytest.raises(UsageError, match="is not NAME="):
        build_table(["tokenizer.json"])


def test_a_damaged_tokenizer_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelFileError, match="not a complete tokenizer file"):
        from_tokenizer_file(tmp_path / "tokenizer.json")


def test_the_suite_has_each_string_at_two_lengths() -> None:
    prompts = suite().prompts
    assert len(prompts) == 32
    assert {prompt.max_tokens for prompt in prompts} == {1}
    for short, long in zip(prompts[::2], prompts[1::2], strict=True):
        unit = short.text.split("\n")[1]
        assert short.text == f"Begin\n{(unit + chr(10)) * 4}End"
        assert long.text == f"Begin\n{(unit + chr(10)) * 8}End"


def test_compare_asks_for_counts_with_the_tier_only(
    loopback: Start, tmp_path: Path, tokenizers: dict[str, Path]
) -> None:
    servers = [loopback(serving(counting(tokenizers[name]))) for name in ("code", "prose")]
    subjects = [f"openai:m@{server.url}" for server in servers]
    result = forensics("compare", *subjects, "--tiers", "tokenizer", "--json", "-", cwd=tmp_path)
    assert result.code == 0, result.err
    assert [len(server.calls) for server in servers] == [32, 32]
    evidence = {e["comparator"]: e for e in json.loads(result.out)["evidence"]}
    assert evidence["token_counts"]["status"] == "ok"
    # Without the tier only the suite's questions are asked.
    once = ("--limit", "2", "--samples", "1", *QUICK, "--json", "-")
    result = forensics("compare", *subjects, *once, cwd=tmp_path)
    assert result.code == 0, result.err
    assert [len(server.calls) for server in servers] == [34, 34]
    reasons = [e["reason"] for e in json.loads(result.out)["evidence"] if e["tier"] == "tokenizer"]
    assert any("--tiers tokenizer" in reason for reason in reasons)


def test_a_dry_run_shows_the_calls_and_makes_none(loopback: Start, tmp_path: Path) -> None:
    served = loopback()
    subject = f"openai:m@{served.url}"
    asked = ("--suite", "token-counts", "--samples", "1")
    result = forensics("probe", subject, *asked, "--dry-run", cwd=tmp_path)
    assert result.code == 0, result.err
    assert result.out.startswith("32 calls")
    assert "32 answer tokens" in result.out
    assert not served.calls
