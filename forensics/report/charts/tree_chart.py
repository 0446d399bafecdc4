"""The tree around the two subjects. Its labels are names of models: hostile text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from forensics.case.document import Case
from forensics.cohorts.newick import leaf_names
from forensics.report.charts.drawing import alternative, svg_start
from forensics.support.sanitise import clip, one_line

_PATH = "relatives.newick"
_MOST_LEAVES = 60
_MOST_CHARS = 20_000
_DEEPEST = 200
_LONGEST = 1e9
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([(),:;])|([^(),:;']+)")
_WIDE, _ROW, _TOP = 170, 20, 8
_LABEL_CHARS = 30
_CHAR = 7.2  # of the page's font at 12 pixels; a wider name would leave the drawing


@dataclass
class _Branch:
    """A node: `length` from its parent, `x` in branch lengths from the root, `y` in rows."""

    name: str = ""
    length: float = 0.0
    x: float = 0.0
    y: float = 0.0
    children: list[_Branch] = field(default_factory=list)

    def grown(self) -> _Branch:
        """Add a child and return it."""
        self.children.append(_Branch())
        return self.children[-1]

    def walk(self) -> Iterator[_Branch]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_chart(case: Case) -> Markup:
    """Return the SVG of the tree of a case's relatives; nothing where it cannot be read."""
    root = _read(case.relatives.newick if case.relatives else None)
    if root is None:
        return Markup()
    leaves = [branch for branch in root.walk() if not branch.children]
    deepest = max(branch.x for branch in root.walk()) or 1.0
    height = _ROW * len(leaves) + 2 * _TOP
    width = _WIDE + 24 + round(_CHAR * (_LABEL_CHARS + 3))
    lines = "".join(_lines(root, _WIDE / deepest))
    labels = Markup().join(_label(leaf, case, _WIDE / deepest) for leaf in leaves)
    names = ", ".join(one_line(leaf.name, 60) for leaf in leaves)
    words = f"{len(leaves)} models from top to bottom, neighbours most alike: {names}."
    return Markup(  # noqa: S704 (numbers, our own words, and names escaped one by one)
        f'{svg_start(_PATH, "tree")} width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        f"{alternative(_PATH, 'tree', 'Tree of the nearest models', words)}"
        f'<path d="{lines}" fill="none" stroke="var(--muted)" stroke-width="1.5"/>{labels}</svg>'
    )


def _read(newick: str | None) -> _Branch | None:
    if not newick or len(newick) > _MOST_CHARS:
        return None
    try:
        root = _parsed(newick)
    except ValueError:
        return None
    if not 2 <= sum(not branch.children for branch in root.walk()) <= _MOST_LEAVES:
        return None
    _place(root, 0.0, iter(range(_MOST_LEAVES)))
    return root


def _parsed(newick: str) -> _Branch:
    """Return the root of a tree in Newick format, with quoted names and branch lengths.

    Raises:
        ValueError: it is no such tree, or one nested deeper than `_DEEPEST`.
    """
    branch = _Branch()
    above: list[_Branch] = []
    is_length = False
    for quoted, mark, bare in _TOKEN.findall(newick):
        if mark == "(":
            above.append(branch)
            branch = branch.grown()
        elif (mark in (",", ")") and not above) or (mark == ";" and above) or len(above) > _DEEPEST:
            raise ValueError(f"{mark!r} is out of place")
        elif mark == ",":
            branch = above[-1].grown()
        elif mark == ")":
            branch = above.pop()
        elif mark == ";":
            return branch
        elif is_length:
            length = float(bare)
            branch.length = min(max(length, 0.0), _LONGEST) if math.isfinite(length) else 0.0
        elif quoted or bare.strip():
            branch.name = quoted.replace("''", "'") or bare.strip()
        is_length = mark == ":"
    raise ValueError("the tree has no end")


def _place(branch: _Branch, x: float, free: Iterator[int]) -> None:
    branch.x = x
    for child in branch.children:
        _place(child, x + child.length, free)
    ends = [child.y for child in branch.children]
    branch.y = (min(ends) + max(ends)) / 2 if ends else float(next(free))


def _lines(root: _Branch, scale: float) -> Iterator[str]:
    for branch in root.walk():
        x = _x(branch, scale)
        for child in branch.children:
            yield f"M{x} {_y(branch)}V{_y(child)}H{_x(child, scale)}"


def _label(leaf: _Branch, case: Case, scale: float) -> Markup:
    letter = _subject(leaf.name, case)
    name = clip(one_line(leaf.name, 200), _LABEL_CHARS)
    said = f"{letter}: {name}" if letter and name != letter else name
    colour = f"var(--{letter.lower()})" if letter else "var(--text)"
    weight = ' font-weight="bold"' if letter else ""
    # Nothing a name holds may reach the attributes: they are numbers and our own words.
    return Markup(  # noqa: S704
        f'<text x="{_x(leaf, scale) + 6}" y="{_y(leaf) + 4}" font-size="12" fill="{colour}"'
        f"{weight}>{escape(said)}</text>"
    )


def _subject(name: str, case: Case) -> str:
    # Leaves of one name are told apart by a number, the subjects among them.
    for letter, leaf in zip("AB", leaf_names((case.a.name, case.b.name)), strict=True):
        if name == leaf:
            return letter
    return ""


def _x(branch: _Branch, scale: float) -> float:
    return round(4 + branch.x * scale, 1)


def _y(branch: _Branch) -> float:
    return round(_TOP + _ROW * (branch.y + 0.5), 1)
