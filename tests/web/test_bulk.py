"""The table of contacts and the pages of bulk changes, by plain forms as a browser without scripts sends them."""

import pytest
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import BulkRun, Contact, ContactTag, ListMember
from postroom.core.contacts.types import FieldType, NewContact, NewField
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from postroom.web.contacts import directory
from tests.factories import NOW, make_actor, make_list

pytestmark = pytest.mark.django_db


def fill(workspace: Workspace, count: int) -> list[Contact]:
    people = []
    for number in range(count):
        new = NewContact(email=f"p{number}@example.com", first_name=f"Person{number}", tags=("all",))
        people.append(contacts.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW))
    return people


def run_jobs() -> BulkRun:
    run = BulkRun.objects.latest("pk")
    contacts.run_bulk(run_uid=run.uid, clock=clock.now)
    contacts.run_bulk_undo(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run


def names_on(page: str) -> list[int]:
    import re

    return [int(number) for number in re.findall(r">Person(\d+)</a>", page)]


def test_one_walks_from_the_newest_to_the_oldest_and_back(
    as_viewer: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PAGE_SIZE", 3)
    people = fill(workspace, 8)
    base = f"/w/{workspace.slug}/contacts/"

    def page(query: str) -> str:
        return as_viewer.get(base + query).content.decode()

    first = page("")
    assert names_on(first) == [7, 6, 5]
    assert "Newer" not in first
    assert f"before={people[5].pk}" in first
    second = page(f"?before={people[5].pk}")
    assert names_on(second) == [4, 3, 2]
    assert f"after={people[4].pk}" in second
    last = page(f"?before={people[2].pk}")
    assert names_on(last) == [1, 0]
    assert "Older" not in last
    assert names_on(page(f"?after={people[1].pk}")) == [4, 3, 2]
    assert names_on(page(f"?after={people[5].pk}")) == [7, 6, 5]  # not two left over, but a whole first page
    assert names_on(page("?q=person1&tag=ALL")) == [1]
    assert "Nobody found" in page("?q=%21%21")
    assert as_viewer.get(base + "?list=x").status_code == 404
    assert as_viewer.get(base + "?segment=999999999").status_code == 404


def test_the_table_says_how_many_there_are_in_a_part_of_its_own(as_viewer: Client, workspace: Workspace) -> None:
    fill(workspace, 3)
    base = f"/w/{workspace.slug}/contacts/count/"
    assert b"3 contacts" in as_viewer.get(base).content
    assert b"1 contact<" in as_viewer.get(base + "?q=person2").content


def test_one_person_is_found_to_be_chosen(as_viewer: Client, workspace: Workspace) -> None:
    ada, bob = fill(workspace, 2)
    base = f"/w/{workspace.slug}/contacts/find/"
    found = as_viewer.get(f"{base}?q=person&name=other&not={ada.uid}").content.decode()
    assert f'name="other" value="{bob.uid}"' in found
    assert str(ada.uid) not in found
    assert "Nobody found" in as_viewer.get(base + "?q=nobody").content.decode()
    assert 'name="contact"' in as_viewer.get(base + "?q=person&name=%22%3E").content.decode()


def test_those_ticked_get_a_tag_and_lose_it_again(as_colleague: Client, workspace: Workspace) -> None:
    people = fill(workspace, 3)
    address = f"/w/{workspace.slug}/bulk/new/?action=tag&q=person&uid={people[0].uid}&uid={people[2].uid}"
    page = as_colleague.get(address).content.decode()
    assert "2 contacts" in page
    assert "picked one by one" in page
    answer = as_colleague.post(address, {"tag": "vip"})
    assert run_jobs().changed_rows == 2
    assert set(ContactTag.objects.filter(tag__name="vip").values_list("contact_id", flat=True)) == {
        people[0].pk,
        people[2].pk,
    }
    where = answer.headers["Location"]
    assert "Undo this change" in as_colleague.get(where).content.decode()
    as_colleague.post(where + "undo/")
    assert run_jobs().status == "undone"
    assert not ContactTag.objects.filter(tag__name="vip").exists()
    assert "Add a tag “vip”" in as_colleague.get(f"/w/{workspace.slug}/bulk/").content.decode()


def test_all_found_are_deleted_when_their_number_is_typed(as_colleague: Client, workspace: Workspace) -> None:
    fill(workspace, 12)
    address = f"/w/{workspace.slug}/bulk/new/?action=delete&q=person1&all=1"
    assert "3 contacts" in as_colleague.get(address).content.decode()  # Person1, Person10 and Person11
    for wrong in ("", "2", "three", "-3"):
        page = as_colleague.post(address, {"count": wrong})
        assert page.status_code == 200
        assert not BulkRun.objects.exists()
    page = as_colleague.post(address, {"count": "2"}).content.decode()
    assert "3 people are selected now. Nobody was deleted" in page
    where = as_colleague.post(address, {"count": " 3 "}).headers["Location"]
    run_jobs()
    assert Contact.objects.count() == 9
    assert "cannot be undone" in as_colleague.get(where).content.decode()


def test_every_kind_of_change_has_a_page_that_does_it(as_colleague: Client, workspace: Workspace) -> None:
    fill(workspace, 2)
    news = make_list(workspace=workspace, name="News")
    new = NewField(label="Country", key="country", type=FieldType.TEXT)
    contacts.create_field(workspace=workspace, new=new, actor=make_actor(), now=NOW)
    for action, said in (
        ("untag", {"tag": "all"}),
        ("subscribe", {"list_id": news.pk}),
        ("set_field", {"field": "country", "value": "GB"}),
        ("clear_field", {"field": "country"}),
        ("unsubscribe", {"list_id": news.pk}),
    ):
        address = f"/w/{workspace.slug}/bulk/new/?action={action}&all=1"
        assert as_colleague.get(address).status_code == 200
        where = as_colleague.post(address, said).headers["Location"]
        assert run_jobs().changed_rows == 2
        assert as_colleague.get(where, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert set(ListMember.objects.values_list("status", flat=True)) == {"unsubscribed"}


def test_a_live_change_is_watched_and_stopped(as_colleague: Client, workspace: Workspace) -> None:
    fill(workspace, 1)
    where = as_colleague.post(f"/w/{workspace.slug}/bulk/new/?action=tag&all=1", {"tag": "x"}).headers["Location"]
    live = as_colleague.get(where, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in live.headers
    assert b'hx-trigger="every 1s"' in live.content
    as_colleague.post(where + "cancel/")
    assert run_jobs().status == "cancelled"


def test_nobody_ticked_is_nobody_and_not_everybody(as_colleague: Client, workspace: Workspace) -> None:
    fill(workspace, 2)
    base = f"/w/{workspace.slug}/bulk/new/"
    answer = as_colleague.get(base + "?action=delete", follow=True)
    assert "Nobody is ticked" in answer.content.decode()
    assert as_colleague.post(base + "?action=delete", {"count": "2"}).status_code == 302
    assert as_colleague.get(base + "?action=delete&uid=x").status_code == 404
    assert as_colleague.get(base + "?action=delete&all=1&list=x").status_code == 404
    assert as_colleague.get(base + "?action=explode&all=1").status_code == 404
    assert not BulkRun.objects.exists()


def test_viewers_change_nobody(as_viewer: Client, workspace: Workspace) -> None:
    fill(workspace, 1)
    assert as_viewer.get(f"/w/{workspace.slug}/bulk/new/?all=1").status_code == 403
    assert as_viewer.post(f"/w/{workspace.slug}/bulk/new/?all=1", {"tag": "x"}).status_code == 403
    assert "Change all found" not in as_viewer.get(f"/w/{workspace.slug}/contacts/").content.decode()
