"""The page behind a confirmation link: it asks, it acts on POST alone, and it says why when it cannot."""

from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.contacts import services
from postroom.core.contacts.models import ConsentChange, Contact, List, ListMember
from postroom.core.contacts.rules.links import confirm_token, preference_token
from postroom.core.contacts.types import ConfirmLink, MemberStatus, OptOutScope
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.edge.readers import make_reader
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

SCANS = 200


def make_waiting(age: timedelta = timedelta(hours=1)) -> tuple[str, List, Contact]:
    """Return the address of a confirmation link sent ``age`` ago, its list and its reader."""
    workspace = make_workspace(name="Harbour <News>")
    list_ = services.create_list(
        workspace=workspace, name="Weekly & more", actor=SYSTEM, now=NOW, is_double_opt_in=True
    )
    sent_at = (clock.now() - age).replace(microsecond=0)
    reader = make_reader(workspace)
    services.set_list_member(
        workspace=workspace,
        list_id=list_.pk,
        contact_id=reader.pk,
        status=MemberStatus.SUBSCRIBED,
        source="form",
        actor=SYSTEM,
        now=sent_at,
    )
    return f"/confirm/{confirm_token(ConfirmLink(list_.pk, reader.pk, sent_at))}", list_, reader


def test_scanners_confirm_nothing() -> None:
    url, _, _ = make_waiting()
    client = Client()
    for number in range(SCANS):
        visit = client.head if number % 2 else client.get
        assert visit(url).status_code == 200
    assert ListMember.objects.get().status == MemberStatus.PENDING


def test_the_button_confirms_and_the_proof_is_kept(client: Client) -> None:
    url, list_, reader = make_waiting()
    page = client.get(url)
    text = page.content.decode()
    assert "Weekly &amp; more" in text
    assert "Harbour &lt;News&gt;" in text
    assert (reader.email or "") not in text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"

    for _ in range(2):
        done = client.post(url, {"act": "confirm"}, REMOTE_ADDR="203.0.113.77", HTTP_USER_AGENT="Phone\0")
        assert done.status_code == 200
        assert "Welcome" in done.content.decode()
        assert f"/p/{preference_token(list_.workspace_id, reader.pk)}" in done.content.decode()
    change = ConsentChange.objects.get(state="subscribed")
    assert (change.proof["ip"], change.proof["agent"]) == ("203.0.113.0", "Phone")


def test_a_form_without_our_token_is_refused() -> None:
    url, _, _ = make_waiting()
    assert Client(enforce_csrf_checks=True).post(url, {"act": "confirm"}).status_code == 403
    assert ListMember.objects.get().status == MemberStatus.PENDING


def test_a_late_link_says_so_and_brings_a_new_one(client: Client) -> None:
    url, _, _ = make_waiting(timedelta(days=7))
    page = client.get(url)
    assert page.status_code == 410
    assert "came too late" in page.content.decode()
    assert client.post(url, {"act": "confirm"}).status_code == 410
    assert ListMember.objects.get().status == MemberStatus.PENDING
    for _ in range(3):
        assert "on its way" in client.post(url, {"act": "renew"}).content.decode()
    assert DomainEvent.objects.filter(name="list.confirmation_wanted").count() == 2


def test_whoever_opted_out_since_is_told_and_shown_the_way_back(client: Client) -> None:
    url, list_, reader = make_waiting()
    services.opt_out(
        workspace=list_.workspace,
        contact_id=reader.pk,
        scope=OptOutScope(),
        source="t",
        actor=SYSTEM,
        now=clock.now(),
    )
    page = client.post(url, {"act": "confirm"})
    assert "You had stopped this mail" in page.content.decode()
    assert "/p/" in page.content.decode()
    assert ListMember.objects.get().status == MemberStatus.PENDING


@pytest.mark.parametrize("method", ["get", "post"])
def test_other_links_lead_nowhere(client: Client, method: str) -> None:
    url, list_, reader = make_waiting()
    others = (
        "x",
        url.removeprefix("/confirm/")[:-1],
        preference_token(list_.workspace_id, reader.pk),
        confirm_token(ConfirmLink(list_.pk + 1, reader.pk, NOW)),
        confirm_token(ConfirmLink(list_.pk, reader.pk + 1, NOW)),
    )
    for token in others:
        assert getattr(client, method)(f"/confirm/{token}", {"act": "confirm"}).status_code == 404, token
