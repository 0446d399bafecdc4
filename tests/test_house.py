"""The house holds: packages in order, old paths for one release, nothing heavy at the door."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

ROOT = Path(__file__).resolve().parents[1]
OLD_PATHS = {"backends", "comparators", "examined.py", "importers", "matching.py", "resources.py"}
# Locals of these names say nothing of what they hold.
EMPTY_NAMES = {"one", "found", "own", "kept", "told"}
# What plugins of the first release import, line by line.
OLD_IMPORTS = (
    "from forensics.backends import BackendOptions, GenerationSettings, Request, Sink, Backend",
    "from forensics.backends.base import BackendOptions, GenerationSettings, Request, Sink",
    "from forensics.backends.openai import OpenAIBackend",
    "from forensics.case import Case, Verdict, read_case",
    "from forensics.comparators import load_comparators",
    "from forensics.comparators.base import Comparator, matched_evidence, without_score",
    "from forensics.evidence import Evidence, Exhibit, Interval, Tier",
    "from forensics.examined import Answer, Examined, Need",
    "from forensics.importers import Imported, Importer, import_file",
    "from forensics.importers.base import Imported, by_model",
    "from forensics.matching import PromptRows, match, prompt_rows",
    "from forensics.resources import data_folder",
    "from forensics.subjects import Subject, parse_subject",
    "from forensics.suites import Prompt, Suite, load_suite",
    "from forensics.transcripts import Response, Transcript, read_transcript",
)


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
    ]
    return subprocess.run(
        [*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(name="copy", scope="module")
def copy_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the sources that may be spoilt."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("forensics", "studies", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=lambda _, names: [n for n in names if n == "frozen"]
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_packages_use_only_packages_below_them(copy: Path) -> None:
    done = _lint(copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("forensics/support/numbers.py", "from forensics.case.document import Case"),
        ("forensics/evidence/text/style.py", "from forensics.verdicts.compare import compare"),
        ("forensics/cohorts/tree.py", "from studies.suite.study import main"),
        ("forensics/evidence/text/style.py", "import forensics.evidence.weights.units"),
    ],
)
def test_an_upward_import_inside_a_function_breaks_the_contract(
    copy: Path, file: str, line: str
) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n\ndef _late() -> None:\n    {line}\n", encoding="utf-8")
    try:
        done = _lint(copy)
    finally:
        path.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert " 0 broken" not in done.stdout


def test_the_folder_list_stays_short() -> None:
    entries = {
        path.name
        for path in (ROOT / "forensics").iterdir()
        if path.name not in ("__init__.py", "__main__.py")
        and (path.suffix == ".py" or (path / "__init__.py").is_file())
    }
    assert len(entries - OLD_PATHS) <= 22
    assert entries >= OLD_PATHS


def test_no_module_is_two_things() -> None:
    modules = [*ROOT.glob("forensics/**/*.py"), *ROOT.glob("studies/**/*.py")]
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in modules}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def _imports(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """Return the package's own modules that a file imports, within functions and for types too."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
    return {name for name in named if name in modules and modules[name] != path}


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_files_import_one_another_in_a_circle() -> None:
    modules = {_module_name(path): path for path in ROOT.glob("forensics/**/*.py")}
    del modules["forensics"]  # its names are lazy, and point to everything
    graph = {name: _imports(path, modules) for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def _repeated(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand in several places, with these."""
    places: dict[str, list[str]] = {}
    for name, place in names:
        places.setdefault(name, []).append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def _is_old_path(path: Path) -> bool:
    return path.relative_to(ROOT / "forensics").parts[0] in OLD_PATHS


def test_no_two_classes_have_one_name() -> None:
    classes = [
        (node.name, str(path.relative_to(ROOT)))
        for path in (ROOT / "forensics").rglob("*.py")
        if not _is_old_path(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert len(classes) > 400
    assert _repeated(classes) == {}


def test_no_two_modules_have_one_name() -> None:
    # The command line has its verbs' names, and a report of a check that of its format.
    paths = [path.relative_to(ROOT / "forensics") for path in (ROOT / "forensics").rglob("*.py")]
    modules = [
        (path.stem, str(path))
        for path in paths
        if path.stem != "__init__"
        and path.parts[0] not in (*OLD_PATHS, "cli")
        and path.parts[:2] != ("report", "check")
    ]
    assert len(modules) > 300
    assert _repeated(modules) == {}


def test_no_package_imports_the_root() -> None:
    root = re.compile(r"^\s*(import forensics\s*$|from forensics import)", re.MULTILINE)
    found = [
        str(p) for p in (ROOT / "forensics").rglob("*.py") if root.search(p.read_text("utf-8"))
    ]
    assert found == []


def test_the_version_is_one() -> None:
    import forensics

    metadata = ProjectMetadata(str(ROOT), PluginManager())
    assert metadata.version == forensics.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project


@pytest.mark.parametrize("line", OLD_IMPORTS)
def test_an_old_path_works_and_says_where_it_went(line: str) -> None:
    scope: dict[str, object] = {}
    with pytest.warns(DeprecationWarning, match=r"moved to forensics\.") as told:
        exec(line, scope)
    names = re.split(r", |import ", line)[1:]
    assert all(name in scope for name in names)
    assert all(any(f".{name} moved to" in str(w.message) for w in told) for name in names)
    home = re.search(r"moved to ([\w.]+);", str(told[0].message))
    assert home is not None
    assert getattr(importlib.import_module(home[1]), names[0]) is scope[names[0]]


def test_an_old_name_is_the_same_class_by_its_new_name() -> None:
    with pytest.warns(DeprecationWarning, match=r"moved to forensics\.\S+ as ImportedAnswer;"):
        from forensics.importers.base import Answer
    from forensics.plugin import ImportedAnswer

    assert Answer is ImportedAnswer


def test_a_name_that_never_stood_there_is_an_error() -> None:
    with pytest.raises(ImportError, match="Nonsense"):
        exec("from forensics.transcripts import Nonsense", {})
    with pytest.raises(AttributeError, match="nonsense"):
        exec("import forensics; forensics.nonsense", {})


def test_every_public_name_is_there_and_loads_nothing_before_it_is_used() -> None:
    script = (
        "import json, sys, forensics; early = set(sys.modules);"
        "names = {name: bool(getattr(forensics, name)) for name in forensics.__all__};"
        "print(json.dumps([names, sorted(early)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names, early = json.loads(done.stdout)
    assert all(names.values())
    assert not {"numpy", "torch", "click", "pydantic", "pandas"} & set(early)


def test_the_door_for_plugins_offers_what_it_lists() -> None:
    plugin = importlib.import_module("forensics.plugin")
    assert plugin.__all__ == sorted(plugin.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(plugin, name) for name in plugin.__all__)


def _locals(tree: ast.Module) -> Iterable[tuple[str, int]]:
    """Yield every local and parameter of a module's functions: its name and its line."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside = [n for f in ast.walk(tree) if isinstance(f, functions) for n in ast.walk(f)]
    for node in inside:
        if isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def test_names_say_what_they_hold() -> None:
    said_nothing = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / "forensics").rglob("*.py"))
        for name, line in _locals(ast.parse(path.read_text("utf-8")))
        if name in EMPTY_NAMES
    ]
    assert said_nothing == []


def test_a_name_that_says_nothing_is_seen() -> None:
    source = "def sums(own):\n    return [one for found, *kept in own for one in kept]\n"
    assert {name for name, _ in _locals(ast.parse(source))} & EMPTY_NAMES == EMPTY_NAMES - {"told"}
