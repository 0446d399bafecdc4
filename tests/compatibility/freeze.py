"""Says every frozen command again and compares: `python -m tests.compatibility.freeze`.

--write  freeze what is said now (see README.md on when that is right)
--exact  compare numbers to the last digit
--group  only this group of commands (repeatable)
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.compatibility.artefacts import ARTEFACTS, lay_pack
from tests.compatibility.commands import GROUPS
from tests.compatibility.making import make_inputs
from tests.compatibility.normal import difference, normal, pattern, readable, same, stored
from tests.compatibility.running import endpoint, run
from tests.processes import Done

OUTPUTS = Path(__file__).resolve().parent / "frozen" / "outputs"
_LARGE = 12_000  # bytes from which on a text is stored compressed
Texts = Mapping[str, str]


def material(folder: Path) -> Path:
    """Make the folder that every group starts from: inputs, artefacts, and damaged copies."""
    make_inputs(folder)
    for kind in ("transcripts", "cases", "bundles", "case-files", "baseline"):
        for path in (ARTEFACTS / kind).iterdir():
            shutil.copyfile(path, folder / path.name)
    for bundle in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(bundle) as archive:
            (folder / f"{bundle.stem}.json").write_bytes(archive.read("case.json"))
    _damaged(folder)
    return folder


def _damaged(folder: Path) -> None:
    lines = (folder / "heron-7b.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"the", b"a")
    (folder / "edited.jsonl").write_bytes(b"".join(lines))
    lines = (folder / "heron-7b.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "shortened.jsonl").write_bytes(b"".join(lines[:-2]))
    plain = [{k: v for k, v in json.loads(line).items() if k != "chain"} for line in lines]
    text = "".join(json.dumps(line) + "\n" for line in plain)
    (folder / "unchained.jsonl").write_text(text, encoding="utf-8")
    plan = (folder / "plan.jsonl").read_bytes().replace(b"2026-01-02", b"2026-01-03")
    (folder / "edited-plan.jsonl").write_bytes(plan)
    future = json.loads((folder / "screening.json").read_bytes()) | {"schema_version": 9_999}
    (folder / "future.json").write_text(json.dumps(future), encoding="utf-8")
    (folder / "empty").mkdir()
    with (
        zipfile.ZipFile(folder / "screening.zip") as archive,
        zipfile.ZipFile(folder / "edited.zip", "w") as edited,
    ):
        for name in archive.namelist():
            edited.writestr(name, archive.read(name).replace(b"lighthouse", b"lamp"))


def say(group: str, start: Path, hash_seed: str = "0", *, cold: bool = True) -> Texts:
    """Run a group's commands and return what they said and wrote, by the name it is frozen under.

    Args:
        group: of `GROUPS`.
        start: the folder of `material`.
        hash_seed: for `PYTHONHASHSEED`.
        cold: start an interpreter for each command, as a user's shell does.
    """
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch, endpoint() as server:
        folder = Path(shutil.copytree(start, Path(scratch) / "run"))
        home = Path(scratch) / "home"
        lay_pack(home / "forensics")
        port = server.root.rpartition(":")[2]
        hidden = {str(folder): "<folder>", scratch: "<scratch>", f":{port}": ":<port>"}
        before = _state(folder, home)
        for name, command in GROUPS[group].items():
            said = run(command.replace("{server}", server.url), folder, home, hash_seed, cold=cold)
            if command.startswith("bundle "):
                # The seal covers the versions of this machine's libraries.
                seal = said.out.decode("utf-8").removeprefix("seal ").strip()
                hidden |= {seal: "<seal>"} if seal else {}
            texts[f"{group}/{name}.txt"] = normal(_transcribed(command, said), hidden)
            after = _state(folder, home)
            for path in sorted(path for path in after if before.get(path) != after[path]):
                text = readable(path.name, path.read_bytes(), hidden)
                place = normal(path.name, hidden).replace("<", "").replace(">", "")
                texts[f"{group}/{name}/{_placed(path, folder, place)}"] = text
            before = after
    return texts


def _placed(path: Path, folder: Path, name: str) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).with_name(name).as_posix()
    return f"home/{name}"


def _state(folder: Path, home: Path) -> dict[Path, tuple[int, int]]:
    """Return every file that a user would look at, and what tells that it was written again."""
    files = [*folder.rglob("*"), *home.glob("forensics/cohorts/*")]
    return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in files if p.is_file()}


def _transcribed(command: str, said: Done) -> str:
    out, err = (_ended(part.decode("utf-8")) for part in (said.out, said.err))
    return f"$ forensics {command}\nexit {said.code}\n--- stdout\n{out}--- stderr\n{err}"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n(no newline at the end)\n"


def say_all(
    groups: Iterable[str], start: Path, hash_seed: str = "0", *, cold: bool = True
) -> dict[str, Texts]:
    """Run groups, two at a time (see `say`)."""
    chosen = list(groups)
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(partial(say, start=start, hash_seed=hash_seed, cold=cold), chosen)
        return dict(zip(chosen, said, strict=True))


def frozen(group: str) -> Texts:
    """Return what is frozen of a group."""
    files = sorted(path for path in (OUTPUTS / group).rglob("*") if path.is_file())
    return {p.relative_to(OUTPUTS).as_posix().removesuffix(".gz"): stored(p) for p in files}


def differences(group: str, found: Texts, exact: bool = False) -> list[str]:
    """Return how what is said now differs from what is frozen of a group, in words."""
    kept = frozen(group)
    told = [f"{name}: no longer written" for name in kept if name not in found]
    told += [f"{name}: not frozen" for name in found if name not in kept]
    both = [name for name in kept if name in found]
    changed = [name for name in both if not same(kept[name], found[name], exact)]
    return told + [difference(name, kept[name], found[name]) for name in changed]


def write(group: str, first: Texts, second: Texts) -> list[str]:
    """Freeze a group as two runs said it; return what is not the same in both."""
    unlike = []
    kept = frozen(group)
    shutil.rmtree(OUTPUTS / group, ignore_errors=True)
    for name in sorted({*first, *second}):
        text = pattern(first.get(name, ""), second.get(name, ""))
        if text is None:
            unlike.append(difference(name, first.get(name, ""), second.get(name, "")))
            continue
        # What only rounds otherwise here is left as it was: a diff shows what changed.
        text = kept[name] if name in kept and same(kept[name], text, exact=False) else text
        _store(OUTPUTS / name, text)
    return unlike


def _store(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8")
    if len(content) < _LARGE:
        path.write_bytes(content)
        return
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def main() -> int:
    """Compare, or write; exit 1 where something differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="freeze what is said now")
    parser.add_argument("--exact", action="store_true", help="numbers to the last digit")
    parser.add_argument("--group", action="append", choices=list(GROUPS), help="only this group")
    parser.add_argument("--hash-seed", default="0", help="for PYTHONHASHSEED [0]")
    options = parser.parse_args()
    groups = options.group or list(GROUPS)
    with tempfile.TemporaryDirectory() as scratch:
        start = material(Path(scratch) / "start")
        found = say_all(groups, start, options.hash_seed)
        if options.write:
            again = say_all(groups, start, hash_seed="7")
            told = [line for group in groups for line in write(group, found[group], again[group])]
        else:
            told = [d for group in groups for d in differences(group, found[group], options.exact)]
    for one in told:
        sys.stdout.write(f"{one}\n")
    count = sum(len(texts) for texts in found.values())
    what = "not deterministic" if options.write else "different"
    sys.stdout.write(f"{count} texts of {len(groups)} groups; {what}: {len(told)}\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
