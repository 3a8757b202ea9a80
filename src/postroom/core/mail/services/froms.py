"""Whose account sends a program's mail: the one that its From stands for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from postroom.core.mail.errors import BadAddress, BadFrom, ForeignMailDomain, UnknownFromDomain, UnverifiedDomain
from postroom.core.mail.models import Domain, SenderAccount
from postroom.core.mail.rules.headers import parse_addresses
from postroom.core.mail.selectors.sending import SendingRoom, load_domains, load_sending_rooms
from postroom.core.mail.services.carriers import ensure_carried_sender
from postroom.core.mail.services.senders import ensure_sandbox_sender
from postroom.core.mail.types import Provider, SendingAccount, SubmitRequest
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

MAX_FROM: Final = 600


class FromDesk:
    """Finds the accounts for a group of requests; what one From was found to be holds for all of the group."""

    def __init__(self, rooms: Mapping[int, SendingRoom], now: datetime) -> None:
        self._rooms = rooms
        self._now = now
        self._found: dict[tuple[int, str, str], SendingAccount] = {}
        self._domains: Mapping[tuple[int, str], Domain] | None = None

    def choose(self, request: SubmitRequest, from_address: str) -> SendingAccount:
        """Return the active account whose address the From has, else one of its domain, else the one that a verified
        domain gets; a workspace without any account but the sandbox, switched off or not, sends into that.

        Raises BadFrom, UnknownFromDomain, UnverifiedDomain, NoCarrier or ForeignMailDomain.
        """
        key = (request.workspace_id, from_address, request.mail_domain)
        if key not in self._found:
            self._found[key] = self._choose(request, from_address)
        return self._found[key]

    def _choose(self, request: SubmitRequest, from_address: str) -> SendingAccount:
        email = _read(from_address)
        domain = email.rpartition("@")[2]
        accounts = self._rooms[request.workspace_id].accounts
        fitting = [one for one in accounts if one.is_active and one.domain == domain]
        if fitting:
            found = min(fitting, key=lambda one: _rank(one, email))
            if found.is_unproven:
                raise UnverifiedDomain(f"The domain {domain} is not verified.", domain=domain)
        elif any(one.provider != Provider.SANDBOX for one in accounts):
            found = self._carried(request, domain)
        else:
            found = self._sandbox(request)
        if request.mail_domain and domain != request.mail_domain:
            raise ForeignMailDomain(f"The key may not send for the domain {domain}.", domain=domain)
        return found

    def _carried(self, request: SubmitRequest, name: str) -> SendingAccount:
        """Return the account of a domain that has none of its own yet."""
        if self._domains is None:
            self._domains = load_domains(workspace_ids=self._rooms)
        domain = self._domains.get((request.workspace_id, name))
        if domain is None:
            raise UnknownFromDomain(f"Nothing of this workspace sends for the domain {name}.", domain=name)
        if domain.verified_at is None:
            raise UnverifiedDomain(f"The domain {name} is not verified.", domain=name)
        return self._remember(ensure_carried_sender(workspace=domain.workspace, domain=domain, now=self._now))

    def _sandbox(self, request: SubmitRequest) -> SendingAccount:
        accounts = self._rooms[request.workspace_id].accounts
        known = next((one for one in accounts if one.provider == Provider.SANDBOX), None)
        if known is not None:
            return known
        workspace = Workspace.objects.get(pk=request.workspace_id)
        return self._remember(ensure_sandbox_sender(workspace=workspace, actor=request.actor, now=self._now))

    def _remember(self, sender: SenderAccount) -> SendingAccount:
        """Take an account that is there now among those of its workspace."""
        account = SendingAccount(
            sender.pk, sender.name, sender.from_email, sender.provider, sender.is_active, sender.is_limited
        )
        self._rooms[sender.workspace_id].accounts.append(account)
        return account


def choose_sender(
    *, workspace: Workspace, from_address: str, mail_domain: str, actor: Actor, now: datetime
) -> SendingAccount:
    """Return the account that sends what has this From, as for a single message; with a ``mail_domain`` it may be from
    that domain only. Raises what ``FromDesk.choose`` raises.
    """
    desk = FromDesk(load_sending_rooms(workspace_ids=[workspace.pk]), now)
    return desk.choose(SubmitRequest(workspace.pk, actor, (), mail_domain=mail_domain), from_address)


def _rank(account: SendingAccount, email: str) -> tuple[bool, bool, bool]:
    """Return what puts the account that is to send for an address first."""
    return account.provider == Provider.SANDBOX, account.is_unproven, account.from_email.lower() != email


def _read(from_address: str) -> str:
    if len(from_address) > MAX_FROM:
        raise BadFrom(f"The From is longer than {MAX_FROM} characters.")
    try:
        pairs = parse_addresses(from_address)
    except BadAddress as error:
        raise BadFrom(error.message) from error
    if len(pairs) != 1:
        raise BadFrom("The From must be one address.")
    return pairs[0][1].lower()
