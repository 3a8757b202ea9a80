"""The outside world behind the core's ports."""

from pathlib import Path

from django.conf import settings

from postroom.core.mail.ports import Transport
from postroom.core.mail.rules.providers import is_http
from postroom.core.mail.types import Provider, SenderProfile


def build_transport(*, profile: SenderProfile) -> Transport:
    """Return what carries the mail of a sender account. Raises BadSender or BadSmtpConfig for settings without sense.

    Each kind is imported when the first account of it is opened: a process pays for what it uses.
    """
    if profile.provider is Provider.ECHO:
        from postroom.providers.echo import EchoTransport

        return EchoTransport(Path(settings.DATA_DIR) / "echo")
    if is_http(profile.provider):
        from postroom.providers.esp import build_esp_transport

        return build_esp_transport(profile=profile, internal=settings.INTERNAL_HTTP_HOSTS)
    from postroom.providers import smtp

    sandbox = (f"{settings.SANDBOX_HOST}:{settings.SANDBOX_PORT}",)
    internal = sandbox if profile.provider is Provider.SANDBOX else tuple(settings.INTERNAL_SMTP_HOSTS)
    return smtp.build_transport(
        provider=profile.provider, config=profile.config, credentials=profile.credentials, internal=internal
    )
