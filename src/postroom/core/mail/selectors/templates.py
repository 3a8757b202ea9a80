"""Reads of templates."""

from postroom.core.mail.errors import NoSuchTemplate
from postroom.core.mail.models import Template
from postroom.core.workspaces.models import Workspace


def get_template(*, workspace: Workspace, template_id: int) -> Template:
    """Return a template. Raises NoSuchTemplate, also for one of another workspace."""
    found = Template.objects.filter(workspace=workspace, pk=template_id).first()
    if found is None:
        raise NoSuchTemplate("There is no such template in this workspace.")
    return found


def list_templates(*, workspace: Workspace) -> list[Template]:
    """Return the templates of a workspace by name."""
    return list(Template.objects.filter(workspace=workspace).order_by("name", "language", "id"))
