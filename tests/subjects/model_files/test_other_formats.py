"""A folder without readable weights is named as what it is, with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.errors import ModelFileError
from forensics.subjects.model_files.folder import folder_files
from forensics.subjects.model_files.other_formats import why_no_weights
from forensics.subjects.model_files.sources import check_folder
from tests import model_folders


def _refusal(folder: Path) -> str:
    with pytest.raises(ModelFileError) as error:
        check_folder(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("pytorch_model.bin",), "only as a pickle (pytorch_model.bin)"),
        (("model.pt",), "only as a pickle (model.pt)"),
        (("last.ckpt",), "only as a pickle (last.ckpt)"),
        (("training_args.bin", "model.pth"), "only as a pickle (model.pth)"),
        (("consolidated.00.pth", "params.json"), "(consolidated.00.pth) (Meta's own layout)"),
        (("flax_model.msgpack",), "only in Flax's format (flax_model.msgpack)"),
        (("tf_model.h5",), "only in TensorFlow's format (tf_model.h5)"),
        (("model.onnx",), "only in ONNX (model.onnx)"),
        (("model-Q4_K_M.gguf",), "holds GGUF files (model-Q4_K_M.gguf)"),
        (("consolidated.safetensors", "params.json"), "only in Mistral's own layout"),
        (("model_index.json",), "is a diffusers pipeline"),
        (("checkpoint-5/model.safetensors",), "but its folder checkpoint-5 does; give that"),
        ((), "holds no *.safetensors weights; is the download complete?"),
    ],
)
@pytest.mark.parametrize("configured", [True, False])
def test_each_format_is_named(tmp_path, files, says, configured):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    assert says in why_no_weights(tmp_path)
    if configured:
        (tmp_path / "config.json").write_text(json.dumps(model_folders.CONFIG))
    told = says if files or configured else "holds no config.json"
    assert told in _refusal(tmp_path)


def test_an_adapter_says_of_what_and_how_to_merge(tmp_path):
    folder = model_folders.adapter(tmp_path / "adapter")
    told = _refusal(folder)
    assert "is an adapter (LORA) of someone/the-base and not a whole model; merge it first" in told
    assert "merge_and_unload()" in told
    assert folder_files(folder).adapter


@pytest.mark.parametrize("weights", ["adapter_model.bin", None])
def test_an_adapter_without_readable_weights_is_one_too(tmp_path, weights):
    folder = model_folders.adapter(tmp_path / "adapter", base_model_name_or_path=None)
    (folder / "adapter_model.safetensors").unlink()
    if weights:
        (folder / weights).write_bytes(b"\x80\x02")
    assert "is an adapter (LORA) of a base model that it does not name" in _refusal(folder)
    assert ("only as a pickle" if weights else "is missing") in why_no_weights(folder)


def test_an_adapter_beside_whole_weights_changes_nothing(tmp_path):
    folder = model_folders.adapter(tmp_path / "both")
    model_folders.model(folder, model_folders.tensors(1))
    files = folder_files(folder)
    assert not files.adapter
    assert [path.name for path in files.weights] == ["model.safetensors"]


def test_hostile_names_stay_on_their_line(tmp_path):
    config = {"peft_type": "a\nb", "base_model_name_or_path": "x\x1b[31m\n" * 200}
    folder = model_folders.adapter(tmp_path / "adapter", **config)
    assert len(_refusal(folder)) < 1000
