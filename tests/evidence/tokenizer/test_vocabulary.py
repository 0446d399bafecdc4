"""The tokenizer comparator on tokenizers trained here: independent ones, copies and extensions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from forensics.case.evidence import Evidence
from forensics.errors import ModelFileError
from forensics.evidence.tokenizer.vocabulary import (
    KIN,
    UNRELATED_HIGHEST,
    Tokenizer,
    expected_overlap,
    kept_successors,
    template_difference,
)
from forensics.examination.examined import Examined
from forensics.subjects.model_files.folder import ModelFiles, folder_files
from forensics.subjects.model_files.tokenizer_files import read_tokenizer, why_no_tokenizer
from forensics.subjects.subject import parse_subject
from forensics.testing import check_comparator
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import measure
from tests.tokenizers import code_lines, prose_lines, save, train_bpe


def examined(files: ModelFiles) -> Examined:
    return Examined(parse_subject(f"hf:{files.folder}"), Transcript("x", ()), files)


def compared(a: ModelFiles, b: ModelFiles) -> Evidence:
    return measure(Tokenizer(), examined(a), examined(b))


@pytest.fixture(name="code", scope="module")
def code_fixture() -> Any:
    return train_bpe(code_lines())


@pytest.fixture(name="folders", scope="module")
def folders_fixture(tmp_path_factory: pytest.TempPathFactory, code: Any) -> dict[str, ModelFiles]:
    root = tmp_path_factory.mktemp("tokenizers")
    mixed = [*code_lines(), *prose_lines()]
    return {
        "code": save(code, root / "code"),
        "longer": save(train_bpe(code_lines(), 1_400), root / "longer"),
        "prose": save(train_bpe(prose_lines(), 1_400), root / "prose"),
        "mixed": save(train_bpe(mixed, 1_400), root / "mixed"),
    }


def test_it_keeps_the_conventions(folders: dict[str, ModelFiles]) -> None:
    pairs = [(examined(folders["code"]), examined(folders[name])) for name in ("longer", "prose")]
    check_comparator(Tokenizer(), pairs)


def test_a_copy_is_the_same_vocabulary(folders: dict[str, ModelFiles]) -> None:
    evidence = compared(folders["code"], folders["code"])
    assert evidence.score == 1.0
    assert evidence.details.reading == "the same vocabulary"
    assert evidence.details.vocabulary.same_id == 1.0
    assert evidence.details.merges.share_of_fewer == 1.0
    assert any("not shared weights" in caveat for caveat in evidence.caveats)


def test_an_extended_vocabulary_is_kin_and_says_which_is_longer(
    folders: dict[str, ModelFiles],
) -> None:
    evidence = compared(folders["code"], folders["longer"])
    assert evidence.score is not None and evidence.score > 0.95
    assert evidence.details.kin is True
    assert "B has more tokens" in evidence.details.reading


@pytest.mark.parametrize(
    ("other", "below"),
    # "mixed" was trained on the very same code and on more: the worst case of independence.
    [("prose", 2 * UNRELATED_HIGHEST), ("mixed", KIN / 2)],
)
def test_independent_tokenizers_share_tokens_but_not_their_order(
    folders: dict[str, ModelFiles], other: str, below: float
) -> None:
    evidence = compared(folders["code"], folders[other])
    assert evidence.score is not None and evidence.score < below
    assert evidence.matched is not None and evidence.matched > 0.3
    assert not evidence.details.kin


@pytest.mark.parametrize(
    ("left_out", "kin", "reading"),
    [(2, False, "made independently"), (50, None, "undetermined"), (0, True, "the same")],
)
def test_training_on_much_the_same_text_is_undetermined(
    tmp_path: Path, left_out: int, kin: bool | None, reading: str
) -> None:
    """Each leaves out every second line, or every fiftieth, but not the same ones."""
    lines = code_lines()
    sides = [
        [line for n, line in enumerate(lines) if not left_out or n % left_out != side]
        for side in (0, 1)
    ]
    one, other = (save(train_bpe(s), tmp_path / str(n)) for n, s in enumerate(sides))
    evidence = compared(one, other)
    assert evidence.details.kin is kin, evidence.score
    assert evidence.details.reading.startswith(reading)
    assert any("worked over" in caveat for caveat in evidence.caveats) is (kin is None)


def test_ids_moved_by_new_special_tokens_change_nothing(
    tmp_path: Path, folders: dict[str, ModelFiles], code: Any
) -> None:
    content = json.loads(code.to_str())
    for token, number in content["model"]["vocab"].items():
        content["model"]["vocab"][token] = number + 7
    for token in content["added_tokens"]:
        token["id"] += 7
    content["added_tokens"].append({"id": 0, "content": "<|tool|>", "special": True})
    folder = tmp_path / "moved"
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(content))
    evidence = compared(folders["code"], folder_files(folder))
    assert evidence.score == 1.0
    assert evidence.details.vocabulary.same_id == 0.0
    assert evidence.details.special.only_b == ("<|tool|>",)


def test_the_same_tokens_in_another_notation_are_found(tmp_path: Path) -> None:
    words = [f"word{n}" for n in range(300)]
    byte_level = {f"Ġ{word}": n for n, word in enumerate(words)}
    sentence_piece = {f"▁{word}": n for n, word in enumerate(words)}
    folders = []
    for name, vocabulary in (("bytes", byte_level), ("pieces", sentence_piece)):
        folder = tmp_path / name
        folder.mkdir()
        model = {"type": "BPE", "vocab": vocabulary, "merges": []}
        (folder / "tokenizer.json").write_text(json.dumps({"model": model}))
        folders.append(folder_files(folder))
    assert compared(*folders).score == 1.0


def test_few_shared_tokens_are_insufficient(tmp_path: Path) -> None:
    files = save(train_bpe(["ab ab ab"], 260), tmp_path / "bytes")
    evidence = compared(files, files)
    assert (evidence.status, evidence.score) == ("insufficient", None)


def test_random_orders_keep_hardly_any_successor() -> None:
    numbers = list(range(2_000))
    assert kept_successors(numbers) == 1.0
    random.Random(3).shuffle(numbers)
    assert kept_successors(numbers) < 0.005


def test_the_expected_overlap_is_that_of_the_measured_pairs() -> None:
    # Two of the fitted pairs, as measured: SmolLM2 with Gemma 3, and Llama 2 with SmolLM2.
    assert expected_overlap(48_900, 255_366) == pytest.approx(0.938, abs=0.06)
    assert expected_overlap(31_616, 48_900) == pytest.approx(0.681, abs=0.06)


def test_templates_compare_without_white_space() -> None:
    one = "{% for m in messages %}{{ m.content }}{% endfor %}"
    spaced = "{%- for  m in messages -%}\n{{ m.content }}\n{% endfor %}\n"
    assert template_difference(one, spaced).likeness == 1.0
    changed = template_difference(one, one.replace("m.content", "m['content']"))
    assert 0 < changed.likeness < 1
    assert any(line.startswith("+") for line in changed.difference)
    absent = template_difference(one, None)
    assert (absent.likeness, absent.difference, absent.has) == (None, (), (True, False))


def test_a_tokenizer_that_needs_code_is_one_clear_line(
    tmp_path: Path, folders: dict[str, ModelFiles]
) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    (tmp_path / "tokenizer.model").write_bytes(b"x")
    config = {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}, "tokenizer_class": "Evil"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match="needs the model's own code") as caught:
        read_tokenizer(folder_files(tmp_path))
    assert "\n" not in str(caught.value)
    evidence = compared(folders["code"], folder_files(tmp_path))
    assert evidence.status == "error"
    assert "never run" in evidence.reason
    (tmp_path / "tokenizer.model").rename(tmp_path / "vocabulary.of_its_own")
    assert not folder_files(tmp_path).tokenizer
    assert "needs the model's own code, which is never run" in why_no_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": 3}')
    assert "holds no tokenizer that is known; put" in why_no_tokenizer(tmp_path)


def _numbered(number: str) -> bytes:
    return b'{"model": {"type": "BPE", "vocab": {"ab": %s}, "merges": []}}' % number.encode()


DAMAGED = {
    "cut": (b"{", "no JSON at line 1"),
    "list": (b"[]", "its parts are not those of a tokenizer"),
    "no-model": (b'{"model": 1}', "its parts are not those of a tokenizer"),
    "no-vocabulary": (b'{"model": {}}', "it has no 'vocab'"),
    "word-for-number": (_numbered('"7"'), "the token 'ab' has the number '7'"),
    "infinite": (_numbered("1e999"), "the token 'ab' has the number inf"),
    "no-number": (_numbered("NaN"), "the token 'ab' has the number nan"),
    "negative": (_numbered("-1"), "the token 'ab' has the number -1"),
    "huge": (_numbered("4294967296"), "the token 'ab' has the number 4294967296"),
    "endless": (_numbered("9" * 5000), "Exceeds the limit"),
    "fraction": (_numbered("1.5"), "the token 'ab' has the number 1.5"),
    "truth": (_numbered("true"), "the token 'ab' has the number True"),
    "list-for-number": (_numbered("[1]"), "the token 'ab' has the number [1]"),
    "added": (
        b'{"model": {"vocab": {}}, "added_tokens": [{"content": "x", "id": 1e999}]}',
        "the token 'x' has the number inf",
    ),
    "twice": (b'{"model": {"vocab": {"ab": 1, "ab": 2}}}', "the key 'ab' occurs twice"),
    "merge": (b'{"model": {"vocab": {"a": 1}, "merges": ["a b c"]}}', "is not of two parts"),
    "deep": (b"[" * 100_000, "it is nested too deeply"),
    "deep-inside": (_numbered("[" * 100_000 + "]" * 100_000), "it is nested too deeply"),
    "not-utf8": (b'{"model": "\xe9"}', "byte 11 is not UTF-8"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    "page": (b"<!DOCTYPE html><html></html>", "is a web page"),
    "empty": (b"", "no JSON at line 1"),
}


@pytest.mark.parametrize(("content", "says"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read_tokenizer(folder_files(tmp_path))
    message = str(caught.value)
    assert "tokenizer.json" in message and says in message
    assert "\n" not in message and len(message) < 400


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b"\xef\xbb\xbf" + _numbered("3"))
    assert read_tokenizer(folder_files(tmp_path)).vocabulary == {"ab": 3}


def test_a_foreign_model_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="cannot be read") as caught:
        read_tokenizer(folder_files(tmp_path))
    assert "\n" not in str(caught.value)
