"""What `--help` shows: headings, and examples that can be typed as they stand; and `--quiet`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from forensics.cli import group, run
from forensics.cli.help import SectionedOption, Verb
from forensics.subjects.model_files.demo_files import find_demo
from tests.builders import essays, write


def _verbs(parent: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(parent)
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from _verbs(command, (*path, name))


VERBS = dict(_verbs(group))
LEAVES = {path: verb for path, verb in VERBS.items() if not isinstance(verb, click.Group)}


def _help(path: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run([*path.split(), "--help"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("path", LEAVES)
def test_every_example_is_a_command_line_of_its_verb(path):
    verb = LEAVES[path]
    assert isinstance(verb, Verb)
    assert verb.examples
    for example in verb.examples:
        words = shlex.split(example.partition(" >")[0])
        head = ["forensics", *path.split()]
        assert words[: len(head)] == head
        verb.make_context(path, words[len(head) :])
        for word in words:
            if word.startswith("demo:"):
                find_demo(word.removeprefix("demo:"))


@pytest.mark.parametrize("path", [path for path in VERBS if " " not in path])
def test_help_ends_with_examples_that_a_terminal_does_not_break(path, capsys):
    lines = _help(path, capsys)
    shown = lines[lines.index("Examples:") + 1 :]
    assert len(shown) >= 2
    assert all(line.startswith(f"  forensics {path}") and len(line) <= 80 for line in shown)


def test_the_options_of_compare_stand_under_headings(capsys):
    headings = [line for line in _help("compare", capsys) if line.endswith(":") and line[0] != " "]
    expected = ["Subjects:", "Prompts:", "Sampling:", "Endpoints:", "Evidence:", "Output:"]
    assert [one for one in headings if one in expected] == expected
    assert "Options:" not in headings


@pytest.mark.parametrize("path", LEAVES)
def test_either_all_options_have_a_heading_or_none(path, capsys):
    options = [one for one in LEAVES[path].params if isinstance(one, SectionedOption)]
    sections = {one.section for one in options} - {"Output"}
    assert len(sections) < 2 or "Options" not in sections
    text = "\n".join(_help(path, capsys))
    for one in options:
        assert sum(text.count(f"{name} ") for name in one.opts) > 0


def test_quiet_leaves_no_note_but_errors(cli, here):
    command = ("map", *_five(here), "--csv", "m.csv")
    loud, quiet = cli(*command), cli(*command, "--quiet")
    assert loud.code == quiet.code == 0
    assert "written: m.csv" in loud.err
    assert quiet.err == ""
    assert quiet.out == loud.out
    assert cli("map", "a.jsonl", "-q").complaint
    assert "written: m.csv" in cli(*command).err


def _five(here):
    names = [f"m{number}.jsonl" for number in range(5)]
    for number, name in enumerate(names):
        write(here / name, essays(20, number))
    return names


def test_quiet_shows_no_progress_on_a_terminal(cli, here, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes any stream for a terminal
    names = _five(here)
    assert "comparing every pair" in cli("map", *names).err
    assert cli("map", *names, "--quiet").err == ""
