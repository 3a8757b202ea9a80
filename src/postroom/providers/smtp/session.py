"""Opening a connection: greeting, EHLO, encryption, sign-in, one step at a time (RFC 5321, 3207, 4954)."""

import asyncio
import base64
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass

from postroom.kit.hosts import HostRefused, resolve_async
from postroom.providers.smtp.errors import SmtpUnavailable
from postroom.providers.smtp.replies import Reply, clean
from postroom.providers.smtp.settings import Security, SmtpSettings
from postroom.providers.smtp.wire import Wire

_LONGEST_DESCRIPTION = 300
_HELO_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Features:
    """What a server offered in its answer to EHLO. ``size`` is its limit in octets, 0 when it names none."""

    has_pipelining: bool = False
    has_8bitmime: bool = False
    has_smtputf8: bool = False
    has_size: bool = False
    has_starttls: bool = False
    size: int = 0
    sign_ins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that is ready for mail. ``description`` says in a line where it leads and how it is protected."""

    wire: Wire
    features: Features
    description: str


class Dialogue:
    """Lock-step talk over a wire: say something, wait for the one reply."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.wire = Wire(self)
        self._settings = settings
        self._unread: Reply | None = None
        self._lost = ""
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether the connection stands and the server has said nothing that we have not read."""
        return self._unread is None and not self._lost and not self.wire.has_unread

    def on_octets(self, octets: bytes) -> bytes:
        """Understand nothing at a glance."""
        return octets

    def on_reply(self, code: int, text: bytes) -> None:
        """Keep the reply for ``reply``; a second one nobody asked for ends the connection."""
        if self._unread is not None:
            self.wire.lose("it answered more than it was asked")
            return
        self._unread = (code, text)
        self._wake()

    def on_lost(self, reason: str) -> None:
        """Fail the one who waits."""
        self._lost = reason
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def reply(self, step: str, timeout_s: float) -> Reply:
        """Return the next reply. Raises SmtpUnavailable when there is none within ``timeout_s``."""
        if self._unread is None and not self._lost:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._waiter
            except TimeoutError:
                raise self.failure(step, f"no answer within {timeout_s:g} s") from None
        if self._unread is None:
            raise self.failure(step, self._lost)
        reply, self._unread = self._unread, None
        return reply

    async def ask(self, line: str, step: str = "") -> Reply:
        """Send a command and return its reply. ``step`` names it in errors when the line itself is secret."""
        self.wire.write(line.encode() + b"\r\n")
        return await self.reply(step or line, self._settings.timeouts.command)

    def failure(self, step: str, reason: str, *, permanent: bool = False) -> SmtpUnavailable:
        """Return the error that says at which server and step what happened."""
        return SmtpUnavailable(f"{self._settings.address}, {step}: {reason}.", permanent=permanent)

    def refusal(self, step: str, reply: Reply) -> SmtpUnavailable:
        """Return the error for a 4xx or 5xx reply; 5xx is permanent."""
        code, text = reply
        return self.failure(step, f"the server answered {code} {clean(text).rstrip('.')}", permanent=code >= 500)


async def open_session(settings: SmtpSettings) -> Session:
    """Connect, greet, encrypt and sign in as ``settings`` ask.

    Raises SmtpUnavailable; ``permanent`` where trying again cannot help (5xx, bad certificate, no TLS, wrong password).
    """
    dialogue = Dialogue(settings)
    try:
        await _connect(dialogue, settings)
        greeting, features = await _greet(dialogue, settings)
        is_taken = settings.security is Security.OPPORTUNISTIC and features.has_starttls
        if is_taken or settings.security is Security.STARTTLS:
            features = await _start_tls(dialogue, settings, features)
        if settings.username:
            await _sign_in(dialogue, settings, features)
    except BaseException:
        dialogue.wire.hang_up()
        raise
    return Session(dialogue.wire, features, _describe(dialogue.wire, settings, greeting))


def _describe(wire: Wire, settings: SmtpSettings, greeting: bytes) -> str:
    """Return server, address, encryption, who we are there, and the greeting."""
    peer = str(wire.transport.get_extra_info("peername", ("?",))[0])
    encryption = wire.transport.get_extra_info("cipher")
    protected = f"{encryption[1]} {encryption[0]}" if encryption else "no encryption"
    account = "signed in" if settings.username else "not signed in"
    return f"{settings.address} [{peer}], {protected}, {account}: {clean(greeting)}"[:_LONGEST_DESCRIPTION]


async def _connect(dialogue: Dialogue, settings: SmtpSettings) -> None:
    """Connect to an address of the host that was looked at; never to what a second look-up might say."""
    try:
        async with asyncio.timeout(settings.timeouts.connect):
            *others, last = await resolve_async(settings.host, settings.port, internal=settings.internal_hosts)
            for address in others:
                with suppress(ConnectionError):
                    return await _connect_to(address, dialogue, settings)
            await _connect_to(last, dialogue, settings)
    except HostRefused as error:
        raise dialogue.failure(
            "connect", error.message.rstrip("."), permanent=not error.facts.get("is_unknown")
        ) from error
    except (OSError, ssl.SSLError, UnicodeError) as error:
        raise _connect_failure(dialogue, error) from error


async def _connect_to(address: str, dialogue: Dialogue, settings: SmtpSettings) -> None:
    secure = settings.security is Security.TLS
    await asyncio.get_running_loop().create_connection(
        lambda: dialogue.wire,
        address,
        settings.port,
        ssl=_tls_context(dialogue, settings) if secure else None,
        server_hostname=settings.host if secure else None,
    )


def _connect_failure(dialogue: Dialogue, error: Exception) -> SmtpUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"the server's certificate is not to be trusted ({error.verify_message})"
        return dialogue.failure("encryption", reason, permanent=True)
    if isinstance(error, ssl.SSLError):
        return dialogue.failure("encryption", f"no TLS connection came about ({error.reason or error})", permanent=True)
    if isinstance(error, TimeoutError):
        return dialogue.failure("connect", "nobody answered in time")
    reason = str(error.strerror or error) if isinstance(error, OSError) else str(error)
    return dialogue.failure("connect", f"the connection failed ({reason})")


def _tls_context(dialogue: Dialogue, settings: SmtpSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise dialogue.failure("encryption", f"cannot read {settings.ca_file} ({error})", permanent=True) from error
    if not settings.verify_tls or settings.security is Security.OPPORTUNISTIC:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _greet(dialogue: Dialogue, settings: SmtpSettings) -> tuple[bytes, Features]:
    greeting = await dialogue.reply("greeting", settings.timeouts.greeting)
    if greeting[0] != 220:
        raise dialogue.refusal("greeting", greeting)
    return greeting[1], await _hello(dialogue, settings)


async def _hello(dialogue: Dialogue, settings: SmtpSettings) -> Features:
    """Say EHLO, or HELO to a server that does not know it (RFC 5321 section 3.2)."""
    name = _helo_name(dialogue, settings)
    reply = await dialogue.ask(f"EHLO {name}")
    if reply[0] == 250:
        return read_features(reply[1])
    if reply[0] < 500:
        raise dialogue.refusal("EHLO", reply)
    reply = await dialogue.ask(f"HELO {name}")
    if reply[0] != 250:
        raise dialogue.refusal("HELO", reply)
    return Features()


def _helo_name(dialogue: Dialogue, settings: SmtpSettings) -> str:
    """Return our configured name, or our address as a literal (RFC 5321 section 4.1.4)."""
    if settings.helo_name:
        if not _HELO_NAME.fullmatch(settings.helo_name):
            raise dialogue.failure("EHLO", f"{settings.helo_name!r} is no host name", permanent=True)
        return settings.helo_name
    address = str(dialogue.wire.transport.get_extra_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def read_features(text: bytes) -> Features:
    """Read the lines of an EHLO reply; the first one is the server's name."""
    words = [line.upper().split() for line in text.decode("ascii", "replace").split("\n")[1:]]
    offers = {line[0]: line[1:] for line in words if line}
    size = offers.get("SIZE", [])
    return Features(
        has_pipelining="PIPELINING" in offers,
        has_8bitmime="8BITMIME" in offers,
        has_smtputf8="SMTPUTF8" in offers,
        has_size="SIZE" in offers,
        has_starttls="STARTTLS" in offers,
        size=int(size[0]) if size and size[0].isascii() and size[0].isdigit() else 0,
        sign_ins=frozenset(offers.get("AUTH", [])),
    )


async def _start_tls(dialogue: Dialogue, settings: SmtpSettings, features: Features) -> Features:
    if not features.has_starttls:
        raise dialogue.failure("STARTTLS", "the server does not offer encryption", permanent=True)
    reply = await dialogue.ask("STARTTLS")
    if reply[0] != 220:
        raise dialogue.refusal("STARTTLS", reply)
    if not dialogue.is_quiet:  # words slipped in before the encryption must not count as said inside it
        raise dialogue.failure("STARTTLS", "the server spoke ahead of the encryption", permanent=True)
    wire, loop = dialogue.wire, asyncio.get_running_loop()
    context = _tls_context(dialogue, settings)
    try:
        async with asyncio.timeout(settings.timeouts.connect):
            transport = await loop.start_tls(wire.transport, wire, context, server_hostname=settings.host)
    except OSError as error:
        raise _connect_failure(dialogue, error) from error
    if transport is None:
        raise dialogue.failure("STARTTLS", "the server closed the connection")
    wire.adopt(transport)
    return await _hello(dialogue, settings)


async def _sign_in(dialogue: Dialogue, settings: SmtpSettings, features: Features) -> None:
    is_open = settings.security in (Security.NONE, Security.OPPORTUNISTIC) and not settings.is_loopback
    if is_open and not settings.allow_insecure_auth:
        raise dialogue.failure(
            "sign-in",
            "the password will not be sent without encryption to a server that proves its name",
            permanent=True,
        )
    if "\0" in settings.username + settings.password:
        raise dialogue.failure("sign-in", "name and password must not contain NUL", permanent=True)
    if "PLAIN" in features.sign_ins:
        reply = await dialogue.ask("AUTH PLAIN " + _base64(f"\0{settings.username}\0{settings.password}"), "sign-in")
    elif "LOGIN" in features.sign_ins:
        reply = await _sign_in_by_login(dialogue, settings)
    else:
        offered = ", ".join(sorted(features.sign_ins)) or "none"
        raise dialogue.failure("sign-in", f"the server offers neither PLAIN nor LOGIN (but {offered})", permanent=True)
    if reply[0] != 235:
        raise dialogue.refusal("sign-in", reply)


async def _sign_in_by_login(dialogue: Dialogue, settings: SmtpSettings) -> Reply:
    reply = await dialogue.ask("AUTH LOGIN", "sign-in")
    for secret in (settings.username, settings.password):
        if reply[0] != 334:
            break
        reply = await dialogue.ask(_base64(secret), "sign-in")
    return reply


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
