"""``postroom stop`` and ``postroom resume``: the panic stop, from a terminal."""

import time
from typing import TYPE_CHECKING, Final

import typer

from postroom.core.mail import selectors, services
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.types import Actor, Door
from postroom.kit import clock

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

PATIENCE_S: Final = 30.0
"""How long to wait for senders to obey; a dead one's claims are put back once its journal has been replayed."""

_COMMAND: Final = Actor(door=Door.COMMAND)


def stop_mail(slug: str) -> bool:
    """Let nothing leave any more, from one workspace or, without a name, from any; return whether every sender obeyed.

    Raises WorkspaceNotFound.
    """
    workspace = _find(slug)
    if workspace is None:
        services.stop_installation(actor=_COMMAND, now=clock.now())
    else:
        services.stop_workspace(workspace=workspace, actor=_COMMAND, now=clock.now())
    until = time.monotonic() + PATIENCE_S
    while not (is_quiet := selectors.is_quiet(workspace=workspace)) and time.monotonic() < until:
        time.sleep(0.2)
    typer.echo(
        f"Stopped: nothing leaves {_words(workspace)} until “postroom resume”."
        if is_quiet
        else "Stopped, but some sender still holds mail: see “postroom claims”."
    )
    return is_quiet


def resume_mail(slug: str) -> None:
    """Let mail leave again. Raises WorkspaceNotFound."""
    workspace = _find(slug)
    if workspace is None:
        services.resume_installation(actor=_COMMAND, now=clock.now())
    else:
        services.resume_workspace(workspace=workspace, actor=_COMMAND, now=clock.now())
    typer.echo(f"Mail leaves {_words(workspace)} again.")


def _find(slug: str) -> "Workspace | None":
    if not slug:
        return None
    found = workspaces.find_workspace(slug=slug)
    if found is None:
        raise WorkspaceNotFound(f"There is no workspace {slug!r}.")
    return found


def _words(workspace: "Workspace | None") -> str:
    return f"the workspace {workspace.slug}" if workspace else "this installation"
