"""Records of what somebody else fixed: read by name, written as they were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from forensics.case.record import Record, plain, schema_of_fields


class AsGiven(BaseModel):
    """A JSON object of which this program reads some entries, the fields; each has a default.

    It is written as it was given, entry for entry: those that this version does not know stay, and
    an entry of another form than its field's stays too, while the field reads as its default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, Mapping):
            return read(value)
        try:
            record = read(value)
        except ValidationError as error:
            odd = {entry["loc"][0] for entry in error.errors(include_url=False)}
            record = read({name: entry for name, entry in value.items() if name not in odd})
        record._given = plain(value)
        return record

    @model_serializer
    def written(self) -> dict[str, Any]:
        """Return the entries as a case file holds them."""
        return dict(self._given)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return the record with other entries; those not given stay as they are."""
        return type(self).model_validate({**self._given, **(update or {})})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return schema_of_fields(core, handler)

    if not TYPE_CHECKING:  # notebooks and plugins that read a mapping, for one release

        def __getitem__(self, name: str) -> Any:
            return self._given[name]

        def __contains__(self, name: object) -> bool:
            return name in self._given

        def keys(self) -> Any:
            return self._given.keys()

        def get(self, name: str, default: Any = None) -> Any:
            return self._given.get(name, default)

        def __eq__(self, other: object) -> bool:
            if isinstance(other, Mapping):
                return self._given == plain(other)
            return super().__eq__(other)

        __hash__ = None


class HoldsGiven(Record):
    """A record with entries `as_given`, by field; a copy may be told them as plain mappings."""

    as_given: ClassVar[Mapping[str, type[AsGiven]]] = {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as pydantic does, and read mappings where the field holds what was given."""
        read = {name: self._read_given(name, value) for name, value in (update or {}).items()}
        return super().model_copy(update=read, deep=deep)

    def _read_given(self, name: str, value: Any) -> Any:
        kind = self.as_given.get(name)
        if kind is None:
            return value
        if isinstance(value, list | tuple):
            return tuple(kind.model_validate(entry) for entry in value)
        return kind.model_validate(value)
