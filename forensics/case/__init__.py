"""The records of a comparison: what one kind of evidence found, and the whole case."""

from typing import TYPE_CHECKING

from forensics.support.moved import moved

if (
    not TYPE_CHECKING
):  # names that stood here, for one release; new code must not miss a typo by them
    __getattr__ = moved(__name__, "forensics.case.document")
