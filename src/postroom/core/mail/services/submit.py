"""Finished mail from programs: whose account sends it, what it answers, and that a repeated request sends nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from postroom.core.mail.errors import BadMessage
from postroom.core.mail.models import Message, SenderAccount, Template
from postroom.core.mail.rules.compose import quote_liquid
from postroom.core.mail.rules.headers import format_address, parse_addresses
from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.acceptances import recall_acceptance, remember_acceptance
from postroom.core.mail.services.senders import ensure_sandbox_sender
from postroom.core.mail.types import (
    BodyFormat,
    Channel,
    Composition,
    MessageClass,
    NewMessage,
    Once,
    Provider,
    Submission,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor


@transaction.atomic
def submit_messages(
    *, workspace: Workspace, submissions: Sequence[Submission], once: Once | None = None, actor: Actor, now: datetime
) -> list[UUID]:
    """Accept finished mail as transactional messages and return their uids: all of them or, when one is wrong, none.

    Each is sent by the account whose address or domain its From has; a workspace without any account but the sandbox
    sends into that. A request repeated ``once`` is answered as the first time. Raises what ``accept_messages`` raises,
    BadOnceKey, OnceKeyReused or OnceKeyBusy.
    """
    if once is not None and (known := recall_acceptance(workspace=workspace, once=once, now=now)) is not None:
        return known
    choose = partial(_choose_sender, workspace, _load_senders(workspace), actor, now)
    templates = _load_templates(workspace, submissions)
    answered = _load_answered(workspace, submissions)
    messages = [_read(one, choose(one.from_address), templates, answered) for one in submissions]
    accepted = accept_messages(workspace=workspace, messages=messages, actor=actor, now=now)
    uids = [message.uid for message in accepted]
    if once is not None:
        remember_acceptance(workspace=workspace, once=once, message_uids=uids, now=now)
    return uids


def _load_senders(workspace: Workspace) -> list[SenderAccount]:
    rows = SenderAccount.objects.filter(workspace=workspace, channel=Channel.EMAIL, is_active=True)
    return list(rows.order_by("pk"))


def _choose_sender(
    workspace: Workspace, senders: Sequence[SenderAccount], actor: Actor, now: datetime, from_address: str
) -> SenderAccount:
    pairs = parse_addresses(from_address)
    if len(pairs) != 1:
        raise BadMessage("The From must be one address.")
    email = pairs[0][1].lower()
    domain = email.rpartition("@")[2]
    fitting = [sender for sender in senders if sender.from_email.lower().rpartition("@")[2] == domain]
    if fitting:
        return min(fitting, key=lambda one: (one.provider == Provider.SANDBOX, one.from_email.lower() != email))
    if any(sender.provider != Provider.SANDBOX for sender in senders):
        raise BadMessage(f"No sender account of this workspace sends for the domain {domain}.")
    return ensure_sandbox_sender(workspace=workspace, actor=actor, now=now)


def _load_templates(workspace: Workspace, submissions: Sequence[Submission]) -> Mapping[UUID, Template]:
    wanted = {one.template_uid for one in submissions if one.template_uid is not None}
    rows = Template.objects.filter(workspace=workspace, uid__in=wanted, is_active=True) if wanted else ()
    return {row.uid: row for row in rows}


def _load_answered(workspace: Workspace, submissions: Sequence[Submission]) -> Mapping[UUID, str]:
    """Return the Message-ID of each message that one of ours answers."""
    wanted = {one.in_reply_to for one in submissions if one.in_reply_to is not None}
    rows = Message.objects.filter(workspace=workspace, uid__in=wanted) if wanted else Message.objects.none()
    return dict(rows.values_list("uid", "message_id_header"))


def _read(
    one: Submission, sender: SenderAccount, templates: Mapping[UUID, Template], answered: Mapping[UUID, str]
) -> NewMessage:
    return NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=_addresses(one.to),
        cc=_addresses(one.cc),
        bcc=_addresses(one.bcc),
        reply_to=tuple(format_address(name, email) for text in one.reply_to for name, email in parse_addresses(text)),
        from_address=one.from_address,
        composition=_compose(one, templates),
        slots=dict(one.variables) if one.template_uid else {},
        headers={**_threading(one, answered), **one.headers},
        scheduled_at=one.scheduled_at,
        attachments=one.attachments,
    )


def _addresses(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(email for text in texts for _, email in parse_addresses(text))


def _compose(one: Submission, templates: Mapping[UUID, Template]) -> Composition:
    text = quote_liquid(one.text)
    if one.template_uid is None:
        return Composition(subject=quote_liquid(one.subject), body=quote_liquid(one.html), text=text)
    template = templates.get(one.template_uid)
    if template is None:
        raise BadMessage("There is no such template in this workspace.")
    body_format = BodyFormat(template.body_format)
    return Composition(
        subject=template.subject, body=template.body, body_format=body_format, text=text or template.text
    )


def _threading(one: Submission, answered: Mapping[UUID, str]) -> dict[str, str]:
    """Return the fields that put a message under the one it answers (RFC 5322, section 3.6.4), unless it names them."""
    if one.in_reply_to is None:
        return {}
    header = answered.get(one.in_reply_to)
    if header is None:
        raise BadMessage("There is no such message in this workspace to answer.")
    own = {name.lower() for name in one.headers}
    return {name: header for name in ("In-Reply-To", "References") if name.lower() not in own}
