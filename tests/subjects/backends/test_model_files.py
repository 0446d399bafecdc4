"""A local model's files: what may be loaded, what is refused and how, and the cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.errors import BackendError, ForensicsError
from forensics.subjects.backends import BackendOptions, GenerationSettings
from forensics.subjects.backends.transformers import TransformersBackend
from forensics.subjects.model_files.gguf import read_header
from forensics.subjects.subject import parse_subject
from forensics.support.cache import cached_folder
from tests.subjects.backends.tiny_model import (
    CHATML,
    ask,
    copy_model,
    make_suite,
    make_tiny_model,
    open_tiny,
)

SUITE = make_suite("Who are you?", "The lazy dog runs on")
GREEDY = GenerationSettings(max_tokens=8)


@pytest.fixture(name="plain", scope="module")
def plain_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("plain") / "tiny-base")


def refusal(backend: TransformersBackend) -> str:
    with pytest.raises(ForensicsError) as caught:
        ask(backend, SUITE, GREEDY)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestBadModels:
    def test_pickled_weights_are_refused(self, plain: Path, tmp_path: Path) -> None:
        import torch

        folder = copy_model(plain, tmp_path)
        (folder / "model.safetensors").unlink()
        torch.save({}, folder / "pytorch_model.bin")
        assert "pickle (pytorch_model.bin)" in refusal(open_tiny(folder))

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("config.json", "no config.json"),
            ("model.safetensors", "no *.safetensors"),
            ("tokenizer.json", "no tokenizer"),
        ],
    )
    def test_a_missing_file_is_named(
        self, plain: Path, tmp_path: Path, name: str, message: str
    ) -> None:
        folder = copy_model(plain, tmp_path)
        (folder / name).unlink()
        assert message in refusal(open_tiny(folder))

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty; download it again"),
            (b"\x00\xff garbage", "garbage"),
            (b"[]", "garbage"),
            (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer; the file"),
            (b" <!DOCTYPE html>\n<html>", "is a web page, not a model; download the file"),
        ],
    )
    def test_a_damaged_file_is_one_line(
        self, plain: Path, tmp_path: Path, name: str, content: bytes, says: str
    ) -> None:
        folder = copy_model(plain, tmp_path)
        (folder / name).write_bytes(content)
        message = refusal(open_tiny(folder))
        if says != "garbage":
            assert says in message
        elif name == "model.safetensors":
            assert "is not a complete safetensors file" in message
        else:
            assert "cannot be loaded" in message or "config.json is not a complete" in message

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("num_hidden_layers", 10**9),
            ("num_hidden_layers", -1),
            ("num_hidden_layers", "two"),
            ("hidden_size", "32"),
            ("hidden_size", 0),
            ("vocab_size", 10**15),
            ("vocab_size", 1e999),
            ("num_attention_heads", True),
            ("intermediate_size", [64, "x"]),
            ("num_key_value_heads", {}),
        ],
    )
    def test_a_size_that_is_none_is_named(
        self, plain: Path, tmp_path: Path, key: str, value: object
    ) -> None:
        folder = copy_model(plain, tmp_path)
        config = json.loads((folder / "config.json").read_text()) | {key: value}
        (folder / "config.json").write_text(json.dumps(config))
        assert f"config.json: {key} is {value!r}" in refusal(open_tiny(folder))

    def test_cut_off_weights_are_one_line(self, plain: Path, tmp_path: Path) -> None:
        folder = copy_model(plain, tmp_path)
        weights = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
        assert "model.safetensors is not a complete" in refusal(open_tiny(folder))

    def test_missing_weights_are_never_filled_with_random_ones(
        self, plain: Path, tmp_path: Path
    ) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_model(plain, tmp_path)
        weights = load_file(folder / "model.safetensors")
        del weights["model.layers.1.mlp.up_proj.weight"]
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        assert "model.layers.1.mlp.up_proj.weight" in refusal(open_tiny(folder))

    def test_nan_weights_are_one_line(self, plain: Path, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_model(plain, tmp_path)
        weights = load_file(folder / "model.safetensors")
        weights["model.norm.weight"][:] = float("nan")
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        assert "NaN" in refusal(open_tiny(folder))

    def test_a_model_that_brings_its_own_code_is_refused(self, plain: Path, tmp_path: Path) -> None:
        folder, ran = copy_model(plain, tmp_path), tmp_path / "ran"
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
        message = refusal(open_tiny(folder))
        assert "defined by code that comes with the model (own.py), which is never run" in message
        assert not ran.exists()

    def test_an_architecture_that_nobody_knows_is_named(self, plain: Path, tmp_path: Path) -> None:
        folder = copy_model(plain, tmp_path)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"model_type": "of-tomorrow"}))
        assert "does not know the architecture 'of-tomorrow'; upgrade" in refusal(open_tiny(folder))

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        assert "no folder" in refusal(open_tiny(tmp_path / "nowhere"))

    @pytest.mark.parametrize("name", ["nobody/unknown", "nobody/unknown@v9", "a b/c", "x/y/z"])
    def test_an_offline_hub_is_one_line(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import huggingface_hub.constants

        # The client reads HF_HUB_OFFLINE and HF_HOME once, when it is imported.
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
        backend = TransformersBackend(parse_subject(f"hf:{name}"), BackendOptions())
        message = refusal(backend)
        assert "go online" in message or "check the spelling" in message


class TestGguf:
    @pytest.mark.parametrize(
        "content", [b"", b"GGUF", b"not a model", b"GGUF\x03\x00\x00\x00" + b"\xff" * 40]
    )
    def test_what_is_not_gguf_is_one_line(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "broken.gguf"
        path.write_bytes(content)
        backend = TransformersBackend(parse_subject(f"gguf:{path}"), BackendOptions())
        assert "not a complete GGUF file" in refusal(backend)

    def test_a_missing_file_is_one_line(self, tmp_path: Path) -> None:
        backend = TransformersBackend(
            parse_subject(f"gguf:{tmp_path / 'none.gguf'}"), BackendOptions()
        )
        assert "check the path" in refusal(backend)

    def test_an_unknown_architecture_is_one_line_and_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write_gguf(tmp_path / "odd.gguf", "no-such-architecture")
        monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
        backend = TransformersBackend(parse_subject(f"gguf:{path}"), BackendOptions())
        assert "cannot run" in refusal(backend)
        assert [p for p in (tmp_path / "cache" / "gguf").iterdir() if p.is_dir()] == []

    def test_the_header_reads_what_was_written(self, tmp_path: Path) -> None:
        header = read_header(write_gguf(tmp_path / "a.gguf", "llama"))
        assert header["general.architecture"] == "llama"
        assert header["tokenizer.chat_template"] == CHATML
        assert header["llama.block_count"] == 2
        assert "tokenizer.ggml.tokens" not in header


def write_gguf(path: Path, architecture: str) -> Path:
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    writer.add_token_list(["a", "b", "ü"])
    writer.add_token_scores([0.0, 1.0, 2.0])
    writer.add_block_count(2)
    writer.add_chat_template(CHATML)
    writer.add_tensor("token_embd.weight", np.zeros((3, 4), dtype=np.float32))
    for layer in range(2):
        writer.add_tensor(f"blk.{layer}.mix.weight", np.zeros((4, 4), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class TestCachedFolder:
    @pytest.fixture(autouse=True)
    def cache_fixture(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path))

    def test_builds_once(self) -> None:
        built: list[Path] = []

        def build(folder: Path) -> None:
            built.append(folder)
            (folder / "file").write_text("whole")

        first = cached_folder("test", "name", build)
        assert cached_folder("test", "name", build) == first
        assert (first / "file").read_text() == "whole"
        assert len(built) == 1

    def test_a_failed_build_leaves_nothing_to_be_taken_for_a_model(self, tmp_path: Path) -> None:
        def fail(folder: Path) -> None:
            (folder / "half").write_text("")
            raise BackendError("no")

        with pytest.raises(BackendError):
            cached_folder("test", "name", fail)
        assert [p for p in (tmp_path / "test").iterdir() if p.is_dir()] == []

    def test_two_processes_build_one_folder(self, tmp_path: Path) -> None:
        import subprocess
        import sys

        script = (
            "import time\nfrom forensics.support.cache import cached_folder\n"
            "def build(folder):\n"
            "    print('built', flush=True)\n"
            "    for i in range(20):\n"
            "        (folder / str(i)).write_text('x'); time.sleep(0.02)\n"
            "print(len(list(cached_folder('test', 'name', build).iterdir())))\n"
        )
        runs = [
            subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        output = [run.communicate(timeout=60)[0].split() for run in runs]
        assert sorted(output) == [["20"], ["20"], ["built", "20"]]

    def test_a_full_disk_is_one_line_and_leaves_nothing(self, tmp_path: Path) -> None:
        import subprocess
        import sys

        # A limit on the size of files refuses the write as a full disk does.
        script = (
            "import resource, torch\nfrom safetensors.torch import save_file\n"
            "from forensics.support.cache import cached_folder\n"
            "from forensics.errors import OutputError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            "def build(folder):\n"
            "    save_file({'w': torch.zeros(9999)}, folder / 'model.safetensors')\n"
            "try:\n    cached_folder('test', 'name', build)\n"
            "except OutputError as error:\n    print(error)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert "make room" in run.stdout, run.stderr
        assert run.stdout.count("\n") == 1
        assert [p for p in (tmp_path / "test").iterdir() if p.is_dir()] == []
