"""Mail over the HTTP interfaces of providers, behind the mail app's transport port."""

from collections.abc import Collection
from typing import Final

from postroom.core.mail.rules.providers import connections
from postroom.core.mail.types import Provider, SenderProfile
from postroom.kit.http import Bounds
from postroom.providers.esp.raw import Mailgun, Ses
from postroom.providers.esp.transport import DEADLINE_S, EspTransport, EspUnavailable
from postroom.providers.esp.vendor import Vendor
from postroom.providers.esp.vendors import Brevo, MailerSend, Mailjet, Postmark, Resend, SendGrid

_VENDORS: Final[dict[Provider, type[Vendor]]] = {
    one.provider: one for one in (Resend, MailerSend, Ses, Postmark, Mailgun, SendGrid, Brevo, Mailjet)
}

__all__ = ["EspTransport", "EspUnavailable", "build_esp_transport"]


def build_esp_transport(
    *, profile: SenderProfile, internal: Collection[str] = (), deadline_s: float = DEADLINE_S
) -> EspTransport:
    """Return the transport of an account at a provider. ``internal`` names hosts that it may reach beside the public
    internet; a call may last ``deadline_s`` seconds. Raises BadSender.
    """
    vendor = _VENDORS[profile.provider](profile)
    bounds = Bounds(internal=tuple(internal), deadline_s=deadline_s, connections=connections(profile.config))
    return EspTransport(vendor, bounds)
