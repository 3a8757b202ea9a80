"""The suppression pages: found, added, lifted knowingly, read in and taken away."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from postroom.core.contacts import services
from postroom.core.contacts.models import Suppression, SuppressionRun
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import AuditEntry, User, Workspace
from postroom.core.workspaces.types import SYSTEM, Role
from postroom.kit import clock
from tests.factories import NOW, make_user, make_workspace
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


def suppress(
    workspace: Workspace,
    email: str = "ada@example.com",
    reason: SuppressionReason = SuppressionReason.MANUAL,
    scope: SuppressionScope = SuppressionScope.WORKSPACE,
) -> Suppression:
    services.suppress_address(
        workspace=workspace, email=email, scope=scope, reason=reason, detail="<b>why</b>", actor=SYSTEM, now=NOW
    )
    return Suppression.objects.get(email=email, scope=scope)


@pytest.fixture
def as_head(workspace: Workspace) -> Client:
    """Somebody who administers the whole organization."""
    head: User = make_user()
    workspaces.add_member(
        user=head,
        organization=workspace.organization,
        workspace=None,
        role=Role.ADMIN,
        actor=SYSTEM,
        now=NOW,
    )
    return signed_in(head)


def test_the_list_is_searched_and_filtered(as_viewer: Client, workspace: Workspace) -> None:
    suppress(workspace)
    suppress(workspace, "bob@example.org", SuppressionReason.COMPLAINT, SuppressionScope.ORGANIZATION)
    here = f"/w/{workspace.slug}/suppressions/"
    page = as_viewer.get(here).content.decode()
    assert "ada@example.com" in page
    assert "bob@example.org" in page
    assert "&lt;b&gt;why" in page
    for query in ("q=example.org", "q=BOB@example.org", "scope=organization", "reason=complaint"):
        page = as_viewer.get(f"{here}?{query}").content.decode()
        assert "bob@example.org" in page, query
        assert "ada@example.com" not in page, query
    assert "Nothing found" in as_viewer.get(f"{here}?q=nobody").content.decode()
    assert "ada@example.com" in as_viewer.get(f"{here}?scope=everywhere&reason=x").content.decode()


def test_an_empty_list_says_what_to_do(as_colleague: Client, workspace: Workspace) -> None:
    page = as_colleague.get(f"/w/{workspace.slug}/suppressions/").content.decode()
    assert "Nobody is suppressed" in page
    assert "suppressions/add/" in page


def test_many_are_pasted_at_once_or_not_at_all(as_colleague: Client, workspace: Workspace) -> None:
    suppress(workspace)
    url = f"/w/{workspace.slug}/suppressions/add/"
    said = {"scope": "workspace", "reason": "manual", "detail": "old system"}
    bad = as_colleague.post(url, {**said, "addresses": "cyd@example.com\nnonsense; <x@>"})
    assert "These are no addresses: nonsense, &lt;x@&gt;" in bad.content.decode()
    assert Suppression.objects.count() == 1
    pasted = "ADA@example.com, Bob <bob@example.com>;\n\ncyd@example.com\n"
    done = as_colleague.post(url, {**said, "addresses": pasted}, follow=True)
    assert "2 added, 1 were there already" in done.content.decode()
    assert set(Suppression.objects.values_list("email", flat=True)) == {
        "ada@example.com",
        "bob@example.com",
        "cyd@example.com",
    }


def test_the_organization_is_for_its_administrators(as_owner: Client, as_head: Client, workspace: Workspace) -> None:
    said = {"addresses": "ada@example.com", "scope": "organization", "reason": "manual"}
    url = f"/w/{workspace.slug}/suppressions/add/"
    assert as_owner.post(url, said).status_code == 200
    assert not Suppression.objects.exists()
    assert as_head.post(url, said).status_code == 302
    row = Suppression.objects.get()
    one = f"/w/{workspace.slug}/suppressions/{row.uid}/"
    assert as_owner.post(one, {"note": "x"}).status_code == 403
    assert "administrator of the organization" in as_owner.get(one).content.decode()
    assert as_head.post(one, {"note": "they asked"}).status_code == 302
    assert not Suppression.objects.exists()


def test_lifting_is_for_administrators_and_says_why(
    as_owner: Client, as_colleague: Client, workspace: Workspace
) -> None:
    row = suppress(workspace, reason=SuppressionReason.COMPLAINT)
    one = f"/w/{workspace.slug}/suppressions/{row.uid}/"
    assert as_colleague.post(one, {"note": "x", "is_confirmed": "on"}).status_code == 403
    assert "reported your mail as spam" in as_owner.get(one).content.decode()
    for said in ({}, {"note": ""}, {"note": "they asked"}):
        assert as_owner.post(one, said).status_code == 200
    assert Suppression.objects.exists()
    assert as_owner.post(one, {"note": "they asked", "is_confirmed": "on"}).status_code == 302
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.get(act="contact.unsuppressed").after == {"note": "they asked"}


def test_an_erased_address_is_shown_without_a_way_to_lift_it(as_owner: Client, workspace: Workspace) -> None:
    row = suppress(workspace, reason=SuppressionReason.ERASED)
    one = f"/w/{workspace.slug}/suppressions/{row.uid}/"
    assert "never lifted" in as_owner.get(one).content.decode()
    as_owner.post(one, {"note": "x", "is_confirmed": "on"})
    assert Suppression.objects.exists()


def test_a_file_is_read_in_before_ones_eyes(as_colleague: Client, workspace: Workspace) -> None:
    url = f"/w/{workspace.slug}/suppressions/file/"
    file = SimpleUploadedFile("bounces.csv", b"email,reason\nada@example.com,bounce\nnonsense,\n")
    answer = as_colleague.post(url, {"file": file, "scope": "workspace", "reason": "manual"})
    run = SuppressionRun.objects.get()
    assert answer.headers["Location"].endswith(f"/suppressions/files/{run.uid}/")
    assert "hx-trigger" in as_colleague.get(answer.headers["Location"]).content.decode()
    services.run_suppression_file(run_uid=run.uid, clock=clock.now)
    page = as_colleague.get(answer.headers["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "hx-trigger" not in page
    assert "is not an e-mail address" in page
    assert Suppression.objects.get().reason == "hard_bounce"
    assert "bounces.csv" in as_colleague.get(f"/w/{workspace.slug}/suppressions/").content.decode()


def test_a_file_without_addresses_is_explained(as_colleague: Client, workspace: Workspace) -> None:
    file = SimpleUploadedFile("names.csv", b"name,phone\nAda,1\n")
    url = f"/w/{workspace.slug}/suppressions/file/"
    page = as_colleague.post(url, {"file": file, "scope": "workspace", "reason": "manual"}).content.decode()
    assert "No column holds addresses" in page


def test_taking_them_away_is_written_down_and_not_for_viewers(
    as_colleague: Client, as_viewer: Client, workspace: Workspace
) -> None:
    suppress(workspace)
    suppress(workspace, "bob@example.com", SuppressionReason.COMPLAINT)
    suppress(make_workspace(), "eve@example.com")
    url = f"/w/{workspace.slug}/suppressions/take/"
    assert as_viewer.post(url).status_code == 403
    answer = as_colleague.post(url, {"reason": "complaint"})
    lines = b"".join(answer).decode().splitlines()  # type: ignore[call-overload]
    assert lines[0] == "address,hash,scope,reason,detail,suppressed_at,opted_out"
    assert [line.split(",")[0] for line in lines[1:]] == ["bob@example.com"]
    assert answer["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.get(act="suppressions.exported").after == {"scope": None, "reason": "complaint"}
