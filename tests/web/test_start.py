"""The quick start: a key in the pieces of program, and a page that sees the first mail arrive."""

import json
import re
import shlex
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.core.mail.models import Message, SandboxMail
from postroom.core.mail.types import MessageStatus, Provider
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import ApiKey, User, Workspace
from postroom.core.workspaces.types import Door
from postroom.kit import clock
from tests.factories import NOW, make_user, make_workspace
from tests.ledger import make_message, make_sender
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


def start(client: Client, workspace: Workspace, *, makes_key: bool = False) -> str:
    path = f"/w/{workspace.slug}/start/"
    return (client.post(path) if makes_key else client.get(path)).content.decode()


def arrival(client: Client, workspace: Workspace, **asked: Any) -> str:
    answer = client.get(f"/w/{workspace.slug}/start/arrival/", asked, headers={"HX-Request": "true"})
    return answer.content.decode()


def snippet(page: str, name: str) -> str:
    """What the copy button of a piece of program copies."""
    found = re.search(rf'<pre [^>]*id="snippet-{name}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def make_submitted(workspace: Workspace, key_id: int = 1, **changes: Any) -> Message:
    """A message that a program handed over."""
    fields = {"status": MessageStatus.QUEUED, "sent_at": None, "created_at": clock.now(), **changes}
    return make_message(workspace=workspace, api_key_id=key_id, **fields)


def test_a_fresh_workspace_is_asked_to_make_a_key(as_colleague: Client, workspace: Workspace) -> None:
    page = start(as_colleague, workspace)
    assert ">Make a key<" in page.replace("\n", "").replace("</svg>", ">")
    assert "us_your_key" in page
    assert "Waiting for your first e-mail…" in page
    assert ApiKey.objects.count() == 0, "looking makes nothing"


def test_a_key_is_made_into_the_pieces_of_program(
    as_colleague: Client, colleague: User, workspace: Workspace, settings: Settings
) -> None:
    page = start(as_colleague, workspace, makes_key=True)
    words = shlex.split(snippet(page, "curl").replace("\\\n", ""))
    assert words[:2] == ["curl", f"{settings.PUBLIC_URL}/usesend/api/v1/emails"]
    secret = words[3].removeprefix("Authorization: Bearer ")
    identity = workspaces.authenticate_key(secret=secret, door=Door.USESEND, now=clock.now())
    assert identity.user == colleague
    body = json.loads(words[-1])
    assert body["to"] == colleague.email
    for name in ("python", "javascript"):
        assert secret in snippet(page, name)
        assert f"{settings.PUBLIC_URL}/usesend" in snippet(page, name)
    assert f"usesend:{secret}" in snippet(page, "smtp")
    compile(snippet(page, "python"), "first.py", "exec")
    assert secret not in start(as_colleague, workspace), "the next page knows nothing of it"
    assert "Make another key" in start(as_colleague, workspace)


def test_whatever_a_person_is_called_stays_inside_the_quotes(workspace: Workspace) -> None:
    user = make_user(workspace=workspace, email="o'brien@example.com")
    page = start(signed_in(user), workspace, makes_key=True)
    words = shlex.split(snippet(page, "curl").replace("\\\n", ""))
    assert json.loads(words[-1])["to"] == "o'brien@example.com"


def test_the_first_mail_comes_from_the_account_that_really_sends(as_colleague: Client, workspace: Workspace) -> None:
    assert "hello@example.com" in snippet(start(as_colleague, workspace), "curl")
    sandbox = make_sender(workspace=workspace)
    assert sandbox.from_email in snippet(start(as_colleague, workspace), "curl")
    real = make_sender(workspace=workspace)
    type(real).objects.filter(pk=real.pk).update(provider=Provider.SMTP, from_email="team@real.example")
    assert "team@real.example" in snippet(start(as_colleague, workspace), "curl")


def test_the_page_follows_a_mail_until_it_arrives(as_viewer: Client, workspace: Workspace) -> None:
    assert "Waiting for your first e-mail…" in arrival(as_viewer, workspace)
    message = make_submitted(workspace)
    page = arrival(as_viewer, workspace)
    assert "It is accepted, and on its way…" in page
    assert "every 1s" in page
    Message.objects.filter(pk=message.pk).update(status=MessageStatus.SENT, sent_at=NOW)
    copy = SandboxMail.objects.create(workspace=workspace, message_id=message.pk, raw=b"x", size=1, received_at=NOW)
    page = arrival(as_viewer, workspace)
    assert "It arrived." in page
    assert "every 1s" not in page
    assert f"/messages/{message.uid}/" in page
    assert f"/sandbox/{copy.uid}/" in page
    assert f"/w/{workspace.slug}/domains/" in page


def test_a_mail_that_never_leaves_is_not_called_arrived(as_viewer: Client, workspace: Workspace) -> None:
    make_submitted(workspace, status=MessageStatus.SUPPRESSED)
    page = arrival(as_viewer, workspace)
    assert "It did not arrive." in page
    assert "every 1s" not in page


def test_after_a_new_key_only_its_own_mail_counts(as_viewer: Client, workspace: Workspace) -> None:
    make_submitted(workspace, key_id=7, status=MessageStatus.SENT, sent_at=NOW)
    assert "It arrived." in arrival(as_viewer, workspace)
    assert "Waiting" in arrival(as_viewer, workspace, key=8)
    assert "It arrived." in arrival(as_viewer, workspace, key=7)
    assert "It arrived." in arrival(as_viewer, workspace, key="nonsense")


def test_mail_of_campaigns_and_of_other_workspaces_is_not_the_first_mail(
    as_viewer: Client, workspace: Workspace
) -> None:
    make_message(workspace=workspace)
    make_submitted(make_workspace(), status=MessageStatus.SENT, sent_at=NOW)
    assert "Waiting for your first e-mail…" in arrival(as_viewer, workspace)


def test_a_viewer_makes_no_key(as_viewer: Client, workspace: Workspace) -> None:
    assert "As a viewer you cannot send." in start(as_viewer, workspace)
    assert as_viewer.post(f"/w/{workspace.slug}/start/").status_code == 403
    assert ApiKey.objects.count() == 0
