"""The tree around the two subjects. Its labels are names of models: hostile text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from forensics.case import Case
from forensics.report.drawing import alternative, svg_start
from forensics.report.sanitise import clip, one_line

if TYPE_CHECKING:
    from skbio import TreeNode

_PATH = "relatives.newick"
_MOST_LEAVES = 60
_MOST_CHARS = 20_000
_WIDE, _ROW, _TOP = 170, 20, 8
_LABEL_CHARS = 30
_CHAR = 7.2  # of the page's font at 12 pixels; a wider name would leave the drawing


@dataclass
class _Branch:
    """A node with its place: `x` in branch lengths from the root, `y` in rows."""

    name: str
    x: float
    y: float = 0.0
    children: list[_Branch] = field(default_factory=list)

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
    from skbio import TreeNode
    from skbio.io import NewickFormatError

    try:
        # Without the check of the format, which only warns and reads on.
        tree = TreeNode.read([newick], format="newick", convert_underscores=False, verify=False)
        if not 2 <= tree.count(tips=True) <= _MOST_LEAVES:
            return None
        root = _placed(tree, 0.0)
    except (NewickFormatError, ValueError, RecursionError):
        return None
    _rows(root, iter(range(_MOST_LEAVES)))
    return root


def _placed(node: TreeNode, x: float) -> _Branch:
    children = [_placed(child, x + _length(child)) for child in node.children]
    return _Branch(node.name or "", x, children=children)


def _length(node: TreeNode) -> float:
    length = node.length or 0.0
    return max(length, 0.0) if math.isfinite(length) else 0.0


def _rows(branch: _Branch, free: Iterator[int]) -> None:
    for child in branch.children:
        _rows(child, free)
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
    for letter, subject in (("A", case.a), ("B", case.b)):
        if name in (letter, subject.name):
            return letter
    return ""


def _x(branch: _Branch, scale: float) -> float:
    return round(4 + branch.x * scale, 1)


def _y(branch: _Branch) -> float:
    return round(_TOP + _ROW * (branch.y + 0.5), 1)
