"""Values as all dialects write them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel


def write_instant(at: datetime) -> str:
    """Return an instant in UTC with milliseconds, as ``2026-01-31T09:30:00.000Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


Instant = Annotated[
    datetime, PlainSerializer(write_instant, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]


class Camel(BaseModel):
    """A body whose names are camelCase outside; names it does not know are left out."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
