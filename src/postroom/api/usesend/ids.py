"""Ids as useSend writes them: opaque words without hyphens, whole numbers for teams."""

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

_WORD: Final = re.compile(r"[0-9a-f]{32}")
NOBODY: Final = UUID(int=0)


def write_id(uid: UUID) -> str:
    """Return the word for a uid."""
    return uid.hex


def read_id(word: str) -> UUID:
    """Return the uid a word stands for; a word that is none stands for a thing that does not exist."""
    return UUID(word) if _WORD.fullmatch(word) else NOBODY


def team_id(workspace: "Workspace") -> int:
    """Return the number of the team that a workspace is."""
    return workspace.pk
