"""D5: what Gmail, Yahoo and Microsoft would refuse is caught before a campaign leaves, by records really looked up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Content, Domain, SenderAccount, Tally
from postroom.core.mail.rules.dkim import OVERSIGNED, SIGNED
from postroom.core.mail.types import BatchStatus, DomainTerms, Finding, NewSender, Provider, RecordPurpose, Signing
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.types import JSONObject
from tests.factories import NOW, make_workspace
from tests.stand_ins.dns import Zone, serve_names
from tests.stand_ins.domains import look_up, make_keys_once, publish

pytestmark = pytest.mark.django_db
NAME = "news.example.org"
OUT = "203.0.113.7"
BULK = 20_000


@dataclass
class House:
    """A workspace whose every record is right, until a test spoils one."""

    workspace: Workspace
    domain: Domain
    sender: SenderAccount
    zone: Zone
    settings: Settings

    def look(self, size: int = BULK) -> list[Finding]:
        look_up(self.domain, self.zone, NOW)
        return self.judge(size)

    def judge(self, size: int = BULK) -> list[Finding]:
        sender = selectors.get_sender(workspace=self.workspace, sender_id=self.sender.pk)
        return selectors.check_bulk(workspace=self.workspace, sender=sender, size=size, now=NOW)

    def put(self, name: str, *texts: str) -> None:
        self.zone.put(name, "TXT", *texts)


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    make_keys_once(monkeypatch)
    settings.SENDING_ADDRESSES = (OUT,)
    settings.PUBLIC_URL = "https://post.example.net"
    workspace = make_workspace()
    domain = mail.create_domain(workspace=workspace, name=NAME, actor=SYSTEM, now=NOW)
    config: JSONObject = {"host": "127.0.0.1", "port": 25, "security": "none"}
    new = NewSender("Desk", Provider.SMTP, f"desk@{NAME}", domain_id=domain.pk, config=config)
    sender = mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    with serve_names() as zone:
        publish(zone, domain)
        zone.put(f"out.{NAME}", "A", OUT)
        yield House(workspace, domain, sender, zone, settings)


def codes(findings: list[Finding]) -> set[str]:
    return {one.code for one in findings if one.is_blocking}


def test_what_is_set_up_well_may_go(house: House) -> None:
    assert house.look() == []


def unsigned(house: House) -> None:
    terms = DomainTerms(Signing.NONE, tracks_opens=True, tracks_clicks=True)
    mail.update_domain(workspace=house.workspace, uid=house.domain.uid, terms=terms, actor=SYSTEM, now=NOW)


def domainless(house: House) -> None:
    SenderAccount.objects.update(domain=None, from_email="desk@unknown.example.net")


def key_missing(house: House) -> None:
    house.put(f"postroom._domainkey.{NAME}")


def key_of_somebody_else(house: House) -> None:
    house.put(f"postroom._domainkey.{NAME}", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")


def key_revoked(house: House) -> None:
    house.put(f"postroom._domainkey.{NAME}", "v=DKIM1; k=rsa; p=")


def spf_missing(house: House) -> None:
    house.put(NAME)


def spf_twice(house: House) -> None:
    house.put(NAME, f"v=spf1 ip4:{OUT} -all", "v=spf1 mx -all")


def spf_too_costly(house: House) -> None:
    for number in range(11):
        house.put(f"p{number}.example", "v=spf1 -all")
    house.put(NAME, "v=spf1 " + " ".join(f"include:p{n}.example" for n in range(11)) + f" ip4:{OUT} -all")


def spf_without_us(house: House) -> None:
    house.put(NAME, "v=spf1 ip4:198.51.100.1 -all")


def return_path_without_spf(house: House) -> None:
    house.put(f"bounces.{NAME}")
    house.put("inbound.localhost")


def dmarc_missing(house: House) -> None:
    house.put(f"_dmarc.{NAME}")


def dmarc_twice(house: House) -> None:
    house.put(f"_dmarc.{NAME}", "v=DMARC1; p=none", "v=DMARC1; p=reject")


def dmarc_misspelt(house: House) -> None:
    house.put(f"_dmarc.{NAME}", "v=DMARC; p=none")


def from_a_public_mailbox(house: House) -> None:
    SenderAccount.objects.update(from_email="newsroom@gmail.com")


def from_another_domain(house: House) -> None:
    SenderAccount.objects.update(from_email="desk@example.com")


def from_below_with_strict_alignment(house: House) -> None:
    SenderAccount.objects.update(from_email=f"desk@team.{NAME}")
    house.put(f"_dmarc.{NAME}", "v=DMARC1; p=none; adkim=s; aspf=s")


def unsubscribed_in_clear(house: House) -> None:
    house.settings.PUBLIC_URL = "http://post.example.net"


def server_without_a_name(house: House) -> None:
    house.zone.put("7.113.0.203.in-addr.arpa", "PTR")


def reported_as_spam(house: House) -> None:
    history(house, sent=10_000, complained=31)


SET_UPS: tuple[tuple[Callable[[House], None], str], ...] = (
    (unsigned, "not_signed"),
    (domainless, "no_domain"),
    (key_missing, "dkim_missing"),
    (key_of_somebody_else, "dkim_wrong"),
    (key_revoked, "dkim_wrong"),
    (spf_missing, "spf_missing"),
    (spf_twice, "spf_several"),
    (spf_too_costly, "spf_wrong"),
    (spf_without_us, "spf_wrong"),
    (return_path_without_spf, "return_spf_missing"),
    (dmarc_missing, "dmarc_missing"),
    (dmarc_twice, "dmarc_several"),
    (dmarc_misspelt, "dmarc_wrong"),
    (from_a_public_mailbox, "public_mailbox"),
    (from_another_domain, "not_aligned"),
    (from_below_with_strict_alignment, "not_aligned"),
    (unsubscribed_in_clear, "unsubscribe_in_clear"),
    (server_without_a_name, "ptr_missing"),
    (reported_as_spam, "complaints"),
)


@pytest.mark.parametrize(("spoil", "code"), SET_UPS, ids=[spoil.__name__ for spoil, _ in SET_UPS])
def test_a_wrong_set_up_blocks_bulk_mail_and_says_how_to_mend_it(
    house: House, spoil: Callable[[House], None], code: str
) -> None:
    house.look()
    spoil(house)
    findings = house.look()
    assert code in codes(findings)
    assert all(one.what and one.how for one in findings)
    assert [one.is_blocking for one in findings] == sorted((one.is_blocking for one in findings), reverse=True)


def test_a_letter_to_few_is_warned_and_goes(house: House) -> None:
    dmarc_missing(house)
    findings = house.look(size=200)
    assert [(one.code, one.is_blocking) for one in findings] == [("dmarc_missing", False)]


def test_a_letter_that_nothing_vouches_for_goes_to_nobody(house: House) -> None:
    for spoil in (key_missing, spf_missing, return_path_without_spf):
        spoil(house)
    assert "dkim_missing" in codes(house.look(size=200))


def test_a_domain_in_other_letters_is_the_same_domain(house: House) -> None:
    domain = mail.create_domain(workspace=house.workspace, name="bücher.example", actor=SYSTEM, now=NOW)
    config: JSONObject = {"host": "127.0.0.1", "port": 25, "security": "none"}
    new = NewSender("Books", Provider.SMTP, "desk@bücher.example", domain_id=domain.pk, config=config)
    sender = mail.create_sender(workspace=house.workspace, new=new, actor=SYSTEM, now=NOW)
    publish(house.zone, domain)
    house.zone.put(f"out.{domain.name}", "A", OUT)
    look_up(domain, house.zone, NOW)
    sender = selectors.get_sender(workspace=house.workspace, sender_id=sender.pk)
    assert selectors.check_bulk(workspace=house.workspace, sender=sender, size=BULK, now=NOW) == []


def test_what_went_out_today_counts_too(house: House) -> None:
    dmarc_missing(house)
    assert codes(house.look(size=2_000)) == set()
    history(house, sent=4_000, complained=0)
    assert codes(house.look(size=2_000)) == {"dmarc_missing"}


def test_before_the_first_look_nothing_is_known(house: House) -> None:
    Domain.objects.update(checked_at=None)
    assert codes(house.judge()) == {"not_checked"}
    assert codes(house.judge(size=10)) == set()


def test_an_old_look_is_told(house: House) -> None:
    house.look()
    Domain.objects.update(checked_at=NOW - timedelta(days=8))
    assert [(one.code, one.is_blocking) for one in house.judge()] == [("stale_check", False)]


def test_complaints_of_one_in_a_thousand_are_told_before_they_block(house: House) -> None:
    house.look()
    history(house, sent=10_000, complained=15)
    (finding,) = house.judge()
    assert (finding.code, finding.is_blocking) == ("complaints", False)
    assert "0.15 %" in finding.what


def test_mail_that_stays_here_needs_nothing(house: House) -> None:
    for provider in (Provider.SANDBOX, Provider.ECHO):
        SenderAccount.objects.update(provider=provider, domain=None)
        assert house.judge() == []


def test_a_provider_s_api_signs_itself(house: House) -> None:
    SenderAccount.objects.update(provider=Provider.RESEND)
    assert [(one.code, one.is_blocking) for one in house.look()] == [("provider_signs", False)]


def test_the_return_path_makes_up_for_an_installation_without_spf(house: House) -> None:
    house.put("inbound.localhost")
    assert house.look() == []


def test_the_look_costs_few_questions(house: House, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    house.look()
    history(house, sent=10_000, complained=1)
    sender = selectors.get_sender(workspace=house.workspace, sender_id=house.sender.pk)
    with django_assert_max_num_queries(8):
        selectors.check_bulk(workspace=house.workspace, sender=sender, size=BULK, now=NOW)


def test_the_way_out_is_under_the_signature() -> None:
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(SIGNED)
    assert b"from" in OVERSIGNED


def test_health_is_told_by_destination(house: House) -> None:
    history(house, sent=10_000, complained=12)
    history(house, sent=500, complained=0, destination="microsoft")
    found = selectors.measure_health(domain=house.domain, days=30, now=NOW)
    assert [(one.destination, one.sent, one.complained) for one in found] == [
        ("google", 10_000, 12),
        ("microsoft", 500, 0),
    ]
    assert selectors.measure_health(domain=house.domain, days=30, now=NOW + timedelta(days=40)) == []


def history(house: House, *, sent: int, complained: int, destination: str = "google") -> None:
    """Note a campaign of today as the ledger's counts tell it."""
    content = Content.objects.create(
        workspace=house.workspace,
        digest=f"{sent}{destination}".encode().ljust(32)[:32],
        subject="News",
        html="",
        text="",
        tracks_opens=False,
        tracks_clicks=False,
        created_at=NOW,
    )
    batch = Batch.objects.create(
        workspace=house.workspace,
        sender=house.sender,
        content=content,
        message_class="marketing",
        status=BatchStatus.DONE,
        total=sent,
        created_at=NOW,
    )
    counts = {"booked": sent, "handed_over": sent, "delivered": sent, "complained": complained}
    Tally.objects.create(batch=batch, destination=destination, content=content, is_folded=True, **counts)


def test_every_record_of_the_page_has_a_judge(house: House) -> None:
    purposes = {one.purpose for one in selectors.dns_records(domain=house.domain)}
    assert purposes == set(RecordPurpose)
