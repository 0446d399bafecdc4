"""Which files are the model's: what the index names, else what can be meant by one thing only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.reader import open_weights
from forensics.subjects.backends.backend import GenerationSettings
from forensics.subjects.model_files.folder import folder_files
from forensics.subjects.model_files.sources import check_folder, open_source
from forensics.subjects.model_files.weight_files import select_weights
from forensics.subjects.subject import parse_subject
from tests import model_folders
from tests.subjects.backends.tiny_model import ask, make_suite, make_tiny_model, open_tiny

A = {"x": torch.ones(2, 4), "y": torch.full((3, 3), 2.0)}
OLD = {"x": torch.zeros(2, 4), "y": torch.zeros(3, 3)}


def _names(folder: Path) -> list[str]:
    return [path.name for path in select_weights(folder).paths]


def _first(folder: Path) -> dict[str, float]:
    weights = open_weights(folder_files(folder))
    return {name: float(weights.read(name).reshape(-1)[0]) for name in weights.tensors}


def _refusal(folder: Path) -> str:
    with pytest.raises(ModelFileError) as error:
        open_weights(folder_files(folder))
    text = str(error.value)
    assert "\n" not in text
    assert ";" in text or ":" in text
    return text


@pytest.fixture(name="shards")
def shards_fixture(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    model_folders.write_index(folder, model_folders.sharded(folder, A))
    return folder


BESIDE = [
    "pytorch_model_old.safetensors",
    "model.fp16.safetensors",
    "consolidated.safetensors",
    "adapter_model.safetensors",
    "model-00001-of-00003.safetensors",
]


@pytest.mark.parametrize("name", BESIDE)
def test_what_the_index_does_not_name_is_not_the_models(shards, name):
    model_folders.save(shards, OLD, name)
    assert _first(shards) == {"x": 1.0, "y": 2.0}
    assert name not in _names(shards)


@pytest.mark.parametrize("name", BESIDE)
def test_nor_is_what_stands_beside_the_one_file(tmp_path, name):
    model_folders.save(tmp_path, A)
    model_folders.save(tmp_path, OLD, name)
    assert _first(tmp_path) == {"x": 1.0, "y": 2.0}


def test_a_tensor_is_read_only_from_the_file_that_the_index_names(shards):
    files = sorted(shards.glob("*.safetensors"))
    model_folders.save(shards, {"y": A["y"], "x": OLD["x"]}, files[1].name)
    assert _first(shards) == {"x": 1.0, "y": 2.0}
    # A model that is to answer is loaded by transformers, whose last file wins.
    with pytest.raises(ModelFileError, match=r"holds the tensor x, which .* places in model-00001"):
        check_folder(shards)


def test_a_file_of_the_index_that_is_missing_is_named(shards):
    (shards / "model-00002-of-00002.safetensors").unlink()
    assert "lacks 1 of 2 shards (first: model-00002-of-00002.safetensors)" in _refusal(shards)


def test_a_tensor_that_the_named_file_lacks_is_named(shards):
    places = json.loads((shards / model_folders.INDEX).read_text())["weight_map"]
    model_folders.write_index(shards, {**places, "z": places["x"]})
    assert "places the tensor z in model-00001-of-00002.safetensors, which lacks it" in _refusal(
        shards
    )


@pytest.mark.parametrize("count", [1, 2])
def test_an_index_beside_another_whole_file_is_refused(tmp_path, count):
    model_folders.write_index(tmp_path, model_folders.sharded(tmp_path, A, count))
    model_folders.save(tmp_path, OLD)
    assert "two sets of weights: model.safetensors" in _refusal(tmp_path)


def test_an_index_may_name_the_one_file(tmp_path):
    model_folders.save(tmp_path, A)
    model_folders.write_index(tmp_path, dict.fromkeys(A, "model.safetensors"))
    assert _names(tmp_path) == ["model.safetensors"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("{}", "is not an index of shards"),
        ('{"weight_map": {}}', "is not an index of shards"),
        ('{"weight_map": {"x": 7}}', "is not an index of shards"),
        ('{"weight_map": ["x"]}', "is not an index of shards"),
        ("[" * 5000, "is not an index of shards"),
        ('{"weight_map": {"x": "../a.safetensors"}}', "is not a safetensors file of its folder"),
        ('{"weight_map": {"x": "pytorch_model.bin"}}', "is not a safetensors file of its folder"),
        ('{"weight_map": {"x": "a.safetensors", "x": "b.safetensors"}}', "names 'x' twice"),
        ("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    ],
)
def test_an_index_that_is_none_is_refused(shards, text, says):
    (shards / model_folders.INDEX).write_text(text)
    assert says in _refusal(shards)


def test_one_whole_set_of_shards_needs_no_index_to_be_compared(tmp_path):
    model_folders.sharded(tmp_path, A)
    assert _first(tmp_path) == {"x": 1.0, "y": 2.0}
    with pytest.raises(ModelFileError, match="without which transformers does not load them"):
        check_folder(tmp_path)
    (tmp_path / "model-00001-of-00002.safetensors").unlink()
    assert "lacks 1 of 2 shards (first: model-00001-of-00002.safetensors)" in _refusal(tmp_path)


def test_counts_may_be_written_wider_than_numbers(tmp_path):
    model_folders.save(tmp_path, {"x": A["x"]}, "model-00001-of-000002.safetensors")
    assert "first: model-00002-of-000002.safetensors" in _refusal(tmp_path)
    model_folders.save(tmp_path, {"y": A["y"]}, "model-00002-of-000002.safetensors")
    assert _first(tmp_path) == {"x": 1.0, "y": 2.0}


def test_a_tensor_in_two_shards_needs_an_index(tmp_path):
    model_folders.sharded(tmp_path, A)
    model_folders.save(tmp_path, A, "model-00002-of-00002.safetensors")
    assert "both hold the tensor x and no index says which counts" in _refusal(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("a.safetensors", "b.safetensors"),
        ("model-00001-of-00001.safetensors", "pytorch_model_old.safetensors"),
        ("model-00001-of-00001.safetensors", "other-00001-of-00001.safetensors"),
        ("model-00001-of-00002.safetensors", "model-00001-of-00003.safetensors"),
        ("model.fp16.safetensors", "model.fp32.safetensors"),
    ],
)
def test_what_can_be_meant_by_two_things_is_refused_by_name(tmp_path, names):
    for name in names:
        model_folders.save(tmp_path, A, name)
    told = _refusal(tmp_path)
    assert "holds several sets of weights" in told
    assert "keep one, as model.safetensors or with model.safetensors.index.json" in told


def test_shards_beyond_their_number_are_refused(tmp_path):
    model_folders.sharded(tmp_path, A)
    model_folders.save(tmp_path, OLD, "model-00003-of-00002.safetensors")
    assert "a shard beyond its 2" in _refusal(tmp_path)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.fp16.safetensors"])
def test_the_only_other_file_is_the_models_and_is_loaded_too(tmp_path, name):
    folder = make_tiny_model(tmp_path / "tiny")
    suite, settings = make_suite("The lazy dog"), GenerationSettings(max_tokens=8)
    before = ask(open_tiny(folder), suite, settings)
    (folder / "model.safetensors").rename(folder / name)
    assert _names(folder) == [name]
    after = ask(open_tiny(folder), suite, settings)
    assert {k: r.text for k, r in before.items()} == {k: r.text for k, r in after.items()}


def test_who_a_model_is_follows_from_its_own_files(tmp_path):
    folder = make_tiny_model(tmp_path / "tiny")
    before = open_source(parse_subject(f"hf:{folder}"), "float32").identity
    for name in BESIDE:
        model_folders.save(folder, OLD, name)
    assert open_source(parse_subject(f"hf:{folder}"), "float32").identity == before
    model_folders.save(folder, OLD)
    assert open_source(parse_subject(f"hf:{folder}"), "float32").identity != before


def test_the_file_that_the_configuration_names_comes_first(tmp_path):
    model_folders.save(tmp_path, OLD)
    named = {"transformers_weights": "best.safetensors"}
    model_folders.save(tmp_path, A, "best.safetensors", named)
    assert _names(tmp_path) == ["best.safetensors"]


def test_a_link_to_nothing_is_a_file_that_was_not_fetched(tmp_path):
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / "0")
    assert "is a link to a file that is not here" in _refusal(tmp_path)


def test_the_hub_is_asked_for_the_models_files_only(tmp_path):
    from forensics.subjects.model_files.sources import _weight_patterns

    assert _weight_patterns(tmp_path) == [["model.safetensors"], ["*.safetensors"]]
    places = model_folders.sharded(tmp_path, A)
    model_folders.write_index(tmp_path, places)
    assert _weight_patterns(tmp_path) == [["model.safetensors", *sorted(set(places.values()))]]


@pytest.fixture(name="hub")
def hub_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a model's commit in the hub client's cache, out of reach of the hub."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    model, commit = tmp_path / "models--org--name", "0" * 40
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(commit)
    (model / "snapshots" / commit).mkdir(parents=True)
    return model / "snapshots" / commit


def test_a_hub_model_is_what_its_index_names(hub):
    folder = make_tiny_model(hub)
    content = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    model_folders.write_index(folder, _shards_of(folder, content))
    model_folders.save(folder, OLD, "stale.safetensors")
    source = open_source(parse_subject("hf:org/name"), "float32")
    assert source.folder() == folder
    assert source.identity["commit"] == folder.name
    assert "stale.safetensors" not in _names(folder)


def _shards_of(folder: Path, content: dict[str, torch.Tensor]) -> dict[str, str]:
    config = (folder / "config.json").read_text()
    places = model_folders.sharded(folder, content)
    (folder / "config.json").write_text(config)
    return places


def test_a_hub_adapter_is_named_before_anything_large_is_fetched(hub):
    model_folders.adapter(hub)
    with pytest.raises(ModelFileError, match=r"hf:org/name is an adapter \(LORA\) of someone"):
        open_source(parse_subject("hf:org/name"), "float32").folder()
