"""Old path, for one release: plugins import from `forensics.plugin`."""

from forensics.support.moved import moved

__getattr__ = moved(
    __name__, "forensics.transcripts.importers.importer", renamed={"Answer": "ImportedAnswer"}
)
