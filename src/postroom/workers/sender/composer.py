"""From a claimed message to the octets that leave: rendered, addressed and signed for one sender account."""

from datetime import UTC, datetime

from django.conf import settings

from postroom.core.mail.ports import Envelope
from postroom.core.mail.rules import compose, tokens
from postroom.core.mail.rules.dkim import Signer
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.types import Outgoing, SenderProfile, Signing


class Composer:
    """Makes the messages of one sender account."""

    def __init__(self, profile: SenderProfile) -> None:
        self.sender_id = profile.id
        self._from = format_address(profile.from_name, profile.from_email)
        self._reply_to = (profile.reply_to,) if profile.reply_to else ()
        self._signer = make_signer(profile)
        self._public_url = str(settings.PUBLIC_URL)
        self._inbound = str(settings.INBOUND_DOMAIN)

    def compose(self, item: Outgoing, content: compose.CompiledContent) -> Envelope:
        """Return the finished message in its envelope; its return path and, unless one is set, its Reply-To name it.

        Raises TemplateRefused, BadHeader or BadAddress when it cannot be rendered for these values.
        """
        number = item.message_id
        reply_to = item.mailing.reply_to or self._reply_to or (f"{tokens.reply_local_part(number)}@{self._inbound}",)
        job = compose.RenderJob(
            message_id=number,
            content_id=item.mailing.content_id,
            from_=item.mailing.from_address or self._from,
            to=item.to,
            cc=item.cc,
            reply_to=reply_to,
            message_id_header=item.message_id_header,
            date=datetime.now(UTC),
            public_url=self._public_url,
            headers=item.mailing.headers,
            slots=item.slots,
            list_unsubscribe=item.mailing.message_class in compose.BULK_CLASSES,
        )
        body = compose.render(content, job)
        if self._signer is not None:
            body = self._signer.sign(body) + body
        return Envelope(
            message_id=number,
            return_path=f"{tokens.bounce_local_part(number)}@{self._inbound}",
            recipients=item.to + item.cc + item.bcc,
            body=body,
        )


def make_signer(profile: SenderProfile) -> Signer | None:
    """Return what signs an account's mail (RFC 6376), or None when its server does, or nobody."""
    rsa = profile.rsa_private if profile.signing in (Signing.RSA, Signing.BOTH) else ""
    ed25519 = profile.ed25519_private if profile.signing in (Signing.ED25519, Signing.BOTH) else ""
    if not profile.domain or not (rsa or ed25519):
        return None
    return Signer(profile.domain, profile.selector, rsa, ed25519)
