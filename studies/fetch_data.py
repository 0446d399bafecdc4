"""Where the reference data come from: clone the public repositories, check the tables made of them.

The tables hold other people's outputs, some under licences that forbid passing them on, so they
are not part of this repository. Their lineage (`*_models.csv`, `*_pairs.csv.gz`) was written by
hand from public documentation and is in no public repository. `check` tells whether a folder holds
the tables that the published figures were made from; `sources` clones the repositories that the
outputs came from.

Each commit holds the outputs that were used; which commit a table was made from was not recorded.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.support.cache import file_sha256


@dataclass(frozen=True)
class Table:
    """A file that studies read: its place in the data folder and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """A public repository, a commit of it, and the tables made of its files."""

    name: str
    url: str
    commit: str
    files: str
    licence: str
    tables: tuple[Table, ...]


SOURCES = (
    Source(
        "alpaca_eval",
        "https://github.com/tatsu-lab/alpaca_eval",
        "b759c8da2df13463ea2034f334849bf8aefeb6b5",
        "results/*/model_outputs.json",
        "code Apache-2.0, data CC-BY-NC-4.0",
        (
            Table(
                "alpaca_eval_outputs.parquet",
                "4e379cd0026b5ba93c1b4116ea6991e156bdfda72af09ef8b2a65e71b74bbf28",
            ),
            Table(
                "alpaca_eval_models.csv",
                "36baec15aa5067d9cf40239404ebbe800f1f8c7c3c247d218a7f113ebd79a670",
            ),
            Table(
                "alpaca_eval_pairs.csv.gz",
                "f3efd3ba34f8bf43f9970bd28f0648a2900542051d64d7bbfa4a34045f11c284",
            ),
            Table(
                "alpaca_eval_prompts.csv",
                "81587e35a33554aa95312170341eadad9f8e87daddaac38faa52f149872dcdd2",
            ),
        ),
    ),
    Source(
        "MisguidedAttention",
        "https://github.com/cpldcpu/MisguidedAttention",
        "f4135819d8ac78df8b9219f4f58b428b0dd62d60",
        "eval/",
        "CC0-1.0",
        (
            Table(
                "misguided_attention_outputs.parquet",
                "699df79086e361e9413afcef559e12f0ec343dbc2f9c9b850f25ae9b62d208a1",
            ),
            Table(
                "misguided_attention_models.csv",
                "5565a1645f0b65da0c1068d9f1cc5b6860a9cde0177e0a91b1aca5f23bb52ea3",
            ),
            Table(
                "misguided_attention_pairs.csv.gz",
                "5180df56727d45639cfe110aa26a0810bdf294c07d8e316436f5d54909f403e7",
            ),
            Table(
                "modern/misguided_attention_outputs.parquet",
                "ff4367fdbaf7c928131557cd88326233412fcb904de775fed006aa8ece422a43",
            ),
            Table(
                "modern/misguided_attention_models.csv",
                "970b3bccbd3914e1756402ef133ff642c478e13874354691f72575a54893d696",
            ),
            Table(
                "modern/misguided_attention_pairs.csv.gz",
                "c682aacc46dda921cab855ab119a4e30cb3179af0f2903fbcfcc845756e5ea7f",
            ),
        ),
    ),
    Source(
        "longform-writing-bench",
        "https://github.com/EQ-bench/longform-writing-bench",
        "9940df193a14655e817134f3f7642bfc83194847",
        "results/",
        "MIT",
        (
            Table(
                "modern/longform_outputs.parquet",
                "6af54a03775dc3be4e19e47c76609af4917f49d8ecc62e44b9cb5e217ec895d9",
            ),
            Table(
                "modern/longform_models.csv",
                "b7f0e5df6a052f91114b493ff91b5563c72a83117c0b539540be5faef91a30da",
            ),
            Table(
                "modern/longform_pairs.csv.gz",
                "ffb8d0be1e84589c777d61a5952f63bdea2c1a2cb8cc5d85750d00523bfb3d90",
            ),
        ),
    ),
    Source(
        "slop-score",
        "https://github.com/sam-paech/slop-score",
        "66289626ed75fbb29d72078c91f6842ac9dd5470",
        "results/",
        "MIT",
        (
            Table(
                "modern/slop_score_outputs.parquet",
                "77d82f7592674b042c8855f8962f02211a5da1061c873e4202b62ce038cf95f5",
            ),
            Table(
                "modern/slop_score_models.csv",
                "1fd63f4e7941c27ae1242b3a1b54504370c37d6006043305d895e233bc129bd8",
            ),
            Table(
                "modern/slop_score_pairs.csv.gz",
                "42be142e0f5ec07b73f5b605aee7bb316c62f1be2e1a035d4f863503eca87b7d",
            ),
        ),
    ),
    Source(
        "farel-bench",
        "https://github.com/fairydreaming/farel-bench",
        "a3bc5b009e8e81fb914c821f7ed0de35473f9056",
        "results/*/*.log",
        "MIT",
        (
            Table(
                "modern/farel_outputs.parquet",
                "e8b2ce436b07d1b0f7db74ece3bd1bf76d1e22ff263d4278027f4425fe2932a2",
            ),
            Table(
                "modern/farel_models.csv",
                "e59ce23c34772a506c01873575422ed67eb03415b5029597d46d6f6e4c342cf1",
            ),
            Table(
                "modern/farel_pairs.csv.gz",
                "b991fec7d84c6174519dda5447f4ceb7b70f884408ef7f772537bbb76d19e272",
            ),
        ),
    ),
    Source(
        "xstest",
        "https://github.com/paul-rottger/exaggerated-safety",
        "a3bb396ddc1939c6f264f17b7cf5b7a5d82833de",
        "model_completions/",
        "prompts CC-BY-4.0, completions under the terms of the models' vendors",
        (
            Table(
                "xstest_completions.parquet",
                "061737fbb816b11a1cb2a1227dabc2c356f9639322c142806a39e6780490cfb5",
            ),
        ),
    ),
    Source(
        "llm-compliance",
        "https://github.com/xlr8harder/llm-compliance",
        "723e80b530a1cd1c29b3340eb9b628f422ba9afb",
        "responses/, analysis.*/",
        "Apache-2.0",
        (
            Table(
                "refusals_speechmap_train.parquet",
                "7655b63b9410d4063308ed0bd1a939081d81d5f7c5c15ac93098f44c744abb40",
            ),
        ),
    ),
)


def differences(data: Path, sources: Iterable[Source]) -> list[str]:
    """Return a line for each table that is missing or is not the one the figures were made from."""
    lines = []
    for table in (table for source in sources for table in source.tables):
        path = data / table.path
        if not path.is_file():
            lines.append(f"{table.path}: missing")
        elif file_sha256(path) != table.sha256:
            lines.append(f"{table.path}: another file than the published figures were made from")
    return lines


def clone(source: Source, folder: Path) -> Path:
    """Clone a repository at its commit below a folder, and return the clone.

    Raises:
        subprocess.CalledProcessError: git failed, or the repository has no such commit.
    """
    target = folder / source.name
    if not target.is_dir():
        _git("clone", "--quiet", "--no-checkout", source.url, str(target))
    _git("-C", str(target), "checkout", "--quiet", source.commit)
    return target


def main(arguments: Sequence[str]) -> int:
    """Check a data folder, or obtain the public repositories; return the exit code."""
    parser = argparse.ArgumentParser(prog="studies.fetch_data", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="compare tables with their hashes").add_argument(
        "data", type=Path
    )
    verbs.add_parser("sources", help="clone the repositories").add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    if options.verb == "check":
        return _report(differences(options.data, SOURCES))
    options.folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        try:
            path = clone(source, options.folder)
        except subprocess.CalledProcessError:
            print(f"{source.url}: git could not obtain it", file=sys.stderr)  # noqa: T201
            return 4
        print(f"{path}: {source.files} ({source.licence})")  # noqa: T201
    return 0


def _report(lines: Sequence[str]) -> int:
    for line in lines:
        print(line)  # noqa: T201
    if not lines:
        count = sum(len(source.tables) for source in SOURCES)
        print(f"all {count} tables are those of the published figures")  # noqa: T201
    return 1 if lines else 0


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)  # noqa: S603, S607


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
