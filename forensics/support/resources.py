"""Where the data folders are: beside the package in a checkout, inside it once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]  # `forensics`


def data_folder(name: str) -> Path:
    """Return the folder `probes` or `reports`.

    The checkout comes first: an editable install sees the package folder of the checkout, where
    only the top-level data folders exist.

    Raises:
        FileNotFoundError: the installation carries no such folder.
    """
    for parent in (_PACKAGE.parent, _PACKAGE):
        folder = parent / name
        if (parent / "pyproject.toml").is_file() and folder.is_dir():
            return folder
    installed = _PACKAGE / name
    if installed.is_dir():
        return installed
    raise FileNotFoundError(f"the data folder {name!r} is missing from this installation")


def is_folder(path: Path) -> bool:
    """Tell whether a folder is there; a name no file system takes is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a name no file system takes is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def cache_folder(name: str) -> Path:
    """Return (and make) the user's cache folder for `name`, honouring `FORENSICS_CACHE`."""
    import os

    import platformdirs

    root = os.environ.get("FORENSICS_CACHE") or platformdirs.user_cache_dir("model-forensics")
    folder = Path(root) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
