"""The JSON Schemas published with the package: `python -m forensics.report.schemas` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from forensics.case.document import case_schema
from forensics.evidence.exposure.exposure_record import exposure_schema
from forensics.policy.model import policy_schema
from forensics.policy.outcomes import check_schema
from forensics.support.files import write_text
from forensics.support.resources import data_folder

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "case.schema.json": case_schema,
    "check.schema.json": check_schema,
    "exposure.schema.json": exposure_schema,
    "policy.schema.json": policy_schema,
}


def main() -> None:
    """Write every schema as the code has it now.

    Raises:
        OutputError: one cannot be written.
    """
    for name, make in SCHEMAS.items():
        write_text(data_folder("reports") / name, json.dumps(make(), indent=2) + "\n")


if __name__ == "__main__":
    main()
