"""How a dialect says no: one handler for each kind of failure, found by Ninja along the class chain."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError, ValidationErrorContext
from pydantic_core import ErrorDetails

from postroom.kit.errors import AppError
from postroom.kit.types import JSONObject

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Manners:
    """A dialect's way of refusing. The tables name families of errors and, where one is told apart, single errors.

    ``words`` replaces our own message, ``{names}`` in it are the error's facts; ``say`` makes the body of an answer of
    status, message and error.
    """

    statuses: Mapping[type[AppError], int]
    words: Mapping[type[AppError], str]
    say: Callable[[int, str, AppError | None], JSONObject]
    say_unfit: Callable[[list[ErrorDetails]], JSONObject]
    no_key: str
    bad_json: str
    unexpected: str


class DialectAPI(NinjaAPI):
    """A Ninja API that keeps everything Pydantic knows of an unfit request, for its dialect to tell."""

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Return the faults with their input; ``loc`` begins behind the names of our own parameters."""
        faults: list[Any] = []
        for context in error_contexts:
            is_body = context.model.__ninja_param_source__ == "body"
            names = context.model.__ninja_flatten_map_reverse__
            for fault in context.pydantic_validation_error.errors(include_url=False):
                loc = fault["loc"][1:] if is_body else names.get(fault["loc"], fault["loc"])
                faults.append({**fault, "loc": loc})
        return ValidationError(faults)


@dataclass(frozen=True, slots=True)
class Told:
    """What a request is told, whatever carries the answer."""

    status: int
    body: JSONObject
    headers: Mapping[str, str]


def tell(manners: Manners, error: AppError) -> Told:
    """Return how a dialect says an expected failure."""
    status = _find(manners.statuses, error, 500)
    retry_after_s = error.facts.get("retry_after_s")
    headers = {"Retry-After": str(max(1, round(retry_after_s)))} if isinstance(retry_after_s, int | float) else {}
    words: str | None = _find(manners.words, error, None)
    message = error.message if words is None else words.format_map(defaultdict(str, error.facts))
    return Told(status, manners.say(status, message, error), headers)


def install(api: NinjaAPI, manners: Manners) -> None:
    """Give ``api`` a handler for every failure there is."""

    def answer(request: HttpRequest, status: int, message: str) -> HttpResponse:
        return api.create_response(request, manners.say(status, message, None), status=status)

    def refuse(request: HttpRequest, error: AppError) -> HttpResponse:
        refusal = tell(manners, error)
        response = api.create_response(request, refusal.body, status=refusal.status)
        for name, value in refusal.headers.items():
            response.headers[name] = value
        return response

    def fail(request: HttpRequest, error: Exception) -> HttpResponse:
        _logger.exception("api.unexpected", api=api.title, method=request.method)
        return answer(request, 500, manners.unexpected)

    def unfit(request: HttpRequest, error: ValidationError) -> HttpResponse:
        faults: Any = error.errors
        return api.create_response(request, manners.say_unfit(faults), status=400)

    def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return answer(request, 400, f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} octets")

    def no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(request, 401, manners.no_key)

    def bad_json(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(request, 400, manners.bad_json)

    handlers: dict[Any, Any] = {
        AppError: refuse,
        AuthenticationError: no_key,
        HttpError: bad_json,
        RequestDataTooBig: too_big,
        ValidationError: unfit,
        Exception: fail,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _find(table: Mapping[type[AppError], Any], error: AppError, default: Any) -> Any:
    """Return what the table says of the error's own class or the nearest above it."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), default)
