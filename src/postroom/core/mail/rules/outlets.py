"""Where mail of a sender account leaves, as SPF has to know it."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from postroom.core.mail.types import Outlet, Provider

API_PROVIDERS: Final = frozenset(Provider) - {Provider.SANDBOX, Provider.ECHO, Provider.SMTP}
"""Who carries mail under a return path and signatures of their own, set up on their own pages."""

_RELAYS: Final = (
    (("gmail.com", "googlemail.com", "google.com"), "include:_spf.google.com"),
    (("office365.com", "outlook.com", "microsoft.com"), "include:spf.protection.outlook.com"),
    (("amazonaws.com", "amazonses.com", "resend.com"), "include:amazonses.com"),
    (("sendgrid.net",), "include:sendgrid.net"),
    (("mailgun.org",), "include:mailgun.org"),
    (("mtasv.net", "postmarkapp.com"), "include:spf.mtasv.net"),
    (("brevo.com", "sendinblue.com"), "include:spf.brevo.com"),
    (("mailjet.com",), "include:spf.mailjet.com"),
    (("mailersend.net", "mailersend.com"), "include:_spf.mailersend.net"),
    (("zoho.com", "zoho.eu", "zohomail.com"), "include:zohomail.com"),
    (("yandex.com", "yandex.net", "yandex.ru"), "include:_spf.yandex.net"),
)
"""Relays that publish what their customers include in their own SPF record."""


def find_outlet(*, provider: str, host: str, addresses: Sequence[str]) -> Outlet | None:
    """Return where an account's mail leaves; None when its provider answers for SPF itself, or nothing leaves at all.

    ``addresses`` are this installation's own, when its operator said so: a server that is no known relay sends there.
    """
    if provider != Provider.SMTP:
        return None
    host = host.lower().rstrip(".")
    for suffixes, term in _RELAYS:
        if host.endswith(tuple(f".{suffix}" for suffix in suffixes)) or host in suffixes:
            return Outlet(terms=(term,))
    if addresses:
        return Outlet(terms=tuple(_address_term(one) for one in addresses), addresses=tuple(addresses))
    if _is_address(host):
        return Outlet(terms=(_address_term(host),), addresses=(host,), is_certain=False)
    return Outlet(terms=(f"a:{host}",), hosts=(host,), is_certain=False)


def _address_term(address: str) -> str:
    return f"ip{ip_address(address).version}:{address}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
