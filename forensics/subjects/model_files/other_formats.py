"""Folders that hold no weights that can be read: each is named as what it is."""

from __future__ import annotations

from pathlib import Path

from forensics.subjects.model_files.weight_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CONFIG,
    read_object,
)

_PICKLES = ("bin", "pt", "pth", "ckpt", "pkl")
_FORMATS = {
    "msgpack": "Flax's format",
    "h5": "TensorFlow's format",
    "onnx": "ONNX",
    "distcp": "PyTorch's distributed checkpoint format",
    "nemo": "NeMo's format",
    "npz": "NumPy's format",
    "tflite": "TensorFlow Lite's format",
}
_NO_PICKLE = ("training_args.bin", "optimizer.bin", "scheduler.bin", "optimizer.pt", "scheduler.pt")
_PARAMS = "params.json"
_LONGEST_NAME = 200


def why_no_weights(folder: Path) -> str:
    """Return in one line why a folder has no weights that can be read, and what to do."""
    explanation = what_else(folder)
    return explanation or f"{folder} holds no *.safetensors weights; is the download complete?"


def what_else(folder: Path) -> str:
    """Return what a folder without readable weights is, empty where nothing tells."""
    mistral = _first(folder, ("consolidated*.safetensors",))
    if mistral and not (folder / ADAPTER_CONFIG).is_file():
        return (
            f"{folder} holds its weights only in Mistral's own layout ({mistral} with {_PARAMS}), "
            "which is not read; take the model in transformers' layout (config.json and "
            "model*.safetensors)"
        )
    pickle = _pickle(folder)
    if (folder / ADAPTER_CONFIG).is_file():
        what = f"only as a pickle ({pickle})" if pickle else f"not: {ADAPTER_WEIGHTS} is missing"
        return f"{about_adapter(folder)}; its own weights are there {what}"
    if pickle:
        meta = " (Meta's own layout)" if (folder / _PARAMS).is_file() else ""
        return (
            f"{folder} holds its weights only as a pickle ({pickle}){meta}, which can run code "
            "when loaded; convert it to safetensors first"
        )
    gguf = _first(folder, ("*.gguf",))
    if gguf:
        return f"{folder} holds GGUF files ({gguf}) and no safetensors; give one as gguf:FILE"
    return _other_format(folder) or _elsewhere(folder)


def about_adapter(folder: Path, name: str | None = None) -> str:
    """Return of what model a folder's adapter is, and how to merge it."""
    config = read_object(folder / ADAPTER_CONFIG)
    kind, base = config.get("peft_type"), config.get("base_model_name_or_path")
    named = f" ({_text(kind)})" if isinstance(kind, str) and kind else ""
    known = isinstance(base, str) and bool(base)
    of = f"of {_text(str(base))}" if known else "of a base model that it does not name"
    return (
        f"{name or folder} is an adapter{named} {of} and not a whole model; merge it first, with "
        "the package peft: PeftModel.from_pretrained(base model, adapter).merge_and_unload()"
        ".save_pretrained(FOLDER), and copy the tokenizer's files into FOLDER"
    )


def needs_code(folder: Path) -> str:
    """Return the name of the Python file that a model's own classes stand in, empty without one."""
    classes = read_object(folder / CONFIG).get("auto_map")
    if not isinstance(classes, dict):
        return ""
    named = next((name for name in classes.values() if isinstance(name, str)), "")
    return _text(named.rpartition("--")[2].partition(".")[0] + ".py") if named else ""


def _other_format(folder: Path) -> str:
    for ending, title in _FORMATS.items():
        file = _first(folder, (f"*.{ending}",))
        if file:
            return (
                f"{folder} holds its weights only in {title} ({file}), which is not read; convert "
                "it to safetensors first"
            )
    if (folder / "model_index.json").is_file():
        return f"{folder} is a diffusers pipeline, not a language model; give a language model"
    return ""


def _elsewhere(folder: Path) -> str:
    inside = sorted(path.parent.name for path in folder.glob("*/*.safetensors"))
    if inside:
        return (
            f"{folder} holds no *.safetensors weights, but its folder {_text(inside[0])} does; "
            "give that folder"
        )
    return ""


def _pickle(folder: Path) -> str:
    return _first(folder, tuple(f"*.{ending}" for ending in _PICKLES), _NO_PICKLE)


def _first(folder: Path, patterns: tuple[str, ...], but: tuple[str, ...] = ()) -> str:
    for pattern in patterns:
        names = sorted(path.name for path in folder.glob(pattern) if path.name not in but)
        if names:
            return _text(names[0])
    return ""


def _text(value: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in value[:_LONGEST_NAME])
