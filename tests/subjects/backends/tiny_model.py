"""Tiny real models, made on the spot: random weights, and a tokenizer trained on a few lines."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from forensics.subjects.backends.backend import (
    BackendOptions,
    GenerationSettings,
    Request,
    request_key,
)
from forensics.subjects.backends.transformers import TransformersBackend
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt, Suite
from forensics.transcripts.transcript import Response

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "[{{ m.role }}] {{ m.content }}\n{% endfor %}"
)
_TEXT = (
    "The quick brown fox jumps over the lazy dog and runs on to the old mill by the river.",
    "Who are you, and what do you like to do on a rainy day in the small town by the sea?",
    "A list of words: one two three four five six seven eight nine ten.",
)


def make_tiny_model(
    folder: Path, template: str | None = None, seed: int = 7, **config: Any
) -> Path:
    """Write a two-layer Llama with random weights and its tokenizer to `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|im_end|>", "<|im_start|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        _TEXT,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<|pad|>", eos_token="<|im_end|>"
    )
    tokenizer.chat_template = template
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "eos_token_id": 1,
        "pad_token_id": 0,
        # Wide weights make the random model's choices clear and its answers varied.
        "initializer_range": 0.4,
    }
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **(sizes | config)))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_suite(*texts: str) -> Suite:
    """Return a suite of single user messages."""
    prompts = tuple(Prompt(f"p{i}", (Message("user", t),)) for i, t in enumerate(texts))
    return Suite("tiny", "1", "Tiny", prompts)


def open_tiny(folder: Path, **options: Any) -> TransformersBackend:
    """Return the backend of a local folder."""
    return TransformersBackend(parse_subject(f"hf:{folder}"), BackendOptions(**options))


def ask(
    backend: TransformersBackend, suite: Suite, settings: GenerationSettings
) -> dict[tuple[str, int], Response]:
    """Return the answers by prompt id and sample."""
    identity = backend.identity()
    requests = [
        Request(p, s, settings.tokens_for(p), request_key(identity, settings, p, s))
        for p in suite.prompts
        for s in range(settings.samples)
    ]
    found: list[Response] = []
    backend.answer(requests, settings, found.append)
    return {(r.prompt.id, r.sample): r for r in found}


def copy_model(folder: Path, to: Path) -> Path:
    """Copy a model's folder, under its own name, into `to`."""
    return Path(shutil.copytree(folder, to / folder.name))
