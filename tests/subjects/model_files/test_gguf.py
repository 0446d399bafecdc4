"""GGUF files: only whole models are asked or measured, and all else is named as what it is."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest

from forensics.errors import InputFileError
from forensics.evidence.weights.numerics.reader import open_weights
from forensics.exitcodes import ExitCode
from forensics.subjects.model_files.folder import model_files
from forensics.subjects.model_files.gguf_split import open_model
from forensics.subjects.subject import parse_subject
from tests.gguf_files import INNER, LAYERS, WIDTH, byte_tokens, llama_shapes, write_gguf


def refusal(path: Path) -> str:
    with pytest.raises(InputFileError) as caught:
        open_model(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path.name) in message
    assert caught.value.exit_code == ExitCode.USAGE
    return message


def test_a_whole_model_is_opened(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    assert open_model(path).parts == (path,)


@pytest.mark.parametrize("name", llama_shapes())
def test_one_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    message = refusal(write_gguf(tmp_path / "m.gguf", without=[name]))
    assert f"is not a whole llama model: {name} is missing" in message


@pytest.mark.parametrize("part", ["attn_q", "attn_norm", "ffn_gate", "ffn_norm", "attn_output"])
def test_what_all_layers_lack_is_missing_too(tmp_path: Path, part: str) -> None:
    names = [f"blk.{n}.{part}.weight" for n in range(LAYERS)]
    message = refusal(write_gguf(tmp_path / "m.gguf", without=names))
    assert f"{names[0]} and {LAYERS - 1} more are missing" in message


def test_layers_are_counted(tmp_path: Path) -> None:
    whole = llama_shapes()
    last = [name for name in whole if name.startswith(f"blk.{LAYERS - 1}.")]
    assert "blk.2.* is missing" in refusal(write_gguf(tmp_path / "a.gguf", without=last))
    assert "blk.3.* and 1 more" in refusal(write_gguf(tmp_path / "b.gguf", layers=LAYERS + 2))
    assert "its header counts 2" in refusal(write_gguf(tmp_path / "c.gguf", layers=LAYERS - 1))


def _biased(names: str) -> dict[str, tuple[int, ...]]:
    shapes = llama_shapes()
    for n in range(LAYERS):
        shapes |= {f"blk.{n}.{name}.bias": (WIDTH,) for name in names.split()}
    return shapes


def test_a_bias_that_the_other_layers_have_is_missing(tmp_path: Path) -> None:
    shapes = _biased("attn_q attn_k attn_v")
    assert open_model(write_gguf(tmp_path / "a.gguf", shapes, "qwen2"))
    message = refusal(write_gguf(tmp_path / "b.gguf", shapes, "qwen2", ["blk.1.attn_k.bias"]))
    assert "blk.1.attn_k.bias is missing" in message


def _fused() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(byte_tokens()), WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for n in range(LAYERS):
        shapes |= {
            f"blk.{n}.attn_qkv.weight": (3 * WIDTH, WIDTH),
            f"blk.{n}.attn_output.weight": (WIDTH, WIDTH),
            f"blk.{n}.attn_norm.weight": (WIDTH,),
            f"blk.{n}.ffn_norm.weight": (WIDTH,),
            f"blk.{n}.ffn_up.weight": (2 * INNER, WIDTH),
            f"blk.{n}.ffn_down.weight": (WIDTH, INNER),
        }
    return shapes


def _experts(dense: int, own: bool = False) -> dict[str, tuple[int, ...]]:
    shapes = llama_shapes()
    for n in range(dense, LAYERS):
        for part in ("gate", "up", "down"):
            shape = shapes.pop(f"blk.{n}.ffn_{part}.weight")
            if own:
                shapes |= {f"blk.{n}.ffn_{part}.{e}.weight": shape for e in range(2)}
            else:
                shapes[f"blk.{n}.ffn_{part}_exps.weight"] = (2, *shape)
        shapes[f"blk.{n}.ffn_gate_inp.weight"] = (2, WIDTH)
    return shapes


def _mamba() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(byte_tokens()), WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for n in range(LAYERS):
        parts = ("ssm_in", "ssm_conv1d", "ssm_x", "ssm_dt", "ssm_out", "attn_norm")
        shapes |= {f"blk.{n}.{part}.weight": (4, WIDTH) for part in parts}
    return shapes


@pytest.mark.parametrize(
    ("architecture", "shapes", "lost"),
    [
        ("phi3", _fused(), "blk.1.attn_qkv.weight"),
        ("phi3", _fused(), "blk.2.ffn_up.weight"),
        ("qwen3moe", _experts(0), "blk.0.ffn_up_exps.weight"),
        ("qwen3moe", _experts(0), "blk.2.ffn_gate_inp.weight"),
        ("deepseek", _experts(1), "blk.0.ffn_up.weight"),
        ("deepseek", _experts(1), "blk.1.ffn_down_exps.weight"),
        ("llama", _experts(0, own=True), "blk.1.ffn_up.1.weight"),
        ("mamba", _mamba(), "blk.1.ssm_out.weight"),
        ("mamba", _mamba(), "output_norm.weight"),
    ],
)
def test_other_kinds_of_layers(tmp_path: Path, architecture: str, shapes, lost: str) -> None:
    assert open_model(write_gguf(tmp_path / "a.gguf", shapes, architecture))
    message = refusal(write_gguf(tmp_path / "b.gguf", shapes, architecture, [lost]))
    assert f"{lost} is missing" in message


def test_of_an_unknown_architecture_the_layers_are_counted(tmp_path: Path) -> None:
    assert open_model(write_gguf(tmp_path / "a.gguf", architecture="new-kind"))
    last = [name for name in llama_shapes() if name.startswith("blk.2.")]
    assert "blk.2.*" in refusal(
        write_gguf(tmp_path / "b.gguf", architecture="new-kind", without=last)
    )
    lost = ["token_embd.weight"]
    message = refusal(write_gguf(tmp_path / "c.gguf", architecture="picture", without=lost))
    assert "'picture', which is not known as a language model's" in message


OTHERS = {
    "an adapter of org/base, not a whole model; merge it": {
        "general__type": "adapter",
        "general__base_model__0__name": "org/base",
    },
    "an adapter, not a whole model": {"adapter__type": "lora"},
    "the projector of a multimodal model": {"general__type": "mmproj"},
    "an importance matrix": {"general__type": "imatrix"},
    "a control vector": {"controlvector__layer_count": "3"},
    "no model: its general.type is 'dictionary'": {"general__type": "dictionary"},
}


@pytest.mark.parametrize(("says", "keys"), OTHERS.items())
def test_what_is_no_model_is_named(tmp_path: Path, says: str, keys: dict[str, str]) -> None:
    assert says in refusal(write_gguf(tmp_path / "m.gguf", **keys))


def test_architectures_of_no_language_model_are_named(tmp_path: Path) -> None:
    assert "projector" in refusal(write_gguf(tmp_path / "a.gguf", architecture="clip"))
    assert "control vector" in refusal(
        write_gguf(tmp_path / "b.gguf", architecture="controlvector")
    )


def test_a_vocabulary_alone_is_named(tmp_path: Path) -> None:
    message = refusal(write_gguf(tmp_path / "v.gguf", shapes={}))
    assert "holds only a vocabulary and none of the model's tensors" in message


BEGINNINGS = {
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "a web page": b"\n <!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "a server's error message": b'{"error":"Repository not found"}',
    "the format GGML": b"lmgg" + b"\x01\x00\x00\x00" * 9,
    "the format GGMF": b"fmgg" + b"\x01\x00\x00\x00" * 9,
    "the format GGJT": b"tjgg" + b"\x03\x00\x00\x00" * 9,
    "a LoRA adapter of the format GGLA": b"algg" + b"\x01\x00\x00\x00" * 9,
    "compressed with gzip": b"\x1f\x8b\x08" + bytes(40),
    "compressed with zstd": b"\x28\xb5\x2f\xfd" + bytes(40),
    "a ZIP archive": b"PK\x03\x04" + bytes(40),
    "a safetensors file": struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}}',
    "filled with zeros": bytes(4096),
    "version 1 (August 2023)": b"GGUF" + struct.pack("<III", 1, 0, 0),
    "of version 4": b"GGUF" + struct.pack("<IQQ", 4, 0, 0),
    "it is empty": b"",
    "it does not begin with GGUF": b"some words",
    "it ends inside its header": b"GGUF" + struct.pack("<IQQ", 3, 1, 1),
}


@pytest.mark.parametrize(("says", "content"), BEGINNINGS.items())
def test_a_file_of_another_kind_is_named(tmp_path: Path, says: str, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert says in refusal(path)


def test_a_big_endian_file_is_named(tmp_path: Path) -> None:
    message = refusal(write_gguf(tmp_path / "m.gguf", big_endian=True))
    assert "is a big-endian GGUF file" in message


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "check the path" in refusal(tmp_path / "none.gguf")


@pytest.mark.parametrize("cut", [20, 30_000, 1])
def test_a_cut_off_file_is_told_with_the_tensor(tmp_path: Path, cut: int) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    whole = path.read_bytes()
    path.write_bytes(whole[: -cut - 32])  # at most so much is padding
    assert "it ends inside the tensor blk.2." in refusal(path)


def test_a_piece_of_a_file_that_was_cut_up_is_told(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "m.gguf").read_bytes()
    for name in ("m.gguf-split-a", "m.gguf.part1of2", "m.gguf-part-a"):
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        assert "join the pieces first" in refusal(tmp_path / name)


def _changed(path: Path, before: bytes, after: bytes) -> Path:
    content = path.read_bytes()
    assert content.count(before) >= 1
    path.write_bytes(content.replace(before, after, 1))
    return path


@pytest.mark.parametrize(("kind", "says"), [(36, "I2_S of bitnet.cpp"), (208, "number 208")])
def test_an_unknown_quantisation_is_named(tmp_path: Path, kind: int, says: str) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    name = b"blk.1.ffn_up.weight"
    entry = name + struct.pack("<IQQI", 2, WIDTH, INNER, 0)
    message = refusal(_changed(path, entry, entry[:-4] + struct.pack("<I", kind)))
    assert f"the tensor {name.decode()} is quantised" in message
    assert says in message


def test_tensors_and_keys_stand_in_a_file_once(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "a.gguf")
    message = refusal(_changed(path, b"blk.1.attn_q.weight", b"blk.1.attn_k.weight"))
    assert "two tensors are called blk.1.attn_k.weight" in message
    path = write_gguf(tmp_path / "c.gguf", general__aa="x", general__bb="y")
    assert "general.aa occurs in it twice" in refusal(_changed(path, b"general.bb", b"general.aa"))


def test_tensors_that_overlap_are_damage(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    name = b"blk.1.ffn_up.weight" + struct.pack("<IQQI", 2, WIDTH, INNER, 0)
    content = path.read_bytes()
    at = content.index(name) + len(name)
    path.write_bytes(content[:at] + struct.pack("<Q", 32) + content[at + 8 :])
    assert "lies across" in refusal(path)


def test_an_empty_dimension_is_told(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    before = b"blk.1.ffn_up.weight" + struct.pack("<IQ", 2, WIDTH)
    message = refusal(_changed(path, before, before[:-8] + bytes(8)))
    assert "blk.1.ffn_up.weight" in message


class TestSplitFiles:
    @pytest.fixture(name="parts")
    def parts_fixture(self, tmp_path: Path) -> list[Path]:
        write_gguf(tmp_path / "m.gguf", split=12)
        parts = sorted(tmp_path.glob("m-*.gguf"))
        assert len(parts) == 3
        return parts

    def test_all_parts_are_one_model(self, parts: list[Path], tmp_path: Path) -> None:
        assert open_model(parts[0]).parts == tuple(parts)
        files = model_files(parse_subject(f"gguf:{parts[0]}"))
        assert files is not None
        (tmp_path / "one").mkdir()
        whole = model_files(parse_subject(f"gguf:{write_gguf(tmp_path / 'one' / 'm.gguf')}"))
        assert whole is not None
        joined, single = open_weights(files), open_weights(whole)
        assert joined.tensors.keys() == single.tensors.keys()
        for name in single.tensors:
            assert np.array_equal(joined.read(name), single.read(name))

    def test_a_later_part_names_the_first(self, parts: list[Path]) -> None:
        assert f"is part 2 of 3; give part 1: {parts[0].name}" in refusal(parts[1])

    @pytest.mark.parametrize("number", [2, 3])
    def test_a_missing_part_is_named(self, parts: list[Path], number: int) -> None:
        parts[number - 1].unlink()
        assert f"is part 1 of 3; part {number} is missing" in refusal(parts[0])

    def test_missing_parts_are_named(self, parts: list[Path]) -> None:
        parts[1].unlink()
        parts[2].unlink()
        assert "part 2, 3 are missing" in refusal(parts[0])

    def test_a_part_of_another_model_is_told(self, parts: list[Path], tmp_path: Path) -> None:
        parts[2].write_bytes(parts[1].read_bytes())
        with pytest.raises(InputFileError, match="is not part 3 of 3"):
            open_model(parts[0])

    def test_a_damaged_part_is_told(self, parts: list[Path]) -> None:
        parts[1].write_bytes(parts[1].read_bytes()[:-4000])
        with pytest.raises(InputFileError, match=r"m-00002-of-00003.gguf is not a complete"):
            open_model(parts[0])

    def test_renamed_parts_are_told(self, parts: list[Path], tmp_path: Path) -> None:
        parts[0].rename(tmp_path / "first.gguf")
        assert "its name does not say" in refusal(tmp_path / "first.gguf")

    def test_a_joined_file_has_the_same_numbers(self, parts: list[Path], tmp_path: Path) -> None:
        from gguf import GGUFReader

        model = open_model(parts[0])
        joined = model.whole(tmp_path)
        assert {tensor.name for tensor in GGUFReader(joined).tensors} == set(llama_shapes())
        (tmp_path / "one").mkdir()
        single = open_model(write_gguf(tmp_path / "one" / "m.gguf"))
        numbers = {t.name: t.data for t in GGUFReader(single.parts[0]).tensors}
        for tensor in GGUFReader(joined).tensors:
            assert np.array_equal(tensor.data, numbers[tensor.name])


@pytest.mark.parametrize("count", [1 << 31, 1 << 40, 1 << 63])
def test_counts_that_no_file_has_take_no_time(tmp_path: Path, count: int) -> None:
    path = tmp_path / "m.gguf"
    start = time.process_time()
    for tensors, keys in ((count, 0), (0, count)):
        path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, tensors, keys))
        refusal(path)
    name = b"a.b"
    key = struct.pack("<Q", len(name)) + name + struct.pack("<IIQ", 9, 8, count)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key)
    refusal(path)
    assert time.process_time() - start < 2
