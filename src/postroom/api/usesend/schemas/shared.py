"""Bodies that many operations share."""

from typing import Any, Final, Literal

from pydantic import BaseModel


class ErrorText(BaseModel):
    """A refusal's code and sentence."""

    code: str
    message: str


class ErrorEnvelope(BaseModel):
    """A rule's refusal."""

    error: ErrorText


class Issues(BaseModel):
    """What does not fit."""

    name: Literal["ZodError"]
    issues: list[dict[str, Any]]


class ValidationFailure(BaseModel):
    """The refusal of a request that does not fit its schema."""

    success: Literal[False]
    error: Issues


REFUSALS: Final[dict[int, Any]] = {401: ErrorEnvelope, 403: ErrorEnvelope, 429: ErrorEnvelope, 500: ErrorEnvelope}
"""What any operation may answer, also one that asks for nothing that could be unfit."""
ERRORS: Final[dict[int, Any]] = {400: ErrorEnvelope | ValidationFailure, **REFUSALS}
NOT_FOUND: Final[dict[int, Any]] = {404: ErrorEnvelope}
CONFLICT: Final[dict[int, Any]] = {409: ErrorEnvelope}
