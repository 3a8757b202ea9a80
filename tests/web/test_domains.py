"""The domain pages: what to publish, what was found, new keys, a test mail."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Content, DkimKey, Domain, Message, SenderAccount, Tally
from postroom.core.mail.types import NewSender, Provider, RecordPurpose
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.kit.types import JSONObject
from tests.factories import NOW
from tests.stand_ins.dns import serve_names
from tests.stand_ins.domains import look_up, make_keys_once, publish

pytestmark = pytest.mark.django_db
TRACKED = {"tracks_opens": True, "tracks_clicks": True, "created_at": NOW}


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys_once(monkeypatch)


@pytest.fixture
def domain(workspace: Workspace) -> Domain:
    return mail.create_domain(workspace=workspace, name="news.example.org", actor=SYSTEM, now=NOW)


def add_sender(domain: Domain) -> SenderAccount:
    config: JSONObject = {"host": "127.0.0.1", "port": 25, "security": "none"}
    new = NewSender("Desk", Provider.SMTP, f"desk@{domain.name}", domain_id=domain.pk, config=config)
    return mail.create_sender(workspace=domain.workspace, new=new, actor=SYSTEM, now=NOW)


def make_lively_domain(workspace: Workspace) -> Domain:
    """A domain with something of everything: records right, wrong and missing, keys to come, mail that was judged."""
    domain = mail.create_domain(workspace=workspace, name="letters.example.org", actor=SYSTEM, now=NOW)
    content = Content.objects.create(workspace=workspace, digest=bytes(32), subject="", html="", text="", **TRACKED)
    batch = Batch.objects.create(
        workspace=workspace,
        sender=add_sender(domain),
        content=content,
        message_class="marketing",
        created_at=clock.now(),
    )
    for destination, sent, complained, bounced in (
        ("google", 48_210, 62, 310),
        ("microsoft", 21_844, 9, 1_240),
        ("yahoo", 9_120, 31, 44),
        ("other", 30_411, 3, 502),
    ):
        counts = {"booked": sent, "handed_over": sent, "complained": complained, "bounced": bounced}
        Tally.objects.create(batch=batch, destination=destination, content=content, is_folded=True, **counts)
    with serve_names() as zone:
        publish(zone, domain)
        look_up(domain, zone, clock.now())
        mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=clock.now())
        zone.put("letters.example.org", "TXT", "v=spf1 mx -all", "v=spf1 include:_spf.example.com ~all")
        zone.put("bounces.letters.example.org", "MX", "10 elsewhere.example.")
        zone.put("links.letters.example.org", "CNAME")
        look_up(domain, zone, clock.now())
    return domain


def read(client: Client, workspace: Workspace, domain: Domain, **headers: str) -> str:
    return client.get(f"/w/{workspace.slug}/domains/{domain.uid}/", headers=headers).content.decode()


def test_a_new_domain_shows_what_to_publish_and_keeps_its_keys(as_owner: Client, workspace: Workspace) -> None:
    data = {"name": "News.Example.org."}
    page = as_owner.post(f"/w/{workspace.slug}/domains/", data, follow=True).content.decode()
    assert "postroom._domainkey.news.example.org" in page
    assert "_dmarc.news.example.org" in page
    assert "Looking the records up" in page
    assert "PRIVATE KEY" not in page
    assert all(key.private not in page for key in DkimKey.objects.all())


def test_a_name_in_other_letters_is_shown_as_people_write_it(as_owner: Client, workspace: Workspace) -> None:
    page = as_owner.post(f"/w/{workspace.slug}/domains/", {"name": "straße.example"}, follow=True).content.decode()
    assert "straße.example (xn--strae-oqa.example)" in page


def test_what_is_no_domain_or_there_already_is_said_above_the_form(
    as_owner: Client, workspace: Workspace, domain: Domain
) -> None:
    for name, words in (("no domain", "is not a domain name"), (domain.name, "is already here")):
        page = as_owner.post(f"/w/{workspace.slug}/domains/", {"name": name}).content.decode()
        assert words in page
        assert f'value="{name}"' in page
    assert Domain.objects.count() == 1


def test_an_empty_workspace_says_what_a_domain_is_for(as_owner: Client, workspace: Workspace) -> None:
    assert "No domain yet" in as_owner.get(f"/w/{workspace.slug}/domains/").content.decode()


def test_the_page_follows_what_is_published(as_owner: Client, workspace: Workspace, domain: Domain) -> None:
    with serve_names() as zone:
        publish(zone, domain, without=(RecordPurpose.DMARC,))
        zone.put("bounces.news.example.org", "MX", "10 elsewhere.example.")
        look_up(domain, zone, clock.now())
        page = read(as_owner, workspace, domain)
        assert "2 of 3 needed records are in place" in page
        assert "10 elsewhere.example" in page
        assert "Bounces must come to" in page
        assert "hx-get" not in page.partition('id="records"')[2].partition(">")[0]
        publish(zone, domain)
        look_up(domain, zone, clock.now())
        page = read(as_owner, workspace, domain)
    assert "Ready to send" in page
    assert "What turned" in page
    assert "In order" in as_owner.get(f"/w/{workspace.slug}/domains/").content.decode()


def test_checking_now_is_live_until_it_is_done(as_colleague: Client, workspace: Workspace, domain: Domain) -> None:
    Domain.objects.update(checked_at=NOW, next_check_at=None)
    assert "Looking" not in read(as_colleague, workspace, domain)
    as_colleague.post(f"/w/{workspace.slug}/domains/{domain.uid}/check/")
    part = read(as_colleague, workspace, domain, **{"HX-Request": "true"})
    assert "Looking the records up" in part
    assert "<html" not in part


def test_new_keys_are_made_and_dropped(as_owner: Client, workspace: Workspace, domain: Domain) -> None:
    base = f"/w/{workspace.slug}/domains/{domain.uid}"
    page = as_owner.post(f"{base}/keys/", follow=True).content.decode()
    assert "waits for its record" in page
    assert "They take over by themselves" in page
    assert "already made" in as_owner.post(f"{base}/keys/", follow=True).content.decode()
    as_owner.post(f"{base}/keys/drop/")
    assert DkimKey.objects.filter(state="pending").count() == 0


def test_signing_and_measuring_are_changed(as_owner: Client, workspace: Workspace, domain: Domain) -> None:
    as_owner.post(f"/w/{workspace.slug}/domains/{domain.uid}/", {"signing": "both", "tracks_opens": "on"})
    domain.refresh_from_db()
    assert (domain.signing, domain.tracks_opens, domain.tracks_clicks) == ("both", True, False)
    page = as_owner.post(f"/w/{workspace.slug}/domains/{domain.uid}/", {"signing": "rot13"}).content.decode()
    assert "Select a valid choice" in page


def test_a_test_mail_leaves_by_a_sender_of_the_domain(
    as_colleague: Client, workspace: Workspace, domain: Domain
) -> None:
    path = f"/w/{workspace.slug}/domains/{domain.uid}/test/"
    foreign = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    as_colleague.post(path, {"sender_id": foreign.pk, "to": "me@example.com"})
    assert not Message.objects.exists()
    new = NewSender(
        "Desk", Provider.SMTP, "desk@news.example.org", domain_id=domain.pk, config={"host": "h", "port": 25}
    )
    sender = mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    page = as_colleague.post(path, {"sender_id": sender.pk, "to": "me@example.com"}, follow=True).content.decode()
    assert "on its way" in page
    message = Message.objects.get()
    assert (message.to, message.is_test, message.message_class) == (["me@example.com"], True, "transactional")


def test_a_domain_in_use_is_kept_with_the_reason(as_owner: Client, workspace: Workspace, domain: Domain) -> None:
    new = NewSender(
        "Desk", Provider.SMTP, "desk@news.example.org", domain_id=domain.pk, config={"host": "h", "port": 25}
    )
    sender = mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    path = f"/w/{workspace.slug}/domains/{domain.uid}/delete/"
    assert "These senders sign for news.example.org: Desk" in as_owner.post(path, follow=True).content.decode()
    sender.delete()
    assert "The domain is gone" in as_owner.post(path, follow=True).content.decode()
    assert selectors.list_domains(workspace=workspace) == []


def test_receivers_are_shown_with_their_limits(as_owner: Client, workspace: Workspace) -> None:
    page = read(as_owner, workspace, make_lively_domain(workspace))
    assert "Google" in page
    assert "48,210" in page
    assert 'value="0.340"' in page  # 31 of 9,120 at Yahoo, past the line of 0.3 %
    assert "Of several SPF records receivers use none" in page


def test_the_page_costs_the_same_however_much_it_shows(
    as_owner: Client, workspace: Workspace, domain: Domain, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    lively = make_lively_domain(workspace)
    with django_assert_max_num_queries(17) as lean:
        read(as_owner, workspace, domain)
    with django_assert_max_num_queries(len(lean) + 4):  # the counts of its mail, over 7 and 30 days
        read(as_owner, workspace, lively)


def test_only_administrators_change_a_domain(
    as_colleague: Client, as_viewer: Client, workspace: Workspace, domain: Domain
) -> None:
    base = f"/w/{workspace.slug}/domains"
    acts = {"/": {"name": "a.example"}, f"/{domain.uid}/": {"signing": "none"}}
    acts |= {f"/{domain.uid}/{act}/": {} for act in ("keys", "keys/drop", "delete")}
    for path, data in acts.items():
        assert as_colleague.post(base + path, data).status_code == 403, path
    assert as_viewer.post(f"{base}/{domain.uid}/check/").status_code == 403
    page = read(as_viewer, workspace, domain)
    assert "Make the next keys" not in page
    assert "Check now" not in page
