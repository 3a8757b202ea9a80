"""The page of one person: standing, timeline by kind, notes, companies, custom fields, merging."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import services
from postroom.core.contacts.models import AccountContact, Contact, ContactAlias, Interaction, Suppression
from postroom.core.contacts.types import (
    AccountDetails,
    ContactChanges,
    FieldType,
    NewContact,
    NewField,
    NewInteraction,
    OptOutScope,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_actor, make_contact, make_list, make_workspace
from tests.ledger import make_message
from tests.web.test_contacts import make_person

pytestmark = pytest.mark.django_db


def page_of(client: Client, workspace: Workspace, contact: Contact, query: str = "") -> str:
    return client.get(f"/w/{workspace.slug}/contacts/{contact.uid}/{query}").content.decode()


def post(client: Client, workspace: Workspace, path: str, **data: object) -> HttpResponse:
    return client.post(f"/w/{workspace.slug}/{path}", data, follow=True)  # type: ignore[return-value]


def opt_out(workspace: Workspace, contact: Contact, scope: OptOutScope) -> None:
    services.opt_out(workspace=workspace, contact_id=contact.pk, scope=scope, source="x", actor=SYSTEM, now=NOW)


def suppress(workspace: Workspace, contact: Contact, reason: SuppressionReason) -> None:
    services.suppress_address(
        workspace=workspace,
        email=contact.email or "",
        scope=SuppressionScope.WORKSPACE,
        reason=reason,
        detail="5.1.1 no such user",
        actor=SYSTEM,
        now=NOW,
    )


def test_the_page_says_whether_somebody_may_be_mailed_and_why_not(as_viewer: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com")
    services.create_category(workspace=workspace, name="News", slug="news", actor=SYSTEM, now=NOW)
    page = page_of(as_viewer, workspace, ada)
    assert "Campaigns may go to them." in page
    assert "not mailed: they have not said yes" in page
    opt_out(workspace, ada, OptOutScope(is_everything=True))
    assert "No campaign: they opted out of everything." in page_of(as_viewer, workspace, ada)
    suppress(workspace, ada, SuppressionReason.HARD_BOUNCE)
    page = page_of(as_viewer, workspace, ada)
    assert "Nothing is sent: the mailbox does not exist." in page
    assert "5.1.1 no such user" in page
    nobody = services.create_contact(workspace=workspace, new=NewContact(first_name="Bo"), actor=SYSTEM, now=NOW)
    assert "Nothing is sent: there is no e-mail address." in page_of(as_viewer, workspace, nobody)


def test_the_timeline_is_narrowed_by_kind_and_answers_htmx_alone(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com", tags=("vip",))
    make_message(workspace=workspace, contact=ada)
    path = f"/w/{workspace.slug}/contacts/{ada.uid}/?kind=mail"
    part = as_owner.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "Sent: News" in part
    assert "Added to the workspace" not in part
    assert "<html" not in part
    assert "<html" in as_owner.get(path).content.decode()
    assert "Added to the workspace" in page_of(as_owner, workspace, ada, "?kind=nonsense&before=nonsense")


def test_older_entries_are_a_link_away_and_nothing_is_shown_twice(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com")
    for number in range(120):
        note = NewInteraction(subject=f"note-{number:03}-", occurred_at=NOW + timedelta(minutes=number))
        services.add_interaction(workspace=workspace, contact_uid=ada.uid, new=note, actor=SYSTEM, now=NOW)
    seen: list[str] = []
    path: str | None = f"/w/{workspace.slug}/contacts/{ada.uid}/?kind=notes"
    while path is not None:
        page = as_owner.get(path)
        timeline = page.context["timeline"]
        seen += [entry.title for entry in timeline.entries]
        path = f"/w/{workspace.slug}/contacts/{ada.uid}/?kind=notes&before={timeline.next}" if timeline.next else None
    assert seen == [f"Note: note-{number:03}-" for number in reversed(range(120))]


def test_a_long_life_costs_no_more_statements(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com", tags=("a", "b"))
    costs = []
    for _ in range(2):
        for number in range(3):
            make_list(workspace=workspace, members=[ada])
            make_message(workspace=workspace, contact=ada)
            note = NewInteraction(body=f"note {number}")
            services.add_interaction(workspace=workspace, contact_uid=ada.uid, new=note, actor=SYSTEM, now=NOW)
            details = AccountDetails(name=f"Company {uuid4()}")
            account = services.create_account(workspace=workspace, details=details, actor=SYSTEM, now=NOW)
            services.link_account(
                workspace=workspace, uid=account.uid, contact_uid=ada.uid, role="", actor=SYSTEM, now=NOW
            )
        with CaptureQueriesContext(connection) as queries:
            page_of(as_owner, workspace, ada)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 34


def test_a_note_is_written_changed_by_its_author_and_deleted(
    as_colleague: Client, as_owner: Client, as_viewer: Client, workspace: Workspace
) -> None:
    ada = make_person(workspace, "ada@example.com")
    here = f"contacts/{ada.uid}/notes/"
    page = post(as_colleague, workspace, here, type="call", subject="Called back", body="Wants <b>more</b>\nsoon")
    assert "Call: Called back" in page.content.decode()
    assert "&lt;b&gt;more" in page.content.decode()
    note = Interaction.objects.get()
    assert (note.type, note.body, note.is_team_visible) == ("call", "Wants <b>more</b>\nsoon", True)
    data = {"type": "call", "subject": "Called twice", "body": "", "occurred_at": "2026-11-01T10:30"}
    post(as_colleague, workspace, f"contacts/notes/{note.uid}/", **data)
    note.refresh_from_db()
    assert (note.subject, note.occurred_at.isoformat()) == ("Called twice", "2026-11-01T10:30:00+00:00")
    assert as_viewer.post(f"/w/{workspace.slug}/{here}", {"type": "note", "body": "x"}).status_code == 403
    post(as_owner, workspace, f"contacts/notes/{note.uid}/delete/")
    assert not Interaction.objects.exists()


def test_an_empty_note_is_explained_and_what_was_typed_stays(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com")
    response = post(as_owner, workspace, f"contacts/{ada.uid}/notes/", type="note", subject=" ", body=" ")
    assert "Write a subject or a text." in response.content.decode()
    response = post(as_owner, workspace, f"contacts/{ada.uid}/notes/", type="note", body="kept", occurred_at="soon")
    assert "kept" in response.content.decode()
    assert not Interaction.objects.exists()


def test_anothers_note_is_not_changed_by_a_colleague_and_a_private_one_not_even_seen(
    as_colleague: Client, as_owner: Client, workspace: Workspace, owner: User
) -> None:
    ada = make_person(workspace, "ada@example.com")
    notes = []
    for is_seen in (True, False):
        new = NewInteraction(body="hush" if not is_seen else "open", is_team_visible=is_seen)
        actor = make_actor(owner)
        notes.append(services.add_interaction(workspace=workspace, contact_uid=ada.uid, new=new, actor=actor, now=NOW))
    open_, private = notes
    page = post(as_colleague, workspace, f"contacts/notes/{open_.uid}/", type="note", body="mine now").content.decode()
    assert "Only who wrote a note" in page
    post(as_colleague, workspace, f"contacts/notes/{open_.uid}/delete/")
    assert as_colleague.get(f"/w/{workspace.slug}/contacts/notes/{private.uid}/").status_code == 404
    assert "hush" not in page_of(as_colleague, workspace, ada)
    assert "hush" in page_of(as_owner, workspace, ada)
    assert set(Interaction.objects.values_list("body", flat=True)) == {"open", "hush"}


def test_custom_fields_are_asked_by_type_and_only_what_changed_is_written(
    as_owner: Client, workspace: Workspace
) -> None:
    kinds: Sequence[tuple[str, FieldType, tuple[str, ...]]] = (
        ("Age", FieldType.NUMBER, ()),
        ("Vip", FieldType.BOOLEAN, ()),
        ("Plan", FieldType.SELECT, ("gold", "silver")),
        ("Likes", FieldType.MULTISELECT, ("tea", "cake")),
        ("Born", FieldType.DATE, ()),
        ("Bio", FieldType.TEXT, ()),
    )
    for label, type_, options in kinds:
        new = NewField(label=label, type=type_, options=options)
        services.create_field(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    ada = make_person(workspace, "ada@example.com", name="Ada")
    Contact.objects.filter(pk=ada.pk).update(custom={"plan": "bronze, of old", "age": 36, "hidden": 1})
    path = f"/w/{workspace.slug}/contacts/{ada.uid}/edit/"
    form = as_owner.get(path).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in ("", None, [])}
    assert data["custom-plan"] == "bronze, of old"
    said = {
        "custom-vip": "true",
        "custom-likes": ["tea", "cake"],
        "custom-born": "1815-12-10",
        "custom-bio": "a\r\nb",
        "custom-age": "",
    }
    as_owner.post(path, {**data, **said})
    ada.refresh_from_db()
    assert ada.custom == {
        "plan": "bronze, of old",
        "hidden": 1,
        "vip": True,
        "likes": ["tea", "cake"],
        "born": "1815-12-10",
        "bio": "a\nb",
    }
    assert (ada.email, ada.first_name) == ("ada@example.com", "Ada")
    response = as_owner.post(path, {**data, "custom-age": "old"})
    assert "Age: &#x27;old&#x27; is not a number." in response.content.decode()
    part = as_owner.get(path, headers={"HX-Request": "true"}).content.decode()
    assert 'id="record"' in part
    assert "<html" not in part


def test_a_new_contact_has_custom_values(as_owner: Client, workspace: Workspace) -> None:
    services.create_field(workspace=workspace, new=NewField(label="Age", type=FieldType.NUMBER), actor=SYSTEM, now=NOW)
    post(as_owner, workspace, "contacts/new/", first_name="Ada", **{"custom-age": "36"})
    assert Contact.objects.get().custom == {"age": 36}


def test_a_person_is_put_into_a_company_that_knows_their_domain(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@mail.engines.example")
    details = AccountDetails(name="Engines Ltd", domain="https://www.Engines.example/about")
    account = services.create_account(workspace=workspace, details=details, actor=SYSTEM, now=NOW)
    assert account.domain == "engines.example"
    assert "Perhaps Engines Ltd?" in page_of(as_colleague, workspace, ada)
    here = f"contacts/{ada.uid}/companies/"
    page = post(as_colleague, workspace, here, account=account.uid, role="Analyst").content.decode()
    assert "Analyst" in page
    assert "Perhaps Engines Ltd?" not in page
    assert "Joined a company" in page
    post(as_colleague, workspace, here, account=account.uid, role="Chief")
    assert AccountContact.objects.get().role == "Chief"
    page = post(as_colleague, workspace, here, account=account.uid, is_removal="on").content.decode()
    assert "Left a company" in page
    assert not AccountContact.objects.exists()
    assert as_colleague.post(f"/w/{workspace.slug}/{here}", {"account": uuid4()}).status_code == 404
    services.update_contact(
        workspace=workspace,
        uid=ada.uid,
        changes=ContactChanges(email="ada@gmail.com", company="ENGINES ltd"),
        actor=SYSTEM,
        now=NOW,
    )
    assert "Perhaps Engines Ltd?" in page_of(as_colleague, workspace, ada)


def test_a_person_leaves_the_workspace_and_their_no_stays(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com")
    opt_out(workspace, ada, OptOutScope())
    page = post(as_colleague, workspace, f"contacts/{ada.uid}/delete/").content.decode()
    assert "ada@example.com is no contact of this workspace any more." in page
    assert not Contact.objects.exists()
    assert Suppression.objects.get().reason == SuppressionReason.UNSUBSCRIBED
    assert as_colleague.get(f"/w/{workspace.slug}/contacts/{ada.uid}/").status_code == 404


def test_two_records_are_found_compared_and_merged(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_contact(workspace=workspace, email="ada.lovelace@example.com", first_name="Ada")
    double = make_contact(workspace=workspace, email="ada.lovelace@work.example", first_name="A.")
    services.tag_contact(workspace=workspace, uid=double.uid, tag_name="customer", actor=SYSTEM, now=NOW)
    opt_out(workspace, double, OptOutScope())
    here = f"contacts/{ada.uid}/merge/"
    page = as_colleague.get(f"/w/{workspace.slug}/{here}").content.decode()
    assert "the same name before the @" in page
    assert f"?with={double.uid}" in page
    page = as_colleague.get(f"/w/{workspace.slug}/{here}?with={double.uid}").content.decode()
    assert 'name="choose-email"' in page
    assert "Unsubscribed" in page
    data = {"with": double.uid, "choose-email": "other", "choose-first_name": "survivor"}
    page = post(as_colleague, workspace, here, **data).content.decode()
    assert "The two records are one now." in page
    ada.refresh_from_db()
    assert (ada.email, ada.first_name) == ("ada.lovelace@work.example", "Ada")
    assert ContactAlias.objects.get().email == "ada.lovelace@example.com"
    response = as_colleague.get(f"/w/{workspace.slug}/contacts/{double.uid}/", follow=True)
    assert response.redirect_chain == [(f"/w/{workspace.slug}/contacts/{ada.uid}/", 302)]
    assert "The record you asked for was merged" in response.content.decode()
    assert "Merged with another record" in response.content.decode()
    assert "Formerly" in response.content.decode()


def test_a_merge_that_makes_no_sense_is_explained(as_owner: Client, workspace: Workspace) -> None:
    ada, bob = (make_contact(workspace=workspace) for _ in range(2))
    here = f"contacts/{ada.uid}/merge/"
    assert "one record already" in post(as_owner, workspace, here, **{"with": ada.uid}).content.decode()
    page = post(as_owner, workspace, here, **{"with": bob.uid, "choose-nothing": "other"}).content.decode()
    assert "There is no field &#x27;nothing&#x27; to choose for." in page
    for other in ("nonsense", uuid4(), make_contact(workspace=make_workspace()).uid):
        assert as_owner.get(f"/w/{workspace.slug}/{here}?with={other}").status_code == 404
        assert as_owner.post(f"/w/{workspace.slug}/{here}", {"with": other}).status_code == 404
    page = as_owner.get(f"/w/{workspace.slug}/{here}?q=reader").content.decode()
    assert f"?with={bob.uid}" in page
    assert f"?with={ada.uid}" not in page
    assert Contact.objects.filter(links__workspace=workspace).count() == 2
