"""The list and segment pages."""

import pytest
from django.test import Client

from postroom.core.contacts import rules, services
from postroom.core.contacts.models import Category, Field, List, Segment
from postroom.core.contacts.types import FieldSpec, FieldType, NewContact
from postroom.core.workspaces.models import Workspace
from postroom.web.segments.builder import from_filter, make_row, questions_for, to_filter
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db
NESTED = {
    "match": "all",
    "conditions": [{"match": "any", "conditions": [{"field": "company", "operator": "is_set"}]}],
}


def test_a_list_and_a_category_are_made(as_colleague: Client, workspace: Workspace) -> None:
    as_colleague.post(f"/w/{workspace.slug}/lists/", {"name": "Monthly letter"})
    as_colleague.post(f"/w/{workspace.slug}/topics/", {"name": "Product news"})
    assert List.objects.get(workspace=workspace).name == "Monthly letter"
    assert Category.objects.get(workspace=workspace).slug == "product-news"
    assert "Monthly letter" in as_colleague.get(f"/w/{workspace.slug}/lists/").content.decode()
    assert "Product news" in as_colleague.get(f"/w/{workspace.slug}/topics/").content.decode()


def test_a_second_list_of_the_same_name_is_explained(as_owner: Client, workspace: Workspace) -> None:
    for _ in range(2):
        response = as_owner.post(f"/w/{workspace.slug}/lists/", {"name": "News"})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    assert List.objects.count() == 1


@pytest.fixture
def people(workspace: Workspace) -> None:
    for name in ("ada", "grace", "annie"):
        new = NewContact(email=f"{name}@example.com", first_name=name.title(), tags=("a",) if name != "ada" else ())
        services.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW)


def rows(**changes: list[str]) -> dict[str, object]:
    return {"match": "all", "field": ["tag"], "operator": ["has"], "value": ["a"], **changes}


def test_the_builder_counts_who_matches_while_it_is_filled_in(
    as_viewer: Client, workspace: Workspace, people: None
) -> None:
    page = as_viewer.post(f"/w/{workspace.slug}/segments/preview/", rows()).content.decode()
    assert ">2<" in page
    assert "Annie" in page
    assert "ada@example.com" not in page


def test_a_question_without_an_answer_is_explained_and_never_means_everyone(
    as_owner: Client, workspace: Workspace, people: None
) -> None:
    page = as_owner.post(f"/w/{workspace.slug}/segments/preview/", rows(operator=["in"], value=[""])).content.decode()
    assert "people match" not in page
    assert "Fill in every condition" in page
    empty = as_owner.post(f"/w/{workspace.slug}/segments/new/", {"name": "All", "match": "all"})
    assert empty.context["form"].non_field_errors()
    assert not Segment.objects.exists()


def test_a_segment_is_saved_changed_and_deleted(as_colleague: Client, workspace: Workspace, people: None) -> None:
    as_colleague.post(f"/w/{workspace.slug}/segments/new/", rows(name="Group A"))
    segment = Segment.objects.get(workspace=workspace)
    here = f"/w/{workspace.slug}/segments/{segment.uid}/"
    assert 'value="Group A"' in as_colleague.get(here).content.decode()
    as_colleague.post(here, rows(name="Not in A", operator=["not_has"]))
    segment.refresh_from_db()
    assert segment.name == "Not in A"
    assert segment.filter["conditions"] == [{"field": "tag", "operator": "not_has", "value": "a"}]
    as_colleague.post(f"{here}delete/")
    assert not Segment.objects.exists()


def test_renaming_a_segment_the_rows_cannot_show_keeps_its_question(as_owner: Client, workspace: Workspace) -> None:
    segment = services.create_segment(workspace=workspace, name="Deep", filter=NESTED, actor=make_actor(), now=NOW)
    here = f"/w/{workspace.slug}/segments/{segment.uid}/"
    assert "asks more than these rows can show" in as_owner.get(here).content.decode()
    as_owner.post(here, rows(name="Deeper"))
    segment.refresh_from_db()
    assert (segment.name, segment.filter) == ("Deeper", NESTED)


def test_a_segment_of_another_workspace_is_unknown_here(as_owner: Client, workspace: Workspace) -> None:
    foreign = services.create_segment(
        workspace=make_workspace(), name="Theirs", filter=NESTED, actor=make_actor(), now=NOW
    )
    assert as_owner.get(f"/w/{workspace.slug}/segments/{foreign.uid}/").status_code == 404
    assert as_owner.post(f"/w/{workspace.slug}/segments/{foreign.uid}/delete/").status_code == 404
    assert Segment.objects.count() == 1


def test_changing_the_field_of_a_row_offers_operators_that_fit(as_owner: Client, workspace: Workspace) -> None:
    page = as_owner.get(f"/w/{workspace.slug}/segments/condition/?field=created_at&operator=contains&value=x")
    assert 'type="date"' in page.content.decode()
    assert "contains" not in page.content.decode()


def test_the_core_understands_every_question_the_builder_offers() -> None:
    values = {"number": "5", "boolean": "true", "date": "2026-11-20", "instant": "2026-11-20"}
    fields = [Field(key=type_.value, label=type_.label, type=type_) for type_ in FieldType]
    specs = [FieldSpec(key=field.key, label=field.label, type=FieldType(field.type)) for field in fields]
    questions = questions_for(fields)
    for question in questions:
        for operator in question.operators:
            value = "" if operator.startswith("is_") else values.get(question.kind, "word")
            row = make_row(questions, question.key, operator, value)
            filter_ = to_filter("all", [row])
            rules.parse_filter(filter_, specs)
            assert from_filter(filter_, questions) == [row]
