"""The CRM's way of refusing: ``{error, details?}``."""

from typing import Final

from pydantic_core import ErrorDetails

from postroom.api.shared.errors import Manners
from postroom.core.contacts.errors import ContactExists, NoSuchContact
from postroom.core.workspaces.errors import BadKey, WorkspaceNotFound
from postroom.kit.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, RateLimited, Unavailable
from postroom.kit.types import JSONObject, JSONValue


def say(status: int, message: str, error: AppError | None) -> JSONObject:
    """Return a refusal; one for an address that is taken names whose it is, so that the caller may link them."""
    uid = error.facts.get("uid") if isinstance(error, ContactExists) else None
    return {"error": message, **({"existsInNetwork": True, "contactId": str(uid)} if uid else {})}


def say_unfit(faults: list[ErrorDetails]) -> JSONObject:
    """Return what does not fit: the one problem itself, or a line for each of several."""
    lines: list[JSONValue] = [_line(fault) for fault in faults]
    return {"error": lines[0]} if len(lines) == 1 else {"error": "Validation failed.", "details": lines}


def _line(fault: ErrorDetails) -> str:
    path = ".".join(map(str, fault["loc"]))
    return f"{path}: {fault['msg']}" if path else fault["msg"]


MANNERS: Final = Manners(
    statuses={
        Invalid: 400,
        BadKey: 401,
        NotPermitted: 403,
        WorkspaceNotFound: 403,
        NotFound: 404,
        Conflict: 409,
        RateLimited: 429,
        Unavailable: 503,
        AppError: 500,
    },
    words={
        BadKey: "Invalid API key",
        WorkspaceNotFound: "You are no member of this workspace.",
        NoSuchContact: "Contact not found.",
    },
    say=say,
    say_unfit=say_unfit,
    no_key="Unauthorized",
    bad_json="The body is not JSON.",
    unexpected="Something unexpected happened.",
)
