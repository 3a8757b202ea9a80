"""The contact pages."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import ConsentState, MemberStatus, NewContact
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import PageRequest
from postroom.kit.types import JSONObject
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


def make_person(workspace: Workspace, email: str, *, name: str = "", tags: tuple[str, ...] = ()) -> Contact:
    new = NewContact(email=email, first_name=name, tags=tags)
    return services.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW)


def test_a_colleague_adds_a_contact_and_sees_their_page(as_colleague: Client, workspace: Workspace) -> None:
    data = {"email": "Ada@Example.com", "first_name": "Ada", "last_name": "Lovelace"}
    response = as_colleague.post(f"/w/{workspace.slug}/contacts/new/", data, follow=True)
    page = response.content.decode()
    assert "Ada Lovelace" in page
    assert "ada@example.com" in page
    assert "Added to the workspace" in page


def test_a_bad_address_is_explained_above_the_form_and_nothing_is_lost(as_owner: Client, workspace: Workspace) -> None:
    response = as_owner.post(f"/w/{workspace.slug}/contacts/new/", {"email": "not-an-address", "first_name": "Ada"})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    assert 'value="Ada"' in response.content.decode()
    assert not Contact.objects.exists()


def test_search_finds_by_the_beginning_of_a_name_and_answers_htmx_with_the_table_alone(
    as_owner: Client, workspace: Workspace
) -> None:
    make_person(workspace, "ada@example.com", name="Ada")
    make_person(workspace, "grace@example.com", name="Grace")
    response = as_owner.get(f"/w/{workspace.slug}/contacts/?q=GRA", headers={"HX-Request": "true"})
    page = response.content.decode()
    assert "grace@example.com" in page
    assert "ada@example.com" not in page
    assert "<html" not in page


def test_tag_and_list_narrow_the_table(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com", tags=("customer",))
    make_person(workspace, "grace@example.com")
    news = services.create_list(workspace=workspace, name="News", actor=make_actor(), now=NOW)
    page = as_owner.get(f"/w/{workspace.slug}/contacts/?tag=customer").content.decode()
    assert "ada@example.com" in page
    assert "grace@example.com" not in page
    assert "ada@example.com" not in as_owner.get(f"/w/{workspace.slug}/contacts/?list={news.pk}").content.decode()
    data = {"list_id": news.pk, "status": MemberStatus.SUBSCRIBED}
    as_owner.post(f"/w/{workspace.slug}/contacts/{ada.uid}/lists/", data)
    assert "ada@example.com" in as_owner.get(f"/w/{workspace.slug}/contacts/?list={news.pk}").content.decode()


def test_a_segment_narrows_the_table(as_owner: Client, workspace: Workspace) -> None:
    make_person(workspace, "ada@example.com", tags=("customer",))
    make_person(workspace, "grace@example.com")
    filter_: JSONObject = {"match": "all", "conditions": [{"field": "tag", "operator": "has", "value": "customer"}]}
    segment = services.create_segment(
        workspace=workspace, name="Customers", filter=filter_, actor=make_actor(), now=NOW
    )
    page = as_owner.get(f"/w/{workspace.slug}/contacts/?segment={segment.pk}").content.decode()
    assert "ada@example.com" in page
    assert "grace@example.com" not in page
    assert as_owner.get(f"/w/{workspace.slug}/contacts/?segment={segment.pk + 1}").status_code == 404


def test_an_empty_workspace_points_to_the_import(as_owner: Client, workspace: Workspace) -> None:
    page = as_owner.get(f"/w/{workspace.slug}/contacts/").content.decode()
    assert "Nobody here yet" in page
    assert f"/w/{workspace.slug}/imports/new/" in page


def test_the_table_costs_the_same_however_many_people_it_shows(
    as_owner: Client, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        make_person(workspace, f"person{number}@example.com", tags=("customer", f"group {number % 3}"))
    with django_assert_num_queries(14):
        page = as_owner.get(f"/w/{workspace.slug}/contacts/").content.decode()
    assert page.count("<tr>") == 1 + 30


def test_names_are_shown_as_text_and_never_as_markup(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com", name="<script>alert(1)</script>")
    for path in ("contacts/", f"contacts/{ada.uid}/"):
        assert "<script>alert" not in as_owner.get(f"/w/{workspace.slug}/{path}").content.decode()


def test_tags_lists_and_consent_are_changed_on_the_page(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com")
    category = services.create_category(workspace=workspace, name="News", slug="news", actor=make_actor(), now=NOW)
    here = f"/w/{workspace.slug}/contacts/{ada.uid}/"
    as_colleague.post(f"{here}tags/", {"name": "vip"})
    as_colleague.post(f"{here}consents/", {"category_id": category.pk, "state": ConsentState.GRANTED})
    card = contacts.describe_contact(workspace=workspace, uid=ada.uid)
    assert [tag.name for tag in card.tags] == ["vip"]
    assert card.consents[0].consent is not None
    as_colleague.post(f"{here}tags/", {"name": "vip", "is_removal": "on"})
    assert contacts.describe_contact(workspace=workspace, uid=ada.uid).tags == ()


def test_a_contact_is_changed(as_owner: Client, workspace: Workspace) -> None:
    ada = make_person(workspace, "ada@example.com", name="Ada")
    data = {"email": "ada@example.org", "first_name": "Augusta Ada"}
    as_owner.post(f"/w/{workspace.slug}/contacts/{ada.uid}/edit/", data)
    ada.refresh_from_db()
    assert (ada.email, ada.first_name) == ("ada@example.org", "Augusta Ada")


def test_a_person_of_another_workspace_is_unknown_here(as_owner: Client, workspace: Workspace) -> None:
    foreign = make_person(make_workspace(), "ada@example.com")
    for path in ("", "edit/"):
        assert as_owner.get(f"/w/{workspace.slug}/contacts/{foreign.uid}/{path}").status_code == 404
    response = as_owner.post(f"/w/{workspace.slug}/contacts/{foreign.uid}/tags/", {"name": "mine"})
    assert response.status_code == 404
    assert contacts.list_contacts(workspace=workspace, page=PageRequest()).items == ()


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "99999999999"])
def test_nonsense_in_the_page_number_is_no_error(as_owner: Client, workspace: Workspace, page: str) -> None:
    assert as_owner.get(f"/w/{workspace.slug}/contacts/?before={page}&after={page}").status_code == 200
