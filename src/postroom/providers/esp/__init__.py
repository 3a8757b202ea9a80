"""Mail over the HTTP interfaces of providers, behind the mail app's transport port."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from postroom.core.mail.rules.providers import connections
from postroom.core.mail.types import InboundMail, Provider, ProviderFact, SenderProfile
from postroom.kit.http import Bounds
from postroom.providers.esp.incoming import read_form, read_incoming
from postroom.providers.esp.raw import Mailgun, Ses
from postroom.providers.esp.records import fetch_facts
from postroom.providers.esp.reports import read_report
from postroom.providers.esp.transport import DEADLINE_S, EspTransport, EspUnavailable
from postroom.providers.esp.vendor import Vendor
from postroom.providers.esp.vendors import Brevo, MailerSend, Mailjet, Postmark, Resend, SendGrid

_VENDORS: Final[dict[Provider, type[Vendor]]] = {
    one.provider: one for one in (Resend, MailerSend, Ses, Postmark, Mailgun, SendGrid, Brevo, Mailjet)
}

__all__ = ["EspReports", "EspTransport", "EspUnavailable", "build_esp_transport", "read_form"]


def build_esp_transport(
    *, profile: SenderProfile, internal: Collection[str] = (), deadline_s: float = DEADLINE_S
) -> EspTransport:
    """Return the transport of an account at a provider. ``internal`` names hosts that it may reach beside the public
    internet; a call may last ``deadline_s`` seconds. Raises BadSender.
    """
    vendor = _VENDORS[profile.provider](profile)
    bounds = Bounds(internal=tuple(internal), deadline_s=deadline_s, connections=connections(profile.config))
    return EspTransport(vendor, bounds)


class EspReports:
    """Reads what providers report (see ``core.mail.ports.ReportReader``)."""

    def __init__(self, internal: Collection[str] = ()) -> None:
        self._internal = tuple(internal)

    def read(
        self, provider: Provider, body: bytes, content_type: str, *, is_inbound: bool
    ) -> Sequence[ProviderFact | InboundMail]:
        """Return what a webhook's body says. Raises KeyError, TypeError or ValueError."""
        return [read_incoming(provider, body, content_type)] if is_inbound else read_report(provider, body)

    def fetch(self, profile: SenderProfile, since: datetime, until: datetime) -> Iterator[ProviderFact]:
        """Yield what the provider's records say. Raises Unavailable."""
        return fetch_facts(profile, since, until, self._internal)
