"""Makers of bulk mail for the tests beside this file: people on a list, a batch to them, hand-overs of a claim."""

from dataclasses import dataclass

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import List
from postroom.core.contacts.types import Audience, Fence, MemberStatus, NewContact
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, SenderAccount
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.types import MessageClass, Work
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace
from tests.ledger import make_content, make_sender

OWNER = "here-1"


@dataclass(frozen=True)
class Mailing:
    """A batch, who it is from and to."""

    workspace: Workspace
    sender: SenderAccount
    members: List
    contact_ids: list[int]
    batch: Batch


def make_mailing(
    people: int = 5,
    *,
    workspace: Workspace | None = None,
    sender: SenderAccount | None = None,
    message_class: MessageClass = MessageClass.MARKETING,
) -> Mailing:
    """Return a batch of ``message_class`` frozen for ``people`` members of a list."""
    workspace = workspace or make_workspace()
    sender = sender or make_sender(workspace=workspace)
    members = contacts.create_list(workspace=workspace, name=f"List {sender.pk}", actor=SYSTEM, now=NOW)
    contact_ids = []
    for number in range(people):
        new = NewContact(email=f"p{number}.{sender.pk}@example.com", first_name=f"P{number}")
        person = contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
        contacts.set_list_member(
            workspace=workspace,
            list_id=members.pk,
            contact_id=person.pk,
            status=MemberStatus.SUBSCRIBED,
            source="test",
            actor=SYSTEM,
            now=NOW,
        )
        contact_ids.append(person.pk)
    batch = mail.create_batch(
        workspace=workspace,
        sender_id=sender.pk,
        content_id=make_content(workspace=workspace).pk,
        message_class=message_class,
        fence=Fence(list_ids=(members.pk,)),
        now=NOW,
    )
    return Mailing(workspace, sender, members, contact_ids, batch)


def freeze(mailing: Mailing) -> Mailing:
    """Freeze the list as the batch's audience."""
    mail.freeze_audience(batch_id=mailing.batch.pk, audience=Audience(list_ids=(mailing.members.pk,)), now=NOW)
    mailing.batch.refresh_from_db()
    return mailing


def claim(owner: str = OWNER, **where: object) -> Work:
    """Return the next piece of work, which there must be."""
    work = mail.claim_work(owner=owner, now=NOW, **where)  # type: ignore[arg-type]
    assert work is not None
    return work


def hand_over(message_id: int, result: Result | None = None) -> Handover:
    """Return a hand-over that ended with ``result``, or well."""
    return Handover(message_id, NOW.timestamp(), result or Result(Outcome.SENT, 250, "2.0.0", "ok"))


def hand_over_all(work: Work, result: Result | None = None) -> list[Handover]:
    """Return one hand-over for each message of a claim."""
    return [hand_over(item.message_id, result) for item in work.items]
