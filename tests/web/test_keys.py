"""The pages of API keys: made, shown once, looked after, revoked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import BadKey
from postroom.core.workspaces.models import ApiKey, AuditEntry, User, Workspace
from postroom.core.workspaces.types import Door, NewKey
from postroom.kit import clock
from tests.factories import make_actor

pytestmark = pytest.mark.django_db
SECRET = re.compile(r'id="secret">([^<]+)<')


def look(client: Client, workspace: Workspace) -> str:
    return client.get(f"/w/{workspace.slug}/keys/").content.decode()


def make(client: Client, workspace: Workspace, **said: Any) -> str:
    """Fill the form in; the page that answers."""
    answers = {"name": "Shop", "door": "usesend", "scope": "", "mail_domain": "", "days": "", **said}
    return client.post(f"/w/{workspace.slug}/keys/", answers).content.decode()


def make_key(user: User, workspace: Workspace, name: str = "Robot") -> tuple[ApiKey, str]:
    new = NewKey(door=Door.USESEND, name=name)
    return workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=clock.now())


def test_a_workspace_without_keys_says_what_they_are_for(as_colleague: Client, workspace: Workspace) -> None:
    page = look(as_colleague, workspace)
    assert "No key yet" in page
    assert f"/w/{workspace.slug}/start/" in page


def test_a_secret_is_shown_once_and_works(as_colleague: Client, colleague: User, workspace: Workspace) -> None:
    page = make(as_colleague, workspace)
    found = SECRET.search(page)
    assert found is not None
    secret = found[1]
    assert page.count(secret) == 2, "by itself and in the command"
    assert "/usesend/api/v1/emails" in page
    identity = workspaces.authenticate_key(secret=secret, door=Door.USESEND, now=clock.now())
    assert (identity.user, identity.workspace, identity.scopes) == (colleague, workspace, frozenset())
    again = look(as_colleague, workspace)
    assert secret not in again
    assert f"{secret[:12]}…{secret[-4:]}" in again
    entry = AuditEntry.objects.get(act="api_key.created")
    assert (entry.user, entry.door) == (colleague, Door.WEB)


def test_a_key_is_bound_as_it_was_asked_for(as_owner: Client, workspace: Workspace) -> None:
    make_domain(workspace, "news.example.org")
    before = clock.now()
    page = make(as_owner, workspace, scope="send", mail_domain="news.example.org", days="30")
    assert "hello@news.example.org" in page, "the command sends from what the key may send from"
    key = ApiKey.objects.get()
    assert (key.scopes, key.mail_domain) == (["send"], "news.example.org")
    assert key.expires_at is not None
    assert timedelta(days=30) <= key.expires_at - before < timedelta(days=30, minutes=1)
    shown = look(as_owner, workspace)
    assert "Sending only" in shown
    assert "from news.example.org" in shown


def test_a_key_of_the_crm_has_no_sending_domain(as_owner: Client, workspace: Workspace) -> None:
    make_domain(workspace, "news.example.org")
    page = make(as_owner, workspace, door="crm", scope="send", mail_domain="news.example.org")
    key = ApiKey.objects.get()
    assert (key.door, key.scopes, key.mail_domain) == ("crm", [], "")
    assert "/crm/api/contacts" in page


@pytest.mark.parametrize(
    "said",
    [
        {"name": " "},
        {"name": "x" * 201},
        {"door": "web"},
        {"door": ""},
        {"mail_domain": "foreign.example"},
        {"days": "9"},
    ],
)
def test_what_makes_no_sense_makes_no_key(as_owner: Client, workspace: Workspace, said: dict[str, str]) -> None:
    page = make(as_owner, workspace, **said)
    assert "field-error" in page
    assert ApiKey.objects.count() == 0


def test_members_see_their_own_keys_and_administrators_all(
    as_owner: Client, owner: User, as_colleague: Client, colleague: User, workspace: Workspace
) -> None:
    theirs, _ = make_key(owner, workspace, "Of the owner")
    make_key(colleague, workspace, "Of the colleague")
    assert "Of the colleague" in look(as_owner, workspace)
    mine = look(as_colleague, workspace)
    assert "Of the colleague" in mine
    assert "Of the owner" not in mine
    for path in ("", "revoke/"):
        address = f"/w/{workspace.slug}/keys/{theirs.uid}/{path}"
        answer = as_colleague.post(address) if path else as_colleague.get(address)
        assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_a_revoked_key_opens_nothing_and_says_so(as_colleague: Client, colleague: User, workspace: Workspace) -> None:
    key, secret = make_key(colleague, workspace)
    page = as_colleague.get(f"/w/{workspace.slug}/keys/{key.uid}/").content.decode()
    assert "Revoke the key" in page
    answer = as_colleague.post(f"/w/{workspace.slug}/keys/{key.uid}/revoke/", follow=True).content.decode()
    assert "The key Robot is revoked" in answer
    assert "Revoked</span>" in answer
    with pytest.raises(BadKey):
        workspaces.authenticate_key(secret=secret, door=Door.USESEND, now=clock.now())
    assert AuditEntry.objects.filter(act="api_key.revoked", object_id=key.pk, user=colleague).count() == 1
    gone = as_colleague.get(f"/w/{workspace.slug}/keys/{key.uid}/").content.decode()
    assert "Revoke the key" not in gone
    assert "whoever shows it is refused" in gone


def test_an_expired_key_and_one_whose_maker_left_say_so(as_owner: Client, owner: User, workspace: Workspace) -> None:
    key, _ = make_key(owner, workspace)
    ApiKey.objects.update(expires_at=clock.now() - timedelta(days=1))
    assert "Expired" in look(as_owner, workspace)
    assert "It ended" in as_owner.get(f"/w/{workspace.slug}/keys/{key.uid}/").content.decode()


def test_a_viewer_makes_none(as_viewer: Client, workspace: Workspace) -> None:
    assert "No key of yours" in look(as_viewer, workspace)
    assert as_viewer.post(f"/w/{workspace.slug}/keys/", {"name": "x", "door": "usesend"}).status_code == 403
    assert ApiKey.objects.count() == 0


def make_domain(workspace: Workspace, name: str) -> None:
    from postroom.core.mail import services as mail

    mail.create_domain(workspace=workspace, name=name, actor=make_actor(), now=clock.now())
