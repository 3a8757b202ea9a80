"""What an account's provider reports: where it does so, when it last did, and what could not be read."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.rules.providers import WEBHOOKS, is_http
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.shared.pages import render_page
from postroom.web.shared.rooms import Room, in_room

if TYPE_CHECKING:
    from postroom.core.mail.models import SenderAccount


def describe_provider(sender: "SenderAccount") -> dict[str, object]:
    """Return what the card of an account's provider shows; nothing for accounts whose server reports by mail."""
    if not is_http(sender.provider):
        return {}
    events_url, inbound_url = mail.webhook_urls(sender=sender)
    return {
        "hooks": {
            "how": WEBHOOKS[sender.provider],
            "events_url": events_url,
            "inbound_url": inbound_url,
            "contact": mail.get_provider_contact(sender=sender),
            "parked": mail.count_parked_events(sender=sender),
        }
    }


@in_room(read=Role.ADMIN)
def show_reports(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the events that could not be read."""
    sender = mail.get_sender(workspace=room.workspace, uid=uid)
    context = {"sender": sender, "events": mail.list_parked_events(sender=sender)}
    return render_page(request, room, "web/senders/reports.html", context)


@in_room(methods=("POST",), write=Role.ADMIN)
def replay_report(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have an event read once more."""
    sender = services.replay_event(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "It is being read again. If it comes back here, it still cannot be.")
    return redirect("web:sender_reports", room.workspace.slug, sender.uid)
