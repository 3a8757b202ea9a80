"""useSend's two shapes of refusal: an envelope with a code for its rules, a list of issues for an unfit request."""

from typing import Final

from pydantic_core import ErrorDetails

from postroom.api.shared.errors import Manners
from postroom.api.usesend.issues import list_issues
from postroom.core.campaigns.errors import NobodyToMail, NoSuchCampaign, NothingToSay, NoWayOut, UnknownAudience
from postroom.core.contacts.errors import ListInUse, NoSuchContact, NoSuchList
from postroom.core.mail.errors import (
    BadFrom,
    BadOnceKey,
    DomainInUse,
    ForeignMailDomain,
    MessageState,
    NoSuchDomain,
    NoSuchMessage,
    NotJson,
    OnceKeyBusy,
    OnceKeyReused,
    UnknownAnswered,
    UnknownFromDomain,
    UnverifiedDomain,
)
from postroom.core.workspaces.errors import BadKey
from postroom.kit.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, RateLimited, Unavailable
from postroom.kit.types import JSONObject

CODES: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "NOT_UNIQUE",
    429: "RATE_LIMITED",
    500: "INTERNAL_SERVER_ERROR",
}


def say(status: int, message: str, error: AppError | None) -> JSONObject:
    """Return the envelope of a rule's refusal."""
    return {"error": {"code": CODES[status], "message": message}}


def say_unfit(faults: list[ErrorDetails]) -> JSONObject:
    """Return what a request that does not fit its schema is told."""
    return {"success": False, "error": {"issues": [*list_issues(faults)], "name": "ZodError"}}


MANNERS: Final = Manners(
    statuses={
        Invalid: 400,
        NotPermitted: 403,
        NotFound: 404,
        Conflict: 409,
        ListInUse: 403,  # the contract knows no conflict there
        MessageState: 400,
        DomainInUse: 400,
        RateLimited: 429,
        Unavailable: 500,
        AppError: 500,
    },
    words={
        BadKey: "Invalid API token",
        NoSuchMessage: "Email not found",
        MessageState: "Email already processed",
        NoSuchDomain: "Domain not found",
        NoSuchList: "Contact book not found",
        NoSuchContact: "Contact not found",
        NoSuchCampaign: "Campaign not found",
        UnknownAudience: "Contact book not found",
        NoWayOut: "Campaign must include an unsubscribe link before sending",
        NobodyToMail: "No subscribed contacts to send",
        NothingToSay: "No content added for campaign",
        NotJson: "Invalid content JSON",
        BadFrom: "From email is invalid",
        UnknownFromDomain: "Domain: {domain} of from email is wrong. Use the domain verified by useSend",
        UnverifiedDomain: "Domain: {domain} is not verified",
        ForeignMailDomain: "API key does not have access to domain: {domain}",
        UnknownAnswered: '"inReplyTo" is invalid',
        BadOnceKey: "Invalid Idempotency-Key length",
        OnceKeyReused: "Idempotency-Key already used with a different payload",
        OnceKeyBusy: "Request with same Idempotency-Key is in progress. Retry later.",
    },
    say=say,
    say_unfit=say_unfit,
    no_key="No Authorization header provided",
    bad_json="Malformed JSON in request body",
    unexpected="something unexpected happened",
)
