"""Models of a hub, by what the hub says of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from forensics.errors import BackendError
from forensics.fleet.job_model import HubQuery, parameters
from forensics.fleet.listed_subject import ListedSubject
from forensics.support.quiet import quiet_hub, why

# Bytes of one parameter, by the names that safetensors files use.
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
_EXPANDED = ("createdAt", "downloads", "safetensors", "sha")


def queried(query: HubQuery) -> list[ListedSubject]:
    """Return the models that a query finds, the newest first, each pinned to a commit.

    The hub is asked for author, name and number of parameters; what it answers is held against
    every condition again, as not every hub knows them all.

    Raises:
        BackendError: the hub cannot be asked.
    """
    from huggingface_hub import HfApi

    quiet_hub()
    try:
        models = HfApi(endpoint=query.endpoint).list_models(
            author=query.author,
            search=query.search,
            num_parameters=_range(query),
            sort="created_at",
            expand=list(_EXPANDED),  # type: ignore[arg-type]
        )
        return list(_chosen(models, query))
    except Exception as error:  # its client raises errors of several libraries
        raise BackendError(
            f"cannot list the models of the hub: {why(error)}; check [subjects.hub], the network, "
            "and that HF_HUB_OFFLINE is not set"
        ) from error


def _range(query: HubQuery) -> str | None:
    ends = (("min", query.min_parameters), ("max", query.max_parameters))
    return ",".join(f"{name}:{amount}" for name, amount in ends if amount) or None


def _chosen(models: Any, query: HubQuery) -> Iterator[ListedSubject]:
    after = query.created_after and datetime.combine(query.created_after, time.max, UTC)
    count = 0
    for model in models:
        if after and model.created_at and model.created_at <= after:
            return  # the newest come first
        if not _fits(model, query):
            continue
        revision = f"@{model.sha}" if model.sha else ""
        yield ListedSubject(f"hf:{model.id}{revision}", _bytes_of(model))
        count += 1
        if count == query.limit:
            return


def _fits(model: Any, query: HubQuery) -> bool:
    if (model.downloads or 0) < query.min_downloads:
        return False
    if query.author and not model.id.startswith(f"{query.author}/"):
        return False
    if query.created_after and model.created_at is None:
        return False
    if not (query.min_parameters or query.max_parameters):
        return True
    count = model.safetensors.total if model.safetensors else None
    if count is None:  # the range was asked for, and nothing can be checked
        return False
    least = parameters(query.min_parameters) if query.min_parameters else 0
    return least <= count and (
        query.max_parameters is None or count <= parameters(query.max_parameters)
    )


def _bytes_of(model: Any) -> int | None:
    if not model.safetensors:
        return None
    counts: dict[str, int] = model.safetensors.parameters
    return sum(count * _BYTES.get(dtype, 1) for dtype, count in counts.items())
