"""Templates: compositions kept for use again."""

from datetime import datetime

from django.db import IntegrityError, transaction

from postroom.core.mail.errors import BadComposition, MailNameTaken
from postroom.core.mail.models import Template
from postroom.core.mail.rules import compose
from postroom.core.mail.selectors.templates import get_template
from postroom.core.mail.types import Composition, MessageClass, NewTemplate
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


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


def _apply(template: Template, name: str, composition: Composition, now: datetime) -> None:
    if not name.strip():
        raise BadComposition("A template needs a name.")
    compose.freeze(composition, message_class=MessageClass.TRANSACTIONAL, tracks_opens=False, tracks_clicks=False)
    template.name = name.strip()
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
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
