"""Sending at the front door: the answers of the operations, however many come at once, and each effect once."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from postroom.api.shared import accepting
from postroom.api.shared.accepting import LARGEST_BODY, Submitting
from postroom.api.shared.keys import BELIEVED_S, KEYS
from postroom.api.usesend.sending import Sending
from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.mail import services as mail
from postroom.core.mail.models import Acceptance, Domain, Message
from postroom.core.mail.types import Composition, NewSender, NewTemplate, Provider, Submission, SubmitRequest
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import ApiKey, AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM, Door, NewKey, Role
from postroom.kit import clock
from tests.api.clients import make_client
from tests.api.usesend.door import BATCH, EMAILS, Answer, Knock, ask, ask_all, ask_once, talk
from tests.factories import NOW, make_actor, make_user, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

LETTER: dict[str, Any] = {
    "to": "Ann <ann@example.com>",
    "from": "Shop <shop@acme.example>",
    "subject": "Your order",
    "html": "<p>Thanks</p>",
}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def secret(workspace: Workspace) -> str:
    return make_secret(workspace)


@pytest.fixture(autouse=True)
def nobody_is_known() -> Iterator[None]:
    KEYS.forget()
    yield
    KEYS.forget()


def make_secret(workspace: Workspace, role: Role = Role.MEMBER, **changes: Any) -> str:
    user = make_user(workspace=workspace, role=role)
    new = replace(NewKey(door=Door.USESEND, name="Test"), **changes)
    return workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=NOW)[1]


def make_sender(workspace: Workspace, domain: str) -> None:
    new = NewSender(
        name=domain, provider=Provider.SMTP, from_email=f"shop@{domain}", config={"host": "mx.example", "port": 25}
    )
    mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        (EMAILS, LETTER, "application/json"),
        (EMAILS, LETTER, "application/json; charset=utf-8"),
        (EMAILS, LETTER, "text/plain"),
        (EMAILS, {}, "application/json"),
        (EMAILS, [], "application/json"),
        (EMAILS, b"7", "application/json"),
        (EMAILS, b"{", "application/json"),
        (EMAILS, b'{"to": "\\u0000"}', "application/json"),
        (EMAILS, b'{"to": "\\ud800"}', "application/json"),
        (EMAILS, b'{"html": NaN}', "application/json"),
        (EMAILS, b"\xff", "application/json"),
        (EMAILS, {**LETTER, "to": 5, "scheduledAt": "soon", "headers": {"X": ""}}, "application/json"),
        (EMAILS, {**LETTER, "to": "nobody"}, "application/json"),
        (EMAILS, {**LETTER, "from": "nobody"}, "application/json"),
        (EMAILS, {**LETTER, "to": [f"p{number}@example.com" for number in range(51)]}, "application/json"),
        (EMAILS, {**LETTER, "headers": {"Bcc": "x@example.com"}}, "application/json"),
        (EMAILS, {**LETTER, "templateId": "f" * 32}, "application/json"),
        (EMAILS, {**LETTER, "inReplyToId": "f" * 32}, "application/json"),
        (BATCH, [LETTER, LETTER], "application/json"),
        (BATCH, [], "application/json"),
        (BATCH, {}, "application/json"),
        (BATCH, [LETTER] * 101, "application/json"),
        (BATCH, [LETTER, {"to": "a@example.com"}], "application/json"),
        (BATCH, [LETTER, {**LETTER, "from": "nobody"}], "application/json"),
        (BATCH, [LETTER, {**LETTER, "inReplyToId": "f" * 32}], "application/json"),
    ],
)
def test_both_transports_say_the_same(workspace: Workspace, path: str, body: Any, content_type: str) -> None:
    client = make_client(workspace=workspace, door=Door.USESEND)
    theirs = client.post(path.removeprefix("/usesend/api"), body, Content_Type=content_type)
    ours = ask_once(client.secret, body, path, content_type=content_type)
    assert (ours.status, without_ids(ours.body)) == (theirs.status, without_ids(theirs.body))
    assert ours.headers["content-type"].startswith("application/json")
    assert ours.headers["cache-control"] == "no-store"


def without_ids(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: "id" if name == "emailId" else without_ids(value) for name, value in body.items()}
    return [without_ids(one) for one in body] if isinstance(body, list) else body


def test_many_at_once_are_stored_together_and_audited_once_for_each_key(workspace: Workspace) -> None:
    secrets = [make_secret(workspace), make_secret(make_workspace())]
    knocks = [Knock(secrets[number % 2], {**LETTER, "subject": f"Letter {number}"}) for number in range(60)]
    answers = ask_all(knocks)
    assert {answer.status for answer in answers} == {200}
    ids = [answer.body["emailId"] for answer in answers]
    assert len(set(ids)) == Message.objects.count() == 60
    assert Message.objects.filter(workspace=workspace).count() == 30
    shown = {message.uid.hex: message.workspace_id == workspace.pk for message in Message.objects.all()}
    assert [shown[one] for one in ids] == [number % 2 == 0 for number in range(60)]
    entries = AuditEntry.objects.filter(act="mail.accepted")
    assert sum((entry.after or {})["messages"] for entry in entries) == 60
    assert entries.count() < 30
    assert set(Message.objects.values_list("api_key_id", flat=True)) == set(ApiKey.objects.values_list("pk", flat=True))


def test_what_one_is_refused_for_touches_nobody_else(secret: str) -> None:
    bad: list[dict[str, Any]] = [
        {**LETTER, "to": "nobody"},
        {**LETTER, "from": ""},
        {**LETTER, "templateId": "f" * 32},
        {},
    ]
    knocks = [Knock(secret, bad[number // 2 % 4] if number % 2 else LETTER) for number in range(40)]
    statuses = [answer.status for answer in ask_all(knocks)]
    assert statuses == [400 if number % 2 else 200 for number in range(40)]
    assert Message.objects.count() == 20


def test_what_the_database_refuses_touches_nobody_else(workspace: Workspace) -> None:
    new = NewTemplate(name="Hi", composition=Composition(subject="Hi", body="<p>{{ name }}</p>"))
    template = mail.create_template(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    good = Submission(from_address="shop@acme.example", to=("ann@example.com",), template_uid=template.uid)
    bad = replace(good, variables={"name": "\0"})  # never from a door: it refuses what cannot be stored
    requests = [SubmitRequest(workspace.pk, SYSTEM, [bad if number == 7 else good]) for number in range(20)]

    async def submit() -> list[Any]:
        submitting = Submitting()
        try:
            return await asyncio.gather(*map(submitting.submit, requests), return_exceptions=True)
        finally:
            await submitting.close()

    outcomes = asyncio.run(submit())
    assert [isinstance(one, Exception) for one in outcomes] == [number == 7 for number in range(20)]
    assert Message.objects.count() == 19


def test_two_at_once_under_one_bad_key_hear_the_same(secret: str) -> None:
    answers = ask_all([Knock(secret, LETTER, headers={"idempotency-key": "k" * 257}) for _ in range(4)])
    assert [answer.body for answer in answers] == [refusal("BAD_REQUEST", "Invalid Idempotency-Key length")] * 4


def test_a_body_that_no_sender_could_freeze_is_refused_at_once(secret: str) -> None:
    answer = ask_once(secret, {**LETTER, "html": "<p>" + "word " * 120_000})
    assert (answer.status, answer.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert ask_once(secret, {**LETTER, "html": "<p>" + "word " * 100_000}).status == 200


def test_a_flood_of_header_fields_is_refused(secret: str) -> None:
    headers = {f"X-Own-{number}": "1" for number in range(103)}
    assert ask_once(secret, {**LETTER, "headers": headers}).status == 400
    del headers["X-Own-0"]
    assert ask_once(secret, {**LETTER, "headers": headers}).status == 200


def test_a_flood_of_one_workspace_is_told_to_wait_and_others_are_not(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "MOST_WAITING", 200)
    flooding, quiet = make_secret(workspace), make_secret(make_workspace())
    answers = ask_all([*(Knock(flooding, [LETTER] * 100, BATCH) for _ in range(10)), Knock(quiet, LETTER)])
    told = Counter(answer.status for answer in answers[:-1])
    assert told == {200: 2, 429: 8}
    refused = next(answer for answer in answers if answer.status == 429)
    assert (refused.body["error"]["code"], refused.headers["retry-after"]) == ("RATE_LIMITED", "1")
    assert answers[-1].status == 200
    assert Message.objects.count() == 201


def test_a_large_letter_arrives_whole_and_one_too_large_is_refused(secret: str) -> None:
    files = [
        {"filename": f"{number}.bin", "content": base64.b64encode(bytes([number]) * 5_000_000).decode()}
        for number in range(5)
    ]
    answer = ask_once(secret, {**LETTER, "attachments": files})
    assert answer.status == 200
    assert len(Message.objects.get().attachments) == 5
    answer = ask_once(secret, b" " * (LARGEST_BODY + 1))
    assert (answer.status, answer.body["error"]["code"]) == (400, "BAD_REQUEST")


def test_all_who_are_suppressed_are_answered_with_an_id(secret: str, workspace: Workspace) -> None:
    contacts.suppress_address(
        workspace=workspace,
        email="ann@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    answers = ask_all([Knock(secret, LETTER), Knock(secret, {**LETTER, "to": "bob@example.com"})])
    assert [answer.status for answer in answers] == [200, 200]
    one, two = (Message.objects.get(uid=answer.body["emailId"]) for answer in answers)
    assert (one.status, one.reply_text, one.next_attempt_at) == ("suppressed", "complaint", None)
    assert two.status == "queued"


def test_a_time_gone_by_is_at_once_and_kept(secret: str) -> None:
    ask_once(secret, {**LETTER, "scheduledAt": "2020-01-31T09:30:00"})
    message = Message.objects.get()
    assert message.scheduled_at is not None
    assert message.scheduled_at.isoformat() == "2020-01-31T09:30:00+00:00"
    assert message.next_attempt_at == message.created_at


class TestKeys:
    """Who may knock (S21): whatever is wrong with a key, it is refused in one and the same way."""

    def test_a_key_that_is_wrong_in_any_way_is_refused(self, workspace: Workspace) -> None:
        expired = make_secret(workspace, expires_at=clock.now() - timedelta(seconds=1))
        crm = make_secret(workspace, door=Door.CRM)
        answers = ask_all([Knock(one, LETTER) for one in ("us_wrong", "no-underscores", expired, crm)])
        assert {answer.status for answer in answers} == {403}
        assert answers[0].body == refusal("FORBIDDEN", "Invalid API token")
        assert all(answer.body == answers[0].body for answer in answers)
        assert Message.objects.count() == 0

    def test_without_a_key_nobody_is_asked_what_they_want(self, secret: str) -> None:
        nobody = refusal("UNAUTHORIZED", "No Authorization header provided")
        for headers in ({}, {"authorization": ""}, {"authorization": secret}):
            (answer,) = ask_all([Knock("", b"{", headers=headers)])
            assert (answer.status, answer.body) == (401, nobody)

    def test_a_key_in_the_address_is_no_key(self, secret: str) -> None:
        (answer,) = ask_all([Knock("", LETTER, query=f"api_key={secret}&key={secret}&authorization=Bearer {secret}")])
        assert answer.status == 401

    def test_a_revoked_key_opens_nothing_a_second_later(self, workspace: Workspace, secret: str) -> None:
        async def knock(door: Sending) -> int:
            assert (await ask(door, Knock(secret, LETTER))).status == 200
            await asyncio.to_thread(revoke, workspace)
            revoked_at = time.monotonic()
            while (await ask(door, Knock(secret, LETTER))).status == 200:
                assert time.monotonic() - revoked_at <= BELIEVED_S + 0.2
            return (await ask(door, Knock(secret, LETTER))).status

        assert talk(knock) == 403

    def test_nothing_but_the_digest_of_a_key_is_kept(self, secret: str) -> None:
        key = ApiKey.objects.get()
        assert secret not in " ".join(map(str, vars(key).values()))
        assert secret not in str(vars(KEYS))
        ask_once(secret, LETTER)
        assert secret not in str(vars(KEYS))

    def test_the_use_of_a_key_is_noted(self, secret: str) -> None:
        ask_once(secret, LETTER)
        used_at = ApiKey.objects.get().last_used_at
        assert used_at is not None
        assert clock.now() - used_at < timedelta(minutes=1)

    def test_a_viewers_key_does_not_send(self, workspace: Workspace) -> None:
        assert ask_once(make_secret(workspace, Role.VIEWER), LETTER).status == 403
        assert Message.objects.count() == 0

    def test_a_key_of_one_domain_sends_for_no_other_in_a_batch_neither(self, workspace: Workspace) -> None:
        for domain in ("acme.example", "other.example"):
            make_sender(workspace, domain)
        bound = make_secret(workspace, mail_domain="acme.example", scopes=("send",))
        other = {**LETTER, "from": "shop@other.example"}
        wanted = refusal("FORBIDDEN", "API key does not have access to domain: other.example")
        for body, path in ((other, EMAILS), ([LETTER, other], BATCH)):
            answer = ask_once(bound, body, path)
            assert (answer.status, answer.body) == (403, wanted)
        assert Message.objects.count() == 0
        assert ask_once(bound, [LETTER, LETTER], BATCH).status == 200

    def test_a_from_is_of_a_domain_that_sends(self, workspace: Workspace, secret: str) -> None:
        make_sender(workspace, "acme.example")
        Domain.objects.create(workspace=workspace, name="new.example", created_at=NOW)
        said = {
            "nobody": "From email is invalid",
            "shop@sub.acme.example": (
                "Domain: sub.acme.example of from email is wrong. Use the domain verified by useSend"
            ),
            "shop@new.example": "Domain: new.example is not verified",
        }
        for sender, message in said.items():
            answer = ask_once(secret, {**LETTER, "from": sender})
            assert (answer.status, answer.body) == (400, refusal("BAD_REQUEST", message))


def revoke(workspace: Workspace) -> None:
    key = ApiKey.objects.get(workspace=workspace)
    workspaces.revoke_api_key(workspace=workspace, uid=key.uid, actor=SYSTEM, now=clock.now())
    connection.close()


class TestIdempotency:
    """One effect for a key, single and batch alike (I1, I2, I4 and I5)."""

    def test_of_fifty_equal_requests_at_once_one_has_an_effect(self, secret: str) -> None:
        knock = Knock(secret, LETTER, headers={"idempotency-key": "order-1"})
        answers = ask_all([knock] * 50)
        accepted = [answer for answer in answers if answer.status == 200]
        assert Message.objects.count() == 1
        assert {answer.body["emailId"] for answer in accepted} == {Message.objects.get().uid.hex}
        busy = [answer for answer in answers if answer.status == 409]
        assert len(accepted) + len(busy) == 50
        assert all("in progress" in answer.body["error"]["message"] for answer in busy)
        assert {answer.status for answer in ask_all([knock] * 50)} == {200}
        assert Message.objects.count() == 1

    def test_fifty_at_two_processes_have_one_effect(self, secret: str) -> None:
        knock = Knock(secret, LETTER, headers={"idempotency-key": "order-1"})

        async def knock_at_both(door: Sending) -> list[Answer]:
            other = Sending()
            try:
                return await asyncio.gather(*(ask((door, other)[number % 2], knock) for number in range(50)))
            finally:
                await other.close()

        answers = talk(knock_at_both)
        assert Message.objects.count() == 1
        assert {answer.status for answer in answers} <= {200, 409}
        assert len({answer.body["emailId"] for answer in answers if answer.status == 200}) == 1

    def test_the_same_key_for_something_else_is_a_conflict_and_another_account_s_is_its_own(self, secret: str) -> None:
        stranger = make_secret(make_workspace())
        key = {"idempotency_key": "order-1"}
        first = ask_once(secret, LETTER, **key)
        wanted = refusal("NOT_UNIQUE", "Idempotency-Key already used with a different payload")
        for body, path in (({**LETTER, "subject": "Other"}, EMAILS), ([LETTER], BATCH), ([LETTER, LETTER], BATCH)):
            answer = ask_once(secret, body, path, **key)
            assert (answer.status, answer.body) == (409, wanted)
        assert ask_once(stranger, LETTER, **key).body != first.body
        assert Message.objects.count() == 2
        both = [Knock(secret, {**LETTER, "subject": s}, headers={"idempotency-key": "two"}) for s in ("a", "b")]
        assert sorted(answer.status for answer in ask_all(both)) == [200, 409]

    def test_a_key_is_1_to_256_characters_and_free_again_after_a_day(self, secret: str) -> None:
        answers = [ask_once(secret, LETTER, idempotency_key=key) for key in ("k" * 256, "k" * 257, "")]
        assert [answer.status for answer in answers] == [200, 400, 400]
        assert answers[1].body == answers[2].body == refusal("BAD_REQUEST", "Invalid Idempotency-Key length")
        Acceptance.objects.update(created_at=clock.now() - timedelta(hours=24))
        later = ask_once(secret, {**LETTER, "subject": "Other"}, idempotency_key="k" * 256)
        assert later.status == 200
        assert later.body != answers[0].body

    @pytest.mark.parametrize("bad", [{"from": 5}, {"to": "nobody"}, {"templateId": "f" * 32}])
    def test_what_was_refused_is_not_remembered(self, secret: str, bad: dict[str, Any]) -> None:
        key = {"idempotency_key": "order-1"}
        assert ask_once(secret, {**LETTER, **bad}, **key).status == 400
        assert ask_once(secret, LETTER, **key).status == 200


class TestRates:
    """A workspace's requests are counted together, at both transports (L2)."""

    def test_without_a_limit_nothing_is_counted_or_said(self, secret: str) -> None:
        assert not any("ratelimit" in name for name in ask_once(secret, LETTER).headers)

    def test_every_answer_says_where_the_workspace_stands(self, workspace: Workspace, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 1_000
        client = make_client(workspace=workspace, door=Door.USESEND)
        answer = ask_once(client.secret, {})
        assert answer.status == 400
        assert answer.headers["x-ratelimit-limit"] == "1000"
        assert int(answer.headers["x-ratelimit-remaining"]) < 1_000
        assert abs(int(answer.headers["x-ratelimit-reset"]) - time.time()) <= 1
        assert answer.headers["ratelimit-reset"] == "1"

    def test_an_own_limit_goes_before_the_installation_s(self, workspace: Workspace, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 1
        Workspace.objects.filter(pk=workspace.pk).update(api_rate_limit=0)
        assert {answer.status for answer in ask_all([Knock(make_secret(workspace), LETTER)] * 10)} == {200}

    def test_64_clients_of_one_key_get_no_more_than_the_limit(self, secret: str, settings: Settings) -> None:
        settings.API_RATE_LIMIT = limit = 40
        seconds = 6

        async def hammer(door: Sending) -> list[Answer]:
            end, answers = time.monotonic() + seconds, []

            async def client() -> None:
                while time.monotonic() < end:
                    answers.append(answer := await ask(door, Knock(secret, {**LETTER, "text": "x"})))
                    await asyncio.sleep(0.05 if answer.status == 429 else 0)

            await asyncio.gather(*(client() for _ in range(64)))
            return answers

        answers = talk(hammer)
        allowed = sum(answer.status == 200 for answer in answers)
        assert (seconds - 2) * limit <= allowed <= limit + limit * seconds * 1.01
        assert Message.objects.count() == allowed
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.body["error"]["message"] == "Rate limit exceeded. Try again in 1 seconds."
        assert refused.headers["retry-after"] == "1"
        time.sleep(1)
        assert ask_once(secret, LETTER).status == 200
