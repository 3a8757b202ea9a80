"""Pure decisions of tenancy: roles, key secrets, workspace addresses."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from zoneinfo import available_timezones

from postroom.core.workspaces.errors import BadSlug, BadTimezone, DoorWithoutKeys
from postroom.core.workspaces.types import Door, Role

KEY_WORDS: Final = {
    Door.CRM: "pai_",
    Door.USESEND: "us_",
    Door.MAILTRIXY: "mb_",
    Door.BACKOFFICE: "pr_",
    Door.OUTREACH: "pr_",
}
SHOWN_CHARACTERS: Final = 12
LAST_CHARACTERS: Final = 4
TOUCH_EVERY: Final = timedelta(minutes=1)

_CLIENT_ID: Final = string.digits + string.ascii_lowercase
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?")


def combine_roles(*, in_organization: Role | None, in_workspace: Role | None) -> Role | None:
    """Return what a person may do: an organization's admin everything, anyone else needs a membership of the workspace,
    and then has the higher of both roles.
    """
    if in_organization is Role.ADMIN:
        return Role.ADMIN
    if in_workspace is None:
        return None
    return highest_role([role for role in (in_organization, in_workspace) if role is not None])


def highest_role(roles: Iterable[Role]) -> Role | None:
    """Return the role that includes all the others, None when there is none."""
    return max(roles, key=lambda role: role.rank, default=None)


def make_secret(door: Door) -> str:
    """Return a fresh API secret: the door's word and 256 random bits; at useSend's door a client id and 128 bits, as
    its keys are made (``us_<10 of 0-9a-z>_<32 hex>``). Raises DoorWithoutKeys for doors without keys.
    """
    word = KEY_WORDS.get(door)
    if word is None:
        raise DoorWithoutKeys(f"The door {door.value!r} is not opened with API keys.", door=door.value)
    if door is Door.USESEND:
        client_id = "".join(secrets.choice(_CLIENT_ID) for _ in range(10))
        return f"{word}{client_id}_{secrets.token_hex(16)}"
    return word + secrets.token_hex(32)


def digest_secret(secret: str) -> bytes:
    """Return the SHA-256 under which a secret is kept; 128 random bits and more need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def check_slug(slug: str) -> str:
    """Return ``slug``. Raises BadSlug unless it is made of small letters, digits and inner hyphens, at most 80."""
    if not _SLUG.fullmatch(slug):
        raise BadSlug(f"The address {slug!r} may hold small letters, digits and inner hyphens only.", slug=slug)
    return slug


def check_timezone(name: str) -> str:
    """Return ``name``. Raises BadTimezone unless the IANA database knows it."""
    if name not in available_timezones():
        raise BadTimezone(f"There is no time zone {name!r}.", timezone=name)
    return name
