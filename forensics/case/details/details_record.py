"""What the details of all kinds of evidence have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from forensics.case.record import Finite, ModelText, plain, schema_of_fields


class Details(BaseModel):
    """What one kind of evidence records beyond its scores; the base holds any JSON.

    A record is written as it was given: entries that this version does not know stay, and those
    that were left out stay out.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_serializer(mode="wrap")
    def _given(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return schema_of_fields(core, handler)

    def written(self) -> dict[str, Any]:
        """Return the entries as a case file holds them."""
        entries: dict[str, Any] = plain(self)
        return entries

    if not TYPE_CHECKING:  # notebooks and plugins that read a mapping, for one release

        def __getitem__(self, name: str) -> Any:
            return self.written()[name]

        def __contains__(self, name: object) -> bool:
            return name in self.model_fields_set

        def get(self, name: str, default: Any = None) -> Any:
            return self.written().get(name, default)


class LayerRow(Details):
    """A layer of A, one of B, how alike they are, and how likely chance gives as much."""

    a: int | ModelText
    b: int | ModelText
    similarity: Finite
    p_value: Finite | None = None


class OtherDetails(Details):
    """Details of a plugin's evidence: what this program reads of them where a plugin gives it.

    `p_value_is_approximate` keeps one such test alone from making weights kin; `reading` is what a
    tokenizer tells, in a few words; `layers` are drawn as a heat map.
    """

    p_value_is_approximate: bool = False
    reading: ModelText = ""
    layers: tuple[LayerRow, ...] = ()
