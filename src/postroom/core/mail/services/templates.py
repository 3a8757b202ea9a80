"""Templates: compositions kept for use again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from postroom.core.events import services as events
from postroom.core.mail.errors import BadComposition, MailNameTaken, TemplateInUse, TooManyTests
from postroom.core.mail.models import Letter, Template
from postroom.core.mail.rules import compose
from postroom.core.mail.selectors.templates import get_template, get_template_by_uid, template_composition
from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.notices import MAX_PER_HOUR, take_turn
from postroom.core.mail.services.senders import first_sender
from postroom.core.mail.types import AcceptedMessage, Composition, MessageClass, NewMessage, NewTemplate
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.mime import clean_line
from postroom.kit.types import JSONObject, JSONValue

_LONGEST_NAME: Final = 200
_LONGEST_STEM: Final = 180


@transaction.atomic
def create_template(*, workspace: Workspace, new: NewTemplate, actor: Actor, now: datetime) -> Template:
    """Store a template that compiles. Raises BadComposition or TemplateRefused, MailNameTaken."""
    template = Template(workspace=workspace, created_at=now, language=new.language)
    _apply(template, new.name, new.composition, now)
    _save(template)
    _record(workspace, "template.created", template, actor, now)
    return template


@transaction.atomic
def update_template(
    *, workspace: Workspace, template_id: int, name: str, composition: Composition, actor: Actor, now: datetime
) -> Template:
    """Replace what a template says, as its next version. Raises like ``create_template``, and NoSuchTemplate."""
    template = get_template(workspace=workspace, template_id=template_id)
    template.version += 1
    _apply(template, name, composition, now)
    _save(template)
    _record(workspace, "template.updated", template, actor, now)
    return template


@transaction.atomic
def duplicate_template(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Template:
    """Store a copy of a template under a name of its own. Raises NoSuchTemplate."""
    source = get_template_by_uid(workspace=workspace, uid=uid)
    rows = Template.objects.filter(workspace=workspace, language=source.language)
    taken = set(rows.values_list("name", flat=True))
    stem = f"{source.name[:_LONGEST_STEM]} (copy"
    name = next(name for name in (f"{stem}{end}" for end in _endings()) if name not in taken)
    new = NewTemplate(name=name, composition=template_composition(source), language=source.language)
    return create_template(workspace=workspace, new=new, actor=actor, now=now)


@transaction.atomic
def delete_template(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a template; what was written from it stays as it went out. Raises NoSuchTemplate, and TemplateInUse while
    messages wait that are yet to be written from it.
    """
    template = get_template_by_uid(workspace=workspace, uid=uid)
    waiting = Letter.objects.filter(template_id=template.pk).count()
    if waiting:
        raise TemplateInUse(f"{waiting:,} messages that wait to be sent are written from {template.name!r}.")
    _record(workspace, "template.deleted", template, actor, now)
    template.delete()


@transaction.atomic
def send_template_test(
    *,
    workspace: Workspace,
    uid: UUID,
    to: str,
    values: Mapping[str, JSONValue],
    actor: Actor,
    now: datetime,
) -> AcceptedMessage:
    """Send one mail written from a stored template to an address, from the workspace's first sender account.

    Raises NoSuchTemplate, TooManyTests, BadAddress, and what a message that cannot be composed raises.
    """
    template = get_template_by_uid(workspace=workspace, uid=uid)
    if not take_turn(to, now):
        raise TooManyTests(f"{to} has had {MAX_PER_HOUR} test mails within the hour.", retry_after_s=3600.0)
    composition = template_composition(template)
    new = NewMessage(
        sender_id=first_sender(workspace=workspace, actor=actor, now=now).pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=(to,),
        composition=replace(composition, subject=f"[Test] {composition.subject}"),
        slots=values,
        is_test=True,
    )
    (accepted,) = accept_messages(workspace=workspace, messages=[new], actor=actor, now=now)
    return accepted


def _endings() -> Iterator[str]:
    yield ")"
    yield from (f" {number})" for number in count(2))


def _apply(template: Template, name: str, composition: Composition, now: datetime) -> None:
    name = clean_line(name)
    if not name:
        raise BadComposition("A template needs a name.")
    if len(name) > _LONGEST_NAME:
        raise BadComposition(f"The name is longer than {_LONGEST_NAME} characters.")
    compose.freeze(composition, message_class=MessageClass.TRANSACTIONAL, tracks_opens=False, tracks_clicks=False)
    template.name = name
    template.subject, template.text = composition.subject, composition.text
    template.body_format, template.body = composition.body_format, composition.body
    template.updated_at = now


def _save(template: Template) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise MailNameTaken(f"There is already a template called {template.name!r} in this language.") from error


def _record(workspace: Workspace, act: str, template: Template, actor: Actor, now: datetime) -> None:
    after: JSONObject = {"name": template.name, "version": template.version}
    record = AuditRecord(act=act, object_type="template", object_id=template.pk, after=after)
    events.record_act(workspace=workspace, actor=actor, act=record, now=now, data={"template": str(template.uid)})
