"""Where a mail server is, how to sign in, and how long to wait for it."""

from dataclasses import astuple, dataclass, field
from enum import StrEnum
from ipaddress import ip_address


class Security(StrEnum):
    """How a connection is encrypted: not; by STARTTLS if the server offers it, whoever it is (RFC 7435); by STARTTLS or
    from the first octet, and only to a server that proves its name.
    """

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds each stage may last in all, however slowly the server drips (RFC 5321 section 4.5.3.2).

    ``block`` is the longest pause while a large body leaves, ``body_total`` the longest time for all of it.
    """

    connect: float = 30.0
    greeting: float = 300.0
    command: float = 300.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    body_total: float = 3600.0
    final: float = 600.0
    quit: float = 5.0

    def scaled(self, factor: float) -> "Timeouts":
        """Return the same timeouts, each ``factor`` times as long."""
        return Timeouts(*(seconds * factor for seconds in astuple(self)))


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """One server and our account on it.

    ``max_losses`` is how often in a row a connection may be lost without one final answer before the transport reports
    the server unavailable; ``retry_delay_s`` the pause after the first loss, doubled after each further one.
    A connection that rested longer than ``max_idle_s`` is replaced before use.
    ``internal_hosts`` names what may be connected to although it is not on the public internet (see ``kit.hosts``).
    ``ca_file`` names a PEM file of certificate authorities to trust instead of the system's.
    """

    host: str
    port: int
    security: Security = Security.NONE
    username: str = ""
    password: str = field(default="", repr=False)
    max_connections: int = 8
    helo_name: str = ""
    verify_tls: bool = True
    ca_file: str = ""
    allow_insecure_auth: bool = False
    max_losses: int = 3
    retry_delay_s: float = 0.2
    max_idle_s: float = 60.0
    internal_hosts: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def address(self) -> str:
        """The server as a person would write it."""
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this very machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
