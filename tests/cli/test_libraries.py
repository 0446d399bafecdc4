"""What comparing texts loads, and what is left where a heavy library does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.case.document import read_case
from tests.builders import essays, write
from tests.cli.cli import ROOT, Result, forensics
from tests.subjects.backends.tiny_model import make_tiny_model

HEAVY = {"torch", "transformers", "sentence_transformers", "pandas", "sklearn", "pyarrow"}
LOADED = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
BY_COMMAND = f"""
import json, sys
from forensics.cli import run
assert run(["compare", "a.jsonl", "b.jsonl", *sys.argv[1:]]) == 0
{LOADED}
"""
IN_PYTHON = f"""
import json, sys
import forensics
case = forensics.compare("a.jsonl", "b.jsonl", without=["embedding"])
assert case.verdict.status == "screening"
{LOADED}
"""
NOTEBOOK = """
import forensics
case = forensics.compare("a.jsonl", "b.jsonl", without=["embedding"])
print(case.to_frame()[["evidence", "status", "score"]].to_string())
print(case.verdict.status)
"""
MESSAGE = "libtorch_cpu.so: cannot open shared object file"


@pytest.fixture(name="texts", scope="module")
def texts_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for shift, name in enumerate(("a", "b")):
        write(folder / f"{name}.jsonl", essays(12, shift))
    return folder


def _break(folder: Path, error: str) -> str:
    """Make a folder whose torch raises when it is imported, as half an installation does."""
    (folder / "torch").mkdir()
    code = f"raise {error}({MESSAGE!r})\n"
    (folder / "torch" / "__init__.py").write_text(code, encoding="utf-8")
    return str(folder)


@pytest.fixture(name="broken", scope="module")
def broken_fixture(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _break(tmp_path_factory.mktemp("broken"), "OSError")


def _loaded(script: str, folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def _run(texts: Path, cache: Path, broken: str, *arguments: str) -> Result:
    search = os.pathsep.join((broken, str(ROOT)))
    # A cache of its own: embeddings that are on disk need no torch.
    return forensics(*arguments, cwd=texts, PYTHONPATH=search, FORENSICS_CACHE=str(cache))


@pytest.mark.parametrize("cohort", [(), ("--cohort", "none")])
def test_comparing_texts_loads_nothing_heavy(texts: Path, cohort: tuple[str, ...]) -> None:
    loaded = _loaded(BY_COMMAND, texts, "--without", "embedding", *cohort)
    assert "numpy" in loaded
    assert loaded & HEAVY == set()


def test_nor_does_it_from_python(texts: Path) -> None:
    loaded = _loaded(IN_PYTHON, texts)
    assert "numpy" in loaded
    assert loaded & HEAVY == set()


def test_a_notebook_prints_a_frame_where_torch_is_absent(texts: Path, tmp_path: Path) -> None:
    absent = _break(tmp_path, "ModuleNotFoundError")
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        cwd=texts,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((absent, str(ROOT)))},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "phrasing" in done.stdout
    assert done.stdout.splitlines()[-1] == "screening"
    assert done.stderr == ""


def test_the_package_is_imported_in_no_time() -> None:
    script = (
        "import time; t = time.perf_counter(); import forensics; print(time.perf_counter() - t)"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    assert min(times) < 0.2


@pytest.mark.parametrize("error", ["ImportError", "OSError"])
def test_a_broken_torch_leaves_out_what_needs_it(texts: Path, tmp_path: Path, error: str) -> None:
    broken = _break(tmp_path, error)
    case = tmp_path / "case.json"
    done = _run(texts, tmp_path / "cache", broken, "compare", "a.jsonl", "b.jsonl", "--json", case)
    assert done.code == 0, done.err
    whole = _run(texts, tmp_path / "cache", broken, "report", case, "--verbose")
    lines = [line for line in done.err.splitlines() if not line.startswith("written: ")]
    assert len(lines) == 1
    assert lines[0].startswith("Meaning (embeddings) was left out of this comparison: the package")
    assert "torch" in lines[0]
    assert MESSAGE in lines[0]
    read = read_case(case)
    assert read.verdict.limits[0] == lines[0]
    statuses = {e.comparator: e.status for e in read.evidence}
    assert statuses["embedding"] == "not_measured"
    assert statuses["phrasing"] == "ok"
    assert " ".join(lines[0].split()) in " ".join(whole.out.replace("- ", "").split())


def test_nothing_but_what_needs_a_broken_torch_is_an_error(
    texts: Path, tmp_path: Path, broken: str
) -> None:
    done = _run(
        texts, tmp_path / "cache", broken, "compare", "a.jsonl", "b.jsonl", "--only", "embedding"
    )
    assert done.code == 4
    assert "Meaning (embeddings) cannot be measured" in done.complaint
    assert "pip install --force-reinstall torch" in done.complaint


def test_a_check_says_what_was_left_out(texts: Path, tmp_path: Path, broken: str) -> None:
    policy = tmp_path / "forensics.toml"
    policy.write_text(
        '[[against]]\nsubject = "a.jsonl"\n\n[rules.max-similarity]\nlimits = { phrasing = 0.9 }\n',
        encoding="utf-8",
    )
    done = _run(texts, tmp_path / "cache", broken, "check", "b.jsonl", "--policy", policy)
    assert done.code in (0, 1), done.err
    assert done.err.count("was left out of this comparison") == 1


def test_a_local_model_says_which_library_is_broken(
    texts: Path, tmp_path: Path, broken: str
) -> None:
    model = make_tiny_model(tmp_path / "model")
    done = _run(texts, tmp_path / "cache", broken, "compare", f"hf:{model}", "a.jsonl")
    assert done.code == 4
    assert "the package torch is installed and cannot be loaded" in done.complaint
