"""The SMTP page: what a program is told, and what came that way."""

import re
from contextlib import closing
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from postroom.core.mail.models import Message
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door, NewKey
from postroom.kit import clock
from postroom.kit.certificates import ensure_certificate
from postroom.web.connect.views import judge_certificate
from tests.edge.smtp.submitting import SubmissionServers, make_key
from tests.factories import make_actor, make_user, make_workspace
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def certificate(settings: Settings, tmp_path: Path) -> Path:
    settings.SUBMISSION_CERT, settings.SUBMISSION_KEY = tmp_path / "certificate.pem", tmp_path / "key.pem"
    return tmp_path / "certificate.pem"


def page(client: Client, workspace: Workspace) -> str:
    return client.get(f"/w/{workspace.slug}/connect/").content.decode()


def hand_over(workspace: Workspace, user: User, name: str, messages: int = 3) -> None:
    new = NewKey(door=Door.USESEND, name=name)
    key, _ = workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=clock.now())
    actor = Actor(door=Door.EDGE, user_id=user.pk, api_key_id=key.pk)
    record = AuditRecord(act="mail.accepted", object_type="message", after={"messages": messages})
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=clock.now())


def test_it_says_where_and_how(as_colleague: Client, workspace: Workspace, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://mail.example.com"
    shown = page(as_colleague, workspace)
    for word in ("mail.example.com", "2587", "2465", "usesend", "Make the first one", "POSTROOM_SUBMISSION_HOST"):
        assert word in shown
    assert "This machine has none yet" in shown
    assert "Nothing came by SMTP yet" in shown
    settings.SUBMISSION_HOST = "0.0.0.0"
    assert "POSTROOM_SUBMISSION_HOST" not in page(as_colleague, workspace)


def test_a_viewer_is_not_sent_to_make_a_key(as_viewer: Client, workspace: Workspace) -> None:
    shown = page(as_viewer, workspace)
    assert "Members of the workspace make them." in shown
    assert "Make a key" not in shown


def test_it_says_how_far_the_certificate_is_trusted(
    as_colleague: Client, workspace: Workspace, certificate: Path, settings: Settings
) -> None:
    now = clock.now()
    ensure_certificate(certificate, settings.SUBMISSION_KEY, names=["mail.example.com"], now=now)
    assert judge_certificate(now).status == "self_signed"
    assert "Nobody vouches for it" in page(as_colleague, workspace)
    assert judge_certificate(now + timedelta(days=4000)).status == "expired"
    certificate.write_text("no certificate")
    assert judge_certificate(now).status == "failing"
    assert "is no certificate in PEM form" in page(as_colleague, workspace)


def test_what_came_is_shown_to_those_whose_keys_it_came_with(
    as_owner: Client,
    as_colleague: Client,
    as_stranger: Client,
    owner: User,
    colleague: User,
    workspace: Workspace,
) -> None:
    hand_over(workspace, owner, "Shop", 1)
    hand_over(workspace, colleague, "Printer", 1200)
    elsewhere = make_workspace()
    hand_over(elsewhere, make_user(workspace=elsewhere), "Elsewhere")
    for client, seen in ((as_owner, ("Shop", "Printer")), (as_colleague, ("Printer",))):
        shown = page(client, workspace)
        assert {name for name in ("Shop", "Printer", "Elsewhere") if name in shown} == set(seen)
        assert "1,200 messages" in shown
    assert as_stranger.get(f"/w/{workspace.slug}/connect/").status_code == 404


def test_it_costs_the_same_however_much_came(
    owner: User, workspace: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        hand_over(workspace, owner, f"Shop {number}")
    client = signed_in(owner)
    page(client, workspace)
    with django_assert_max_num_queries(16):
        page(client, workspace)


@pytest.mark.django_db(transaction=True)
def test_the_shown_python_program_runs(
    as_owner: Client, workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    with closing(SubmissionServers(tmp_path / "server")) as servers:
        settings.SUBMISSION_PORT, settings.SUBMISSIONS_PORT = servers.port, servers.tls_port
        found = re.search(r'<pre [^>]*id="example-smtplib"[^>]*>(.*?)</pre>', page(as_owner, workspace), re.DOTALL)
        assert found is not None
        program = unescape(found[1]).replace("us_your_key", make_key(workspace))
        exec(compile(program, "example", "exec"), {})
    assert Message.objects.get().status == "queued"


def test_the_docs_of_each_door_are_found(as_viewer: Client, as_stranger: Client, workspace: Workspace) -> None:
    path = f"/w/{workspace.slug}/docs/"
    shown = as_viewer.get(path).content.decode()
    for door in ("usesend", "crm"):
        (link,) = re.findall(rf'href="([^"]*/{door}/docs)"', shown)
        assert as_viewer.get(link).status_code == 200
    assert as_stranger.get(path).status_code == 404
