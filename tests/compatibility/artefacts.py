"""What the program wrote at the frozen commit: transcripts, cases, bundles, a cohort, a baseline.

`python -m tests.compatibility.artefacts` made `frozen/artefacts/` once. Files that users hold do
not change when the program does, so it refuses to write over what is there.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.compatibility.making import WRITERS, make_inputs
from tests.compatibility.running import ROOT, endpoint, run

ARTEFACTS = Path(__file__).resolve().parent / "frozen" / "artefacts"
SUMS = "SHA256SUMS"
QUICK = "--without embedding"
DATES = "--known-released 2024-05 --questioned-released 2024-07"
CLAIM = (
    '--title Heron --claim "heron-7b-tuned was tuned from heron-7b." --kind fine-tuned'
    " --source https://heron.example/post --claim-date 2026-01-02"
)
KIN, STRANGERS = "heron-7b.jsonl heron-7b-tuned.jsonl", "heron-7b.jsonl otter-9b.jsonl"
SHORT_LIST = "--only style --only formatting --only choices --only refusal --only identity"
# (command, what it leaves that is kept)
COMMANDS = (
    ("import answers.jsonl -o .", "heron-7b.jsonl heron-7b-tuned.jsonl otter-9b.jsonl"),
    (
        "probe openai:heron-7b@{server} --suite short.json --limit 24 --max-tokens 300"
        " --concurrency 1 -o collected.jsonl",
        "collected.jsonl",
    ),
    (
        "probe openai:otter-9b@{server} --suite short.json --limit 24 --max-tokens 300"
        " --concurrency 1 -o collected-other.jsonl",
        "collected-other.jsonl",
    ),
    # Cases, packed with their transcripts where they have some.
    (f"compare {STRANGERS} {QUICK} --json screening.json", ""),
    ("bundle screening.json -o screening.zip", "screening.zip"),
    (f"compare wren-thinks.jsonl wren-mini.jsonl {QUICK} --json reasoning.json", ""),
    ("bundle reasoning.json -o reasoning.zip", "reasoning.zip"),
    (
        "compare collected.jsonl collected-other.jsonl --suite short.json --limit 20 --blind"
        f" --cohort none {QUICK} --json blind.json",
        "",
    ),
    ("bundle blind.json -o blind.zip", "blind.zip"),
    ("report blind.json --json masked.json", "masked.json"),
    ("compare cohort:vicuna-13b cohort:vicuna-7b --json members.json", "members.json"),
    (f"compare hashed-a.jsonl hashed-b.jsonl {QUICK} {DATES} --json shipped-cohort.json", ""),
    ("bundle shipped-cohort.json -o shipped-cohort.zip", "shipped-cohort.zip"),
    (
        "cohort build outputs.jsonl --models models.csv --pairs pairs.csv -o small"
        ' --source "made-up models" --date 2026-11-30',
        "",
    ),
    (f"compare {KIN} {SHORT_LIST} --cohort small {DATES} --json cohort.json", ""),
    ("bundle cohort.json -o cohort.zip", "cohort.zip"),
    (f"compare {KIN} {QUICK} --cohort small {DATES} --json cohort-drawn.json", ""),
    ("bundle cohort-drawn.json -o cohort-drawn.zip", "cohort-drawn.zip"),
    ("compare base tuned --tiers tokenizer,weights --json weights.json", "weights.json"),
    (
        "compare base tuned --suite short.json --limit 9 --max-tokens 6 --tiers text,weights"
        f" {QUICK} --transcripts . --json text-and-weights.json",
        "",
    ),
    ("bundle text-and-weights.json -o text-and-weights.zip", "text-and-weights.zip"),
    # A plan, its notes and the case that was made by it.
    (f"case init plan.jsonl {KIN} {CLAIM} {SHORT_LIST} --cohort small {DATES}", ""),
    ('case note plan.jsonl "Asked the makers for their training logs."', ""),
    ('case note plan.jsonl "They did not answer."', "plan.jsonl"),
    ("compare --case plan.jsonl --limit 30 --suite short.json --json planned.json", ""),
    ("bundle planned.json -o planned.zip", "planned.zip"),
    # The rest.
    (
        "baseline save openai:heron-7b@{server} --suite short.json --limit 10 --samples 2"
        " --concurrency 1 -o baseline.jsonl",
        "baseline.jsonl",
    ),
    ("check heron-7b-tuned.jsonl --card card.md --json check.json", "check.json"),
    ("trace heron-7b.jsonl --cohort small --released 2024-05 --json trace.json", "trace.json"),
)
# Prompts of the shipped suite that the shipped cohort's models answered, by their place in it.
HASHED = (
    4, 19, 21, 30, 32, 35, 41, 45, 47, 80, 90, 98, 107, 111, 120, 137, 140, 148, 151, 162, 164, 166,
    174, 183, 194, 196, 201, 211, 222, 230, 232, 236, 244, 248, 252, 253, 254, 256, 258, 262,
)  # fmt: skip
_FOLDERS = {
    "plan.jsonl": "case-files",
    "baseline.jsonl": "baseline",
    "check.json": "check",
    "trace.json": "trace",
    ".jsonl": "transcripts",
    ".json": "cases",
    ".zip": "bundles",
}


def make(target: Path) -> None:
    """Run every command in a scratch folder and keep what it leaves."""
    with tempfile.TemporaryDirectory() as scratch, endpoint() as server:
        home, folder = Path(scratch) / "home", make_inputs(Path(scratch) / "run")
        hashed_answers(folder)
        for command, kept in COMMANDS:
            done = run(command.replace("{server}", server.url), folder, home)
            sys.stderr.write(f"{done.code} {command}\n")
            if done.code not in (0, 1):
                raise SystemExit(done.err.decode())
            for name in kept.split():
                to = target / (_FOLDERS.get(name) or _FOLDERS[Path(name).suffix]) / name
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, to)
        pack = home / "forensics" / "cohorts" / "small.safetensors"
        keep_pack(pack, target / "cohort" / "small.safetensors.gz")
        (target / "policies").mkdir()
        names = ("forensics", "passing", "searching", "drifting", "undecided")
        for policy in (folder / f"{name}.toml" for name in names):
            shutil.copyfile(policy, target / "policies" / policy.name)
    (target / SUMS).write_text("".join(sums(target)), encoding="utf-8")


def sums(folder: Path) -> list[str]:
    """Return a line with its sha256 for every file in a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    return [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    ]


def keep_pack(pack: Path, target: Path) -> None:
    """Store a cohort's bytes, compressed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(pack.read_bytes(), mtime=0))


def lay_pack(cache: Path) -> Path:
    """Put the frozen cohort, under its name, into a folder that serves as `FORENSICS_CACHE`."""
    to = cache / "cohorts" / "small.safetensors"
    to.parent.mkdir(parents=True, exist_ok=True)
    stored = ARTEFACTS / "cohort" / "small.safetensors.gz"
    to.write_bytes(gzip.decompress(stored.read_bytes()))
    return to


def hashed_answers(folder: Path) -> None:
    """Write transcripts on prompts of the shipped suite, known by hash and not by text."""
    with (ROOT / "probes" / "alpaca-eval" / "prompts.csv").open(encoding="utf-8") as file:
        known = list(csv.DictReader(file))
    asked = [known[place] for place in HASHED]
    for letter, name in (("a", "heron-7b"), ("b", "otter-9b")):
        chain, lines = "0" * 64, []
        for place, prompt in enumerate(asked):
            text = WRITERS[name].answer(place % 24, place)
            line = _hashed_line(prompt, text) | ({} if lines else {"manifest": _manifest(name)})
            body = json.dumps(line, separators=(",", ":"))
            chain = hashlib.sha256((chain + body).encode()).hexdigest()
            lines.append(f'{body[:-1]},"chain":"{chain}"}}\n')
        (folder / f"hashed-{letter}.jsonl").write_text("".join(lines), encoding="utf-8")


def _hashed_line(prompt: dict[str, str], text: str) -> dict[str, object]:
    return {
        "prompt_id": prompt["id"],
        "prompt_sha256": prompt["sha256"],
        "sample": 0,
        "text": text,
        "status": "ok",
        "category": prompt["category"],
        "language": "en",
        "messages": [],
    }


def _manifest(name: str) -> dict[str, object]:
    return {
        "subject": name,
        "identity": {"kind": "openai", "model": name},
        "suite": {"name": "alpaca-eval", "version": "1", "sha256": "0" * 64},
        "settings": {"temperature": 0.0, "max_tokens": 512, "seed": 0, "system_prompt": None},
        "provenance": "imported",
        "started_at": "2026-01-01T00:00:00.000Z",
        "version": "0.1.0",
        "notes": [],
    }


def main() -> None:
    """Make the artefacts, once."""
    if ARTEFACTS.exists():
        raise SystemExit(f"{ARTEFACTS.name} are there, and are never made again")
    make(ARTEFACTS)


if __name__ == "__main__":
    main()
