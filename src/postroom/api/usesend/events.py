"""Webhooks as useSend makes them: its events, its envelope, its signature."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from postroom.api.usesend.domain_words import DEFAULT_REGION, STATES, record_status
from postroom.api.usesend.ids import write_id
from postroom.core.mail.rules.refusals import classify_reply
from postroom.core.mail.rules.registrable import split_domain
from postroom.core.mail.types import DomainState, RecordStatus, RefusalKind
from postroom.core.webhooks.types import EVENTS, TEST_EVENT, CallToWrite, Written
from postroom.kit.types import JSONObject, JSONValue

VERSION: Final = "2026-01-18"

Facts = Mapping[str, Any]

_SUB_TYPES: Final = {
    RefusalKind.BAD_ADDRESS: "NoEmail",
    RefusalKind.MAILBOX_FULL: "MailboxFull",
    RefusalKind.CONTENT: "ContentRejected",
}
_SUPPRESSIONS: Final = {"hard_bounce": "Bounce", "complaint": "Complaint"}

# A contact of useSend's is a person in a book: our member of a list.
_TYPES: Final[Mapping[str, str]] = {
    name: name.replace("member.", "contact.", 1) for name in (*EVENTS, TEST_EVENT) if not name.startswith("contact.")
}


class UseSendWriter:
    """Writes calls as useSend's webhook guide describes them; both official clients verify them."""

    label: Final = "useSend"
    types: Final = _TYPES

    def write(self, call: CallToWrite) -> Written:
        """Return the call, signed over its time (milliseconds) and body."""
        name = _TYPES[call.type]
        said: JSONObject = {
            "id": call.uid.hex,
            "type": name,
            "version": VERSION,
            "createdAt": _moment(call.created_at),
            "teamId": call.workspace_id,
            "data": _tell(call),
            "attempt": call.attempt,
        }
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(call.now.timestamp() * 1000))
        mac = hmac.new(call.secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "User-Agent": "UseSend-Webhook/1.0",
            "X-UseSend-Signature": f"v1={mac}",
            "X-UseSend-Timestamp": timestamp,
            "X-UseSend-Event": name,
            "X-UseSend-Call": call.uid.hex,
            "X-UseSend-Retry": "true" if call.attempt > 1 else "false",
        }
        return Written(headers, body)


WRITER: Final = UseSendWriter()


def _tell(call: CallToWrite) -> JSONObject:
    """Return the event's own data. Somebody erased leaves none."""
    if call.type == TEST_EVENT:
        return {"test": True, "webhookId": write_id(call.endpoint_uid), "sentAt": _moment(call.created_at)}
    if not call.data:
        return {}
    group, _, what = call.type.partition(".")
    return _GROUPS[group](what, call.data)


def _tell_email(what: str, facts: Facts) -> JSONObject:
    at = _moment_text(facts["at"])
    said: JSONObject = {
        "id": _id(facts["message"]),
        "status": what.upper(),
        "from": facts["from"],
        "to": facts["to"],
        "occurredAt": at,
        "campaignId": _id(facts.get("campaign")),
        "contactId": _id(facts.get("contact")),
        "domainId": facts.get("domain"),
        "subject": facts["subject"],
    }
    more = _MORE.get(what)
    return said if more is None else {**said, **more(facts, at)}


def _tell_bounce(facts: Facts, at: str | None) -> JSONObject:
    status, reason = str(facts.get("status") or ""), str(facts.get("reason") or facts.get("text") or "")
    code = int(facts.get("code") or 0)
    kind = classify_reply(code or (400 if status.startswith("4") else 500), status, reason)
    bounce: JSONObject = {
        "type": _bounce_type(code, status, is_permanent=facts.get("is_permanent")),
        "subType": _SUB_TYPES.get(kind, "General"),
    }
    return {"bounce": {**bounce, "message": reason} if reason else bounce}


def _bounce_type(code: int, status: str, *, is_permanent: object) -> str:
    if is_permanent is True or code >= 500 or status.startswith("5"):
        return "Permanent"
    return "Transient" if code >= 400 or status.startswith("4") else "Undetermined"


def _tell_failure(facts: Facts, _: str | None) -> JSONObject:
    return {"failed": {"reason": str(facts.get("reason") or facts.get("text") or "It could not be sent.")}}


def _tell_suppression(facts: Facts, _: str | None) -> JSONObject:
    reason = str(facts.get("reason") or "")
    return {"suppression": {"type": _SUPPRESSIONS.get(reason, "Manual"), "reason": reason}}


def _tell_open(facts: Facts, at: str | None) -> JSONObject:
    return {"open": _hit(facts, at)}


def _tell_click(facts: Facts, at: str | None) -> JSONObject:
    return {"click": {**_hit(facts, at), "url": str(facts.get("url") or "")}}


def _hit(facts: Facts, at: str | None) -> JSONObject:
    found: JSONObject = {"timestamp": at, "userAgent": facts.get("agent") or None, "ip": facts.get("ip") or None}
    return {name: value for name, value in found.items() if value is not None}


def _tell_contact(_: str, facts: Facts) -> JSONObject:
    return {
        "id": _id(facts["contact"]),
        "email": facts["email"],
        "contactBookId": _id(facts["list"]),
        "subscribed": facts["is_subscribed"],
        "properties": facts["properties"],
        "firstName": facts["first_name"] or None,
        "lastName": facts["last_name"] or None,
        "createdAt": _moment_text(facts["created_at"]),
        "updatedAt": _moment_text(facts["updated_at"]),
    }


def _tell_domain(_: str, facts: Facts) -> JSONObject:
    state, records = DomainState(facts["state"]), facts["records"]
    spf = "return_spf" if "return_spf" in facts["needed"] and "spf" not in facts["needed"] else "spf"
    return {
        "id": facts["id"],
        "name": facts["name"],
        "status": STATES[state],
        "region": facts["region"] or DEFAULT_REGION,
        "createdAt": _moment_text(facts["created_at"]),
        "updatedAt": _moment_text(facts["updated_at"] or facts["created_at"]),
        "clickTracking": facts["tracks_clicks"],
        "openTracking": facts["tracks_opens"],
        "subdomain": split_domain(facts["name"])[1],
        "dkimStatus": _record_state(records, "dkim", state),
        "spfDetails": _record_state(records, spf, state),
        "dmarcAdded": records.get("dmarc") == "ok",
    }


def _record_state(records: Facts, purpose: str, state: DomainState) -> str:
    return record_status(RecordStatus(records.get(purpose, RecordStatus.UNCHECKED)), state)


def _id(text: JSONValue) -> str | None:
    return write_id(UUID(str(text))) if text else None


def _moment_text(text: JSONValue) -> str | None:
    return _moment(datetime.fromisoformat(str(text))) if text else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_MORE: Final[Mapping[str, Callable[[Facts, str | None], JSONObject]]] = {
    "bounced": _tell_bounce,
    "failed": _tell_failure,
    "suppressed": _tell_suppression,
    "opened": _tell_open,
    "clicked": _tell_click,
}
_GROUPS: Final[Mapping[str, Callable[[str, Facts], JSONObject]]] = {
    "email": _tell_email,
    "member": _tell_contact,
    "domain": _tell_domain,
}
