"""Weights come out as they were stored, and what cannot be read is told in one line."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from forensics.errors import InputFileError
from forensics.evidence.weights.numerics.reader import Weights, check_numbers, open_weights
from forensics.subjects.model_files.folder import ModelFiles, folder_files
from forensics.subjects.model_files.safetensors_header import read_header

VALUES = torch.tensor([[1.0, -2.5, 0.0, 3.0], [0.125, 7.0, -1.0, 2.0]])


def _folder(tmp_path: Path, tensors: dict[str, torch.Tensor], name: str = "model") -> Path:
    save_file(tensors, tmp_path / f"{name}.safetensors")
    return tmp_path


def _open(folder: Path) -> Weights:
    return open_weights(folder_files(folder))


def _line(error: pytest.ExceptionInfo[InputFileError]) -> str:
    text = str(error.value)
    assert "\n" not in text and ";" in text  # what, where, what to do
    return text


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_every_float_format_reads_the_same(tmp_path, kind):
    weights = _open(_folder(tmp_path, {"x": VALUES.to(kind)}))
    assert np.array_equal(weights.read("x"), VALUES.numpy())
    rows = weights.tensors["x"].rows(np.array([1, 0, 1]))
    assert np.array_equal(rows, VALUES.numpy()[[1, 0, 1]])
    assert weights.parameters == 8


def test_shards_are_one_model(tmp_path):
    _folder(tmp_path, {"x": VALUES}, "model-00001-of-00002")
    _folder(tmp_path, {"y": 2 * VALUES}, "model-00002-of-00002")
    index = {"x": "model-00001-of-00002.safetensors", "y": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert sorted(_open(tmp_path).tensors) == ["x", "y"]
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InputFileError) as error:
        _open(tmp_path)
    assert "lacks 1 of 2 shards (first: model-00002-of-00002.safetensors)" in _line(error)


@pytest.mark.parametrize("left", [4, 30, 100, -4])
def test_a_truncated_file_is_told(tmp_path, left):
    path = _folder(tmp_path, {"x": VALUES, "y": VALUES + 1}) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputFileError) as error:
        _open(tmp_path)
    assert "is not a complete safetensors file" in _line(error)


@given(st.binary(max_size=60))
def test_no_header_makes_the_reader_crash(tmp_path_factory, header):
    path = tmp_path_factory.mktemp("fuzz") / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    try:
        assert read_header(path) == ()
    except InputFileError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [-2, -4], "data_offsets": [0, 32]},
        {"dtype": "F32", "shape": "x", "data_offsets": [0, 32]},
        {"dtype": "F32", "data_offsets": [0, 32]},
        {"dtype": "F32", "shape": [2, 4], "data_offsets": [-32, 0]},
        7,
    ],
)
def test_a_header_that_lies_is_told(tmp_path, entry):
    header = json.dumps({"x": entry}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    with pytest.raises(InputFileError) as error:
        read_header(path)
    assert "is not a complete safetensors file" in _line(error)


def test_an_unknown_number_format_is_told(tmp_path):
    header = json.dumps({"x": {"dtype": "F5", "shape": [8], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(
        InputFileError, match="the tensor x is stored as F5, which the format lacks"
    ):
        read_header(path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_weights_are_told_with_the_tensor(tmp_path, bad):
    values = VALUES.clone()
    values[1, 2] = bad
    weights = _open(_folder(tmp_path, {"x": values, "y": VALUES}))
    assert weights.read("y") is not None
    with pytest.raises(InputFileError) as error:
        weights.read("x")
    assert "the tensor x holds NaN or infinite weights" in _line(error)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), None])
def test_a_look_at_all_numbers_finds_each_that_is_none(tmp_path, kind, bad):
    values = torch.full((700, 900), -6e4).to(kind)  # nearly the most that half precision holds
    values[0, 0] = 1e-7
    if bad is not None:
        values[650, 899] = bad
    weights = _open(_folder(tmp_path, {"x": values, "y": VALUES}))
    if bad is None:
        check_numbers(weights)
        return
    with pytest.raises(InputFileError, match="the tensor x holds NaN") as error:
        check_numbers(weights)
    assert _line(error)


def test_a_header_that_is_no_json_is_told_in_words(tmp_path):
    path = tmp_path / "model.safetensors"
    for header, told in ((b"\xff" * 16, "not JSON"), (b"[1, 2]", "not a JSON object")):
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        with pytest.raises(InputFileError) as error:
            read_header(path)
        assert told in _line(error)


def test_large_but_finite_weights_are_no_nan(tmp_path):
    weights = _open(_folder(tmp_path, {"x": torch.full((4, 4), 3e38)}))
    assert float(weights.read("x").max()) == pytest.approx(3e38)


def test_pickles_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(InputFileError) as error:
        _open(tmp_path)
    assert "only as a pickle (pytorch_model.bin)" in _line(error)
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(InputFileError, match="holds no"):
        _open(tmp_path)


@pytest.fixture(name="gguf_file")
def gguf_file_fixture(tmp_path: Path) -> Path:
    import gguf

    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(["a", "b", "c"])
    rows = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    writer.add_tensor("blk.0.ffn_gate.weight", rows)
    kind = gguf.GGMLQuantizationType.Q8_0
    packed = gguf.quants.quantize(rows, kind)
    writer.add_tensor("blk.0.ffn_up.weight", packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_is_dequantised_tensor_by_tensor(gguf_file):
    from forensics.evidence.weights.numerics.shared_tokens import token_rows

    files = ModelFiles(None, gguf=gguf_file)
    weights = open_weights(files)
    rows = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    assert np.array_equal(weights.read("blk.0.ffn_gate.weight"), rows)
    up = weights.tensors["blk.0.ffn_up.weight"]
    assert (up.kind, up.shape) == ("Q8_0", (2, 64))
    assert np.abs(up.read() - rows).max() < 1 / 127
    assert np.array_equal(up.rows(np.array([1])), up.read()[1:])
    assert token_rows(files) == {"a": 0, "b": 1, "c": 2}


def test_a_gguf_file_may_have_any_name(gguf_file):
    other = gguf_file.rename(gguf_file.with_name("weights.bin"))
    assert open_weights(ModelFiles(None, gguf=other)).parameters == 256


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_an_empty_tensor_is_no_damage(tmp_path, kind):
    weights = _open(_folder(tmp_path, {"x": torch.zeros(0, 4, dtype=kind), "y": VALUES}))
    check_numbers(weights)
    assert weights.read("x").shape == (0, 4)


def test_a_cut_or_unknown_gguf_is_told(gguf_file):
    whole = gguf_file.read_bytes()
    for left in (3, 40, len(whole) // 2, len(whole) - 70):
        gguf_file.write_bytes(whole[:left])
        with pytest.raises(InputFileError) as error:
            open_weights(ModelFiles(None, gguf=gguf_file))
        assert "is not a complete GGUF file" in _line(error)
    kind = struct.pack("<I", 8) + struct.pack("<Q", 512)  # Q8_0 of the second tensor, its offset
    assert whole.count(kind) == 1
    gguf_file.write_bytes(whole.replace(kind, struct.pack("<I", 208) + struct.pack("<Q", 512)))
    with pytest.raises(InputFileError) as error:
        open_weights(ModelFiles(None, gguf=gguf_file))
    assert "quantised in a way that is not understood (number 208)" in _line(error)
