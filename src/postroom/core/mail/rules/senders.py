"""What makes a sender account usable: an address, a server, and a domain that fits."""

import re
from collections.abc import Mapping
from typing import Final

import idna

from postroom.core.mail.errors import BadDomain, BadSender
from postroom.core.mail.rules.headers import check_email, format_address
from postroom.core.mail.rules.providers import check_provider, is_http
from postroom.core.mail.types import NewSender, Provider
from postroom.kit.types import JSONValue

SECURITIES: Final = ("none", "opportunistic", "starttls", "tls")
MAX_CONNECTIONS: Final = 256

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")


def check_new_sender(new: NewSender, *, domain: str = "", is_carried: bool = False) -> None:
    """Refuse a sender account that could not work. ``domain`` is its signing domain, empty without one; one that
    ``is_carried`` needs no server of its own.

    Raises BadSender or BadAddress.
    """
    if not new.name.strip():
        raise BadSender("A sender account needs a name.")
    format_address(new.from_name, new.from_email)
    if new.reply_to:
        check_email(new.reply_to)
    if domain and check_email(new.from_email).rpartition("@")[2].lower() != domain:
        raise BadSender(f"The address {new.from_email} is not of the domain {domain} that would sign for it.")
    if new.daily_limit is not None and new.daily_limit < 1:
        raise BadSender("The daily limit must be at least 1.")
    if is_carried:
        return
    if new.provider == Provider.SMTP:
        check_server(new.config)
    elif is_http(new.provider):
        check_provider(new.provider, new.config, new.credentials)


def check_server(config: Mapping[str, JSONValue]) -> None:
    """Refuse the settings of an SMTP server that could not be reached as they stand. Raises BadSender."""
    host, port = config.get("host"), config.get("port")
    if not isinstance(host, str) or not host or re.search(r"[\s\x00-\x20/@]", host):
        raise BadSender("The mail server needs a host name.", field="host")
    if not _is_whole(port, 65_535):
        raise BadSender("The port of the mail server must be a whole number from 1 to 65535.", field="port")
    if config.get("security", "none") not in SECURITIES:
        raise BadSender(f"The security must be one of {', '.join(SECURITIES)}.", field="security")
    if not _is_whole(config.get("max_connections", 1), MAX_CONNECTIONS):
        raise BadSender(f"The connections must be a whole number from 1 to {MAX_CONNECTIONS}.", field="max_connections")


def is_other_server(before: Mapping[str, JSONValue], after: Mapping[str, JSONValue]) -> bool:
    """Whether mail would go to another server than before, or to the same one less protected."""
    return any(before.get(name) != after.get(name) for name in ("host", "port", "security", "api_url", "region"))


def check_domain_name(name: str) -> str:
    """Return a domain name in lower case as A-labels (RFC 5891: ß stays a letter of its own). Raises BadDomain."""
    plain = name.strip().rstrip(".").lower()
    try:
        ascii_name = plain if plain.isascii() else idna.encode(plain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadDomain(f"{name!r} is not a domain name.") from error
    labels = ascii_name.split(".")
    if len(labels) < 2 or len(ascii_name) > 253 or not all(_LABEL.match(label) for label in labels):
        raise BadDomain(f"{name!r} is not a domain name.")
    return ascii_name


def _is_whole(value: JSONValue, maximum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= maximum
