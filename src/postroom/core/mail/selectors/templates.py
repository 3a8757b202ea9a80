"""Reads of templates."""

from collections.abc import Mapping
from uuid import UUID

from postroom.core.mail.errors import NoSuchTemplate
from postroom.core.mail.models import Template
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.liquid import find_variables
from postroom.core.mail.types import BodyFormat, Composition, MessageClass
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page
from postroom.kit.types import JSONValue


def get_template(*, workspace: Workspace, template_id: int) -> Template:
    """Return a template. Raises NoSuchTemplate, also for one of another workspace."""
    return _found(Template.objects.filter(workspace=workspace, pk=template_id).first())


def get_template_by_uid(*, workspace: Workspace, uid: UUID) -> Template:
    """Return a template by its uid. Raises NoSuchTemplate, also for one of another workspace."""
    return _found(Template.objects.filter(workspace=workspace, uid=uid).first())


def _found(template: Template | None) -> Template:
    if template is None:
        raise NoSuchTemplate("There is no such template in this workspace.")
    return template


def page_templates(*, workspace: Workspace, page: PageRequest) -> Page[Template]:
    """Return a page of the templates, those changed last first; without their bodies."""
    rows = Template.objects.filter(workspace=workspace).defer("body", "text")
    return fetch_page(rows.order_by("-updated_at", "-id"), page)


def template_composition(template: Template) -> Composition:
    """Return what a template's author wrote."""
    return Composition(
        subject=template.subject,
        body=template.body,
        body_format=BodyFormat(template.body_format),
        text=template.text,
    )


def list_variables(*, composition: Composition) -> tuple[str, ...]:
    """Return what a program is to say where it writes from this, as paths. Raises TemplateRefused."""
    own = {compose.UNSUBSCRIBE, compose.PIXEL}
    texts = (composition.subject, composition.body, composition.text)
    return tuple(sorted({name for text in texts for name in find_variables(text)} - own))


def preview_template(*, composition: Composition, values: Mapping[str, JSONValue]) -> compose.Preview:
    """Return what a reader sees of a mail made from it with ``values``. Raises BadComposition or TemplateRefused."""
    return compose.preview(composition, values, MessageClass.TRANSACTIONAL)
