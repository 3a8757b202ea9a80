"""The accounts that webhooks name: looked up once, believed for some seconds."""

from collections import OrderedDict
from time import monotonic
from typing import Final
from uuid import UUID

from postroom.core.mail.selectors import find_webhook_account
from postroom.core.mail.types import WebhookAccount

_BELIEVED_S: Final = 5.0
_REMEMBERED: Final = 1000


class Accounts:
    """Looked up from one thread, the one that has the database; remembered for all."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, tuple[float, WebhookAccount | None]] = OrderedDict()

    def remembered(self, uid: UUID) -> tuple[bool, WebhookAccount | None]:
        """Return whether the account is known still, and it."""
        until, account = self._known.get(uid, (0.0, None))
        return monotonic() < until, account

    def look_up(self, uid: UUID) -> WebhookAccount | None:
        """Return the account, or None when there is none. Raises django.db.DatabaseError."""
        account = find_webhook_account(uid=uid)
        self._known[uid] = (monotonic() + _BELIEVED_S, account)
        self._known.move_to_end(uid)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return account
