"""Icons, shares and state chips."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import idna
from django import template
from django.utils.safestring import SafeString, mark_safe

from postroom.kit import clock
from postroom.kit.types import JSONValue

if TYPE_CHECKING:
    from postroom.core.contacts.models import Contact

register = template.Library()

_ICONS: Final = Path(__file__).resolve().parent.parent / "static" / "web" / "vendor" / "icons"
_COLOURS: Final = {
    "green": {"ok", "sent", "done", "subscribed", "granted", "delivered", "active", "verified", "new"},
    "blue": {"repeating"}
    | {"sending", "running", "claimed", "wire", "freezing", "opened", "clicked", "undoing", "changed"},
    "yellow": {"in_progress", "paused", "pausing", "pending", "deferred", "in_doubt", "scheduled", "cancelling"}
    | {"self_signed"},
    "red": {
        "disabled",
        "revoked",
        "expired",
        "missing",
        "wrong",
        "several",
        "failing",
        "failed",
        "bounced",
        "complained",
        "complaint",
        "withdrawn",
        "hard_bounce",
        "suppressed",
    },
}
_KINDS: Final = {
    "sent": "send",
    "delivered": "circle-check",
    "opened": "mail-opened",
    "machine_opened": "robot",
    "clicked": "pointer",
    "scanner_clicked": "robot",
    "bounced": "alert-triangle",
    "failed": "alert-triangle",
    "complained": "flag",
    "unsubscribed": "user-off",
    "opted_out": "user-off",
    "replied": "arrow-back-up",
    "created": "user",
    "updated": "pencil",
    "tagged": "tag",
    "untagged": "tag",
    "suppressed": "ban",
    "merged": "arrow-merge",
    "contact_linked": "building",
    "contact_unlinked": "building",
    "note": "note",
    "call": "phone",
    "meeting": "calendar-event",
    "event_attended": "calendar-event",
    "email_sent": "mail",
    "email_received": "arrow-back-up",
    "form_submission": "forms",
    "granted": "check",
    "subscribed": "list-check",
    "pending": "clock",
    "scheduled": "calendar-event",
    "confirmation_wanted": "mail",
    "withdrawn": "user-off",
    "absent": "user-off",
    "opted_in": "check",
    "opted_in_all": "check",
    "opted_out_all": "user-off",
}
_DESTINATIONS: Final = {
    "google": "Gmail",
    "microsoft": "Outlook and Hotmail",
    "yahoo": "Yahoo and AOL",
    "apple": "iCloud",
    "other": "Everybody else",
}
_REASONS: Final = {
    "no_address": "there is no e-mail address",
    "opted_out_everywhere": "they opted out of everything",
    "opted_out": "they opted out of this workspace",
    "not_on_list": "they are not subscribed to the list",
    "consent_withdrawn": "they said no",
    "no_consent": "they have not said yes",
    "hard_bounce": "the mailbox does not exist",
    "complaint": "they reported mail as spam",
    "manual": "the address was suppressed by hand",
    "banned": "the address is banned",
    "unsubscribed": "they unsubscribed",
    "erased": "their data was erased",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return the drawing of that name, hidden from screen readers: the word beside it says the same."""
    return _read_icon(name)


@cache
def _read_icon(name: str) -> SafeString:
    drawing = (_ICONS / f"{name}.svg").read_text(encoding="utf-8")
    return mark_safe(drawing.replace("<svg", '<svg aria-hidden="true"', 1))


@register.filter
def share(part: int | None, whole: int | None) -> str:
    """Return ``part`` of ``whole`` in per cent with one digit, a dash when there is no whole."""
    return f"{100 * (part or 0) / whole:.1f} %" if whole else "–"


@register.filter
def per_cent(part: int | None, whole: int | None) -> str:
    """Return ``part`` of ``whole`` in per cent as a meter takes it, 0 when there is no whole."""
    return f"{100 * (part or 0) / whole:.3f}" if whole else "0"


@register.filter
def duration(seconds: int) -> str:
    """Return a length of time as a person says it: seconds below two minutes, minutes below two hours, else hours."""
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{round(seconds / 3600)} h"


@register.filter
def destination_name(name: str) -> str:
    """Return who receives mail as people know them; a domain with a limit of its own is its own name."""
    return _DESTINATIONS.get(str(name), str(name))


@register.filter
def until_then(at: datetime) -> str:
    """Return how long it is until ``at`` as a person says it, hours with their minutes."""
    seconds = max(0, round((at - clock.now()).total_seconds()))
    if seconds < 7200:
        return duration(seconds)
    hours, rest = divmod(round(seconds / 300) * 5, 60)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


@register.filter
def minutes(number: int) -> str:
    """Return a number of minutes as a person says it."""
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if number % size == 0:
            count = number // size
            return f"{count} {name}{'s' if count != 1 else ''}"
    return ""


@register.filter
def colour(status: str) -> str:
    """Return the colour word of a state."""
    return next((name for name, states in _COLOURS.items() if str(status) in states), "secondary")


@register.filter
def words(status: str) -> str:
    """Return a state as a person writes it."""
    return str(status).replace("_", " ").capitalize()


@register.filter
def because(reason: str) -> str:
    """Return the reason of a may-we-mail verdict as a person says it."""
    return _REASONS.get(str(reason), str(reason).replace("_", " "))


@register.filter
def name_of(contact: "Contact") -> str:
    """Return what a person is called: by name, else by address."""
    return f"{contact.first_name} {contact.last_name}".strip() or contact.email or "No name"


@register.filter
def spelled(domain: str) -> str:
    """Return a domain as people write it, behind its A-labels where it has any (RFC 5890)."""
    try:
        written = idna.decode(domain) if "xn--" in domain else domain
    except idna.IDNAError:
        return domain
    return f"{written} ({domain})" if written != domain else domain


@register.filter
def plain(value: JSONValue) -> str:
    """Return a custom value as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@register.filter
def kind_icon(kind: str) -> str:
    """Return the icon of a kind of timeline entry (``mail.opened``); the last word decides."""
    return _KINDS.get(kind.rpartition(".")[2], "info-circle")
