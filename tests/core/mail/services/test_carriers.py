"""An account whose server carries the mail of every verified domain of its workspace."""

from datetime import timedelta

import pytest

from postroom.core.mail import selectors, services
from postroom.core.mail.errors import BadSender, NoCarrier, SenderInUse, UnknownFromDomain, UnverifiedDomain
from postroom.core.mail.models import Domain, Message, SenderAccount
from postroom.core.mail.selectors.brakes import count_account_toll
from postroom.core.mail.types import BatchStatus, NewLimit, NewSender, Per, Provider, Submission, Work
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.mail.services.bulk import OWNER, claim, freeze, hand_over_all, make_mailing
from tests.factories import NOW, make_workspace
from tests.ledger import make_message, make_sender

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=301)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def domain(workspace: Workspace) -> Domain:
    return services.create_domain(workspace=workspace, name="acme.example", actor=SYSTEM, now=NOW)


def relay_at(workspace: Workspace, name: str = "Relay") -> SenderAccount:
    config = {"host": "smtp.eu.mailgun.org", "port": 587}
    new = NewSender(name=name, provider=Provider.SMTP, from_email="ops@house.example", config=config)
    sender = services.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    return choose(workspace, sender)


def choose(workspace: Workspace, sender: SenderAccount, *, is_on: bool = True) -> SenderAccount:
    return services.choose_relay(workspace=workspace, uid=sender.uid, is_on=is_on, actor=SYSTEM, now=NOW)


def carried_at(workspace: Workspace, domain: Domain) -> SenderAccount:
    return services.ensure_carried_sender(workspace=workspace, domain=domain, now=NOW)


def fail(sender: SenderAccount, *, permanent: bool = False) -> None:
    for _ in range(8):
        services.report_sender_failure(sender_id=sender.pk, error="no answer", permanent=permanent, now=NOW)


def test_a_domain_gets_one_account_called_like_it_over_the_relays_server(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    sender = carried_at(workspace, domain)
    assert (sender.name, sender.from_email, sender.carrier_id) == ("acme.example", "hello@acme.example", relay.pk)
    assert (sender.provider, sender.config, sender.credentials) == (Provider.SMTP, {}, "")
    assert carried_at(workspace, domain).pk == sender.pk


def test_a_workspace_without_a_relay_refuses(workspace: Workspace, domain: Domain) -> None:
    with pytest.raises(NoCarrier):
        carried_at(workspace, domain)
    relay_at(make_workspace(slug="other"))
    with pytest.raises(NoCarrier):
        carried_at(workspace, domain)


def test_a_name_that_is_taken_is_passed_by(workspace: Workspace, domain: Domain) -> None:
    relay_at(workspace, name="acme.example")
    assert carried_at(workspace, domain).name == "acme.example 2"


def test_a_domain_that_lost_its_records_sends_no_more_until_they_are_back(workspace: Workspace, domain: Domain) -> None:
    relay_at(workspace)
    letter = Submission("shop@acme.example", to=("ann@example.com",), subject="Hi", text="Hi")

    def submit() -> None:
        services.submit_messages(workspace=workspace, submissions=[letter], actor=SYSTEM, now=NOW)

    Domain.objects.update(verified_at=NOW)
    submit()
    Domain.objects.update(verified_at=None, lost_at=NOW)
    with pytest.raises(UnverifiedDomain):
        submit()
    Domain.objects.update(verified_at=LATER, lost_at=None)
    submit()
    assert {row.sender.from_email for row in Message.objects.all()} == {"hello@acme.example"}
    assert Message.objects.count() == 2


def test_accounts_that_are_switched_off_do_not_let_mail_end_in_the_sandbox(workspace: Workspace) -> None:
    services.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    relay_at(workspace)
    SenderAccount.objects.exclude(provider=Provider.SANDBOX).update(is_active=False)
    letter = Submission("shop@acme.example", to=("ann@example.com",), subject="Hi", text="Hi")
    with pytest.raises(UnknownFromDomain):
        services.submit_messages(workspace=workspace, submissions=[letter], actor=SYSTEM, now=NOW)


def test_the_mail_of_a_carried_account_leaves_over_its_carriers_server(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    sender = carried_at(workspace, domain)
    freeze(make_mailing(people=3, workspace=workspace, sender=sender))
    work = claim()
    assert (work.sender_id, work.home_id, work.route_id, len(work.items)) == (sender.pk, relay.pk, relay.pk, 3)
    assert services.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]


def test_the_carriers_failures_rest_the_carried_and_its_stand_in_takes_both(
    workspace: Workspace, domain: Domain
) -> None:
    relay, other = relay_at(workspace), make_sender(workspace=workspace)
    SenderAccount.objects.filter(pk=relay.pk).update(fallback=other, fallback_after_s=300)
    sender = carried_at(workspace, domain)
    freeze(make_mailing(people=3, workspace=workspace, sender=sender))
    fail(relay)
    assert claim_at(NOW + timedelta(seconds=200)) is None
    work = claim_at(LATER)
    assert work is not None
    assert (work.sender_id, work.home_id, work.route_id) == (sender.pk, relay.pk, other.pk)


def test_a_carrier_that_failed_is_tried_out_once_for_all_it_carries(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    second = services.create_domain(workspace=workspace, name="shop.example", actor=SYSTEM, now=NOW)
    for one in (domain, second):
        freeze(make_mailing(people=30, workspace=workspace, sender=carried_at(workspace, one)))
    fail(relay)
    after = NOW + timedelta(hours=1)
    work = claim_at(after)
    assert work is not None
    assert (work.is_probe, len(work.items)) == (True, 10)
    assert claim_at(after) is None


def test_a_permanent_failure_of_the_carrier_pauses_what_it_carries(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    mailing = freeze(make_mailing(people=3, workspace=workspace, sender=carried_at(workspace, domain)))
    services.report_sender_failure(sender_id=relay.pk, error="535 no", permanent=True, now=NOW)
    mailing.batch.refresh_from_db()
    assert mailing.batch.status in (BatchStatus.PAUSED, BatchStatus.PAUSING)


def test_a_limit_of_the_carrier_counts_the_carried_mail_once(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    services.set_limit(
        workspace=workspace, new=NewLimit(sender_id=relay.pk, most=4, per=Per.DAY), actor=SYSTEM, now=NOW
    )
    services.set_limit(workspace=workspace, new=NewLimit(most=6, per=Per.DAY), actor=SYSTEM, now=NOW)
    sender = carried_at(workspace, domain)
    assert sender.is_limited
    freeze(make_mailing(people=9, workspace=workspace, sender=sender))
    work = claim()
    assert len(work.items) == 4
    assert [grant.sender_id for grant in work.grants] == [sender.pk]


def test_another_relay_takes_over_and_none_stops_the_carried(workspace: Workspace, domain: Domain) -> None:
    first = relay_at(workspace)
    sender = carried_at(workspace, domain)
    second = relay_at(workspace, name="Second")
    first.refresh_from_db()
    sender.refresh_from_db()
    assert (first.is_relay, sender.carrier_id, sender.is_active) == (False, second.pk, True)
    choose(workspace, second, is_on=False)
    sender.refresh_from_db()
    assert not sender.is_active
    choose(workspace, first)
    sender.refresh_from_db()
    assert (sender.is_active, sender.carrier_id) == (True, first.pk)


def test_a_carried_account_carries_nothing_and_a_carrier_is_not_deleted(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    sender = carried_at(workspace, domain)
    with pytest.raises(BadSender):
        choose(workspace, sender)
    with pytest.raises(SenderInUse):
        services.delete_sender(workspace=workspace, uid=relay.uid, actor=SYSTEM, now=NOW)


def test_the_records_of_a_domain_allow_the_relay_before_its_first_mail(workspace: Workspace, domain: Domain) -> None:
    assert "mailgun" not in spf_of(domain)
    relay_at(workspace)
    assert "include:mailgun.org" in spf_of(domain)
    carried_at(workspace, domain)
    assert "include:mailgun.org" in spf_of(domain)


def test_what_is_carried_counts_as_the_carriers_day_and_toll(workspace: Workspace, domain: Domain) -> None:
    relay = relay_at(workspace)
    services.set_limit(
        workspace=workspace, new=NewLimit(sender_id=relay.pk, most=40, per=Per.DAY), actor=SYSTEM, now=NOW
    )
    sender = carried_at(workspace, domain)
    mailing = freeze(make_mailing(people=6, workspace=workspace, sender=sender))
    claim()
    states = {one.sender.pk: one.used for one in selectors.list_account_states(workspace=workspace, now=NOW)}
    assert states == {relay.pk: 6, sender.pk: 6}
    assert selectors.get_account_state(sender=mailing.batch.sender, now=NOW).used == 6
    make_message(workspace=workspace, sender=sender, batch=mailing.batch, bounced_at=NOW)
    assert count_account_toll(sender_id=relay.pk, now=NOW).bounced == 1
    assert count_account_toll(sender_id=sender.pk, now=NOW).bounced == 1


def claim_at(now: object) -> Work | None:
    return services.claim_work(owner=OWNER, now=now)  # type: ignore[arg-type]


def spf_of(domain: Domain) -> str:
    return next(one.value for one in selectors.dns_records(domain=domain) if one.purpose == "spf")
