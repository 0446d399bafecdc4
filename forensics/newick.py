"""Trees in Newick format: other names for the leaves."""

from __future__ import annotations

import re
from collections.abc import Callable

_PARTS = re.compile(r"'(?:[^']|'')*'|[^(),:;']+|[(),:;']")


def relabelled(tree: str, label: Callable[[str], str]) -> str:
    """Return a tree with other names, all of them quoted.

    Args:
        tree: in Newick format, as `report.map_files.newick` writes it.
        label: gives a leaf's new name for its old one.
    """
    found: list[str] = []
    for part in _PARTS.findall(tree):
        # A leaf follows a bracket or a comma; what follows a closing bracket is a group's support.
        if part in "(),:;'" or (found and found[-1] not in "(,"):
            found.append(part)
            continue
        quoted = len(part) > 1 and part[0] == part[-1] == "'"
        name = part[1:-1].replace("''", "'") if quoted else part
        new = label(name).replace("'", "''")
        found.append(f"'{new}'")
    return "".join(found)
