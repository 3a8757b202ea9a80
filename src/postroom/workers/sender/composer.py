"""From a claimed message to the octets that leave: rendered, addressed and signed for one sender account."""

from typing import Final

from django.conf import settings

from postroom.core.mail.ports import Envelope
from postroom.core.mail.rules.compose import BULK_CLASSES, CompiledContent, Letter, Letterhead, Press
from postroom.core.mail.rules.dkim import Signer
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.rules.tokens import Seal
from postroom.core.mail.types import Mailing, Outgoing, SenderProfile
from postroom.kit import clock

_MOST_PRESSES: Final = 64
"""How many mailings of an account stay set up; a press holds its content's octets once more."""


class Composer:
    """Makes the messages of one sender account."""

    def __init__(self, profile: SenderProfile) -> None:
        self.sender_id = profile.id
        self._from = format_address(profile.from_name, profile.from_email)
        self._message_id_domain = profile.from_email.rpartition("@")[2]
        self._reply_to = (profile.reply_to,) if profile.reply_to else ()
        self._signer = make_signer(profile)
        self._public_url = profile.tracking_url or str(settings.PUBLIC_URL)
        self._inbound = str(settings.INBOUND_DOMAIN)
        self._return_domain = profile.return_domain or self._inbound
        self._presses: dict[tuple[object, ...], Press] = {}
        self._mailing: Mailing | None = None
        self._last: Press | None = None

    def compose(self, item: Outgoing, content: CompiledContent) -> Envelope:
        """Return the finished message in its envelope; its return path and, unless one is set, its Reply-To name it.

        Raises TemplateRefused, BadHeader or BadAddress when it cannot be rendered for these values.
        """
        seal = Seal(item.message_id)
        number = item.message_id_header or seal.message_id_header(self._message_id_domain)
        to, cc = item.shown.get("to", item.to), item.shown.get("cc", item.cc)
        letter = Letter(seal, to, number, clock.now(), item.slots, cc, item.mailing.attachments)
        body = self._press(item.mailing, content).print(letter)
        return_path = f"{seal.bounce_local_part()}@{self._return_domain}"
        return Envelope(item.message_id, return_path, item.to + item.cc + item.bcc, body, body.isascii())

    def _press(self, mailing: Mailing, content: CompiledContent) -> Press:
        """Return the press of a mailing. One mailing is one object for all messages of a claim."""
        if mailing is self._mailing and self._last is not None:
            return self._last
        shared = (mailing.content_id, mailing.message_class, mailing.from_address, mailing.reply_to)
        key = (*shared, *mailing.headers.items())
        press = self._presses.get(key)
        if press is None:
            if len(self._presses) >= _MOST_PRESSES:
                self._presses.clear()
            press = self._presses[key] = Press(content, self._letterhead(mailing), self._signer)
        self._mailing, self._last = mailing, press
        return press

    def _letterhead(self, mailing: Mailing) -> Letterhead:
        return Letterhead(
            content_id=mailing.content_id,
            from_=mailing.from_address or self._from,
            public_url=self._public_url,
            reply_to=mailing.reply_to or self._reply_to,
            reply_domain=self._inbound,
            headers=mailing.headers,
            list_unsubscribe=mailing.message_class in BULK_CLASSES,
        )


def make_signer(profile: SenderProfile) -> Signer | None:
    """Return what signs an account's mail (RFC 6376), or None when its server does, or nobody."""
    if not profile.domain or not profile.keys:
        return None
    return Signer(profile.domain, [(key.selector, key.pem) for key in profile.keys])
