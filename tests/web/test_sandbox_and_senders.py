"""The sandbox mailbox and the sender pages."""

import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import SandboxMail, SenderAccount
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db
RAW = (
    b"From: News <news@example.org>\r\nTo: ada@example.com\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b'<p style="color:red">Hi</p><img src="http://tracker.example/o/1.gif"><script>alert(1)</script>\r\n'
)


def capture(workspace: Workspace, subject: str = "Hello <b>Ada</b>", raw: bytes = RAW) -> SandboxMail:
    return SandboxMail.objects.create(
        workspace=workspace,
        recipients=["ada@example.com"],
        from_header="News <news@example.org>",
        to_header="ada@example.com",
        subject=subject,
        size=len(raw),
        raw=raw,
        received_at=NOW,
    )


def test_a_captured_mail_is_listed_and_opened(as_viewer: Client, workspace: Workspace) -> None:
    captured = capture(workspace)
    listed = as_viewer.get(f"/w/{workspace.slug}/sandbox/").content.decode()
    assert "Hello &lt;b&gt;Ada" in listed
    page = as_viewer.get(f"/w/{workspace.slug}/sandbox/{captured.uid}/").content.decode()
    assert "News &lt;news@example.org&gt;" in page
    assert "<iframe" in page
    assert "sandbox referrerpolicy" in page
    assert "alert(1)" not in page


def test_the_body_of_a_captured_mail_may_neither_run_nor_load(as_viewer: Client, workspace: Workspace) -> None:
    response = as_viewer.get(f"/w/{workspace.slug}/sandbox/{capture(workspace).uid}/body/")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "allow-scripts" not in policy
    assert "img-src data:;" in policy
    assert b"tracker.example" in response.content


def test_the_raw_octets_are_shown_as_text(as_viewer: Client, workspace: Workspace) -> None:
    response = as_viewer.get(f"/w/{workspace.slug}/sandbox/{capture(workspace).uid}/raw/")
    assert response.content == RAW
    assert response["Content-Type"].startswith("text/plain")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_mail_of_another_workspace_is_unknown_here(as_owner: Client, workspace: Workspace) -> None:
    foreign = capture(make_workspace())
    for path in ("", "body/", "raw/"):
        assert as_owner.get(f"/w/{workspace.slug}/sandbox/{foreign.uid}/{path}").status_code == 404
    assert "Hello" not in as_owner.get(f"/w/{workspace.slug}/sandbox/").content.decode()


def smtp_form(**changes: object) -> dict[str, object]:
    return {
        "name": "Newsletter",
        "from_name": "The Newsroom",
        "from_email": "news@example.org",
        "host": "smtp.example.org",
        "port": 587,
        "security": "starttls",
        "username": "news",
        "password": "open sesame",
        **changes,
    }


def test_an_administrator_adds_an_smtp_sender_whose_password_is_never_shown(
    as_owner: Client, workspace: Workspace
) -> None:
    page = as_owner.post(f"/w/{workspace.slug}/senders/new/", smtp_form(), follow=True).content.decode()
    assert "smtp.example.org:587" in page
    assert "open sesame" not in page
    assert "open sesame" not in SenderAccount.objects.get().credentials


def test_a_sender_that_cannot_work_is_explained(as_owner: Client, workspace: Workspace) -> None:
    response = as_owner.post(f"/w/{workspace.slug}/senders/new/", smtp_form(from_email="nobody"))
    assert response.context["form"].non_field_errors()
    assert "open sesame" not in response.content.decode()
    assert not SenderAccount.objects.exists()


def test_only_an_administrator_decides_who_sends(as_colleague: Client, workspace: Workspace) -> None:
    assert as_colleague.get(f"/w/{workspace.slug}/senders/new/").status_code == 403
    assert as_colleague.post(f"/w/{workspace.slug}/senders/new/", smtp_form()).status_code == 403
    assert "Add an SMTP sender" not in as_colleague.get(f"/w/{workspace.slug}/senders/").content.decode()


def test_a_fresh_workspace_starts_in_the_sandbox(as_colleague: Client, workspace: Workspace) -> None:
    assert "Start in the sandbox" in as_colleague.get(f"/w/{workspace.slug}/senders/").content.decode()
    page = as_colleague.post(f"/w/{workspace.slug}/senders/sandbox/", follow=True).content.decode()
    assert ">Sandbox<" in page


def test_a_foreign_domain_cannot_be_signed_for(as_owner: Client, workspace: Workspace) -> None:
    foreign = mail.create_domain(workspace=make_workspace(), name="theirs.example", actor=make_actor(), now=clock.now())
    response = as_owner.post(f"/w/{workspace.slug}/senders/new/", smtp_form(domain_id=foreign.pk))
    assert response.context["form"].errors["domain_id"]
