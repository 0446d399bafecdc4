"""What every record of a case is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


def _any_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


# Model output may hold lone surrogates, which a validated `str` refuses: they must not be lost.
ModelText = Annotated[str, PlainValidator(_any_string), WithJsonSchema({"type": "string"})]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """Base of everything inside a Case: immutable, and open to fields of later versions."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorAtScore(Record):
    """How often unrelated pairs that calibration did not see score at least as high as this pair.

    A lineage cluster counts as in error where any of its unrelated pairs does.
    """

    pairs: int
    pairs_in_error: int
    clusters: int
    clusters_in_error: int


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back: lists for tuples, mappings for records."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="python"))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def schema_of_fields(core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of a record's fields, which its own way of writing would hide."""
    while core["type"] == "function-wrap":  # a validator around the record
        core = core["schema"]
    described = {key: value for key, value in core.items() if key != "serialization"}
    return handler(cast("CoreSchema", described))
