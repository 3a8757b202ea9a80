"""What a page says when the core refuses a question it was opened with."""

from django.test import Client

from postroom.core.contacts.models import Segment
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW


def _make_broken_segment(workspace: Workspace) -> Segment:
    condition = {"field": "custom.gone", "operator": "eq", "value": "x"}
    filter_ = {"match": "all", "conditions": [condition]}
    return Segment.objects.create(workspace=workspace, name="Broken", filter=filter_, created_at=NOW, updated_at=NOW)


def test_a_question_that_makes_no_sense_any_more_is_answered_with_its_reason(
    as_colleague: Client, workspace: Workspace
) -> None:
    segment = _make_broken_segment(workspace)
    response = as_colleague.get(f"/w/{workspace.slug}/contacts/?segment={segment.pk}")
    assert response.status_code == 400
    assert "there is no field" in response.content.decode()
    assert "<html" in response.content.decode()


def test_a_live_part_of_a_page_shows_the_reason_in_its_place(as_colleague: Client, workspace: Workspace) -> None:
    segment = _make_broken_segment(workspace)
    address = f"/w/{workspace.slug}/contacts/?segment={segment.pk}"
    response = as_colleague.get(address, headers={"HX-Request": "true"})
    assert response.status_code == 400
    assert "there is no field" in response.content.decode()
    assert "<html" not in response.content.decode()
