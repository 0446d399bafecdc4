"""Which names mean one and the same model, in cards, policies and cohorts."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.policy.declarations import Declarations, DeclaredModel


def same_name(first: str, second: str) -> bool:
    """Tell whether two names may mean one model.

    Upper and lower case are the same, and so are `-` and `_`. A name without an organisation
    (`SmolLM2-135M`) means that of any (`HuggingFaceTB/SmolLM2-135M`); two organisations' models of
    one name are two models. A revision (`@main`) is left out, an endpoint's address is not: one
    name at two addresses may be two models.
    """
    if all(name.strip().startswith("openai:") and "@" in name for name in (first, second)):
        return first.strip() == second.strip()
    first_folded, second_folded = _folded(first), _folded(second)
    if "/" in first_folded and "/" in second_folded:
        return first_folded == second_folded
    return (
        bool(first_folded) and first_folded.rpartition("/")[2] == second_folded.rpartition("/")[2]
    )


def declared_as(names: Iterable[str], declared: Declarations) -> DeclaredModel | None:
    """Return the declaration that names one of these models, None where none does."""
    known = list(names)
    return next(
        (
            model
            for model in declared.base_models
            if any(same_name(model.name, name) for name in known)
        ),
        None,
    )


def _folded(name: str) -> str:
    bare = name.strip().removeprefix("hf:").partition("@")[0]
    return bare.casefold().replace("_", "-").rstrip("/")
