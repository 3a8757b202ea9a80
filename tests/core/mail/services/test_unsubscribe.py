"""Unsubscribing from what one message belonged to."""

import pytest

from postroom.core.contacts.models import ConsentChange, ContactWorkspace, List, ListMember, Suppression
from postroom.core.contacts.types import MemberStatus, SubscriptionStatus, SuppressionReason
from postroom.core.mail import services as mail
from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.models import DeliveryEvent, Message, Recipient
from postroom.core.workspaces.models import Workspace
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    """A workspace of its own."""
    return make_workspace()


def leave(message_id: int, *, is_everything: bool = False) -> None:
    """Unsubscribe as the page does."""
    mail.unsubscribe_message(message_id=message_id, source="test", now=NOW, is_everything=is_everything)


def status_on(list_: List) -> str:
    """Return where the only member of a list stands."""
    return ListMember.objects.get(list=list_).status


def test_the_reader_leaves_the_lists_of_the_message_and_stays_on_the_others(workspace: Workspace) -> None:
    weekly, offers = make_list(workspace), make_list(workspace, "Offers")
    reader = make_reader(workspace, weekly, offers)

    leave(make_letter(workspace, reader, weekly).pk)

    assert (status_on(weekly), status_on(offers)) == (MemberStatus.UNSUBSCRIBED, MemberStatus.SUBSCRIBED)
    assert ContactWorkspace.objects.get(contact=reader).status != SubscriptionStatus.UNSUBSCRIBED


def test_mail_that_rests_on_nothing_ends_all_mail_of_the_workspace(workspace: Workspace) -> None:
    weekly = make_list(workspace)
    reader = make_reader(workspace, weekly)

    leave(make_letter(workspace, reader).pk)

    assert ContactWorkspace.objects.get(contact=reader).status == SubscriptionStatus.UNSUBSCRIBED


def test_a_list_that_is_gone_since_does_not_stand_in_the_way(workspace: Workspace) -> None:
    weekly, gone = make_list(workspace), make_list(workspace, "Gone")
    reader = make_reader(workspace, weekly)
    letter = make_letter(workspace, reader, weekly, gone)
    gone.delete()

    leave(letter.pk)

    assert status_on(weekly) == MemberStatus.UNSUBSCRIBED
    assert not Suppression.objects.exists()


def test_leaving_twice_is_leaving_once(workspace: Workspace) -> None:
    weekly = make_list(workspace)
    letter = make_letter(workspace, make_reader(workspace, weekly), weekly)
    proofs = ConsentChange.objects.count()
    for _ in range(3):
        leave(letter.pk)
        mail.apply_hits(now=NOW)

    assert ConsentChange.objects.count() == proofs + 1
    assert DeliveryEvent.objects.filter(message_id=letter.pk, type="unsubscribed").count() == 1
    letter.refresh_from_db()
    assert letter.unsubscribed_at == NOW


def test_it_works_while_the_batch_is_still_being_sent(workspace: Workspace) -> None:
    weekly = make_list(workspace)
    reader = make_reader(workspace, weekly)
    batch = make_batch(workspace=workspace, list_ids=[weekly.pk])
    Recipient.objects.create(id=91, batch=batch, chunk_number=0, contact_id=reader.pk, email=reader.email)

    leave(91)

    assert status_on(weekly) == MemberStatus.UNSUBSCRIBED
    make_message(workspace=workspace, message_id=91, batch=batch)
    mail.apply_hits(now=NOW)
    assert Message.objects.get(pk=91).unsubscribed_at == NOW


def test_an_address_without_a_contact_is_suppressed_in_the_workspace(workspace: Workspace) -> None:
    leave(make_message(workspace=workspace, to=["stray@example.com"]).pk)

    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason) == ("stray@example.com", SuppressionReason.UNSUBSCRIBED)
    assert suppression.workspace == workspace


def test_an_unknown_message_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(NoSuchMessage):
        leave(404)
    assert not Suppression.objects.exists()
