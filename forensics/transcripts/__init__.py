"""What came back: responses, transcripts, and files of other tools that hold them."""

from typing import TYPE_CHECKING

from forensics.support.moved import moved

if (
    not TYPE_CHECKING
):  # names that stood here, for one release; new code must not miss a typo by them
    __getattr__ = moved(
        __name__, "forensics.transcripts.transcript", "forensics.transcripts.writer"
    )
