"""The small inputs of the frozen commands, made anew in a folder; nothing here is drawn by chance.

What is short and meant to be read (policies, a suite, other tools' files) lies in `inputs/`.
"""

from __future__ import annotations

import csv
import json
import shutil
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.compatibility.writing import TOPICS, WORDS, Writer, pick, prompts

INPUTS = Path(__file__).resolve().parent / "inputs"
KIN, SINGLE = 6, 18  # models of the cohort: so many weights under two settings, so many others
# The models of the transcripts: two of the same weights, and two strangers.
WRITERS = {
    writer.name: writer
    for writer in (
        Writer("heron-7b", "heron", "Heron Works"),
        Writer("heron-7b-tuned", "heron", "Marsh Lab"),
        Writer("otter-9b", "otter", "Otter Inc"),
        Writer("wren-thinks", "wren", "Wren AI"),
        Writer("wren-mini", "wren", "Wren AI"),
    )
}
_WIDTH, _INNER, _LAYERS, _HEADS = 32, 64, 2, 4
_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": _WIDTH,
    "intermediate_size": _INNER,
    "num_hidden_layers": _LAYERS,
    "num_attention_heads": _HEADS,
    "num_key_value_heads": _HEADS,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "pad_token_id": 0,
}


def make_inputs(folder: Path) -> Path:
    """Write every input to a folder that does not exist yet, and return it."""
    shutil.copytree(INPUTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _cohort(folder)
    _answers(folder)
    _weights(folder)
    return folder


def cohort_writers() -> list[Writer]:
    """Return the models of the cohort, kin first."""
    kin = [Writer(f"kin{i}{part}", f"kin{i}") for i in range(KIN) for part in "ab"]
    return [*kin, *(Writer(f"single{i:02}", f"single{i:02}") for i in range(SINGLE))]


def _cohort(folder: Path) -> None:
    writers = cohort_writers()
    asked = prompts()[: len(TOPICS)]
    write_lines(
        folder / "outputs.jsonl",
        (
            {"model": w.name, "prompt_id": f"p{i:02}", "prompt": text, "output": w.answer(i)}
            for w in writers
            for i, text in enumerate(asked)
        ),
    )
    makers = ("Tern Labs", "Gull", "Plover", "Avocet", "Dunlin")
    lineage = [
        (w.name, w.weights, pick(w.weights, makers), f"2024-{1 + i // 2 % 12:02}")
        for i, w in enumerate(writers)
    ]
    _table(folder / "models.csv", ("model", "weights_id", "developer", "released"), lineage)
    pairs = [
        (a.name, b.name, "same_model_other_setting" if a.weights == b.weights else "unrelated")
        for i, a in enumerate(writers)
        for b in writers[i + 1 :]
    ]
    rows = [(*pair, "high") for pair in pairs]
    _table(folder / "pairs.csv", ("model_a", "model_b", "relation", "confidence"), rows)


def _answers(folder: Path) -> None:
    """Write tables of answers, some asked twice and some with thoughts, and a suite file."""
    write_lines(
        folder / "answers.jsonl",
        (
            {
                "model": writer.name,
                "prompt_id": f"p{i:02}",
                "prompt": text,
                "output": writer.answer(i, sample),
                "sample_id": sample,
                "category": "writing" if i < len(TOPICS) else "other",
                "language": "en",
            }
            | ({"reasoning": writer.reasoning(i, sample)} if writer.weights == "wren" else {})
            for writer in WRITERS.values()
            for i, text in enumerate(prompts())
            for sample in range(2 if 12 <= i < len(TOPICS) else 1)
        ),
    )
    few = ("kin0a", "kin1a", "kin2a", "single00", "single01", "single02")
    found = (line for line in _lines(folder / "outputs.jsonl") if line["model"] in few)
    write_lines(folder / "six.jsonl", found)
    newcomer = Writer("newcomer", "kin3")
    write_lines(
        folder / "newcomer.jsonl",
        (
            {
                "model": "newcomer",
                "prompt_id": f"p{i:02}",
                "prompt": t,
                "output": newcomer.answer(i),
            }
            for i, t in enumerate(prompts()[: len(TOPICS)])
        ),
    )
    (folder / "newcomer.csv").write_text("model,released\nnewcomer,2024-06\n", encoding="utf-8")
    texts = [
        {"id": f"q{i:02}", "category": _category(i), "prompt": t} for i, t in enumerate(prompts())
    ]
    suite = {"name": "short", "version": "1", "title": "Short", "prompts": texts}
    (folder / "short.json").write_text(json.dumps(suite, indent=1) + "\n", encoding="utf-8")


def _category(place: int) -> str:
    return "writing" if place < len(TOPICS) else "other"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _table(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def _weights(folder: Path) -> None:
    """Write models: a base, a light tuning of it, and one that began elsewhere."""
    vocabulary = _tokenizer(folder / "base")
    for name in ("tuned", "other"):
        shutil.copytree(folder / "base", folder / name)
    base, other = _tensors(vocabulary, 1), _tensors(vocabulary, 2)
    noise = _tensors(vocabulary, 3)
    tuned = {name: values + 0.02 * noise[name] for name, values in base.items()}
    for name, tensors in (("base", base), ("tuned", tuned), ("other", other)):
        _save(folder / name / "model.safetensors", tensors)
        config = json.dumps(_CONFIG | {"vocab_size": vocabulary}, indent=1)
        (folder / name / "config.json").write_text(config + "\n", encoding="utf-8")
    card = "---\nlicense: apache-2.0\nbase_model: marsh/base\n---\n\nA light tuning of base.\n"
    (folder / "tuned" / "README.md").write_text(card, encoding="utf-8")


def _tensors(vocabulary: int, seed: int) -> dict[str, Any]:
    import numpy as np

    # PCG64's stream is fixed by numpy's compatibility policy; its normal draws are not quite, so
    # sums of uniform ones stand in for them.
    source = np.random.PCG64(seed)

    def drawn(*shape: int) -> Any:
        count = int(np.prod(shape)) * 4
        raw = np.array([source.random_raw() >> 40 for _ in range(count)], dtype=np.float64)
        sums = (raw / 2**24).reshape(-1, 4).sum(axis=1) - 2
        return (sums * 0.3).reshape(shape).astype(np.float32)

    tensors = {"model.embed_tokens.weight": drawn(vocabulary, _WIDTH)}
    for layer in range(_LAYERS):
        start = f"model.layers.{layer}."
        tensors[f"{start}mlp.gate_proj.weight"] = drawn(_INNER, _WIDTH)
        tensors[f"{start}mlp.up_proj.weight"] = drawn(_INNER, _WIDTH)
        tensors[f"{start}mlp.down_proj.weight"] = drawn(_WIDTH, _INNER)
        for part in "qkvo":
            tensors[f"{start}self_attn.{part}_proj.weight"] = drawn(_WIDTH, _WIDTH)
        for part in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{start}{part}.weight"] = 1 + drawn(_WIDTH) / 4
    return tensors | {"model.norm.weight": 1 + drawn(_WIDTH) / 4}


def _save(path: Path, tensors: Mapping[str, Any]) -> None:
    header: dict[str, Any] = {}
    blobs: list[bytes] = []
    at = 0
    for name, values in tensors.items():
        blob = values.astype("<f4").tobytes()
        place = [at, at + len(blob)]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": place}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def _tokenizer(folder: Path) -> int:
    """Write a byte-level tokenizer that nobody trained, so no library's training matters."""
    folder.mkdir()
    tokens = ["<|pad|>", "<|end|>", *map(chr, _byte_letters())]
    merges = []
    for word in WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in tokens:
                tokens.append(word[:end])
                merges.append([word[: end - 1], word[end - 1]])
    special = [
        {
            "id": i, "content": tokens[i], "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": True,
        }
        for i in (0, 1)
    ]  # fmt: skip
    level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges,
    }  # fmt: skip
    document = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": model,
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(document), encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<|pad|>",
        "eos_token": "<|end|>",
        "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return len(tokens)


def _byte_letters() -> list[int]:
    """Return the code points that byte-level tokenizers write the 256 bytes with, in order."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = dict(zip(shown, shown, strict=True))
    letters |= {byte: 256 + i for i, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


def place_of(prompt: str) -> int:
    """Return where a prompt stands among those the made-up models answer, or a place of its own."""
    known = prompts()
    return known.index(prompt) if prompt in known else pick(prompt, range(len(TOPICS)))
