"""What the mail app does when people's data changes: it writes the links that were asked for, and follows merges."""

from django.conf import settings

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import Contact, ListMember, PrivacyRequest
from postroom.core.contacts.rules.links import confirm_token, preference_token
from postroom.core.contacts.types import ConfirmLink, MemberStatus, PrivacyRequestKind, Standing
from postroom.core.events.types import Event
from postroom.core.mail import jobs, services
from postroom.core.mail.rules.confirmations import confirmation_letter
from postroom.core.mail.rules.notices import IGNORE, write_notice
from postroom.core.mail.types import Notice, OwnLetter
from postroom.core.webhooks.models import Endpoint
from postroom.core.webhooks.types import EndpointStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.selectors import list_administrators
from postroom.kit.tokens import make_token


def send_confirmation(event: Event) -> None:
    """Ask a person by mail whether they want to be on a list, while the question stands and they want mail at all."""
    waiting = ListMember.objects.filter(
        pk=event.object_id, list__workspace_id=event.workspace_id, status=MemberStatus.PENDING
    )
    member = waiting.select_related("list__workspace", "contact").first()
    if member is None or not member.contact.email:
        return
    list_ = member.list
    link = ConfirmLink(list_.pk, member.contact_id, event.at)
    if contacts.describe_confirmation(link=link, now=event.at).standing is not Standing.WAITING:
        return
    contact = member.contact
    letter = confirmation_letter(
        workspace_name=list_.workspace.name,
        terms=contacts.list_terms(list_),
        person={"email": contact.email or "", "first_name": contact.first_name, "last_name": contact.last_name},
        url=f"{settings.PUBLIC_URL}/confirm/{confirm_token(link)}",
    )
    _send(event, list_.workspace, contact, letter)


def send_preference_link(event: Event) -> None:
    """Send a person the link to their preference centre. Who is not known is not written to."""
    contact = _find_person(event)
    if contact is None:
        return
    workspace = Workspace.objects.get(pk=event.workspace_id)
    notice = Notice(
        subject=f"Your mail from {workspace.name}",
        paragraphs=(f"With this link you choose what {workspace.name} may send you.", IGNORE),
        button="Choose my mail",
        url=f"{settings.PUBLIC_URL}/p/{preference_token(workspace.pk, contact.pk)}",
    )
    _send(event, workspace, contact, write_notice(notice))


def send_privacy_link(event: Event) -> None:
    """Send a person the link by which they get their data, or have it erased."""
    request = PrivacyRequest.objects.select_related("workspace", "contact").filter(pk=event.object_id).first()
    if request is None or request.contact is None or not request.contact.email:
        return
    is_erasure = request.kind == PrivacyRequestKind.ERASURE
    wish = "have everything we know of you erased" if is_erasure else "get a copy of everything we know of you"
    notice = Notice(
        subject="Erase my data" if is_erasure else "A copy of my data",
        paragraphs=(
            f"Somebody, hopefully you, asked {request.workspace.name} to {wish}.",
            f"The link works once, until {request.expires_at:%d %B %Y, %H:%M} UTC. {IGNORE}",
        ),
        button="Go on to erase my data" if is_erasure else "Get my data",
        url=f"{settings.PUBLIC_URL}/privacy/r/{make_token('privacy', request.uid.bytes)}",
    )
    _send(event, request.workspace, request.contact, write_notice(notice))


def follow_merge(event: Event) -> None:
    """Have the mail of somebody who was merged given to the survivor."""
    old_id = event.data["old_id"]
    if isinstance(old_id, int):
        jobs.defer_move_mail(old_id=old_id)


def tell_disabled(event: Event) -> None:
    """Write to a workspace's administrators that a webhook of theirs only ever failed and is called no more."""
    endpoint = Endpoint.objects.select_related("workspace").filter(pk=event.object_id).first()
    if endpoint is None or endpoint.status != EndpointStatus.DISABLED:
        return
    workspace, last = endpoint.workspace, f"{endpoint.last_code}" if endpoint.last_code else endpoint.last_error
    notice = Notice(
        subject=f"A webhook of {workspace.name} was switched off",
        paragraphs=(
            f"{endpoint.url} has not taken our calls for too long, so we call it no more. The last answer: {last}",
            "Mend it, switch the webhook on again on its page, and replay there what it has missed.",
        ),
        button="Look at the webhook",
        url=f"{settings.PUBLIC_URL}/w/{workspace.slug}/webhooks/{endpoint.uid}/",
    )
    for admin in list_administrators(workspace=workspace):
        key = f"{event.name}-{event.id}-{admin.pk}"
        services.send_notice(workspace=workspace, to=admin.email, notice=notice, idempotency_key=key, now=event.at)


def _find_person(event: Event) -> Contact | None:
    people = Contact.objects.filter(links__workspace_id=event.workspace_id, erased_at=None).exclude(email=None)
    return people.filter(pk=event.contact_id).first() if event.contact_id is not None else None


def _send(event: Event, workspace: Workspace, contact: Contact, letter: OwnLetter) -> None:
    services.send_own_letter(
        workspace=workspace,
        to=contact.email or "",
        letter=letter,
        idempotency_key=f"{event.name}-{event.id}",
        now=event.at,
        contact_id=contact.pk,
    )
