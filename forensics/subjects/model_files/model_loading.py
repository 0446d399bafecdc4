"""A model folder loaded for evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError, ModelFileError
from forensics.subjects.model_files.other_formats import needs_code
from forensics.subjects.model_files.quantised import quantised_layout
from forensics.subjects.model_files.weight_files import (
    CONFIG,
    WeightFiles,
    read_object,
    select_weights,
    tensor_table,
)
from forensics.support.json_files import read_json
from forensics.support.libraries import require
from forensics.support.quiet import quiet, why
from forensics.support.sanitise import one_line

if TYPE_CHECKING:
    from pathlib import Path


def load_model(folder: Path, dtype: str, name: str) -> tuple[Any, Any]:
    """Load a folder of safetensors: `(model, tokenizer)`, ready to generate.

    Raises:
        ModelFileError: the files are damaged, incomplete or ambiguous.
        BackendError: there is too little memory for it, or transformers does not know its kind.
        MissingDependencyError: a library does not load.
    """
    _check_sizes(folder)
    require("torch", "transformers")
    quiet()
    import torch
    import transformers

    weights = select_weights(folder)
    _check_known(folder, name)
    try:
        options: dict[str, Any] = {}
        if weights.name is not None:  # a file that transformers would not look for
            options["config"] = transformers.AutoConfig.from_pretrained(
                folder, trust_remote_code=False
            )
            options["config"].transformers_weights = weights.name
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, padding_side="left"
        )
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # damaged or foreign files fail in any way at all
        if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
            raise BackendError(f"{name}: too little memory to load it ({why(error)})") from error
        _raise_if_packed(folder, weights, name, error)
        raise ModelFileError(
            f"{name}: the model in {folder} cannot be loaded ({why(error)}); "
            "check that its files are complete"
        ) from error
    check_loaded(name, info)
    return model.eval().to(device()), tokenizer


_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers")
_SIZES = (
    "hidden_size n_embd d_model intermediate_size n_inner ffn_dim d_ff num_attention_heads n_head "
    "num_key_value_heads head_dim vocab_size max_position_embeddings n_positions num_experts "
    "num_local_experts n_routed_experts"
).split()
_MOST_LAYERS = 2_000
_LARGEST_SIZE = 1 << 27


def _check_sizes(folder: Path) -> None:
    """Check that a configuration's sizes are sizes: transformers builds what they say, at any cost.

    Raises:
        ModelFileError: the configuration is damaged, or a size is none.
    """
    path = folder / "config.json"
    config = read_json(path, "configuration")
    if not isinstance(config, dict):
        raise ModelFileError(
            f"{path} is not a complete configuration (no JSON object); download it again"
        )
    inner = config.get("text_config")
    for values in (config, inner if isinstance(inner, dict) else {}):
        for key in (*_LAYERS, *_SIZES):
            most = _MOST_LAYERS if key in _LAYERS else _LARGEST_SIZE
            value = values.get(key)
            if value is not None and not _is_size(value, most):
                raise ModelFileError(
                    f"{path}: {key} is {one_line(repr(value), 40)}, which is not a possible size; "
                    "download it again"
                )


def _is_size(value: Any, most: int) -> bool:
    if isinstance(value, list):  # one a layer
        return all(_is_size(size, most) or size == 0 for size in value)
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


def check_loaded(name: str, info: Mapping[str, Any]) -> None:
    """Check that nothing of a model had to be made up when it was loaded.

    transformers fills what is missing with random numbers, and such a model still answers.

    Args:
        name: of the model, for messages.
        info: what `from_pretrained` returns with `output_loading_info`.

    Raises:
        ModelFileError: weights were missing or of another shape.
    """
    absent = sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])})
    if absent:
        raise ModelFileError(
            f"{name}: {len(absent)} weights are missing or of another shape (first: {absent[0]}); "
            "its files are incomplete or it is not a text-generating model"
        )


def _raise_if_packed(folder: Path, weights: WeightFiles, name: str, error: Exception) -> None:
    """Say that quantised weights need what is not here: a package, or a graphics card.

    Raises:
        BackendError: the weights are quantised.
    """
    packed = quantised_layout(folder, tensor_table(weights)).method
    if packed:
        raise BackendError(
            f"{name} is quantised ({packed}) and transformers cannot run it here ({why(error)}); "
            "serve it and ask the endpoint (openai:), or give the unquantised model"
        ) from error


def _check_known(folder: Path, name: str) -> None:
    """Check that transformers itself knows the model's architecture.

    Raises:
        BackendError: it is defined by code that comes with the model, or by a later transformers.
    """
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = read_object(folder / CONFIG).get("model_type")
    if not isinstance(kind, str) or not kind or kind in CONFIG_MAPPING:
        return
    code = needs_code(folder)
    if code:
        raise BackendError(
            f"{name}: its architecture {kind!r} is defined by code that comes with the model "
            f"({code}), which is never run here; serve it and ask the endpoint (openai:), or "
            "compare its weights (--tiers weights)"
        )
    raise BackendError(
        f"{name}: transformers {transformers.__version__} does not know the architecture {kind!r}; "
        "upgrade transformers, or serve the model and ask the endpoint (openai:)"
    )


def store_by_column(model: Any) -> None:
    """Store the matrices of linear layers column by column: same numbers, faster products.

    A batch of 64 short rows times such a matrix takes a tenth less time on the one processor tried.
    """
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()


def device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
