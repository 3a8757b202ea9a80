"""SMTP submission (RFC 6409): programs that speak no HTTP hand their mail over here, signed in with an API key."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from postroom.core.mail.errors import BadAddress, NotStored, OnceKeyBusy, UnknownFromDomain, UnverifiedDomain
from postroom.core.mail.rules.headers import check_email
from postroom.core.workspaces.errors import BadKey
from postroom.edge.smtp.bounds import BoundedSMTP, Crowd
from postroom.edge.smtp.handing_over import HandOver
from postroom.edge.smtp.reading import read_mail
from postroom.edge.smtp.signing_in import SignedIn, TooManyGuesses, sign_in, sign_in_again, take_turn
from postroom.edge.smtp.storing import LATER
from postroom.edge.smtp.threads import in_database_thread
from postroom.kit.errors import AppError, NotPermitted, RateLimited, Unavailable

MAX_OCTETS: Final = 40 * 1024 * 1024
MAX_RECIPIENTS: Final = 50
MAX_SIGN_INS: Final = 5
MAX_COMMANDS: Final = 100_000
STRANGER_TIMEOUT_S: Final = 60
"""How long a client may be silent before it has signed in."""
WRONG_KEY_PAUSE_S: Final = 1.0
MOST_WAITS: Final = 5
"""For so many seconds a client waits for its turn where messages a second are limited."""
LONGEST_LINE: Final = 64 * 1024
"""Octets of a line. Programs write longer ones than RFC 5321 allows, and we break them anew anyway."""

WRONG_KEY: Final = "535 5.7.8 Authentication credentials invalid: the password is an API key"

log = structlog.get_logger(__name__)


class Conversation(Session):
    """What is known of a client; ``auth_data`` is a SignedIn once it has signed in."""

    auth_data: Any = None
    login_data = None  # plain, as the library's own warns at every sign-in


class SubmissionSMTP(BoundedSMTP):
    """Asks for a key before it takes anything."""

    line_length_limit = LONGEST_LINE
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, crowd: Crowd, handler: "SubmissionHandler", *, idle_timeout_s: float, **options: Any) -> None:
        super().__init__(
            crowd,
            handler,
            auth_required=True,
            authenticator=_take_as_given,
            command_call_limit={"AUTH": MAX_SIGN_INS, "*": MAX_COMMANDS},
            data_size_limit=MAX_OCTETS,
            timeout=STRANGER_TIMEOUT_S,
            **options,
        )
        # Without a context of its own it stands behind TLS from the first octet on.
        self._auth_require_tls = self.tls_context is not None
        self._idle_timeout_s = idle_timeout_s

    def _create_session(self) -> Session:
        return Conversation(self.loop)

    async def auth_PLAIN(self, _: object, args: list[str]) -> AuthResult:
        """Sign in by PLAIN (RFC 4616)."""
        return await self._judge(await super().auth_PLAIN(_, args))

    async def auth_LOGIN(self, _: object, args: list[str]) -> AuthResult:
        """Sign in by LOGIN, which nobody specified and everybody has."""
        return await self._judge(await super().auth_LOGIN(_, args))

    async def _judge(self, given: AuthResult) -> AuthResult:
        if not given.success or not isinstance(given.auth_data, LoginPassword):
            return given
        name, secret = (octets.decode("utf-8", "replace") for octets in given.auth_data)
        client = str(self.session.peer[0]) if self.session is not None and self.session.peer else ""
        try:
            who = await in_database_thread(lambda: sign_in(user_name=name, secret=secret.strip(), client=client))
        except BadKey as error:
            await asyncio.sleep(WRONG_KEY_PAUSE_S)
            told = WRONG_KEY if "user name" not in error.message else f"535 5.7.8 {error.message}"
            return AuthResult(success=False, handled=False, message=told)
        except TooManyGuesses as error:
            return AuthResult(success=False, handled=False, message=f"454 4.7.0 {error.message} Try again later.")
        except NotPermitted as error:
            return AuthResult(success=False, handled=False, message=f"535 5.7.8 {error.message}")
        self._timeout_duration = self._idle_timeout_s
        self._reset_timeout()
        return AuthResult(success=True, auth_data=who)


def _take_as_given(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    """Pass on what the client gave: the library asks without waiting, and the database is asked with."""
    return AuthResult(success=True, auth_data=given)


class SubmissionHandler:
    """What to say to a client that submits."""

    def __init__(self) -> None:
        self._hand_over = HandOver()

    async def handle_EHLO(
        self, server: SMTP, session: Conversation, envelope: Envelope, host_name: str, responses: list[str]
    ) -> list[str]:
        """Tell that commands may come in a row (RFC 2920): they are read one by one in any case."""
        session.host_name = host_name
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Conversation, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the return path for what it is worth (each message gets its own), unless the key is no good any more."""
        try:
            known: SignedIn = session.auth_data
            session.auth_data = await in_database_thread(lambda: sign_in_again(known))
        except AppError:
            return "535 5.7.8 The API key is no longer accepted"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender ok"

    async def handle_RCPT(
        self, server: SMTP, session: Conversation, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take whoever may be written to at all; a second mention changes nothing."""
        try:
            email = check_email(address)
        except BadAddress:
            return "553 5.1.3 This is no address that mail can be sent to"
        if email.lower() in {one.lower() for one in envelope.rcpt_tos}:
            return "250 2.1.5 Recipient ok"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return f"452 4.5.3 A message takes {MAX_RECIPIENTS} recipients at most"
        envelope.rcpt_tos.append(email)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, session: Conversation, envelope: Envelope) -> str:
        """Say 250, with the message's uid, only when the message is committed (RFC 5321, section 6.1)."""
        raw = envelope.content
        if not isinstance(raw, bytes):
            return "554 5.6.0 Unreadable message"
        try:
            return await self._take(session.auth_data, raw, envelope.rcpt_tos)
        except NotStored as error:
            log.error("mail_not_stored", error=error.message)
        except AppError as error:
            return _line(f"{_code_of(error)} {error.message}")
        except Exception as error:
            log.error("mail_not_stored", error=type(error).__name__)
        return LATER

    async def _take(self, who: SignedIn, raw: bytes, recipients: Sequence[str]) -> str:
        await _wait_turn(who)
        handed = await asyncio.to_thread(read_mail, raw, recipients)
        uid = await self._hand_over.put(who, handed, recipients)
        if not handed.left_out:
            return f"250 2.0.0 Queued as {uid.hex}"
        return _line(f"250 2.0.0 Queued as {uid.hex} without the fields {', '.join(handed.left_out)}")

    async def handle_exception(self, error: Exception) -> str:
        """Answer a surprise so that the client comes again, and log no more of it than its kind."""
        log.error("smtp_surprise", error=type(error).__name__)
        return LATER

    async def close(self) -> None:
        """Make durable what is waiting."""
        with contextlib.suppress(Exception):
            await self._hand_over.drain()


async def _wait_turn(who: SignedIn) -> None:
    """Return when the workspace's rate allows another message: a client that is told to come again does so in minutes,
    so it waits here for a few seconds first. Raises RateLimited.
    """
    for _ in range(MOST_WAITS):
        seconds = await in_database_thread(lambda: take_turn(who))
        if not seconds:
            return
        await asyncio.sleep(seconds)
    raise RateLimited("The workspace may not hand over more messages a second; try again later.")


def _code_of(error: AppError) -> str:
    """Return the code that tells the client whether to come again (RFC 3463)."""
    if isinstance(error, RateLimited | Unavailable | OnceKeyBusy):
        return "451 4.7.1"
    if isinstance(error, NotPermitted | UnknownFromDomain | UnverifiedDomain):
        return "550 5.7.1"
    return "554 5.6.0"


def _line(text: str) -> str:
    """Return a reply of one line that any client takes (RFC 5321, section 4.5.3.1.5)."""
    return " ".join(text.split()).encode("ascii", "replace").decode("ascii")[:480]
