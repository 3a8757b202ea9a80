"""The domains of companies, and those that are nobody's own."""

from typing import Final

from postroom.core.contacts.errors import BadAddress, BadValue
from postroom.core.contacts.rules.addresses import normalise_email

# Where anybody gets a mailbox, an address says nothing about a company.
FREE_MAIL: Final = frozenset(
    {
        "aol.com",
        "free.fr",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "naver.com",
        "orange.fr",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "t-online.de",
        "web.de",
        "yahoo.com",
        "yandex.ru",
        "ymail.com",
        "163.com",
    }
)


def clean_domain(text: str) -> str:
    """Return the one spelling of a domain, read from a bare one, a web address or an e-mail address; empty for none.

    Raises BadValue.
    """
    domain = text.strip().lower().partition("://")[2] or text.strip().lower()
    domain = domain.partition("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.").strip(".")
    if not domain:
        return ""
    try:
        return normalise_email(f"somebody@{domain}").rpartition("@")[2]
    except BadAddress as error:
        raise BadValue(f"{text.strip()[:80]!r} is not a domain such as example.com.", field="Domain") from error


def company_domains(email: str | None) -> tuple[str, ...]:
    """Return the domains by which the company of an address may be known, the nearest first; none for free mail."""
    domain = (email or "").rpartition("@")[2]
    found = []
    while "." in domain and domain not in FREE_MAIL:
        found.append(domain)
        domain = domain.partition(".")[2]
    return tuple(found)
