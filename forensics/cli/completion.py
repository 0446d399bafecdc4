"""What a shell completes: names of suites, cohorts, comparators and subjects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
)

from forensics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import click

    Items = list[CompletionItem[Any]]  # generic from click 8.4 on

VARIABLE = "_FORENSICS_COMPLETE"  # click's scripts set it
_PROGRAM = "forensics"
_FILES = ("hf", "gguf", "transcript")
_BREAKS = (":", "=")  # what Bash makes words of their own


class BashWithColons(BashComplete):
    """Completion for Bash, which takes `demo:smollm2` for three words, `--suite=core` too."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)",
        "COMPREPLY+=($value)\n            [[ $value == *: ]] && compopt -o nospace",
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one, joined where they belong."""
        before, last = super().get_completion_args()
        words = [""]
        for word in (*before, last):
            if word in _BREAKS or words[-1].endswith(_BREAKS):
                words[-1] += word
            else:
                words.append(word)
        return words[1:-1], words[-1]

    def complete(self) -> str:
        """Return the completions less what stands before the last of Bash's words."""
        _, word = super().get_completion_args()
        _, typed = self.get_completion_args()
        value = typed.partition("=")[2] if typed.startswith("-") and "=" in typed else typed
        skipped = len(value) - (0 if word in _BREAKS else len(word))
        lines = [line.partition(",") for line in super().complete().splitlines()]
        return "\n".join(f"{kind},{text[skipped:]}" for kind, _, text in lines)


add_completion_class(BashWithColons)


def script(group: click.Group, shell: str) -> str:
    """Return what a shell is to run, so that it completes this program's words."""
    return _completion(group, shell).source()


def completions(group: click.Group, instruction: str) -> str:
    """Return what a shell's script asks for in `VARIABLE`, in lines that it reads.

    Raises:
        UsageError: a shell that is not known.
    """
    return _completion(group, instruction.partition("_")[0]).complete()


def _completion(group: click.Group, shell: str) -> ShellComplete:
    completion = get_completion_class(shell)
    if completion is None:
        raise UsageError(f"{VARIABLE}: no shell {shell!r}; see: {_PROGRAM} completion --help")
    return completion(group, {}, _PROGRAM, VARIABLE)


def suites(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Return the shipped suites of that beginning, or a file."""
    from forensics.suites.loading import suite_names

    return _or_file(suite_names(), incomplete)


def cohorts(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Return the cohorts of that beginning that have a name, or a file."""
    from forensics.cohorts.finding import known

    return _or_file(known(), incomplete)


def comparators(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Return the comparators of that beginning."""
    from forensics.evidence import BUILT_IN
    from forensics.support.plugins import plugin_names

    return _beginning((*BUILT_IN, *plugin_names("comparators")), incomplete)


def subjects(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Return the subjects of that beginning: their kinds, then names or files of a kind."""
    from forensics.subjects.subject import BUILT_IN_KINDS

    kind, colon, target = incomplete.partition(":")
    if not colon:
        return _or_file([f"{kind}:" for kind in BUILT_IN_KINDS], incomplete)
    if kind in _FILES:
        return [CompletionItem(f"{kind}:{path}") for path in _paths(target)]
    names = {"demo": _demos, "cohort": _cohort_models}
    return _beginning([f"{kind}:{name}" for name in names.get(kind, tuple)()], incomplete)


def _demos() -> Sequence[str]:
    from forensics.subjects.model_files.demo_files import demo_names

    return demo_names()


def _cohort_models() -> Sequence[str]:
    from forensics.cohorts.finding import known
    from forensics.cohorts.pack_files import read_head

    heads = [read_head(path) for path in known().values()]
    return sorted({str(model["model"]) for head in heads for model in head["models"]})


def _paths(target: str) -> list[str]:
    folder, slash, start = target.rpartition("/")
    base = Path(folder + slash)
    if not base.is_dir():
        return []
    entries = sorted(entry for entry in base.iterdir() if entry.name.startswith(start))
    return [f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}" for entry in entries]


def _beginning(names: Iterable[str], start: str) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(start)]


def _or_file(names: Iterable[str], start: str) -> Items:
    return _beginning(names, start) or [CompletionItem(start, type="file")]
