"""The pages of sender accounts: limits, warm-ups, brakes, tests, and the panic stop."""

import json
from datetime import datetime, time, timedelta

import pytest
from django.test import Client

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Limit, Message, SenderAccount, SenderDay, WarmUp
from postroom.core.mail.rules.plans import cap_of
from postroom.core.mail.types import BrakeLevels, NewLimit, NewSender, Per, Provider, WarmUpPlan, WindowZone
from postroom.core.workspaces.models import User, Workspace
from postroom.kit import clock, crypto
from tests.factories import NOW, make_actor

pytestmark = pytest.mark.django_db

SERVER = {"host": "smtp.example.org", "port": 587, "security": "starttls"}


@pytest.fixture
def sender(workspace: Workspace) -> SenderAccount:
    new = NewSender(
        name="Desk",
        provider=Provider.SMTP,
        from_email="desk@example.org",
        config={**SERVER, "odd": 1},
        credentials={"username": "me", "password": "open sesame"},
    )
    return mail.create_sender(workspace=workspace, new=new, actor=make_actor(), now=NOW)


def make_lively_sender(workspace: Workspace, now: datetime) -> SenderAccount:
    """Return an account that has been warming up for two weeks, with a bad day and limits."""
    new = NewSender(
        name="Monthly letter", provider=Provider.SMTP, from_email="news@example.org", from_name="News", config=SERVER
    )
    actor = make_actor()
    sender = mail.create_sender(workspace=workspace, new=new, actor=actor, now=now)
    began = now - timedelta(days=14)
    plan = WarmUpPlan(start=50, growth=35, target=10_000)
    warm_up = mail.start_warm_up(workspace=workspace, uid=sender.uid, plan=plan, actor=actor, now=began)
    for day in range(1, 15):
        sent = cap_of(plan, warm_up.step) * (90 - day % 5) // 100
        yesterday = (began + timedelta(days=day - 1)).date()
        SenderDay.objects.create(sender=sender, day=yesterday, used=sent // (3 if day == 9 else 1))
        mail.grow_warm_ups(now=began + timedelta(days=day))
        warm_up.refresh_from_db()
    SenderDay.objects.create(sender=sender, day=now.date(), used=613)
    hours = {"days": (1, 2, 3, 4, 5), "opens_at": time(8), "closes_at": time(18), "zone": WindowZone.RECIPIENT}
    for terms in ({"most": 400, **hours}, {"most": 60, "per": Per.MINUTE, "destination": "microsoft"}):
        limit = NewLimit(sender_id=sender.pk, **terms)  # type: ignore[arg-type]
        mail.set_limit(workspace=workspace, new=limit, actor=actor, now=now)
    return sender


def _path(sender: SenderAccount, tail: str = "") -> str:
    return f"/w/{sender.workspace.slug}/senders/{sender.uid}/{tail}"


def _edit_form(**changes: object) -> dict[str, object]:
    return {"name": "Desk", "from_email": "desk@example.org", "fallback_after": 5, **SERVER, **changes}


def test_the_list_shows_who_works_who_fails_and_what_is_left_of_the_day(
    as_viewer: Client, workspace: Workspace, sender: SenderAccount
) -> None:
    new = NewLimit(sender_id=sender.pk, most=2000, per=Per.DAY)
    mail.set_limit(workspace=workspace, new=new, actor=make_actor(), now=NOW)
    SenderDay.objects.create(sender=sender, day=clock.now().date(), used=1234)
    mail.report_sender_failure(sender_id=sender.pk, error="421 too busy", permanent=False, now=clock.now())

    page = as_viewer.get(f"/w/{workspace.slug}/senders/").content.decode()

    assert "1,234 of 2,000" in page
    assert "421 too busy" in page
    assert "Failing" in page
    assert "2,000 a day" in page
    assert "Stop all mail" not in page


def test_an_account_is_changed_and_its_password_stays_when_none_is_given(
    as_owner: Client, sender: SenderAccount
) -> None:
    page = as_owner.get(_path(sender, "edit/")).content.decode()
    assert "open sesame" not in page
    assert 'value="smtp.example.org"' in page

    as_owner.post(_path(sender, "edit/"), _edit_form(from_name="The Desk", max_connections=4))

    sender.refresh_from_db()
    assert sender.from_name == "The Desk"
    assert sender.config == {**SERVER, "odd": 1, "max_connections": 4}
    assert json.loads(crypto.decrypt(sender.credentials))["password"] == "open sesame"


def test_another_server_wants_the_password_again(as_owner: Client, sender: SenderAccount) -> None:
    page = as_owner.post(_path(sender, "edit/"), _edit_form(host="elsewhere.example")).content.decode()

    assert "Enter the password again" in page
    sender.refresh_from_db()
    assert sender.config["host"] == "smtp.example.org"


def test_every_provider_is_asked_for_what_it_needs(as_owner: Client, workspace: Workspace) -> None:
    path = f"/w/{workspace.slug}/senders/new/?provider=resend"
    form = {"name": "Letters", "from_email": "news@example.org", "api_key": "re_secret"}
    assert "API key" in as_owner.get(path).content.decode()

    as_owner.post(path, form)

    made = SenderAccount.objects.get()
    assert made.provider == Provider.RESEND
    assert json.loads(crypto.decrypt(made.credentials)) == {"api_key": "re_secret"}


def test_an_account_is_switched_off_and_on_and_deleted_while_it_is_unused(
    as_owner: Client, sender: SenderAccount
) -> None:
    as_owner.post(_path(sender, "switch/"), {"on": "no"})
    sender.refresh_from_db()
    assert not sender.is_active
    assert "Switch on" in as_owner.get(_path(sender)).content.decode()
    as_owner.post(_path(sender, "switch/"), {"on": "yes"})

    as_owner.post(_path(sender, "test/"), {"to": "me@example.org"})
    page = as_owner.post(_path(sender, "delete/"), follow=True).content.decode()
    assert "can be switched off instead" in page
    Message.objects.all().delete()
    as_owner.post(_path(sender, "delete/"))
    assert not SenderAccount.objects.exists()


def test_a_test_mail_shows_what_the_server_said(as_owner: Client, sender: SenderAccount) -> None:
    answer = as_owner.post(_path(sender, "test/"), {"to": "me@example.org"})
    message = Message.objects.get()
    assert (message.is_test, message.to) == (True, ["me@example.org"])
    assert answer["Location"].endswith(f"?test={message.uid}#test")

    part = as_owner.get(_path(sender), {"test": message.uid}, headers={"HX-Request": "true"}).content.decode()
    assert "on its way" in part
    assert "<html" not in part
    Message.objects.update(status="failed", reply_code=550, reply_text="no such user here")
    page = as_owner.get(_path(sender), {"test": message.uid}).content.decode()
    assert "550 no such user here" in page
    assert "every 1s" not in page


def test_a_limit_is_set_in_plain_words_changed_and_removed(as_owner: Client, workspace: Workspace) -> None:
    form = {
        "most": 400,
        "per": "hour",
        "days": [1, 2, 3, 4, 5],
        "opens_at": "08:00",
        "closes_at": "18:00",
        "zone": "recipient",
        "destination": "domain",
        "one_domain": "Example.COM",
    }
    page = as_owner.post(f"/w/{workspace.slug}/senders/limits/", form, follow=True).content.decode()
    assert "400 an hour, Monday to Friday from 8:00 to 18:00, in the recipient&#x27;s time" in page
    limit = Limit.objects.get()
    assert (limit.destination, limit.zone, limit.days) == ("example.com", WindowZone.RECIPIENT, [1, 2, 3, 4, 5])

    path = f"/w/{workspace.slug}/senders/limits/{limit.uid}/"
    assert 'value="400"' in as_owner.get(path).content.decode()
    as_owner.post(path, {**form, "most": 500})
    limit.refresh_from_db()
    assert limit.most == 500
    as_owner.post(f"{path}remove/")
    assert not Limit.objects.exists()


def test_a_limit_that_says_nothing_is_explained(as_owner: Client, workspace: Workspace) -> None:
    path = f"/w/{workspace.slug}/senders/limits/"

    assert "needs a number" in as_owner.post(path, {"per": "hour", "zone": "workspace"}).content.decode()
    form = {"per": "hour", "zone": "workspace", "most": 3, "destination": "domain"}
    assert "Say which domain" in as_owner.post(path, form).content.decode()


def test_a_warm_up_shows_the_plan_against_what_happened(as_owner: Client, sender: SenderAccount) -> None:
    as_owner.post(_path(sender, "warm-up/"), {"plan": "own", "start": 30})
    assert not WarmUp.objects.exists()
    form = {"plan": "own", "start": 30, "growth": 50, "target": 900}
    as_owner.post(_path(sender, "warm-up/"), form)
    SenderDay.objects.create(sender=sender, day=clock.now().date(), used=17)

    response = as_owner.get(_path(sender))

    page = response.content.decode()
    assert "30 messages on the first day, 50 % more every day, up to 900." in page
    assert "17 of 30" in page
    assert "warming up" in page
    planned, allowed, sent = (line["values"][:2] for line in response.context["plot"]["series"])
    assert (planned, allowed, sent) == ([30, 45], [30, None], [17, None])
    as_owner.post(_path(sender, "warm-up/end/"))
    assert not WarmUp.objects.exists()


def test_the_brakes_are_set_within_bounds(as_owner: Client, workspace: Workspace) -> None:
    path = f"/w/{workspace.slug}/senders/brakes/"

    as_owner.post(path, {"bounces": "4", "complaints": "0.1"})
    assert selectors.load_levels(workspace=workspace) == BrakeLevels(400, 10)
    page = as_owner.post(path, {"bounces": "40", "complaints": "0.1"}).content.decode()
    assert "less than or equal to 10" in page


def test_a_stopped_workspace_says_so_on_every_page_and_goes_on_at_a_click(
    as_owner: Client, as_viewer: Client, workspace: Workspace
) -> None:
    as_owner.post(f"/w/{workspace.slug}/senders/stop/")

    for area in ("senders/", "contacts/", ""):
        page = as_viewer.get(f"/w/{workspace.slug}/{area}").content.decode()
        assert "All mail of this workspace is stopped." in page
        assert "Let it send again" not in page
    assert "Let it send again" in as_owner.get(f"/w/{workspace.slug}/contacts/").content.decode()
    as_owner.post(f"/w/{workspace.slug}/senders/resume/")
    assert "is stopped" not in as_owner.get(f"/w/{workspace.slug}/contacts/").content.decode()


def test_only_staff_stop_the_installation(as_owner: Client, owner: User, workspace: Workspace) -> None:
    path = f"/w/{workspace.slug}/senders/stop-everything/"
    assert as_owner.post(path).status_code == 403
    assert not selectors.is_installation_stopped()
    User.objects.filter(pk=owner.pk).update(is_staff=True)

    as_owner.post(path)
    assert "All mail of this installation is stopped." in as_owner.get(f"/w/{workspace.slug}/").content.decode()
    as_owner.post(f"/w/{workspace.slug}/senders/resume-everything/")
    assert not selectors.is_installation_stopped()


@pytest.mark.parametrize("tail", ["edit/", "switch/", "delete/", "warm-up/", "warm-up/end/"])
def test_only_an_administrator_changes_accounts(as_colleague: Client, sender: SenderAccount, tail: str) -> None:
    assert as_colleague.post(_path(sender, tail)).status_code == 403
    for path in ("limits/", "brakes/", "stop/", "resume/"):
        assert as_colleague.post(f"/w/{sender.workspace.slug}/senders/{path}").status_code == 403


def test_the_pages_cost_the_same_however_many_accounts_there_are(
    as_owner: Client, workspace: Workspace, sender: SenderAccount, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        new = NewSender(name=f"More {number}", provider=Provider.SANDBOX, from_email="a@example.org", daily_limit=9)
        mail.create_sender(workspace=workspace, new=new, actor=make_actor(), now=NOW)
    plan = WarmUpPlan(10, 10, 100)
    long_ago = clock.now() - timedelta(days=3)
    mail.start_warm_up(workspace=workspace, uid=sender.uid, plan=plan, actor=make_actor(), now=long_ago)

    with django_assert_max_num_queries(15):  # type: ignore[operator]
        as_owner.get(f"/w/{workspace.slug}/senders/")
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        as_owner.get(_path(sender))


def test_an_account_is_made_to_carry_every_verified_domain_and_no_more(
    as_owner: Client, workspace: Workspace, sender: SenderAccount
) -> None:
    assert "Carries the mail of every verified domain" in as_owner.get(_path(sender)).content.decode()
    assert as_owner.post(_path(sender, "relay/"), {"is_relay": "on"}).status_code == 302
    sender.refresh_from_db()
    assert sender.is_relay
    assert 'name="is_relay" checked' in as_owner.get(_path(sender)).content.decode()
    as_owner.post(_path(sender, "relay/"), {})
    sender.refresh_from_db()
    assert not sender.is_relay


def test_who_does_not_administer_only_sees_it(as_viewer: Client, sender: SenderAccount) -> None:
    assert as_viewer.post(_path(sender, "relay/"), {"is_relay": "on"}).status_code == 403
    sender.refresh_from_db()
    assert not sender.is_relay


def test_a_carried_account_shows_its_carrier_and_is_changed_without_a_server(
    as_owner: Client, workspace: Workspace, sender: SenderAccount
) -> None:
    actor = make_actor()
    mail.choose_relay(workspace=workspace, uid=sender.uid, is_on=True, actor=actor, now=NOW)
    domain = mail.create_domain(workspace=workspace, name="acme.example", actor=actor, now=NOW)
    carried = mail.ensure_carried_sender(workspace=workspace, domain=domain, now=NOW)
    page = as_owner.get(_path(carried)).content.decode()
    assert "Desk (smtp.example.org:587)" in page
    assert "is_relay" not in page
    form = as_owner.get(_path(carried, "edit/")).content.decode()
    assert 'name="password"' not in form
    said = {"name": "Acme", "from_name": "Acme", "from_email": "hi@acme.example", "domain_id": domain.pk}
    assert as_owner.post(_path(carried, "edit/"), said).status_code == 302
    carried.refresh_from_db()
    assert (carried.name, carried.from_email, carried.carrier_id) == ("Acme", "hi@acme.example", sender.pk)
    wrong = as_owner.post(_path(carried, "edit/"), {**said, "from_email": "hi@elsewhere.example"})
    assert "is not of the domain acme.example" in wrong.content.decode()
