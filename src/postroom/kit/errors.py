"""The failures a caller may expect, free of any protocol: doors translate the families, the core raises them."""

from typing import ClassVar


class AppError(Exception):
    """An expected failure: a stable ``code``, a sentence for a person, and the facts as fields."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", /, **facts: object) -> None:
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]
        self.facts = facts
        super().__init__(self.message)


class Invalid(AppError):
    """The input breaks a rule."""

    code = "invalid"


class NotFound(AppError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class NotPermitted(AppError):
    """This person or key may not do that."""

    code = "not_permitted"


class Conflict(AppError):
    """The thing is in a state that forbids the act."""

    code = "conflict"


class RateLimited(AppError):
    """Too many requests; ``retry_after_s`` says when to come back."""

    code = "rate_limited"

    def __init__(self, message: str = "", /, *, retry_after_s: float = 1.0, **facts: object) -> None:
        super().__init__(message, retry_after_s=retry_after_s, **facts)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """Something outside does not answer; ``permanent`` says whether trying again can help."""

    code = "unavailable"

    def __init__(self, message: str = "", /, *, permanent: bool = False, **facts: object) -> None:
        super().__init__(message, permanent=permanent, **facts)
        self.permanent = permanent
