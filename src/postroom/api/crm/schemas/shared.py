"""Bodies that many operations share."""

from typing import Any, Final

from pydantic import BaseModel


class Error(BaseModel):
    """A refusal; ``details`` has a line for each of several problems."""

    error: str
    details: list[str] = []


MAY_NOT: Final[dict[int, Any]] = {401: Error, 403: Error}
BAD_REQUEST: Final[dict[int, Any]] = {400: Error}
NOT_FOUND: Final[dict[int, Any]] = {404: Error}
CONFLICT: Final[dict[int, Any]] = {409: Error}
