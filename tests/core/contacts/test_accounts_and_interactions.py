"""Companies and what passed with people: what is stored, who may see it, and what is refused."""

from datetime import timedelta

import pytest

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import (
    BadValue,
    NameTaken,
    NoSuchAccount,
    NoSuchContact,
    NoSuchInteraction,
    NotYourInteraction,
)
from postroom.core.contacts.models import Account, AccountContact, Interaction
from postroom.core.contacts.rules.domains import clean_domain, company_domains
from postroom.core.contacts.types import AccountDetails, InteractionType, NewInteraction
from postroom.core.events import selectors as events
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.paging import PageRequest
from tests.factories import NOW, make_actor, make_contact, make_user, make_workspace

pytestmark = pytest.mark.django_db


def make_account(room: Workspace, name: str = "Engines Ltd", domain: str = "") -> Account:
    details = AccountDetails(name=name, domain=domain)
    return services.create_account(workspace=room, details=details, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.COM", "example.com"),
        ("https://www.example.com:8080/about?x=1", "example.com"),
        ("ada@example.com", "example.com"),
        (" example.com. ", "example.com"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_domain_is_read_from_whatever_people_paste(text: str, domain: str) -> None:
    assert clean_domain(text) == domain


@pytest.mark.parametrize("text", ["not a domain", "localhost", "a..b", "exa mple.com", "\0.com"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is not a domain"):
        clean_domain(text)


def test_an_address_says_where_its_owner_works_unless_it_is_free_mail() -> None:
    assert company_domains("ada@mail.engines.example") == ("mail.engines.example", "engines.example")
    assert company_domains("ada@gmail.com") == ()
    assert company_domains(None) == ()


def test_a_company_is_stored_once_per_workspace_and_every_change_is_written_down() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    account = make_account(room)
    make_account(elsewhere)
    with pytest.raises(NameTaken):
        make_account(room, "ENGINES LTD")
    with pytest.raises(BadValue):
        make_account(room, " ")
    details = AccountDetails(name="Engines Ltd", plan="gold")
    for _ in range(2):
        services.update_account(workspace=room, uid=account.uid, details=details, actor=SYSTEM, now=NOW)
    entry = AuditEntry.objects.get(act="account.updated")
    assert (entry.before["plan"], entry.after["plan"]) == ("", "gold")
    for act in (selectors.get_account, services.delete_account):
        more = {"actor": SYSTEM, "now": NOW} if act is services.delete_account else {}
        with pytest.raises(NoSuchAccount):
            act(workspace=elsewhere, uid=account.uid, **more)  # type: ignore[operator]
    assert Account.objects.count() == 2


def test_people_are_in_companies_of_their_own_workspace_only() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    account, ada, stranger = make_account(room), make_contact(workspace=room), make_contact(workspace=elsewhere)

    def link(workspace: Workspace, contact_uid: object, role: str = "") -> None:
        services.link_account(
            workspace=workspace,
            uid=account.uid,
            contact_uid=contact_uid,  # type: ignore[arg-type]
            role=role,
            actor=SYSTEM,
            now=NOW,
        )

    with pytest.raises(NoSuchContact):
        link(room, stranger.uid)
    with pytest.raises(NoSuchAccount):
        link(elsewhere, stranger.uid)
    for _ in range(2):
        link(room, ada.uid, "Analyst")
    assert AccountContact.objects.get().role == "Analyst"
    told = events.list_contact_events(workspace=room, contact_id=ada.pk, limit=9, names=["account.contact_linked"])
    assert [fact.data for fact in told] == [{"account_id": account.pk, "is_new": True}]
    for _ in range(2):
        services.unlink_account(workspace=room, uid=account.uid, contact_uid=ada.uid, actor=SYSTEM, now=NOW)
    assert AuditEntry.objects.filter(act="account.contact_unlinked").count() == 1


def test_the_list_of_companies_counts_only_who_is_seen_here() -> None:
    room = make_workspace()
    account, gone = make_account(room, domain="engines.example"), make_contact(workspace=room)
    stays = make_contact(workspace=room)
    for person in (gone, stays):
        services.link_account(workspace=room, uid=account.uid, contact_uid=person.uid, role="", actor=SYSTEM, now=NOW)
    services.delete_contact(workspace=room, uid=gone.uid, actor=SYSTEM, now=NOW)
    (found,) = selectors.list_accounts(workspace=room, search="engines.ex", page=PageRequest()).items
    assert found.contact_count == 1  # type: ignore[attr-defined]
    people = selectors.list_account_people(workspace=room, account=account, page=PageRequest())
    assert [place.contact.pk for place in people.items] == [stays.pk]
    assert selectors.list_accounts(workspace=room, search="nothing\0", page=PageRequest()).items == ()


def test_what_a_connected_system_brings_twice_is_stored_once() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    ada, bob = make_contact(workspace=room), make_contact(workspace=elsewhere)
    new = NewInteraction(type=InteractionType.EMAIL_RECEIVED, subject="Hello", source_id="msg-1", metadata={"n": 1})
    for _ in range(2):
        services.add_interaction(workspace=room, contact_uid=ada.uid, new=new, actor=SYSTEM, now=NOW)
    services.add_interaction(workspace=elsewhere, contact_uid=bob.uid, new=new, actor=SYSTEM, now=NOW)
    assert Interaction.objects.count() == 2
    assert Interaction.objects.filter(workspace=room).get().metadata == {"n": 1}


@pytest.mark.parametrize("new", [NewInteraction(), NewInteraction(body="x" * 20_001), NewInteraction(subject="a\0b")])
def test_what_cannot_be_kept_is_refused(new: NewInteraction) -> None:
    room = make_workspace()
    ada = make_contact(workspace=room)
    with pytest.raises(BadValue):
        services.add_interaction(workspace=room, contact_uid=ada.uid, new=new, actor=SYSTEM, now=NOW)
    assert not Interaction.objects.exists()


def test_a_note_is_its_authors_and_an_administrators_to_change() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    author, other = make_user(workspace=room), make_user(workspace=room)
    ada = make_contact(workspace=room)
    note = services.add_interaction(
        workspace=room, contact_uid=ada.uid, new=NewInteraction(body="first"), actor=make_actor(author), now=NOW
    )

    def edit(body: str, *, by: object, room: Workspace = room, is_admin: bool = False) -> None:
        services.edit_interaction(
            workspace=room,
            uid=note.uid,
            new=NewInteraction(body=body),
            actor=make_actor(by),  # type: ignore[arg-type]
            now=NOW + timedelta(hours=1),
            is_admin=is_admin,
        )

    edit("second", by=author)
    for who in (other, None):
        with pytest.raises(NotYourInteraction):
            edit("theirs", by=who)
    edit("third", by=other, is_admin=True)
    with pytest.raises(NoSuchInteraction):
        edit("stolen", by=author, room=elsewhere, is_admin=True)
    note.refresh_from_db()
    assert (note.body, note.occurred_at, note.updated_at) == ("third", NOW, NOW + timedelta(hours=1))
    assert AuditEntry.objects.filter(act="interaction.updated").count() == 2
    assert all("third" not in str(entry.after) for entry in AuditEntry.objects.all())


def test_a_private_note_is_not_even_an_administrators() -> None:
    room = make_workspace()
    author, admin = make_user(workspace=room), make_user(workspace=room)
    ada = make_contact(workspace=room)
    new = NewInteraction(body="psst", is_team_visible=False)
    note = services.add_interaction(workspace=room, contact_uid=ada.uid, new=new, actor=make_actor(author), now=NOW)
    with pytest.raises(NoSuchInteraction):
        services.delete_interaction(workspace=room, uid=note.uid, actor=make_actor(admin), now=NOW, is_admin=True)
    for viewer, count in ((author.pk, 1), (admin.pk, 0), (None, 0)):
        page = selectors.list_interactions(workspace=room, contact_id=ada.pk, viewer_id=viewer, page=PageRequest())
        assert len(page.items) == count
    services.delete_interaction(workspace=room, uid=note.uid, actor=make_actor(author), now=NOW)
    assert not Interaction.objects.exists()
