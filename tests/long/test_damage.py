"""Five hundred damaged files of every kind that is read: each ends in one clear line or a result.

Run with `pytest -m long`; FORENSICS_SEED chooses other damage.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pandas as pd
import pytest

from forensics.cli import run
from forensics.exitcodes import ExitCode
from forensics.support.resources import data_folder
from tests.builders import essays, write
from tests.gguf_files import write_gguf
from tests.long import mutations as ways
from tests.loopback import Loopback, chat_reply
from tests.subjects.backends.tiny_model import make_tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.long]

SEED = int(os.environ.get("FORENSICS_SEED", "0"))
INPUTS = 27  # of each of the 19 kinds
LONGEST = 30  # seconds for one command
QUICK = ("--only", "phrasing", "--only", "formatting")


@dataclass(frozen=True)
class Kind:
    """A kind of file: a whole one, how it is damaged, and the commands that read it.

    `{}` in a command stands for the damaged file, which lies where the whole one lay.
    """

    source: str
    ways: Sequence[ways.Mutation]
    commands: tuple[str, ...]


_IMPORT = ("import {} -o imported",)
_WEIGHTS = ("compare hf:./odd hf:./other --tiers weights --json o.json",)
KINDS = {
    "transcript": Kind(
        "t.jsonl", ways.CHAINED, ("verify {}", f"compare {{}} b.jsonl {' '.join(QUICK)}")
    ),
    "case": Kind(
        "case.json",
        ways.JSON,
        ("report {} --markdown o.md --html o.html", "report {} --format csv"),
    ),
    "bundle": Kind("case.zip", ways.ZIP, ("verify {}",)),
    "case file": Kind("plan.jsonl", ways.CHAINED, ("verify {}", "case note {} x")),
    "baseline": Kind("base.json", ways.CHAINED, ("baseline compare a.jsonl {}",)),
    "policy": Kind("policy.toml", ways.TOML, ("check a.jsonl --policy {} --dry-run",)),
    "suite": Kind("suite.yaml", ways.YAML, ("suites show {}",)),
    "cohort": Kind("pack.safetensors", ways.SAFETENSORS, ("cohort info {}",)),
    "CSV": Kind("t.csv", (*ways.TEXT, ways.reencoded, ways.reencoded), _IMPORT),
    "parquet": Kind("t.parquet", ways.PARQUET, _IMPORT),
    "JSON Lines": Kind("table.jsonl", ways.LINES, _IMPORT),
    "conversations": Kind("chat.json", ways.JSON, _IMPORT),
    "batch": Kind("batch.jsonl", ways.LINES, _IMPORT),
    "harness": Kind("samples_m.jsonl", ways.LINES, _IMPORT),
    "safetensors": Kind("odd/model.safetensors", ways.SAFETENSORS, _WEIGHTS),
    "configuration": Kind("odd/config.json", ways.JSON, _WEIGHTS),
    "tokenizer": Kind(
        "odd/tokenizer.json",
        ways.JSON,
        ("compare hf:./odd hf:./other --tiers tokenizer --json o.json",),
    ),
    "model card": Kind(
        "odd/README.md", ways.YAML, ("check hf:./odd --policy policy.toml --dry-run",)
    ),
    "GGUF": Kind(
        "m.gguf", ways.GGUF, ("compare {} other.gguf --tiers weights,tokenizer --json o.json",)
    ),
}


def _tables(folder: Path) -> None:
    rows = [
        {"model": m, "prompt_id": f"q{i}", "prompt": f"Why {i}?", "output": f"As {m} says: {i}."}
        for m in ("one", "two")
        for i in range(5)
    ]
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_parquet(folder / "t.parquet")
    frame.to_json(folder / "table.jsonl", orient="records", lines=True)
    chats = [
        {"instruction": f"Why {i}?", "output": f"So {i}.", "generator": "m", "dataset": "d"}
        for i in range(4)
    ]
    (folder / "chat.json").write_text(json.dumps(chats))
    body = {"id": "x", "model": "m", "choices": [_choice("So it is.")]}
    batch = [
        {"id": f"b{i}", "custom_id": f"q{i}", "response": {"status_code": 200, "body": body}}
        for i in range(4)
    ]
    (folder / "batch.jsonl").write_text("".join(json.dumps(line) + "\n" for line in batch))
    samples = [
        {"doc_id": i, "doc": {}, "target": "", "arguments": [[f"q{i}", {}]], "resps": [[f"a{i}"]]}
        | {"filtered_resps": [f"a{i}"]}
        for i in range(4)
    ]
    (folder / "samples_m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in samples))


def _choice(text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text}
    return {"index": 0, "finish_reason": "stop", "message": message}


def _models(folder: Path) -> None:
    make_tiny_model(folder / "other", seed=2)
    make_tiny_model(folder / "odd", seed=1)
    (folder / "odd" / "README.md").write_text(
        "---\nlicense: mit\nbase_model: org/base\ntags: [one]\n---\n# Card of a model\n"
    )
    write_gguf(folder / "m.gguf")
    write_gguf(folder / "other.gguf", seed=4)


def _settings(folder: Path) -> None:
    (folder / "policy.toml").write_text(
        'suite = "core"\nlimit = 12\nsamples = 1\n[[against]]\nsubject = "transcript:b.jsonl"\n'
        '[declared]\nbase_models = ["x/y"]\n[budget]\nmax_calls = 100\n'
        "[rules.undeclared-kinship]\nmin_log10_lr = 1.0\n"
        "[rules.max-similarity]\nlimits = {phrasing = 0.5}\n"
    )
    prompts = "".join(
        f"  - id: q-{i}\n    category: open\n    language: en\n    prompt: Why {i}?\n"
        for i in range(3)
    )
    (folder / "suite.yaml").write_text(
        'name: own\nversion: "1"\ntitle: Own\nlicense: CC0-1.0\ndescription: Own.\n'
        f"categories:\n  open: Open questions.\nprompts:\n{prompts}"
    )
    shutil.copy(
        data_folder("probes") / "misguided-attention" / "cohort.safetensors",
        folder / "pack.safetensors",
    )


@pytest.fixture(name="whole", scope="module")
def whole_fixture(tmp_path_factory: pytest.TempPathFactory, loopback_server: str) -> Path:
    """Give a folder with a whole file of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    for name, seed in (("a", 0), ("b", 1), ("t", 0)):
        write(folder / f"{name}.jsonl", essays(12, seed))
    _tables(folder)
    _models(folder)
    _settings(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in (
            f"compare a.jsonl b.jsonl {' '.join(QUICK)} --json case.json",
            "bundle case.json -o case.zip",
            "case init plan.jsonl a.jsonl b.jsonl --title T --claim C. --source S "
            "--claim-date 2026-01-01 --kind training-data",
            f"baseline save openai:m@{loopback_server} -o base.json --limit 8",
        ):
            assert run(line.split()) == ExitCode.OK, line
    return folder


@pytest.fixture(name="loopback_server", scope="module")
def loopback_server_fixture() -> Iterator[str]:
    with Loopback(lambda call: chat_reply(f"{call.prompt} is a good question.")) as server:
        yield server.url


@pytest.fixture(name="limited", autouse=True)
def limited_fixture() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"a command took longer than {LONGEST} s")

    before = signal.signal(signal.SIGALRM, late)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


Call = Callable[[str], tuple[int, str, str]]


@pytest.fixture(name="call")
def call_fixture(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        signal.alarm(LONGEST)
        code = run(line.split())
        signal.alarm(0)
        return (code, *capsys.readouterr())

    return call


@pytest.mark.parametrize("name", KINDS)
def test_damage_of_any_kind_is_told(name, whole, tmp_path, monkeypatch, call):
    kind = KINDS[name]
    draw = random.Random(f"{name} {SEED}")
    folder = tmp_path / "here"
    shutil.copytree(whole, folder)
    monkeypatch.chdir(folder)
    content = Path(kind.source).read_bytes()
    for number in range(INPUTS):
        damaged = draw.choice(kind.ways)(content, draw)
        for command in kind.commands:
            Path(kind.source).write_bytes(damaged)
            shutil.rmtree("imported", ignore_errors=True)
            code, out, err = call(command.format(kind.source))
            _check(code, out, err, f"{name}, seed {SEED}, input {number}: {command}")


def _check(code: int, out: str, err: str, where: str) -> None:
    assert "internal error" not in err, f"{where}: {err}"
    assert "Traceback" not in err, f"{where}: {err}"
    # Nothing is asked of any model or endpoint, and nothing cannot be written.
    assert code in (0, 1, 2, 3), f"{where}: exit {code}: {err}"
    if code == ExitCode.USAGE:
        last = err.rstrip("\n").rpartition("\n")[2]
        assert last.startswith("forensics: ") or out, f"{where}: exit 2 without a word"
    lines = [*out.splitlines(), *err.splitlines()]
    assert not any(line.lstrip().startswith("::") for line in lines), f"{where}: a command of CI"
