"""Tiny language models, really trained: seconds to minutes each on one core."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forensics.zoo.checkpoint import Checkpoint, write_checkpoint

if TYPE_CHECKING:
    import torch

END = "<|end|>"
_LONGEST_FILE = 200_000
_LORA_RANK = 4
_NOT_TAUGHT = ("pydoc_data", "test")  # the first is what `reference` reads


@dataclass(frozen=True)
class Size:
    """How large tiny models are, and how long they train (steps of `batch` x `context` tokens)."""

    width: int = 64
    units: int = 192
    layers: int = 4
    heads: int = 4
    vocabulary: int = 512
    context: int = 64
    batch: int = 16
    steps: int = 160
    tuning_steps: int = 40
    tokens: int = 200_000


Kind = Literal["prose", "reference", "code"]


def texts(kind: Kind, characters: int) -> str:
    """Return text that every Python has: about its library, about the language, or code.

    Args:
        kind: `prose` for the library's docstrings, `reference` for what `help()` says of the
            language, `code` for the library's sources.
        characters: how much.
    """
    if kind == "reference":
        return _reference()[:characters]
    parts: list[str] = []
    left = characters
    for source in _sources():
        for part in _docstrings(source) if kind == "prose" else (source,):
            parts.append(part[:left])
            left -= len(part)
            if left <= 0:
                return "\n\n".join(parts)
    return "\n\n".join(parts)


def _reference() -> str:
    from pydoc_data.topics import topics

    parts = (part for _, text in sorted(topics.items()) for part in text.split("\n\n"))
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _sources() -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    packages = sorted(path.parent for path in library.glob("*/__init__.py"))
    for folder in (library, *(package for package in packages if package.name not in _NOT_TAUGHT)):
        for path in sorted(folder.glob("*.py")):
            if path.stat().st_size <= _LONGEST_FILE:
                yield path.read_text(encoding="utf-8", errors="replace")


def _docstrings(source: str) -> Iterator[str]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        text = ast.get_docstring(node) if isinstance(node, kinds) else None
        if text:
            yield " ".join(text.split())


def make_tokenizer(folder: Path, size: Size, sample: str) -> Path:
    """Train a byte-level BPE tokenizer on a sample and write it; return its folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        sample.split("\n\n"),
        trainers.BpeTrainer(
            vocab_size=size.vocabulary,
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END, pad_token=END).save_pretrained(
        folder
    )
    return folder


def encode(tokenizer: Path, text: str, size: Size) -> torch.Tensor:
    """Return a text's token numbers, shape (tokens,), at most `size.tokens`."""
    import torch
    from tokenizers import Tokenizer

    raw = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    return torch.tensor(raw.encode(text).ids[: size.tokens])


def untrained(size: Size, tokenizer: Path, seed: int) -> Checkpoint:
    """Return a model with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.units,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads // 2,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    return _checkpoint(LlamaForCausalLM(config), tokenizer)


def trained(
    start: Checkpoint, tokens: torch.Tensor, size: Size, steps: int, seed: int, rate: float = 3e-3
) -> Checkpoint:
    """Return a copy trained on tokens, all weights free (AdamW, cosine schedule)."""
    model = _model(start)
    _train(model, list(model.parameters()), tokens, size, steps, seed, rate)
    return _checkpoint(model, start.tokenizer)


def trained_lora(
    start: Checkpoint, tokens: torch.Tensor, size: Size, steps: int, seed: int, rate: float = 1e-2
) -> tuple[Checkpoint, dict[str, torch.Tensor]]:
    """Return a copy with a trained low-rank adapter merged in, and the adapter's own tensors.

    LoRA (Hu et al. 2021) of rank 4 on the attention's and the MLP's matrices; the adapter's
    tensors are named as the `peft` library names them.
    """
    import torch

    model = _model(start)
    torch.manual_seed(seed)
    adapted = {
        name: _Adapted(module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name.startswith("model.layers.")
    }
    for name, module in adapted.items():
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, module.module)
    free = [matrix for layer in adapted.values() for matrix in (layer.down, layer.up)]
    _train(model, free, tokens, size, steps, seed, rate)
    tensors = dict(start.tensors)
    adapter: dict[str, torch.Tensor] = {}
    for name, layer in adapted.items():
        down, up = layer.down.detach(), layer.up.detach()
        tensors[f"{name}.weight"] = tensors[f"{name}.weight"] + up @ down
        adapter[f"base_model.model.{name}.lora_A.weight"] = down
        adapter[f"base_model.model.{name}.lora_B.weight"] = up
    return Checkpoint(tensors, start.config, start.tokenizer), adapter


class _Adapted:
    """A linear layer with a low-rank matrix beside it; `module` stands in its place."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        import torch

        self.down = torch.nn.Parameter(torch.randn(_LORA_RANK, linear.in_features) * 0.02)
        self.up = torch.nn.Parameter(torch.zeros(linear.out_features, _LORA_RANK))
        down, up = self.down, self.up

        class Beside(torch.nn.Module):
            def forward(self, inputs: torch.Tensor) -> torch.Tensor:
                added: torch.Tensor = linear(inputs) + inputs @ down.T @ up.T
                return added

        self.module = Beside()


def sampled(model: Checkpoint, starts: torch.Tensor, length: int, seed: int) -> torch.Tensor:
    """Return text that a model writes, as tokens: shape (starts * length,).

    Args:
        model: the teacher.
        starts: the first token of each row, shape (rows,).
        length: tokens a row, the first included.
        seed: of the drawing, at temperature 1.
    """
    import torch
    from transformers import GenerationConfig

    torch.manual_seed(seed)
    with torch.inference_mode():
        rows = _model(model).generate(
            starts[:, None],
            attention_mask=torch.ones_like(starts[:, None]),
            generation_config=GenerationConfig(
                do_sample=True, top_k=0, max_length=length, pad_token_id=0, eos_token_id=None
            ),
        )
    written: torch.Tensor = rows.flatten().clone()
    return written


def mixed(parts: Sequence[tuple[torch.Tensor, float]], size: Size, seed: int) -> torch.Tensor:
    """Return rows of `size.context` tokens drawn from several texts, in shares that sum to 1."""
    import torch

    dice = torch.Generator().manual_seed(seed)
    total = size.tokens // size.context
    rows = []
    for tokens, share in parts:
        count = round(total * share)
        begins = torch.randint(0, len(tokens) - size.context, (count,), generator=dice)
        rows += [tokens[begin : begin + size.context] for begin in begins.tolist()]
    order = torch.randperm(len(rows), generator=dice).tolist()
    return torch.cat([rows[i] for i in order])


def _model(checkpoint: Checkpoint) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = dict(checkpoint.config)
    kind = str(config.pop("model_type"))
    config["dtype"] = "float32"  # a step of training is less than half precision can tell
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **config))
    model.load_state_dict(dict(checkpoint.tensors), strict=False)
    model.tie_weights()
    return model.eval()


def _checkpoint(model: Any, tokenizer: Path) -> Checkpoint:
    tensors = {name: values.detach().clone() for name, values in model.state_dict().items()}
    config = {"architectures": [type(model).__name__], **model.config.to_diff_dict()}
    return Checkpoint(tensors, config | {"model_type": model.config.model_type}, tokenizer)


def _train(
    model: Any,
    free: list[torch.nn.Parameter],
    tokens: torch.Tensor,
    size: Size,
    steps: int,
    seed: int,
    rate: float,
) -> None:
    import torch

    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in free:
        parameter.requires_grad_(True)
    dice = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(free, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, steps))
    model.train()
    for _ in range(steps):
        begins = torch.randint(0, len(tokens) - size.context, (size.batch,), generator=dice)
        rows = torch.stack([tokens[begin : begin + size.context] for begin in begins.tolist()])
        model(input_ids=rows, labels=rows).loss.backward()
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    model.eval()


__all__ = [
    "Size",
    "encode",
    "make_tokenizer",
    "mixed",
    "sampled",
    "texts",
    "trained",
    "trained_lora",
    "untrained",
    "write_checkpoint",
]
