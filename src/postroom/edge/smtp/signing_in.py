"""Who may submit: the password is an API key, and who guesses at keys is slowed down, then turned away for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError

from postroom.core.workspaces import selectors
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import BadKey, RoleTooLow
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import SEND_SCOPE, Actor, Door, Role
from postroom.kit import clock
from postroom.kit.crypto import keyed_hash
from postroom.kit.errors import NotPermitted, RateLimited

USER_NAMES: Final = ("postroom", "apikey")
"""What is taken as the user name beside the configured one."""
FRESH_FOR: Final = timedelta(seconds=1)
"""For so long a key that was accepted is not looked up again."""
MAX_FAILURES: Final = 20
FORGOTTEN_AFTER_S: Final = 600

log = structlog.get_logger(__name__)


class TooManyGuesses(RateLimited):
    """Too many wrong keys came from this address."""

    code = "too_many_guesses"


class MayNotSend(NotPermitted):
    """The API key does not send e-mail."""

    code = "may_not_send"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom a connection speaks for, and when that was last looked up; ``rate_limit`` is how many messages a second its
    workspace may hand over, by the API too (0: as many as it likes).
    """

    secret: str
    workspace_id: int
    actor: Actor
    mail_domain: str
    rate_limit: int
    since: datetime


def sign_in(*, user_name: str, secret: str, client: str) -> SignedIn:
    """Check a key that comes as a password. Raises BadKey, TooManyGuesses or MayNotSend."""
    counter = _counter(client)
    if cache.get(counter, 0) >= MAX_FAILURES:
        raise TooManyGuesses(retry_after_s=FORGOTTEN_AFTER_S)
    try:
        if user_name.strip().lower() not in {str(settings.SUBMISSION_USER).lower(), *USER_NAMES}:
            raise BadKey(f"The user name is {settings.SUBMISSION_USER}.")
        return _look_up(secret)
    except BadKey:
        _count(counter)
        raise


def sign_in_again(known: SignedIn) -> SignedIn:
    """Return who a connection speaks for now: a key that was revoked meanwhile speaks for nobody. Raises as above."""
    return known if clock.now() - known.since < FRESH_FOR else _look_up(known.secret)


def _look_up(secret: str) -> SignedIn:
    now = clock.now()
    identity: KeyIdentity = workspaces.authenticate_key(secret=secret, door=Door.USESEND, now=now)
    if identity.scopes and SEND_SCOPE not in identity.scopes:
        raise MayNotSend
    try:
        selectors.require_role(user=identity.user, workspace=identity.workspace, role=Role.MEMBER)
    except RoleTooLow as error:
        raise MayNotSend("Who made the API key may only look.") from error
    # The internet's door: it tells mail that came by SMTP from mail that came by the API of the same key.
    actor = Actor(Door.EDGE, identity.actor.user_id, identity.actor.api_key_id)
    own = identity.workspace.api_rate_limit
    limit = int(settings.API_RATE_LIMIT) if own is None else own
    return SignedIn(secret, identity.workspace.pk, actor, identity.mail_domain, limit, now)


def take_turn(who: SignedIn) -> float:
    """Count a message; return 0, or after how many seconds to try again. While nobody can count, all may go."""
    if who.rate_limit <= 0:
        return 0.0
    try:
        window = workspaces.count_requests(counts={who.workspace_id: 1})[who.workspace_id]
    except DatabaseError as error:
        log.warning("rates_not_counted", error=type(error).__name__)
        return 0.0
    return 0.0 if window.used <= who.rate_limit else max(0.01, window.second + 1 - clock.now().timestamp())


def _counter(client: str) -> str:
    """Return the name under which an address is counted, a whole network where addresses are plenty."""
    try:
        address = ip_address(client)
    except ValueError:
        network = client
    else:
        network = str(int(address) >> 64) if isinstance(address, IPv6Address) else str(address)
    return f"edge.smtp.{keyed_hash('brake', network.encode()).hex()}"


def _count(counter: str) -> None:
    cache.add(counter, 0, FORGOTTEN_AFTER_S)
    try:
        cache.incr(counter)
    except ValueError:  # it ended between the two
        return
