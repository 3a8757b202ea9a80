"""Finished mail from programs: whose account sends it, what it answers, and that a repeated request sends nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import transaction

from postroom.core.mail.errors import (
    BadComposition,
    BadMessage,
    BadOnceKey,
    OnceKeyBusy,
    OnceKeyReused,
    UnknownAnswered,
)
from postroom.core.mail.models import Message, Template
from postroom.core.mail.rules.compose.freezing import MAX_SUBJECT
from postroom.core.mail.rules.headers import check_shown, format_address, parse_addresses, show_address
from postroom.core.mail.rules.liquid import MAX_SOURCE
from postroom.core.mail.rules.parts import check_parts, normalise_all
from postroom.core.mail.selectors.sending import SendingRoom, ask_sending_rooms
from postroom.core.mail.services.acceptances import Asked, recall_acceptances, remember_acceptances
from postroom.core.mail.services.drafts import Draft, Words, store_drafts
from postroom.core.mail.services.froms import FromDesk
from postroom.core.mail.services.ledger import ask_ids
from postroom.core.mail.types import MessageClass, Once, Submission, SubmitRequest
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.errors import AppError
from postroom.kit.mime import clean_line, clean_text
from postroom.kit.prepared import pipelined

Outcome = list[UUID] | AppError
"""The uids of the messages a request became, in its order, or why it was refused."""


def submit_messages(
    *, workspace: Workspace, submissions: Sequence[Submission], once: Once | None = None, actor: Actor, now: datetime
) -> list[UUID]:
    """Accept finished mail as transactional messages and return their uids: all of them or, when one is wrong, none.

    A request repeated ``once`` is answered as the first time. Raises what ``submit_requests`` returns.
    """
    request = SubmitRequest(workspace.pk, actor, submissions, once)
    (outcome,) = submit_requests(requests=[request], now=now)
    if isinstance(outcome, AppError):
        raise outcome
    return outcome


@transaction.atomic(savepoint=False)
def submit_requests(*, requests: Sequence[SubmitRequest], now: datetime) -> list[Outcome]:
    """Accept finished mail of many callers in one transaction, as transactional messages; what one is refused for never
    touches another.

    Each is sent by the account that its From stands for, under the words as they are: they are frozen when a sender
    takes them. An outcome may be BadFrom, UnknownFromDomain, UnverifiedDomain, NoCarrier, ForeignMailDomain,
    UnknownAnswered, BadMessage, BadAddress, BadHeader, BadComposition, BadAttachment, BadOnceKey, OnceKeyReused or
    OnceKeyBusy.
    """
    leaders = _find_leaders(requests)
    outcomes = _recall([requests[number] for number in leaders], now)
    known = dict(zip(leaders, outcomes, strict=True))
    fresh = [number for number, outcome in known.items() if outcome is None]
    known.update(zip(fresh, _accept([requests[number] for number in fresh], now), strict=True))
    return [_outcome(requests, number, known) for number in range(len(requests))]


def _find_leaders(requests: Sequence[SubmitRequest]) -> list[int]:
    """Return the places of the requests that are carried out: of several with one key the first."""
    first: dict[tuple[int, str], int] = {}
    return [
        number
        for number, one in enumerate(requests)
        if one.once is None or first.setdefault((one.workspace_id, one.once.key), number) == number
    ]


def _outcome(requests: Sequence[SubmitRequest], number: int, known: Mapping[int, Outcome | None]) -> Outcome:
    """Return what came of a request; one that had to wait behind another with its key is answered as that one was."""
    if number in known:
        return cast("Outcome", known[number])
    mine = requests[number]
    leader = next(at for at in known if _has_key_of(requests[at], mine))
    outcome, is_equal = known[leader], requests[leader].once == mine.once
    if isinstance(outcome, list):
        return outcome if is_equal else OnceKeyReused()
    return outcome if isinstance(outcome, BadOnceKey) else OnceKeyBusy()


def _has_key_of(one: SubmitRequest, other: SubmitRequest) -> bool:
    keys = one.once and one.once.key, other.once and other.once.key
    return one.workspace_id == other.workspace_id and keys[0] is not None and keys[0] == keys[1]


def _recall(requests: Sequence[SubmitRequest], now: datetime) -> list[Outcome | None]:
    asked = [Asked(one.workspace_id, one.once) for one in requests if one.once is not None]
    if not asked:
        return [None] * len(requests)
    recalled = iter(recall_acceptances(asked=asked, now=now))
    return [None if one.once is None else next(recalled) for one in requests]


def _accept(requests: Sequence[SubmitRequest], now: datetime) -> list[Outcome]:
    """Carry out requests that are new."""
    if not requests:
        return []
    with pipelined():
        rooms = ask_sending_rooms(workspace_ids={one.workspace_id for one in requests})
        numbers = ask_ids(sum(len(one.submissions) for one in requests))
    desk = _Desk.open(requests, rooms.get(), now)
    drafted = [desk.draft(one) for one in requests]
    drafts = [draft for one in drafted if isinstance(one, list) for draft in one]
    uids = iter([stored.uid for stored in store_drafts(drafts=drafts, now=now, numbers=numbers.get())])
    outcomes = [[next(uids) for _ in one] if isinstance(one, list) else one for one in drafted]
    answers = {
        Asked(request.workspace_id, request.once): outcome
        for request, outcome in zip(requests, outcomes, strict=True)
        if request.once is not None and isinstance(outcome, list)
    }
    if answers:
        remember_acceptances(answers=answers, now=now)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Desk:
    """Makes drafts of requests, with all that has to be looked up for their group."""

    rooms: Mapping[int, SendingRoom]
    froms: FromDesk
    templates: Mapping[tuple[int, UUID], Template]
    answered: Mapping[tuple[int, UUID], str]

    @classmethod
    def open(cls, requests: Sequence[SubmitRequest], rooms: Mapping[int, SendingRoom], now: datetime) -> "_Desk":
        """Look up what all of them name."""
        return cls(rooms, FromDesk(rooms, now), _load_templates(requests), _load_answered(requests))

    def draft(self, request: SubmitRequest) -> list[Draft] | AppError:
        """Return the messages of a request, or why it is refused."""
        try:
            return [self._draft(request, one) for one in request.submissions]
        except AppError as error:
            return error

    def _draft(self, request: SubmitRequest, one: Submission) -> Draft:
        account = self.froms.choose(request, one.from_address)
        if not account.is_active:
            raise BadMessage(f"The sender account {account.name} is switched off.")
        to, cc, bcc = _addresses(one.to), _addresses(one.cc), _addresses(one.bcc)
        headers = {**self._threading(request, one), **one.headers}
        check_parts("The message", (len(to), len(to) + len(cc) + len(bcc)), headers, one.attachments)
        check_shown(text for texts in one.shown.values() for text in texts)
        return Draft(
            room=self.rooms[request.workspace_id].room,
            account=account,
            actor=request.actor,
            message_class=MessageClass.TRANSACTIONAL,
            to=to,
            cc=cc,
            bcc=bcc,
            words=self._words(request, one),
            reply_to=_mailboxes(one.reply_to),
            from_address=one.from_address,
            headers=headers,
            slots=one.variables if one.template_uid else {},
            shown=one.shown or _shown_of(one),
            scheduled_at=one.scheduled_at,
            attachments=one.attachments,
        )

    def _words(self, request: SubmitRequest, one: Submission) -> Words:
        """Return the words as they will be frozen. A template's are looked at when a sender takes the message."""
        text = clean_text(one.text)
        if one.template_uid is not None:
            template = self.templates.get((request.workspace_id, one.template_uid))
            if template is None:
                raise BadMessage("There is no such template in this workspace.")
            return Words("", "", text, template.pk)
        subject, html = clean_line(one.subject), clean_text(one.html)
        if len(subject) > MAX_SUBJECT:
            raise BadComposition(f"The subject is longer than {MAX_SUBJECT} characters.")
        if max(len(html), len(text)) > MAX_SOURCE:
            raise BadComposition(f"A body is longer than {MAX_SOURCE // 1024} KB.")
        if not html.strip() and not text.strip():
            raise BadComposition("The message has neither a body nor a text.")
        return Words(subject, html, text)

    def _threading(self, request: SubmitRequest, one: Submission) -> dict[str, str]:
        """Return the fields that put a message under the one it answers (RFC 5322, section 3.6.4) and that it lacks."""
        if one.in_reply_to is None:
            return {}
        header = self.answered.get((request.workspace_id, one.in_reply_to))
        if header is None:
            raise UnknownAnswered
        own = {name.lower() for name in one.headers}
        return {name: header for name in ("In-Reply-To", "References") if name.lower() not in own}


def _load_templates(requests: Sequence[SubmitRequest]) -> Mapping[tuple[int, UUID], Template]:
    named = (one.template_uid for request in requests for one in request.submissions)
    wanted = {uid for uid in named if uid is not None}
    rooms = {request.workspace_id for request in requests}
    rows = Template.objects.filter(workspace_id__in=rooms, uid__in=wanted, is_active=True) if wanted else ()
    return {(row.workspace_id, row.uid): row for row in rows}


def _load_answered(requests: Sequence[SubmitRequest]) -> Mapping[tuple[int, UUID], str]:
    """Return the Message-ID of each message that one of these answers."""
    wanted: dict[int, set[UUID]] = defaultdict(set)
    for request in requests:
        wanted[request.workspace_id] |= {one.in_reply_to for one in request.submissions if one.in_reply_to is not None}
    uids = set().union(*wanted.values())
    rows = Message.objects.filter(uid__in=uids, workspace_id__in=wanted) if uids else Message.objects.none()
    found = rows.values_list("workspace_id", "uid", "message_id_header")
    return {(workspace_id, uid): header for workspace_id, uid, header in found}


def _addresses(texts: Iterable[str]) -> tuple[str, ...]:
    return normalise_all([email for text in texts for _, email in parse_addresses(text)])


def _shown_of(one: Submission) -> Mapping[str, tuple[str, ...]]:
    """Return the address fields that say more than addresses, a text for each address."""
    return {
        field: tuple([show_address(*pair) for text in texts for pair in parse_addresses(text)])
        for field, texts in (("to", one.to), ("cc", one.cc))
        if any(["<" in text for text in texts])
    }


def _mailboxes(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple([format_address(name, email) for text in texts for name, email in parse_addresses(text)])
