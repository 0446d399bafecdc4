"""Trees in Newick format: written, and with other names for the leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from forensics.cohorts.tree import Node, RelativesMap
from forensics.support.sanitise import clip, one_line

_BARE = re.compile(r"[A-Za-z0-9.-]+")
_NAME = 500


def newick(related: RelativesMap) -> str:
    """Return the tree, groups labelled with their support in percent.

    The tree has no root: its last node joins three groups.
    """
    names = [_quoted(name) for name in leaf_names(related.models)]
    texts: list[str] = []
    for node in related.nodes:
        inner = ",".join(texts[child] for child in node.children)
        label = _label(node) if node.model is None else names[node.model]
        texts.append(f"{f'({inner})' if inner else ''}{label}:{node.length:.6g}")
    return texts[-1].rpartition(":")[0] + ";\n"


def leaf_names(models: Sequence[str]) -> list[str]:
    """Return what leaves are called: each model by its name, on one line, no two the same."""
    return distinct(models, _NAME)


def _label(node: Node) -> str:
    return "" if node.support is None else f"{100 * node.support:.0f}"


def _quoted(name: str) -> str:
    if _BARE.fullmatch(name):
        return name
    doubled = name.replace("'", "''")
    return f"'{doubled}'"


def distinct(names: Sequence[str], limit: int) -> list[str]:
    """Return names on one line and of at most `limit` characters, no two of them the same."""
    used: set[str] = set()
    distinct_names = []
    for name in names:
        short = unique = one_line(name, limit)
        number = 2
        while unique in used:
            unique = f"{clip(short, limit - 6)} ({number})"
            number += 1
        used.add(unique)
        distinct_names.append(unique)
    return distinct_names


_PARTS = re.compile(r"'(?:[^']|'')*'|[^(),:;']+|[(),:;']")


def relabelled(tree: str, label: Callable[[str], str]) -> str:
    """Return a tree with other names, all of them quoted.

    Args:
        tree: in Newick format, as `newick` writes it.
        label: gives a leaf's new name for its old one.
    """
    parts: list[str] = []
    for part in _PARTS.findall(tree):
        # A leaf follows a bracket or a comma; what follows a closing bracket is a group's support.
        if part in "(),:;'" or (parts and parts[-1] not in "(,"):
            parts.append(part)
            continue
        quoted = len(part) > 1 and part[0] == part[-1] == "'"
        name = part[1:-1].replace("''", "'") if quoted else part
        new = label(name).replace("'", "''")
        parts.append(f"'{new}'")
    return "".join(parts)
