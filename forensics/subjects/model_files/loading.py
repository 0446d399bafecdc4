"""A model folder loaded for evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError
from forensics.subjects.model_files.other_formats import needs_code
from forensics.subjects.model_files.quantised import quantised_layout
from forensics.subjects.model_files.weight_files import (
    CONFIG,
    WeightFiles,
    read_object,
    select_weights,
    tensor_table,
)
from forensics.support.quiet import quiet, why

if TYPE_CHECKING:
    from pathlib import Path


def load_model(folder: Path, dtype: str, name: str) -> tuple[Any, Any]:
    """Load a folder of safetensors: `(model, tokenizer)`, ready to generate.

    Raises:
        BackendError: the files are damaged, incomplete or of a kind transformers does not know.
        InputFileError: which weights are the model's cannot be told, or they are not there.
    """
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
        _raise_if_packed(folder, weights, name, error)
        raise BackendError(
            f"{name}: the model in {folder} cannot be loaded ({why(error)}); "
            "check that its files are complete"
        ) from error
    # transformers fills what is missing with random numbers, and such a model still answers.
    absent = sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])})
    if absent:
        raise BackendError(
            f"{name}: {len(absent)} weights are missing or of another shape (first: {absent[0]}); "
            "its files are incomplete or it is not a text-generating model"
        )
    return model.eval().to(device()), tokenizer


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
