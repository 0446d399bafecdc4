"""One-token answers of the embedded models: `python -m studies.watch.answers`.

Writes `tables/one-token.json`: for each model and prompt of the suite `watch`, how likely a first
token of an answer is at temperature 0.5, read from the model itself. A copy of SmolLM2 that is
rounded to 4 bits and one with noise stand beside the embedded ones. Tokens less likely than one in
a thousand are left out and the rest scaled to 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forensics.support.files import write_text

TABLE = Path(__file__).parent / "tables" / "one-token.json"
TEMPERATURE = 0.5
LEAST = 0.001
WATCHED = "smollm2"
_NOISE = 0.2  # standard deviations of each matrix


@dataclass(frozen=True)
class AnswerShares:
    """A model's answers to one prompt, and how likely each is; sums to 1."""

    texts: tuple[str, ...]
    shares: tuple[float, ...]

    def draw(self, dice: np.random.Generator) -> str:
        """Return an answer drawn at random."""
        return self.texts[int(np.searchsorted(np.cumsum(self.shares), dice.random() * 0.999999))]


Table = Mapping[str, Mapping[str, AnswerShares]]


def read_table() -> Table:
    """Return model → prompt id → answers."""
    stored = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        model: {prompt: _scaled(shares) for prompt, shares in prompts.items()}
        for model, prompts in stored.items()
    }


def _scaled(shares: Mapping[str, float]) -> AnswerShares:
    total = sum(shares.values())
    return AnswerShares(tuple(shares), tuple(share / total for share in shares.values()))


def main() -> None:
    """Write the table."""
    table = {name: dict(_answers(model, ask)) for name, model, ask in _models()}
    lines = [f'"{name}": {json.dumps(answers)}' for name, answers in table.items()]
    write_text(TABLE, "{" + ",\n".join(lines) + "}\n")


def _models() -> Iterator[tuple[str, Any, Callable[[Any], list[int]]]]:
    from forensics.subjects.backends.chat_template import ChatTemplate
    from forensics.subjects.model_files.demo_files import demo_source
    from forensics.subjects.model_files.model_loading import load_model

    for demo in ("smollm2", "smollm2-pruned", "gemma3-270m"):
        source = demo_source(demo, "float32")
        model, tokenizer = load_model(source.folder(), "float32", demo)
        special = {k: v for k, v in tokenizer.special_tokens_map.items() if isinstance(v, str)}
        template = ChatTemplate(source.template, special)

        def ask(messages: Any, template: Any = template, tokenizer: Any = tokenizer) -> list[int]:
            text = template.render(messages)
            tokens: list[int] = tokenizer(text, add_special_tokens=template.text is None).input_ids
            return tokens

        model.tokenizer_of_study = tokenizer
        yield demo, model, ask
        if demo == WATCHED:
            stored = {name: value.clone() for name, value in model.state_dict().items()}
            for name, change in (("smollm2-4bit", _round), ("smollm2-noised", _noise)):
                model.load_state_dict({n: change(n, v) for n, v in stored.items()})
                yield name, model, ask


def _round(name: str, values: Any) -> Any:
    if values.dim() != 2 or "embed" in name or "head" in name:
        return values
    blocks = values.reshape(-1, 32)
    low = blocks.amin(1, keepdim=True)
    step = (blocks.amax(1, keepdim=True) - low).clamp_min(1e-12) / 15
    return (((blocks - low) / step).round() * step + low).reshape(values.shape)


def _noise(name: str, values: Any) -> Any:
    import torch

    if values.dim() != 2 or "embed" in name or "head" in name:
        return values
    dice = torch.Generator().manual_seed(len(name))
    return values + _NOISE * values.std() * torch.randn(values.shape, generator=dice)


def _answers(model: Any, ask: Callable[[Any], list[int]]) -> Iterator[tuple[str, dict[str, float]]]:
    import torch

    from forensics.suites.loading import load_suite

    tokenizer = model.tokenizer_of_study
    for prompt in load_suite("watch").prompts:
        with torch.no_grad():
            logits = model(torch.tensor([ask(prompt.messages)])).logits[0, -1].double()
        likely = torch.softmax(logits / TEMPERATURE, -1)
        shares: dict[str, float] = {}
        for token in torch.nonzero(likely >= LEAST).flatten().tolist():
            text = tokenizer.decode([token], skip_special_tokens=True).strip()
            shares[text] = round(shares.get(text, 0.0) + float(likely[token]), 4)
        yield prompt.id, shares


if __name__ == "__main__":
    main()
