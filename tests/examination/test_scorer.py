"""Scoring texts with real, tiny models: likelihoods, next tokens, what cannot be scored."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from forensics.errors import BackendError
from forensics.examination import local_probabilities as module
from forensics.examination.local_probabilities import text_probabilities
from forensics.examination.passages import PLACES, load_passages, places
from forensics.examination.probability_values import answer_key
from forensics.examination.scorer import Scorer
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.model_files.sources import open_source
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message
from forensics.transcripts.answers import Answer
from tests.subjects.backends.tiny_model import CHATML, copy_model, make_tiny_model

TEXTS = ("The quick brown fox jumps over the lazy dog.", "Who are you? 你好, naïve café.")


def scorer_of(folder: Path) -> Scorer:
    return Scorer("tiny", open_source(parse_subject(f"hf:{folder}"), "float32"), BackendOptions())


def answer(text: str, prompt: str = "a" * 64) -> Answer:
    return Answer(prompt, "p", "Who?", "advice", 0, text, complete=True)


@pytest.fixture(name="tiny", scope="module")
def tiny_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "model", max_position_embeddings=1024)


@pytest.fixture(name="scorer", scope="module")
def scorer_fixture(tiny: Path) -> Scorer:
    return scorer_of(tiny)


def test_the_likelihood_is_the_sum_over_tokens_whatever_is_in_the_batch(
    tiny: Path, scorer: Scorer
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    found = scorer.score_texts(TEXTS, [(), ()])
    for text, score in zip(TEXTS, found, strict=True):
        assert score is not None
        ids = [tokenizer.eos_token_id, *tokenizer(text)["input_ids"]]
        with torch.inference_mode():
            rows = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(float(rows[i, token]) for i, token in enumerate(ids[1:]))
        assert score.log_likelihood == pytest.approx(expected, rel=1e-4)
        assert score.size == len(text.encode())
        assert score.nats_per_byte == pytest.approx(expected / len(text.encode()), rel=1e-4)


def test_the_next_token_is_the_one_the_model_would_give(tiny: Path, scorer: Scorer) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    [score] = scorer.score_texts(TEXTS[:1], [places(TEXTS[0])])
    assert score is not None and score.next_tokens
    for place, (token, start) in score.next_tokens.items():
        ids = [tokenizer.eos_token_id, *tokenizer(TEXTS[0][:place])["input_ids"]]
        with torch.inference_mode():
            best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        assert token == tokenizer.decode([best])
        assert len(start) <= 2


def test_places_end_words_and_are_spread() -> None:
    for passage in load_passages():
        found = places(passage.text)
        assert 0 < len(found) <= PLACES
        assert all(0 < place < len(passage.text) for place in found)
        if " " in passage.text.strip()[8:] and passage.language == "en":
            assert all(passage.text[place] in " \n" for place in found)


def test_an_answer_is_scored_where_the_model_would_answer(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "chat", CHATML, max_position_embeddings=1024)
    scorer = scorer_of(folder)
    one, other = (Message("user", "Who are you?"),), (Message("user", "A list of words"),)
    first, second = answer("I like the sea.", "a" * 64), answer("I like the sea.", "b" * 64)
    scores = scorer.score_answers([(first, one), (second, other)])
    assert answer_key(first) != answer_key(second)
    values = [scores[answer_key(a)].log_likelihood for a in (first, second)]
    assert values[0] != values[1]
    assert all(math.isfinite(value) and value < 0 for value in values)


def test_hostile_and_overlong_answers_are_scored_or_left_out(scorer: Scorer) -> None:
    asked = (Message("user", "Hi"),)
    hostile = [answer(t) for t in ("\x00\x1b[31m", "\ud800 lone", "=cmd()|", "x" * 5_000)]
    scores = scorer.score_answers([(a, asked) for a in hostile])
    assert set(scores) <= {answer_key(a) for a in hostile}
    assert answer_key(hostile[1]) in scores  # the surrogate is replaced, the rest is kept
    long_prompt = (Message("user", "word " * 3_000),)
    assert scorer.score_answers([(answer("yes"), long_prompt)]) == {}


def test_a_second_run_reads_the_cache(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    folder = copy_model(tiny, tmp_path / "copy")
    subject = parse_subject(f"hf:{folder}")
    asked = [[(answer("I like the sea."), (Message("user", "Who?"),))]]
    first = text_probabilities(subject, BackendOptions(), asked)
    assert len(first.passages) == len(load_passages())
    # With its weights gone the model could not be run again; a hash of them names the entry.
    monkeypatch.setattr(module._Once, "scorer", lambda _: pytest.fail("the model was run again"))
    assert text_probabilities(subject, BackendOptions(), asked) == first
    for file in (tmp_path / "cache" / "logprobs").iterdir():
        file.write_text("{")
    with pytest.raises(pytest.fail.Exception):
        text_probabilities(subject, BackendOptions(), asked)


def test_nan_weights_are_one_clear_line(tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = copy_model(tiny, tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackendError, match="gives NaN instead of probabilities") as caught:
        scorer_of(folder).score_texts(TEXTS, [(), ()])
    assert "\n" not in str(caught.value)


def test_a_tokenizer_without_a_first_token_is_one_clear_line(tiny: Path, tmp_path: Path) -> None:
    import json

    folder = copy_model(tiny, tmp_path)
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps({k: v for k, v in settings.items() if k != "eos_token"}))
    with pytest.raises(BackendError, match="no token that begins or ends a text"):
        scorer_of(folder).score_texts(TEXTS, [(), ()])


def test_an_endpoint_is_refused() -> None:
    subject = parse_subject("openai:m", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(BackendError, match="not a local model"):
        text_probabilities(subject, BackendOptions())
