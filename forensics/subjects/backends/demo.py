"""Small real models that come as Python packages, so that the tool can be tried offline."""

from __future__ import annotations

from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.backends.transformers import TransformersBackend
from forensics.subjects.model_files.demo_files import find_demo, open_demo_source
from forensics.subjects.subject import Subject


def open_demo(subject: Subject, options: BackendOptions) -> TransformersBackend:
    """Return the backend of a `demo:` subject; nothing is loaded yet.

    Raises:
        UsageError: no demo of that name.
    """
    demo = find_demo(subject.target)
    return TransformersBackend(
        subject, options, lambda: open_demo_source(subject.target, demo, options.dtype)
    )
