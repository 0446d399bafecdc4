"""What is asked: prompts, suites and the files they are read from."""

from typing import TYPE_CHECKING

from forensics.support.moved import moved

if (
    not TYPE_CHECKING
):  # names that stood here, for one release; new code must not miss a typo by them
    __getattr__ = moved(__name__, "forensics.suites.suite", "forensics.suites.loading")
