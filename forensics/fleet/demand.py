"""What the work on a subject takes of a node, by the size of its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.fleet.job_model import JobTask
from forensics.fleet.ray_session import RayNode

_GIB = 2**30
_PROGRAM = _GIB  # the program and its libraries, where a model is loaded at all
_LOADED = 2.5  # weights of two bytes become float32, and activations come on top
_SERVED = 1.2  # a server reads weights through host memory
_ON_GPU = 1.3  # weights on a GPU, with the cache of keys and values and activations


@dataclass(frozen=True)
class Demand:
    """Processors, GPUs and bytes of memory."""

    cpus: float
    gpus: float
    memory: int

    def __str__(self) -> str:
        """Say it in a sentence."""
        gpus = f", {self.gpus:g} GPUs" if self.gpus else ""
        memory = f" and {self.memory / _GIB:.1f} GiB of memory" if self.memory else ""
        return f"{self.cpus:g} processors{gpus}{memory}"


def demand_of(size: int | None, task: JobTask, served: bool) -> Demand:
    """Return what the work on one subject takes.

    Args:
        size: of its weights in bytes; None of an endpoint, a transcript, or where it is not known.
        task: what the job says; it wins over every estimate.
        served: whether a server runs the model.
    """
    gpus = task.gpus if task.gpus is not None else _gpus(size, task, served)
    if task.memory_gib is not None:
        memory = round(task.memory_gib * _GIB)
    else:
        memory = _PROGRAM + round(size * (_SERVED if served else _LOADED)) if size else 0
    return Demand(task.cpus, gpus, memory)


def _gpus(size: int | None, task: JobTask, served: bool) -> float:
    if not served:
        return 0.0
    return float(max(1, math.ceil((size or 0) * _ON_GPU / (task.gpu_memory_gib * _GIB))))


def holds(nodes: Sequence[RayNode], demand: Demand) -> bool:
    """Tell whether any node, if it were idle, could do it."""
    return any(
        demand.cpus <= node.cpus and demand.gpus <= node.gpus and demand.memory <= node.memory
        for node in nodes
    )
