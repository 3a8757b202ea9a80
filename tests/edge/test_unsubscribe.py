"""The unsubscribe page: it asks, it acts on POST alone, and it shows nobody's address to strangers."""

import pytest
from django.test import Client

from postroom.core.contacts.models import ContactWorkspace, ListMember
from postroom.core.contacts.types import MemberStatus, SubscriptionStatus
from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules import tokens
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


def test_the_page_says_what_would_happen_and_its_button_makes_it_happen(client: Client) -> None:
    workspace = make_workspace(name="Harbour <News>")
    weekly = make_list(workspace)
    reader = make_reader(workspace, weekly)
    url = f"/u/{tokens.unsubscribe_token(make_letter(workspace, reader, weekly).pk)}"

    page = client.get(url)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Weekly letter" in text
    assert "Harbour &lt;News&gt;" in text
    assert "r…@example.com" in text
    assert (reader.email or "") not in text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert ListMember.objects.get().status == MemberStatus.SUBSCRIBED

    done = client.post(url, {"List-Unsubscribe": "One-Click", "scope": "topics"})
    assert done.status_code == 200
    assert "is unsubscribed from" in done.content.decode()
    assert ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED
    assert ContactWorkspace.objects.get(contact=reader).status != SubscriptionStatus.UNSUBSCRIBED


def test_the_second_button_ends_all_mail_of_the_workspace(client: Client) -> None:
    workspace = make_workspace()
    weekly = make_list(workspace)
    reader = make_reader(workspace, weekly)
    url = f"/u/{tokens.unsubscribe_token(make_letter(workspace, reader, weekly).pk)}"

    client.post(url, {"List-Unsubscribe": "One-Click", "scope": "everything"})

    assert ContactWorkspace.objects.get(contact=reader).status == SubscriptionStatus.UNSUBSCRIBED


def test_a_post_without_the_pair_asks_again(client: Client) -> None:
    workspace = make_workspace()
    weekly = make_list(workspace)
    url = f"/u/{tokens.unsubscribe_token(make_letter(workspace, make_reader(workspace, weekly), weekly).pk)}"

    answer = client.post(url, {"anything": "else"})

    assert "Nothing has changed yet" in answer.content.decode()
    assert ListMember.objects.get().status == MemberStatus.SUBSCRIBED


@pytest.mark.parametrize("method", ["get", "post"])
def test_tokens_of_other_links_and_of_nobody_lead_nowhere(client: Client, method: str) -> None:
    letter = make_letter(workspace := make_workspace(), make_reader(workspace))
    good = tokens.unsubscribe_token(letter.pk)
    for token in ("x", good[:-1], good + "A", tokens.track_token(letter.pk, 1), tokens.unsubscribe_token(404)):
        answer = getattr(client, method)(f"/u/{token}", {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404, token
    assert not StoredHit.objects.exists()
