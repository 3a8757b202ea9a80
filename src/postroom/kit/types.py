"""Type names shared by every layer."""

from enum import Enum
from typing import Final

JSONValue = None | bool | int | float | str | list["JSONValue"] | dict[str, "JSONValue"]
JSONObject = dict[str, JSONValue]


class Unset(Enum):
    """The type of ``UNSET``: a field that a partial update does not mention, as opposed to one set to null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
