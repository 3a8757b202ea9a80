"""Which part of a domain name somebody registered, by the public suffix list that comes with its library."""

from functools import cache

from publicsuffixlist import PublicSuffixList


def split_domain(name: str) -> tuple[str, str]:
    """Return (what was registered, what stands before it, empty for nothing): ``mail.acme.co.uk`` is of ``acme.co.uk``.

    A name that is a public suffix itself counts as registered.
    """
    registered = _suffixes().privatesuffix(name) or name
    return registered, name.removesuffix(registered).rstrip(".")


def relative_name(host: str, registered: str) -> str:
    """Return a host's name as it stands in the zone of ``registered``, itself ``@`` there (RFC 1035, section 5.1)."""
    return "@" if host == registered else host.removesuffix(f".{registered}")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
