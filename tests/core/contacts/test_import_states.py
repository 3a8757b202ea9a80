"""Imports that say what people want: a "no" is added with proof, and none is ever taken back."""

from datetime import UTC, datetime

import pytest

from postroom.core.contacts import selectors, services
from postroom.core.contacts.models import (
    Account,
    Consent,
    ConsentChange,
    Contact,
    ContactTag,
    ContactWorkspace,
    ImportRowError,
    List,
    ListMember,
    Suppression,
)
from postroom.core.contacts.types import (
    ConsentState,
    FieldType,
    ImportMapping,
    MemberStatus,
    NewField,
    OptOutScope,
)
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import Workspace
from tests.core.contacts.imports import finish_import, import_text, start_import
from tests.core.contacts.people import make_contact, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


def members(room: Workspace) -> dict[tuple[str, str], str]:
    """Return who is how on which list."""
    rows = ListMember.objects.filter(list__workspace=room).values_list("contact__email", "list__name", "status")
    return {(email.partition("@")[0], name): status for email, name, status in rows}


def changes() -> list[tuple[str, str, str]]:
    """Return the proofs kept: who, what, from where."""
    rows = ConsentChange.objects.order_by("contact__email", "state").values_list("contact__email", "state", "source")
    return [(email.partition("@")[0], state, source) for email, state, source in rows]


def make_category(room: Workspace, slug: str) -> None:
    services.create_category(workspace=room, name=slug.title(), slug=slug, actor=make_actor(), now=NOW)


def test_lists_of_a_cell_are_found_or_made_and_a_state_is_taken_over() -> None:
    room = make_workspace()
    make_list(room, name="News")
    text = 'Email,Lists\na@example.com,news=subscribed;"Fish; chips"=unsubscribed\nb@example.com,News;Offers=pending\n'
    done = import_text(room, text, ImportMapping({"Email": "email", "Lists": "lists"}))
    assert (done.created_rows, done.error_rows) == (2, 0)
    assert members(room) == {
        ("a", "News"): "subscribed",
        ("a", "Fish; chips"): "unsubscribed",
        ("b", "News"): "subscribed",
        ("b", "Offers"): "pending",
    }
    assert changes() == [("a", "unsubscribed", "import people.csv")]


def test_no_import_brings_back_who_left_a_list() -> None:
    room = make_workspace()
    ada, bob, eve = (make_contact(room, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    list_ = make_list(room, ada, bob, name="News")
    set_member(room, list_, ada, MemberStatus.UNSUBSCRIBED)
    set_member(room, list_, eve, MemberStatus.PENDING)
    text = "Email,Lists\n" + "".join(f"{name}@example.com,News=subscribed\n" for name in ("ada", "bob", "eve"))
    import_text(room, text, ImportMapping({"Email": "email", "Lists": "lists"}))
    assert members(room) == {
        ("ada", "News"): "unsubscribed",
        ("bob", "News"): "subscribed",
        ("eve", "News"): "subscribed",
    }
    text = "Email,Lists\nbob@example.com,News=unsubscribed\nada@example.com,News=pending\n"
    import_text(room, text, ImportMapping({"Email": "email", "Lists": "lists"}))
    assert members(room)[("bob", "News")] == members(room)[("ada", "News")] == "unsubscribed"


@pytest.mark.parametrize("status", [MemberStatus.UNSUBSCRIBED, MemberStatus.PENDING])
def test_everybody_of_a_file_goes_on_the_list_as_they_are_said_to_be(status: MemberStatus) -> None:
    room = make_workspace()
    known = make_contact(room, "known@example.com")
    list_ = make_list(room, known, name="News")
    mapping = ImportMapping({"Email": "email"}, list_id=list_.pk, list_status=status)
    import_text(room, "Email\nnew@example.com\nknown@example.com\n", mapping)
    stays = "subscribed" if status is MemberStatus.PENDING else "unsubscribed"
    assert members(room) == {("new", "News"): status.value, ("known", "News"): stays}


def test_a_row_that_names_the_list_wins_over_what_everybody_gets() -> None:
    room = make_workspace()
    list_ = make_list(room, name="News")
    mapping = ImportMapping({"Email": "email", "Lists": "lists"}, list_id=list_.pk)
    import_text(room, "Email,Lists\na@example.com,News=unsubscribed\nb@example.com,\n", mapping)
    assert members(room) == {("a", "News"): "unsubscribed", ("b", "News"): "subscribed"}


def test_the_status_in_the_workspace_and_the_global_opt_out_only_ever_get_stricter() -> None:
    room = make_workspace()
    out, gone = make_contact(room, "out@example.com"), make_contact(room, "gone@example.com")
    for one, scope in ((out, OptOutScope()), (gone, OptOutScope(is_everything=True))):
        services.opt_out(workspace=room, contact_id=one.pk, scope=scope, source="", actor=make_actor(), now=NOW)
    make_contact(room, "known@example.com")
    ConsentChange.objects.all().delete()
    text = (
        "Email,S,O\nnew@example.com,subscribed,no\nleft@example.com,Unsubscribed,true\nknown@example.com,unsubscribed,yes\n"
        "out@example.com,subscribed,false\ngone@example.com,neutral,false\n"
    )
    import_text(room, text, ImportMapping({"Email": "email", "S": "status", "O": "opted_out"}))
    links = dict(ContactWorkspace.objects.values_list("contact__email", "status"))
    assert {email.partition("@")[0]: status for email, status in links.items()} == {
        "new": "subscribed",
        "left": "unsubscribed",
        "known": "unsubscribed",
        "out": "unsubscribed",
        "gone": "neutral",
    }
    opted_out = Contact.objects.filter(is_globally_opted_out=True, globally_opted_out_at=NOW)
    assert {one.email for one in opted_out} == {"left@example.com", "known@example.com", "gone@example.com"}
    source = "import people.csv"
    assert changes() == [
        ("known", "opted_out", source),
        ("known", "opted_out_all", source),
        ("left", "opted_out", source),
        ("left", "opted_out_all", source),
    ]


def test_a_withdrawn_consent_stays_withdrawn_and_every_other_word_is_kept_with_proof() -> None:
    room = make_workspace()
    make_category(room, "tips")
    make_category(room, "offers")
    ada = make_contact(room, "ada@example.com")
    scope = OptOutScope(category_id=next(c.pk for c in selectors.list_categories(workspace=room) if c.slug == "tips"))
    services.opt_out(workspace=room, contact_id=ada.pk, scope=scope, source="", actor=make_actor(), now=NOW)
    ConsentChange.objects.all().delete()
    text = "Email,C\nada@example.com,tips=granted;offers=granted\nnew@example.com,TIPS=withdrawn\n"
    import_text(room, text, ImportMapping({"Email": "email", "C": "consents"}))
    rows = Consent.objects.values_list("contact__email", "category__slug", "state")
    assert set(rows) == {
        ("ada@example.com", "tips", ConsentState.WITHDRAWN),
        ("ada@example.com", "offers", ConsentState.GRANTED),
        ("new@example.com", "tips", ConsentState.WITHDRAWN),
    }
    assert [one[:2] for one in changes()] == [("ada", "granted"), ("new", "withdrawn")]


def test_a_topic_that_is_none_and_a_state_that_is_none_are_errors_of_their_row() -> None:
    room = make_workspace()
    text = (
        "Email,C,L,S,X,D\na@example.com,nope=granted,,,,\nb@example.com,,News=maybe,,,\nc@example.com,,,perhaps,,\n"
        "d@example.com,,,,platform:complaint,\ne@example.com,,,,,yesterday\n"
    )
    targets = {"Email": "email", "C": "consents", "L": "lists", "S": "status", "X": "suppressed", "D": "created_at"}
    done = import_text(room, text, ImportMapping(targets))
    assert (done.created_rows, done.error_rows) == (0, 5)
    assert list(ImportRowError.objects.order_by("row_number").values_list("column", "reason")) == [
        ("C", "C: there is no topic 'nope' in this workspace."),
        ("L", "L: 'maybe' is not one of pending, subscribed, unsubscribed."),
        ("S", "S: 'perhaps' is not one of neutral, subscribed, unsubscribed."),
        ("X", "X: only 'organization:' may stand before the reason, not 'platform'."),
        ("D", "D: 'yesterday' is not a time like 2026-03-31T09:30:00Z."),
    ]
    assert not List.objects.filter(workspace=room).exists()


def test_suppressions_come_with_their_reason_and_reach_and_weaken_nothing() -> None:
    room = make_workspace()
    text = (
        "Email,X,Why\na@example.com,complaint,Said so on the phone\nb@example.com,organization:hard_bounce,\n"
        "c@example.com,,not used\n"
    )
    mapping = ImportMapping({"Email": "email", "X": "suppressed", "Why": "suppression_detail"})
    import_text(room, text, mapping)
    rows = Suppression.objects.order_by("email").values_list("email", "scope", "reason", "detail")
    assert list(rows) == [
        ("a@example.com", "workspace", "complaint", "Said so on the phone"),
        ("b@example.com", "organization", "hard_bounce", ""),
    ]
    assert [one[:2] for one in changes()] == [("a", "suppressed"), ("b", "suppressed")]
    import_text(room, "Email,X,Why\na@example.com,manual,\n", mapping)
    assert Suppression.objects.get(email="a@example.com").reason == "complaint"
    assert len(changes()) == 2


def test_people_come_with_their_companies_and_the_day_they_came() -> None:
    room = make_workspace()
    known = make_contact(room, "known@example.com")
    text = (
        'Email,Acc,Since\na@example.com,"Acme;""Smith; Sons""",2020-05-01T10:00:00+02:00\n'
        "known@example.com,acme,2019-01-01\n"
    )
    mapping = ImportMapping({"Email": "email", "Acc": "accounts", "Since": "created_at"})
    import_text(room, text, mapping)
    accounts = {
        one.name: {c.email for c in Contact.objects.filter(account_links__account=one)} for one in Account.objects.all()
    }
    assert accounts == {"Acme": {"a@example.com", "known@example.com"}, "Smith; Sons": {"a@example.com"}}
    assert Contact.objects.get(email="a@example.com").created_at == datetime(2020, 5, 1, 8, tzinfo=UTC)
    assert Contact.objects.get(email="known@example.com").created_at == known.created_at


def test_two_rows_of_one_person_come_to_the_stricter_word() -> None:
    room = make_workspace()
    text = (
        "Email,L,S,O,T\na@example.com,News=unsubscribed,unsubscribed,true,x\n"
        "A@example.com,News=subscribed;Offers,subscribed,false,y\n"
    )
    mapping = ImportMapping({"Email": "email", "L": "lists", "S": "status", "O": "opted_out", "T": "tags"})
    done = import_text(room, text, mapping)
    assert (done.created_rows, done.updated_rows) == (1, 1)
    assert members(room) == {("a", "News"): "unsubscribed", ("a", "Offers"): "subscribed"}
    assert ContactWorkspace.objects.get().status == "unsubscribed"
    assert Contact.objects.get().is_globally_opted_out
    assert ContactTag.objects.count() == 2


def test_a_constant_stands_in_for_an_empty_cell_and_for_a_column_that_is_not_there() -> None:
    room = make_workspace()
    services.create_field(
        workspace=room, new=NewField(label="Score", type=FieldType.NUMBER), actor=make_actor(), now=NOW
    )
    mapping = ImportMapping(
        {"Email": "email", "Lang": "language"},
        constants={"language": "de", "company": "Acme", "custom.score": "7", "tags": "fair", "status": "subscribed"},
    )
    import_text(room, "Email,Lang\na@example.com,fr\nb@example.com,\n", mapping)
    rows = Contact.objects.order_by("email").values_list("language", "company", "custom")
    assert list(rows) == [("fr", "Acme", {"score": 7}), ("de", "Acme", {"score": 7})]
    assert ContactTag.objects.filter(tag__name="fair").count() == 2
    assert set(ContactWorkspace.objects.values_list("status", flat=True)) == {"subscribed"}


def test_who_is_known_is_left_as_they_are_when_asked_yet_tagged_and_listed() -> None:
    room = make_workspace()
    list_ = make_list(room, name="News")
    ada = make_contact(room, "ada@example.com")
    services.opt_out(workspace=room, contact_id=ada.pk, scope=OptOutScope(), source="", actor=make_actor(), now=NOW)
    mapping = ImportMapping({"Email": "email", "Name": "first_name"}, tags=("fair",), list_id=list_.pk, on_known="skip")
    done = import_text(room, "Email,Name\nada@example.com,Other\nnew@example.com,New\n", mapping)
    assert (done.created_rows, done.updated_rows, done.skipped_rows) == (1, 0, 1)
    names = dict(Contact.objects.values_list("email", "first_name"))
    assert names == {"ada@example.com": ada.first_name, "new@example.com": "New"}
    assert ContactTag.objects.count() == 2
    assert members(room) == {("ada", "News"): "subscribed", ("new", "News"): "subscribed"}


def test_people_without_an_address_are_taken_by_name_when_asked() -> None:
    room = make_workspace()
    mapping = ImportMapping({"Email": "email", "Name": "first_name"}, accepts_unaddressed=True)
    done = import_text(room, "Email,Name\n,Ada\n,Ada\n,\na@example.com,\n", mapping)
    assert (done.created_rows, done.error_rows) == (3, 1)
    assert ImportRowError.objects.get().reason == "There is neither an e-mail address nor a name."
    assert list(Contact.objects.filter(email=None).values_list("first_name", "address_hash")) == [("Ada", None)] * 2
    assert {one.first_name for one in Contact.objects.all()} == {"Ada", ""}


def test_an_apostrophe_that_keeps_a_formula_quiet_is_taken_off_again() -> None:
    room = make_workspace()
    import_text(
        room,
        "Email,Name,Last\na@example.com,'=1+1,'Tis\nb@example.com,'+49 30 1234,''@x\n",
        ImportMapping({"Email": "email", "Name": "first_name", "Last": "last_name"}),
    )
    rows = Contact.objects.order_by("email").values_list("first_name", "last_name")
    assert list(rows) == [("=1+1", "'Tis"), ("+49 30 1234", "'@x")]


def test_people_whom_a_cell_puts_on_a_list_that_asks_are_asked() -> None:
    room = make_workspace()
    services.create_list(workspace=room, name="Asks", actor=make_actor(), now=NOW, is_double_opt_in=True)
    services.create_list(workspace=room, name="Asks nobody", actor=make_actor(), now=NOW, is_double_opt_in=True)
    text = "Email,Lists\na@example.com,Asks=subscribed\nb@example.com,Asks nobody=unsubscribed\n"
    import_text(room, text, ImportMapping({"Email": "email", "Lists": "lists"}))
    assert members(room) == {("a", "Asks"): "pending", ("b", "Asks nobody"): "unsubscribed"}
    wanted = DomainEvent.objects.filter(name="list.confirmations_wanted").values_list("object_id", flat=True)
    assert list(wanted) == [List.objects.get(name="Asks").pk]


def test_nobody_is_made_an_erased_person_by_a_cell() -> None:
    room = make_workspace()
    text = "Email,Why\na@example.com,organization:erased\nb@example.com,manual\n"
    done = import_text(room, text, ImportMapping({"Email": "email", "Why": "suppressed"}))
    assert (done.created_rows, done.error_rows) == (1, 1)
    assert "who was erased is not brought in again" in ImportRowError.objects.get().reason


def test_a_row_about_somebody_just_erased_is_refused_and_leaves_nothing_on_them() -> None:
    room = make_workspace()
    ada = make_contact(room, "a@example.com")
    services.erase_contact(workspace=room, uid=ada.uid, actor=make_actor(), now=NOW)
    mapping = ImportMapping({"Email": "email"}, tags=("fair",))
    done = import_text(room, "Email\na@example.com\nb@example.com\n", mapping)
    assert (done.created_rows, done.updated_rows, done.error_rows) == (1, 0, 1)
    assert ImportRowError.objects.get().reason == "This person has just been erased."
    assert not ContactWorkspace.objects.filter(contact=ada).exists()
    assert not ContactTag.objects.filter(contact=ada).exists()


def test_an_erasure_waits_for_files_that_may_bring_the_person_back() -> None:
    room = make_workspace()
    ada = make_contact(room, "a@example.com")
    started = start_import(room, "Email\na@example.com\nb@example.com\n", ImportMapping({"Email": "email"}))
    services.erase_contact(workspace=room, uid=ada.uid, actor=make_actor(), now=NOW)
    assert not services.finish_erasure(contact_id=ada.pk, clock=lambda: NOW)
    assert finish_import(started).error_rows == 1
    ImportRowError.objects.update(raw="a@example.com")
    assert services.finish_erasure(contact_id=ada.pk, clock=lambda: NOW)
    assert list(Contact.objects.exclude(email=None).values_list("email", flat=True)) == ["b@example.com"]
    assert ImportRowError.objects.get().raw == ""
