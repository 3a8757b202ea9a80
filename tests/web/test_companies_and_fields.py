"""The pages of companies and of custom fields."""

import pytest
from django.test import Client

from postroom.core.contacts import services
from postroom.core.contacts.models import Account, AccountContact, Contact, Field, TypeChange
from postroom.core.contacts.types import AccountDetails, FieldType, NewField, NewInteraction
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.kit.types import JSONObject
from tests.factories import NOW, make_actor
from tests.web.test_contacts import make_person

pytestmark = pytest.mark.django_db


def make_company(workspace: Workspace, name: str = "Engines Ltd", domain: str = "engines.example") -> Account:
    details = AccountDetails(name=name, domain=domain)
    return services.create_account(workspace=workspace, details=details, actor=SYSTEM, now=NOW)


def make_field(workspace: Workspace, label: str = "Plan", type_: FieldType = FieldType.TEXT, *options: str) -> Field:
    new = NewField(label=label, type=type_, options=options)
    return services.create_field(workspace=workspace, new=new, actor=SYSTEM, now=NOW)


def labels(workspace: Workspace) -> list[str]:
    return list(Field.objects.filter(workspace=workspace).order_by("position", "id").values_list("label", flat=True))


def test_a_company_is_added_changed_found_and_deleted(as_colleague: Client, workspace: Workspace) -> None:
    room = f"/w/{workspace.slug}"
    assert "No company yet" in as_colleague.get(f"{room}/companies/").content.decode()
    data = {"name": "Engines Ltd", "domain": "info@engines.example", "is_active": "on"}
    response = as_colleague.post(f"{room}/companies/new/", data, follow=True)
    assert "engines.example" in response.content.decode()
    account = Account.objects.get()
    assert (account.domain, account.is_active) == ("engines.example", True)
    response = as_colleague.post(f"{room}/companies/new/", {"name": "ENGINES ltd"})
    assert "There is already a company called" in response.content.decode()
    response = as_colleague.post(f"{room}/companies/new/", {"name": "Other", "domain": "not a domain"})
    assert "is not a domain such as example.com" in response.content.decode()
    as_colleague.post(f"{room}/companies/{account.uid}/edit/", {"name": "Engines", "plan": "gold"})
    account.refresh_from_db()
    assert (account.name, account.plan, account.is_active) == ("Engines", "gold", False)
    part = as_colleague.get(f"{room}/companies/?q=ngin", headers={"HX-Request": "true"}).content.decode()
    assert "Engines" in part
    assert "<html" not in part
    assert "No company found" in as_colleague.get(f"{room}/companies/?q=nothing").content.decode()
    ada = make_person(workspace, "ada@example.com")
    services.link_account(workspace=workspace, uid=account.uid, contact_uid=ada.uid, role="", actor=SYSTEM, now=NOW)
    as_colleague.post(f"{room}/companies/{account.uid}/delete/")
    assert not Account.objects.exists()
    assert not AccountContact.objects.exists()
    assert Contact.objects.filter(pk=ada.pk).exists()


def test_a_company_shows_its_people_and_what_last_passed_with_them(
    as_viewer: Client, workspace: Workspace, owner: User
) -> None:
    account, ada = make_company(workspace), make_person(workspace, "ada@example.com", name="Ada")
    services.link_account(
        workspace=workspace, uid=account.uid, contact_uid=ada.uid, role="Analyst", actor=SYSTEM, now=NOW
    )
    for body, is_seen in (("Met at the fair", True), ("Between us", False)):
        note = NewInteraction(body=body, is_team_visible=is_seen)
        services.add_interaction(workspace=workspace, contact_uid=ada.uid, new=note, actor=make_actor(owner), now=NOW)
    page = as_viewer.get(f"/w/{workspace.slug}/companies/{account.uid}/").content.decode()
    assert "Analyst" in page
    assert "Met at the fair" in page
    assert "Between us" not in page


def test_a_company_is_chosen_from_the_list_for_somebody(as_owner: Client, workspace: Workspace) -> None:
    account, ada = make_company(workspace), make_person(workspace, "ada@example.com", name="Ada")
    page = as_owner.get(f"/w/{workspace.slug}/companies/?for={ada.uid}").content.decode()
    assert f'value="{account.uid}"' in page
    assert as_owner.get(f"/w/{workspace.slug}/companies/?for=nonsense").status_code == 200


def test_fields_are_defined_ordered_and_deleted_by_administrators(
    as_owner: Client, as_colleague: Client, workspace: Workspace
) -> None:
    room = f"/w/{workspace.slug}"
    assert "No field yet" in as_owner.get(f"{room}/fields/").content.decode()
    data = {
        "label": "Plan",
        "type": "select",
        "scope": "workspace",
        "options": "gold\nsilver\n\n",
        "description": "What",
    }
    as_owner.post(f"{room}/fields/new/", data)
    plan = Field.objects.get()
    assert (plan.key, plan.options, plan.description) == ("plan", ["gold", "silver"], "What")
    response = as_owner.post(f"{room}/fields/new/", data)
    assert "There is already a field" in response.content.decode()
    age = make_field(workspace, "Age", FieldType.NUMBER)
    as_owner.post(f"{room}/fields/{age.uid}/move/", {"steps": -1})
    assert labels(workspace) == ["Age", "Plan"]
    as_owner.post(f"{room}/fields/{age.uid}/move/", {"steps": "far"})
    for path in ("fields/new/", f"fields/{plan.uid}/", f"fields/{plan.uid}/move/", f"fields/{plan.uid}/delete/"):
        assert as_colleague.post(f"{room}/{path}", data).status_code == 403
    as_owner.post(f"{room}/fields/{plan.uid}/delete/")
    assert labels(workspace) == ["Age"]


def test_a_field_a_segment_asks_for_stays_and_the_page_says_why(as_owner: Client, workspace: Workspace) -> None:
    field = make_field(workspace)
    filter_: JSONObject = {"match": "all", "conditions": [{"field": "plan", "operator": "eq", "value": "gold"}]}
    services.create_segment(workspace=workspace, name="Golden", filter=filter_, actor=SYSTEM, now=NOW)
    response = as_owner.post(f"/w/{workspace.slug}/fields/{field.uid}/delete/", follow=True)
    assert "Golden" in response.content.decode()
    assert labels(workspace) == ["Plan"]


def test_an_option_in_use_is_kept_until_somebody_says_that_values_may_stay(
    as_owner: Client, workspace: Workspace
) -> None:
    field = make_field(workspace, "Plan", FieldType.SELECT, "gold", "silver")
    ada = make_person(workspace, "ada@example.com")
    Contact.objects.filter(pk=ada.pk).update(custom={"plan": "gold"})
    path = f"/w/{workspace.slug}/fields/{field.uid}/"
    data = {"label": "Plan", "options": "silver"}
    response = as_owner.post(path, data)
    assert "People still have &#x27;gold&#x27; (1)" in response.content.decode()
    as_owner.post(path, {**data, "keeps_values": "on"})
    field.refresh_from_db()
    assert field.options == ["silver"]


def test_a_type_that_would_lose_values_is_refused_with_them_and_one_that_fits_is_taken(
    as_owner: Client, workspace: Workspace
) -> None:
    field, ada = make_field(workspace), make_person(workspace, "ada@example.com")
    Contact.objects.filter(pk=ada.pk).update(custom={"plan": "abc"})
    path = f"/w/{workspace.slug}/fields/{field.uid}/"

    def ask(type_: str) -> str:
        page = as_owner.post(f"{path}type/", {"type": type_}, follow=True).content.decode()
        assert 'hx-trigger="every 1s"' in page
        services.run_type_change(run_uid=TypeChange.objects.latest("pk").uid, clock=clock.now)
        return as_owner.get(path, headers={"HX-Request": "true"}).content.decode()

    part = ask("number")
    assert "1 person has a value that would be lost as number" in part
    assert "abc" in part
    assert "every 1s" not in part
    Contact.objects.filter(pk=ada.pk).update(custom={"plan": "12"})
    assert "It became number" in ask("number")
    ada.refresh_from_db()
    assert ada.custom == {"plan": 12}
