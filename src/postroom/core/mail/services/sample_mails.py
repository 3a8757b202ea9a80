"""A mail to oneself, to see what a receiver makes of a domain's signatures and records."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.mail.errors import NoSuchSender, TooManyTests
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.selectors.domains import get_domain
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.notices import MAX_PER_HOUR, take_turn
from postroom.core.mail.types import AcceptedMessage, Composition, MessageClass, NewMessage
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

_BODY = """<p>This mail is signed for {name} and left through the account “{sender}”.</p>
<p>Look at its headers, in Gmail under “Show original”: the field Authentication-Results should say spf=pass, dkim=pass
and dmarc=pass.</p>"""

_ACCOUNT_BODY = """<p>This mail left through the account “{{ sender }}”. It works.</p>
<p>Should it be in the folder for unwanted mail, the page of its domain says what is missing.</p>"""


@transaction.atomic
def send_domain_test(
    *, workspace: Workspace, uid: UUID, sender_id: int, to: str, actor: Actor, now: datetime
) -> AcceptedMessage:
    """Send one mail of a domain to ``to`` by an account that signs for it.

    Raises NoSuchDomain, NoSuchSender, and what a refused message raises.
    """
    domain = get_domain(workspace=workspace, uid=uid)
    sender = SenderAccount.objects.filter(workspace=workspace, domain=domain, pk=sender_id).first()
    if sender is None:
        raise NoSuchSender("No such account signs for this domain.")
    composition = Composition(
        subject=f"A test of {domain.name}", body=_BODY.format(name=domain.name, sender="{{ sender }}")
    )
    return _send(workspace, sender, to, composition, actor, now)


@transaction.atomic
def send_sender_test(*, workspace: Workspace, uid: UUID, to: str, actor: Actor, now: datetime) -> AcceptedMessage:
    """Send one mail by a sender account to ``to``. Raises NoSuchSender, and what a refused message raises."""
    sender = get_sender(workspace=workspace, uid=uid)
    return _send(workspace, sender, to, Composition(subject="A test of {{ sender }}", body=_ACCOUNT_BODY), actor, now)


def _send(
    workspace: Workspace, sender: SenderAccount, to: str, composition: Composition, actor: Actor, now: datetime
) -> AcceptedMessage:
    if not take_turn(to, now):
        raise TooManyTests(f"{to} has had {MAX_PER_HOUR} test mails within the hour.", retry_after_s=3600.0)
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=(to,),
        composition=composition,
        slots={"sender": sender.name},
        is_test=True,
    )
    (accepted,) = accept_messages(workspace=workspace, messages=[new], actor=actor, now=now)
    return accepted
