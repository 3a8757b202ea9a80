"""Sending domains against a real name server: what is found, what turns, and how new keys take over."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from postroom.core.events.models import DomainEvent
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.errors import DomainInUse, KeysOnTheirWay, NoSuchDomain
from postroom.core.mail.models import DkimKey, Domain, DomainChange, SenderAccount
from postroom.core.mail.types import (
    DomainTerms,
    KeyState,
    NewSender,
    Provider,
    RecordPurpose,
    RecordStatus,
    Signing,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.types import JSONObject
from postroom.providers.dns import Resolver
from postroom.workers import mail as jobs
from postroom.workers.sender.composer import make_signer
from tests.dkim_reader import verify_all
from tests.factories import NOW, make_workspace
from tests.stand_ins.dns import Zone, serve_names
from tests.stand_ins.domains import look_up, make_keys_once, publish

pytestmark = pytest.mark.django_db
NAME = "news.example.org"


@pytest.fixture
def zone() -> Iterator[Zone]:
    with serve_names() as served:
        yield served


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def domain(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Domain:
    make_keys_once(monkeypatch)
    return mail.create_domain(workspace=workspace, name=NAME, actor=SYSTEM, now=NOW)


def check(domain: Domain, zone: Zone, now: datetime = NOW, fault: str = "") -> dict[RecordPurpose, RecordStatus]:
    """Look the domain up; return the state of each purpose, of DKIM that of the key that signs."""
    look_up(domain, zone, now, fault)
    states = selectors.list_record_states(domain=domain)
    return {one.record.purpose: one.status for one in reversed(states)}


def note_of(domain: Domain, purpose: RecordPurpose) -> str:
    states = selectors.list_record_states(domain=domain)
    return next(one.seen.note for one in states if one.record.purpose is purpose and one.seen)


def add_sender(domain: Domain, host: str = "127.0.0.1", name: str = "Desk", **config: str) -> None:
    settings: JSONObject = {"host": host, "port": 25, "security": "none", **config}
    new = NewSender(name, Provider.SMTP, f"desk@{domain.name}", domain_id=domain.pk, config=settings)
    mail.create_sender(workspace=domain.workspace, new=new, actor=SYSTEM, now=NOW)


def events(name: str) -> int:
    return DomainEvent.objects.filter(name=name).count()


def test_what_is_published_as_shown_is_found_in_order(domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    zone.put("bounces.news.example.org", "MX", "10 inbound.localhost.")
    states = check(domain, zone)
    assert set(states.values()) == {RecordStatus.OK}
    assert (domain.verified_at, domain.return_verified_at, domain.tracking_verified_at) == (NOW, NOW, NOW)
    assert events("mail.domain_verified") == 1
    assert domain.next_check_at == NOW + timedelta(days=1)


def test_an_empty_zone_lacks_everything(domain: Domain, zone: Zone) -> None:
    states = check(domain, zone)
    assert set(states.values()) == {RecordStatus.MISSING}
    assert domain.verified_at is None
    assert events("mail.domain_unverified") == 0


def test_what_disappears_unverifies_the_domain_once_and_is_remembered(domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    check(domain, zone)
    zone.put(f"_dmarc.{NAME}", "TXT")
    for minutes in (1, 2):
        check(domain, zone, NOW + timedelta(minutes=minutes))
    assert domain.verified_at is None
    assert events("mail.domain_unverified") == 1
    change = DomainChange.objects.get()
    assert (change.purpose, change.before, change.after) == ("dmarc", "ok", "missing")


def test_silence_changes_nothing_that_was_known(domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    check(domain, zone)
    zone.failing |= {name for name, _ in zone.records}
    states = check(domain, zone, NOW + timedelta(hours=1))
    assert states[RecordPurpose.DKIM] is RecordStatus.OK
    assert domain.verified_at == NOW
    assert domain.checked_at == NOW + timedelta(hours=1)
    assert "Nobody answered" in note_of(domain, RecordPurpose.DKIM)


def test_silence_at_first_is_not_absence(domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    zone.failing |= {name for name, _ in zone.records}
    assert check(domain, zone)[RecordPurpose.DKIM] is RecordStatus.UNKNOWN


@pytest.mark.parametrize(
    ("purpose", "texts", "status", "words"),
    [
        (RecordPurpose.DKIM, ["v=DKIM1; k=rsa; p="], RecordStatus.WRONG, "revoked"),
        (RecordPurpose.DKIM, ["v=DKIM1; k=rsa; p=MIIBIjANBgkq"], RecordStatus.WRONG, "cut off"),
        (RecordPurpose.DKIM, ["v=DKIM1; k=rsa; p=AAAA"], RecordStatus.WRONG, "Another key"),
        (RecordPurpose.DKIM, ["hello"], RecordStatus.WRONG, "no DKIM key"),
        (RecordPurpose.DKIM, ["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"], RecordStatus.SEVERAL, "several"),
        (RecordPurpose.DMARC, ["v=DMARC1; p=none", "v=DMARC1; p=reject"], RecordStatus.SEVERAL, "keep one"),
        (RecordPurpose.DMARC, ["v=dmarc1; p=none"], RecordStatus.WRONG, "v=DMARC1"),
        (RecordPurpose.DMARC, ["v=DMARC1; p=reject"], RecordStatus.OK, ""),
        (RecordPurpose.SPF, ["v=spf1 -all", "v=spf1 mx -all"], RecordStatus.SEVERAL, "merge"),
        (RecordPurpose.SPF, ["v=spf1 ipv4:192.0.2.1 -all"], RecordStatus.WRONG, "no term"),
        (RecordPurpose.SPF, ["v=spf1 +all"], RecordStatus.WRONG, "everybody"),
        (RecordPurpose.SPF, ["v=spf1 include:nothing.example -all"], RecordStatus.WRONG, "no SPF record"),
        (RecordPurpose.RETURN_MX, ["20 elsewhere.example."], RecordStatus.WRONG, "nobody else"),
        (RecordPurpose.TRACKING, ["elsewhere.example."], RecordStatus.WRONG, "elsewhere"),
        (RecordPurpose.MX, ["0 ."], RecordStatus.WRONG, "no mail"),
    ],
)
def test_what_stands_there_instead_is_shown_and_explained(
    domain: Domain, zone: Zone, purpose: RecordPurpose, texts: list[str], status: RecordStatus, words: str
) -> None:
    record = next(one for one in selectors.dns_records(domain=domain) if one.purpose is purpose)
    zone.put(record.name, record.type, *texts)
    assert check(domain, zone)[purpose] is status
    assert words.lower() in note_of(domain, purpose).lower()
    seen = next(one.seen for one in selectors.list_record_states(domain=domain) if one.record == record)
    assert seen is not None
    assert [text.rstrip(". ") for text in seen.found] == sorted(text.rstrip(". ") for text in texts)


def test_too_many_look_ups_are_counted(domain: Domain, zone: Zone) -> None:
    zone.put(NAME, "TXT", "v=spf1 " + " ".join(f"include:p{number}.example" for number in range(11)) + " -all")
    for number in range(11):
        zone.put(f"p{number}.example", "TXT", "v=spf1 -all")
    assert check(domain, zone)[RecordPurpose.SPF] is RecordStatus.WRONG
    assert "11 look-ups" in note_of(domain, RecordPurpose.SPF)


def test_a_relay_s_include_must_be_there_and_the_mended_record_is_said(domain: Domain, zone: Zone) -> None:
    add_sender(domain, "smtp.sendgrid.net")
    publish(zone, domain)
    zone.put("sendgrid.net", "TXT", "v=spf1 ip4:192.0.2.0/24 -all")
    assert check(domain, zone)[RecordPurpose.SPF] is RecordStatus.OK
    zone.put(NAME, "TXT", "v=spf1 mx -all")
    assert check(domain, zone)[RecordPurpose.SPF] is RecordStatus.WRONG
    assert "v=spf1 mx include:sendgrid.net -all" in note_of(domain, RecordPurpose.SPF)


def test_our_own_addresses_must_pass_and_have_names(domain: Domain, zone: Zone, settings: Settings) -> None:
    settings.SENDING_ADDRESSES = ("203.0.113.7", "2001:db8::7")
    add_sender(domain, "mta.example.net")
    publish(zone, domain)
    zone.put(f"out.{NAME}", "A", "203.0.113.7")
    zone.put(f"out.{NAME}", "AAAA", "2001:db8::7")
    states = check(domain, zone)
    assert (states[RecordPurpose.SPF], states[RecordPurpose.PTR]) == (RecordStatus.OK, RecordStatus.OK)
    zone.put(f"out.{NAME}", "A", "203.0.113.8")
    zone.put(NAME, "TXT", "v=spf1 ip4:203.0.113.8 ip6:2001:db8::7 -all")
    states = check(domain, zone)
    assert (states[RecordPurpose.SPF], states[RecordPurpose.PTR]) == (RecordStatus.WRONG, RecordStatus.WRONG)


def test_a_relay_that_may_send_from_elsewhere_is_only_mentioned(domain: Domain, zone: Zone) -> None:
    add_sender(domain, "mail.example.net")
    zone.put("mail.example.net", "A", "192.0.2.25")
    zone.put(NAME, "TXT", "v=spf1 ip4:198.51.100.1 -all")
    assert check(domain, zone)[RecordPurpose.SPF] is RecordStatus.OK
    assert "mail.example.net" in note_of(domain, RecordPurpose.SPF)


def test_links_may_lead_here_by_address(domain: Domain, zone: Zone, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://post.example.net"
    zone.put("post.example.net", "A", "192.0.2.80")
    zone.put(f"links.{NAME}", "A", "192.0.2.80")
    assert check(domain, zone)[RecordPurpose.TRACKING] is RecordStatus.OK
    zone.put(f"links.{NAME}", "A", "192.0.2.81")
    assert check(domain, zone)[RecordPurpose.TRACKING] is RecordStatus.WRONG


def test_the_record_of_the_organization_is_enough_for_dmarc(domain: Domain, zone: Zone) -> None:
    zone.put("_dmarc.example.org", "TXT", "v=DMARC1; p=reject; sp=none")
    assert check(domain, zone)[RecordPurpose.DMARC] is RecordStatus.OK
    assert "example.org covers" in note_of(domain, RecordPurpose.DMARC)


def test_own_paths_are_used_only_once_they_lead_here(domain: Domain, zone: Zone) -> None:
    add_sender(domain)
    sender = selectors.list_senders(workspace=domain.workspace)[0]
    before = selectors.load_sender_profile(sender_id=sender.pk)
    assert (before.return_domain, before.tracking_url) == ("", "")
    publish(zone, domain)
    check(domain, zone)
    after = selectors.load_sender_profile(sender_id=sender.pk)
    assert (after.return_domain, after.tracking_url) == (f"bounces.{NAME}", f"http://links.{NAME}:8000")
    zone.put(f"links.{NAME}", "CNAME", "elsewhere.example.")
    check(domain, zone)
    assert selectors.load_sender_profile(sender_id=sender.pk).tracking_url == ""


def test_new_keys_take_over_when_they_are_seen_and_old_ones_stay_published(
    workspace: Workspace, domain: Domain, zone: Zone
) -> None:
    add_sender(domain)
    sender = selectors.list_senders(workspace=workspace)[0]
    publish(zone, domain)
    check(domain, zone)
    later = NOW + timedelta(days=180)
    assert selectors.rotation_due_at(selectors.list_keys(domain=domain)) == later
    mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=later)
    assert selectors.rotation_due_at(selectors.list_keys(domain=domain)) is None
    with pytest.raises(KeysOnTheirWay):
        mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=later)
    check(domain, zone, later)
    assert selectors.load_sender_profile(sender_id=sender.pk).keys[0].selector == "postroom"
    assert domain.verified_at == NOW
    publish(zone, domain)
    check(domain, zone, later + timedelta(minutes=1))
    (key,) = selectors.load_sender_profile(sender_id=sender.pk).keys
    assert key.selector == "postroom270519"
    states = [(key.selector, key.state, key.private == "") for key in selectors.list_keys(domain=domain)]
    assert states == [
        ("postroom270519", "active", False),
        ("postroom270519-ed", "active", False),
        ("postroom-ed", "retired", True),
        ("postroom", "retired", True),
    ]
    assert "postroom._domainkey.news.example.org" in {one.name for one in selectors.dns_records(domain=domain)}
    check(domain, zone, later + timedelta(days=31))
    assert DkimKey.objects.filter(state=KeyState.RETIRED).count() == 0
    assert domain.verified_at == NOW


def test_keys_on_their_way_can_be_dropped(workspace: Workspace, domain: Domain) -> None:
    mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)
    mail.drop_next_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)
    assert set(DkimKey.objects.values_list("state", flat=True)) == {KeyState.ACTIVE}
    mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)


def test_only_keys_that_sign_are_needed(workspace: Workspace, domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    zone.put(f"postroom-ed._domainkey.{NAME}", "TXT")
    check(domain, zone)
    assert domain.verified_at == NOW
    terms = DomainTerms(signing=Signing.BOTH, tracks_opens=True, tracks_clicks=False)
    mail.update_domain(workspace=workspace, uid=domain.uid, terms=terms, actor=SYSTEM, now=NOW)
    check(domain, zone)
    assert domain.verified_at is None


def test_a_domain_in_use_stays(workspace: Workspace, domain: Domain) -> None:
    add_sender(domain)
    with pytest.raises(DomainInUse, match="Desk"):
        mail.delete_domain(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)
    other = mail.create_domain(workspace=workspace, name="other.example.org", actor=SYSTEM, now=NOW)
    mail.delete_domain(workspace=workspace, uid=other.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchDomain):
        selectors.get_domain(workspace=workspace, uid=other.uid)


def test_another_workspace_s_domain_is_not_there(domain: Domain) -> None:
    stranger = make_workspace()
    terms = DomainTerms(Signing.NONE, tracks_opens=False, tracks_clicks=False)
    with pytest.raises(NoSuchDomain):
        mail.update_domain(workspace=stranger, uid=domain.uid, terms=terms, actor=SYSTEM, now=NOW)
    for act in (mail.rotate_keys, mail.drop_next_keys, mail.delete_domain):
        with pytest.raises(NoSuchDomain):
            act(workspace=stranger, uid=domain.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchDomain):
        mail.want_check(workspace=stranger, uid=domain.uid, now=NOW)


def test_due_domains_are_looked_up_soon_after_a_change_and_then_daily(domain: Domain, zone: Zone) -> None:
    assert mail.defer_due_checks(now=NOW) == 1
    assert mail.defer_due_checks(now=NOW) == 0
    gaps = []
    for age in (timedelta(), timedelta(minutes=30), timedelta(hours=5), timedelta(days=3), timedelta(days=30)):
        check(domain, zone, NOW + age)
        assert domain.next_check_at is not None
        gaps.append(domain.next_check_at - NOW - age)
    assert gaps == [timedelta(minutes=number) for number in (1, 5, 30, 180, 1440)]


def test_asking_for_a_look_twice_makes_one_job(workspace: Workspace, domain: Domain) -> None:
    Domain.objects.update(next_check_at=NOW + timedelta(days=1))
    before = ProcrastinateJob.objects.count()
    for _ in range(5):
        mail.want_check(workspace=workspace, uid=domain.uid, now=NOW)
    assert ProcrastinateJob.objects.count() == before + 1


def test_mail_on_its_way_keeps_its_signature_when_keys_change(
    workspace: Workspace, domain: Domain, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_sender(domain)
    sender = selectors.list_senders(workspace=workspace)[0]
    publish(zone, domain)
    check(domain, zone)
    before = sign(sender)
    monkeypatch.undo()  # the next keys are other ones
    mail.rotate_keys(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)
    publish(zone, domain)
    check(domain, zone)
    after = sign(sender)
    published = {one.name: one.value for one in selectors.dns_records(domain=domain)}
    assert verify_all(before, published) == verify_all(after, published) == [True]
    assert before.split(b"s=")[1].split(b";")[0] != after.split(b"s=")[1].split(b";")[0]
    check(domain, zone, NOW + timedelta(days=31))
    kept = {one.name: one.value for one in selectors.dns_records(domain=domain)}
    assert (verify_all(before, kept), verify_all(after, kept)) == ([False], [True])


def sign(sender: SenderAccount) -> bytes:
    """Return a letter as the sender process signs it now."""
    signer = make_signer(selectors.load_sender_profile(sender_id=sender.pk))
    letter = b"From: desk@news.example.org\r\nSubject: News\r\n\r\nHello\r\n"
    assert signer is not None
    return signer.sign(letter) + letter


def test_a_domain_deleted_during_the_look_is_left_alone(workspace: Workspace, domain: Domain, zone: Zone) -> None:
    mail.delete_domain(workspace=workspace, uid=domain.uid, actor=SYSTEM, now=NOW)
    names = Resolver([zone.address])
    mail.check_domain(domain_id=domain.pk, names=names, find_link_fault=lambda url: "", now=NOW)
    assert zone.asked == []


def test_a_name_that_leads_here_without_a_certificate_is_not_used(domain: Domain, zone: Zone) -> None:
    publish(zone, domain)
    states = check(domain, zone, fault="the certificate is for another name.")
    assert states[RecordPurpose.TRACKING] is RecordStatus.WRONG
    assert domain.tracking_verified_at is None
    assert "the certificate is for another name" in note_of(domain, RecordPurpose.TRACKING)


def test_the_worker_s_job_asks_the_servers_of_the_setting(domain: Domain, zone: Zone, settings: Settings) -> None:
    settings.DNS_SERVERS = (zone.address,)
    publish(zone, domain)
    jobs.check_domain(domain_id=domain.pk)
    domain.refresh_from_db()
    assert domain.verified_at is not None
