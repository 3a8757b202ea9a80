"""The pages of templates: from an example to the mail that a program sends from it."""

import json
from typing import Any

import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import Letter, Message, Template
from postroom.core.mail.types import Composition, NewTemplate
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Door
from postroom.kit import clock
from tests.api.clients import make_client
from tests.factories import make_actor, make_workspace

pytestmark = pytest.mark.django_db

HTML = '<p>Dear {{ customer.name | default: "friend" }}, it is {{ order_number }}.</p>'


@pytest.fixture
def template(as_colleague: Client, workspace: Workspace) -> Template:
    as_colleague.post(f"/w/{workspace.slug}/templates/", {"name": "Receipt"})
    return Template.objects.get()


def here(workspace: Workspace, template: Template, act: str = "") -> str:
    return f"/w/{workspace.slug}/templates/{template.uid}/{act}"


def words(**changes: Any) -> dict[str, Any]:
    return {"name": "Receipt", "subject": "Order {{ order_number }}", "body_format": "html", "body": HTML, **changes}


def test_a_new_template_begins_with_an_example_and_says_its_id(as_colleague: Client, workspace: Workspace) -> None:
    assert "No template yet" in as_colleague.get(f"/w/{workspace.slug}/templates/").content.decode()
    begun = as_colleague.post(f"/w/{workspace.slug}/templates/", {"name": "Receipt"})
    page = as_colleague.get(begun["Location"]).content.decode()
    template = Template.objects.get()
    assert "&lt;mjml&gt;" in page
    assert template.uid.hex in page
    for name in ("name", "order_number", "order_url"):
        assert f'name="value.{name}"' in page
    assert template.uid.hex in as_colleague.get(f"/w/{workspace.slug}/templates/").content.decode()
    twice = as_colleague.post(f"/w/{workspace.slug}/templates/", {"name": "Receipt"}).content.decode()
    assert "There is already a template called" in twice


def test_what_is_saved_is_what_a_program_sends(as_colleague: Client, workspace: Workspace, template: Template) -> None:
    saved = as_colleague.post(here(workspace, template), words(), follow=True).content.decode()
    assert 'name="value.customer.name"' in saved
    assert "version 2" in saved
    program = make_client(workspace=workspace, door=Door.USESEND)
    letter = {
        "to": "ann@example.com",
        "from": "shop@acme.example",
        "templateId": template.uid.hex,
        "variables": {"order_number": "17 <b>"},
    }
    sent = program.post("/v1/emails", letter)
    assert sent.status == 200, sent
    found = program.get(f"/v1/emails/{sent.body['emailId']}").body
    assert found["subject"] == "Order 17 <b>"
    assert "Dear friend, it is 17 &lt;b&gt;." in found["html"]
    missing = program.post("/v1/emails", {**letter, "variables": {}})
    assert program.get(f"/v1/emails/{missing.body['emailId']}").body["subject"] == "Order"
    assert program.post("/v1/emails", {**letter, "templateId": "0" * 32}).status == 400
    stranger = make_client(workspace=make_workspace(), door=Door.USESEND)
    assert stranger.post("/v1/emails", letter).status == 400


def test_a_mistake_is_told_with_its_line_and_nothing_is_lost(
    as_colleague: Client, workspace: Workspace, template: Template
) -> None:
    broken = words(body="<p>\n\n{{ order_number | shout }}</p>")
    page = as_colleague.post(here(workspace, template), broken).content.decode()
    assert "Line 3: unknown filter" in page
    assert "{{ order_number | shout }}" in page
    template.refresh_from_db()
    assert template.version == 1
    assert "required" in as_colleague.post(here(workspace, template), words(subject="")).content.decode()


def test_the_preview_fills_the_gaps_in_a_frame_that_can_do_nothing(
    as_viewer: Client, workspace: Workspace, template: Template
) -> None:
    values = {"value.customer.name": "<Ann>", "value.order_number": "17"}
    answer = as_viewer.post(f"/w/{workspace.slug}/templates/preview/", words(**values))
    shown = answer.content.decode()
    assert "Order 17" in shown
    assert "Dear &lt;Ann&gt;, it is 17." in shown
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    broken = as_viewer.post(f"/w/{workspace.slug}/templates/preview/", words(body="{% if %}")).content.decode()
    assert "role=alert" in broken
    only_text = as_viewer.post(f"/w/{workspace.slug}/templates/preview/", words(body="", text="<Hi>")).content.decode()
    assert "<pre>&lt;Hi&gt;" in only_text


def test_a_test_goes_out_with_the_example_values(
    as_colleague: Client, workspace: Workspace, template: Template
) -> None:
    values = {"to": "me@example.com", "value.order_number": "17", "value.name": "Ann"}
    as_colleague.post(here(workspace, template, "test/"), values)
    message = Message.objects.get()
    assert (message.to, message.is_test, message.slots) == (
        ["me@example.com"],
        True,
        {"order_number": "17", "name": "Ann"},
    )
    for _ in range(6):
        last = as_colleague.post(here(workspace, template, "test/"), values, follow=True).content.decode()
    assert "within the hour" in last
    assert (
        "one address"
        in as_colleague.post(here(workspace, template, "test/"), {"to": "x"}, follow=True).content.decode()
    )


def test_a_copy_is_a_template_of_its_own(as_colleague: Client, workspace: Workspace, template: Template) -> None:
    for _ in range(3):
        as_colleague.post(here(workspace, template, "duplicate/"))
    names = ["Receipt", "Receipt (copy 2)", "Receipt (copy 3)", "Receipt (copy)"]
    assert sorted(Template.objects.values_list("name", flat=True)) == names
    assert len(set(Template.objects.values_list("body", flat=True))) == 1


def test_a_template_is_deleted_unless_mail_waits_for_it(
    as_colleague: Client, workspace: Workspace, template: Template
) -> None:
    program = make_client(workspace=workspace, door=Door.USESEND)
    letter = {"to": "ann@example.com", "from": "shop@acme.example", "templateId": template.uid.hex}
    assert program.post("/v1/emails", {**letter, "scheduledAt": "2030-01-01T00:00:00Z"}).status == 200
    refused = as_colleague.post(here(workspace, template, "delete/"), follow=True).content.decode()
    assert "1 messages that wait" in refused
    Letter.objects.all().delete()
    as_colleague.post(here(workspace, template, "delete/"))
    assert not Template.objects.exists()
    assert program.post("/v1/emails", letter).status == 400


def test_a_viewer_looks_and_changes_nothing(as_viewer: Client, workspace: Workspace, template: Template) -> None:
    page = as_viewer.get(here(workspace, template)).content.decode()
    assert "Save the template" not in page
    assert "data-opens" not in page
    for act in ("", "test/", "duplicate/", "delete/"):
        assert as_viewer.post(here(workspace, template, act), words(to="me@example.com")).status_code == 403
    assert Template.objects.get().version == 1


def test_the_list_costs_the_same_however_long_it_is(
    as_colleague: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        new = NewTemplate(name=f"T{number}", composition=Composition(subject="x", body="<p>y</p>"))
        mail.create_template(workspace=workspace, new=new, actor=make_actor(), now=clock.now())
    with django_assert_max_num_queries(14):
        assert as_colleague.get(f"/w/{workspace.slug}/templates/").status_code == 200


def test_the_example_of_a_call_is_json(as_colleague: Client, workspace: Workspace, template: Template) -> None:
    page = as_colleague.get(here(workspace, template))
    call = json.loads(page.context["call"])
    assert call == {"templateId": template.uid.hex, "variables": {"name": "", "order_number": "", "order_url": ""}}
