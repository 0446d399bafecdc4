"""Referenced suites: hashes here, texts elsewhere, every text checked."""

import json
from pathlib import Path

import pytest

from forensics.errors import InputFileError
from forensics.suites.loading import load_suite
from forensics.suites.references import with_texts
from forensics.suites.suite import Message, Prompt, Suite, TextSource, text_sha256

SOURCE = TextSource("nobody/nothing", "prompts.json", "instruction")


def suite(*texts: str) -> Suite:
    prompts = tuple(
        Prompt(str(i), (), "test", known_as=text_sha256(text)) for i, text in enumerate(texts)
    )
    return Suite("referenced", "1", "A test", prompts, text_source=SOURCE)


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
def test_texts_come_from_a_local_file_of_any_form(tmp_path: Path, form: str) -> None:
    import pandas as pd

    texts = ["What is a quince?", 'Two lines\nand a "quote", with commas', "日本語の質問"]
    path = tmp_path / f"texts.{form}"
    table = pd.DataFrame({"instruction": texts})
    match form:
        case "json":
            path.write_text(json.dumps([{"instruction": text} for text in texts]))
        case "jsonl":
            path.write_text("".join(json.dumps({"instruction": t}) + "\n" for t in texts))
        case "csv":
            table.to_csv(path, index=False)
        case _:
            table.to_parquet(path)
    filled = with_texts(suite(*texts), path)
    assert [p.messages for p in filled.prompts] == [(Message("user", t),) for t in texts]
    assert filled.sha256 == suite(*texts).sha256


def test_a_text_that_differs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "texts.json"
    path.write_text(json.dumps([{"instruction": "same"}, {"instruction": "edited"}]))
    with pytest.raises(InputFileError, match=r"prompt 1 .*'edited'"):
        with_texts(suite("same", "original"), path)


@pytest.mark.parametrize("content", ["[", "{}", '[{"other": "x"}]', "\x00"])
def test_a_file_without_texts_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "texts.json"
    path.write_text(content)
    with pytest.raises(InputFileError) as caught:
        with_texts(suite("same"), path)
    assert "\n" not in str(caught.value)


def test_an_ordinary_suite_needs_no_texts() -> None:
    core = load_suite("core")
    assert with_texts(core, Path("missing")) is core


def test_reference_texts_have_the_published_hashes(data_folder: Path, tmp_path: Path) -> None:
    import pandas as pd

    table = pd.read_parquet(data_folder / "alpaca_eval_outputs.parquet", columns=["prompt"])
    texts = table["prompt"].drop_duplicates()
    pd.DataFrame({"prompt": texts}).to_parquet(tmp_path / "texts.parquet")
    whole = load_suite("alpaca-eval")
    known = {text_sha256(text) for text in texts}
    held = Suite(
        whole.name,
        whole.version,
        whole.title,
        tuple(p for p in whole.prompts if p.sha256 in known),
        text_source=whole.text_source,
    )
    assert len(whole.prompts) == 805
    assert len(held.prompts) == 405
    filled = with_texts(held, tmp_path / "texts.parquet")
    assert {p.messages[0].content for p in filled.prompts} == set(texts)
