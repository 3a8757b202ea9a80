"""API keys: made once, shown once, kept as a digest, checked at every request."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from postroom.core.workspaces.errors import BadKey, KeyNotFound, RoleTooLow
from postroom.core.workspaces.models import ApiKey, User, Workspace
from postroom.core.workspaces.rules import LAST_CHARACTERS, SHOWN_CHARACTERS, TOUCH_EVERY, digest_secret, make_secret
from postroom.core.workspaces.selectors import effective_role
from postroom.core.workspaces.services.audit import record_audit
from postroom.core.workspaces.types import Actor, AuditRecord, Door, NewKey, Role

_TOUCH: Final = """
UPDATE workspaces_apikey SET last_used_at = %(now)s
WHERE id = (SELECT id FROM workspaces_apikey WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """Who an accepted key speaks for: it acts as its creator, in their role, in its workspace, within its scopes (none:
    all), for its sending domain (empty: all).
    """

    workspace: Workspace
    user: User
    actor: Actor
    scopes: frozenset[str]
    mail_domain: str = ""
    role: Role = Role.VIEWER


@transaction.atomic
def create_api_key(*, workspace: Workspace, user: User, new: NewKey, actor: Actor, now: datetime) -> tuple[ApiKey, str]:
    """Make a key that acts as ``user``; the secret is in the answer and nowhere else.

    Raises DoorWithoutKeys, and RoleTooLow when the user is a stranger to the workspace.
    """
    if effective_role(user=user, workspace=workspace) is None:
        raise RoleTooLow(f"{user.email} is no member of {workspace.name}.")
    secret = make_secret(new.door)
    key = ApiKey.objects.create(
        workspace=workspace,
        created_by=user,
        door=new.door,
        name=new.name.strip(),
        prefix=secret[:SHOWN_CHARACTERS],
        ending=secret[-LAST_CHARACTERS:],
        digest=digest_secret(secret),
        scopes=list(new.scopes),
        mail_domain=new.mail_domain,
        created_at=now,
        expires_at=new.expires_at,
    )
    record = AuditRecord("api_key.created", "api_key", key.pk, after={"name": key.name, "door": new.door.value})
    record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return key, secret


@transaction.atomic
def revoke_api_key(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Refuse the key from now on; a second revocation changes nothing. Raises KeyNotFound."""
    key = ApiKey.objects.filter(workspace=workspace, uid=uid).first()
    if key is None:
        raise KeyNotFound("There is no such API key.")
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        record = AuditRecord("api_key.revoked", "api_key", key.pk, before={"name": key.name})
        record_audit(workspace=workspace, actor=actor, record=record, now=now)


def authenticate_key(*, secret: str, door: Door, now: datetime) -> KeyIdentity:
    """Return whom ``secret`` speaks for at ``door`` and note its use, at most once a minute.

    Raises BadKey, in one and the same way, for a key that is unknown, of another door, expired, revoked, or whose
    creator has left the workspace.
    """
    digest = digest_secret(secret)
    key = ApiKey.objects.select_related("workspace__organization", "created_by").filter(digest=digest).first()
    # The index finds the digest; comparing once more in constant time keeps an unequal row from ever passing.
    if key is None or not hmac.compare_digest(bytes(key.digest), digest) or not _is_usable(key, door, now):
        raise BadKey("The API key is unknown, expired or revoked.")
    role = effective_role(user=key.created_by, workspace=key.workspace)
    if role is None:
        raise BadKey("The API key is unknown, expired or revoked.")
    _touch(key, now)
    return KeyIdentity(
        workspace=key.workspace,
        user=key.created_by,
        actor=Actor(door=door, user_id=key.created_by_id, api_key_id=key.pk),
        scopes=frozenset(key.scopes),
        mail_domain=key.mail_domain,
        role=role,
    )


def _is_usable(key: ApiKey, door: Door, now: datetime) -> bool:
    return key.door == door and key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _touch(key: ApiKey, now: datetime) -> None:
    """Note the use of a key; nobody waits for somebody else who does."""
    if key.last_used_at is None or key.last_used_at < now - TOUCH_EVERY:
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, {"id": key.pk, "now": now})
