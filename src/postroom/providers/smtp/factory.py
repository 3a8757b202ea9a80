"""From a sender account's provider name, settings and credentials to the transport that carries its mail."""

from collections.abc import Mapping

from postroom.core.mail.ports import Transport
from postroom.core.mail.types import Provider
from postroom.kit.types import JSONValue
from postroom.providers.smtp.errors import BadSmtpConfig
from postroom.providers.smtp.settings import Security, SmtpSettings
from postroom.providers.smtp.transport import SmtpTransport

_CONNECTIONS = 8
_MAX_CONNECTIONS = 256


def build_transport(
    *,
    provider: str,
    config: Mapping[str, JSONValue],
    credentials: Mapping[str, JSONValue] | None = None,
    internal: tuple[str, ...] = (),
) -> Transport:
    """Return the transport of a sender account; the sandbox is SMTP to our own listener, without a sign-in.

    ``internal`` names hosts that need not be on the public internet (see ``kit.hosts``).

    Raises BadSmtpConfig for settings that make no sense.
    """
    if provider == Provider.SMTP:
        return SmtpTransport(read_settings(config, credentials or {}, internal))
    if provider == Provider.SANDBOX:
        return SmtpTransport(read_settings(config, {}, internal))
    raise BadSmtpConfig(f"There is no provider {provider!r}.", field="provider")


def read_settings(
    config: Mapping[str, JSONValue], credentials: Mapping[str, JSONValue], internal: tuple[str, ...] = ()
) -> SmtpSettings:
    """Return the settings in ``config`` (host, port and, if they differ from the defaults, security, max_connections,
    helo_name, verify_tls, ca_file, allow_insecure_auth) and ``credentials`` (username, password).

    Raises BadSmtpConfig.
    """
    host = _text(config, "host")
    if not host or any(character.isspace() for character in host):
        raise BadSmtpConfig("The mail server needs a host name.", field="host")
    return SmtpSettings(
        host=host,
        port=_whole(config, "port", 0, maximum=65535),
        security=_security(config),
        username=_text(credentials, "username"),
        password=_text(credentials, "password"),
        max_connections=_whole(config, "max_connections", _CONNECTIONS, maximum=_MAX_CONNECTIONS),
        helo_name=_text(config, "helo_name"),
        verify_tls=_flag(config, "verify_tls", default=True),
        ca_file=_text(config, "ca_file"),
        allow_insecure_auth=_flag(config, "allow_insecure_auth", default=False),
        internal_hosts=internal,
    )


def _security(config: Mapping[str, JSONValue]) -> Security:
    try:
        return Security(_text(config, "security") or Security.NONE)
    except ValueError:
        choices = ", ".join(Security)
        raise BadSmtpConfig(f"security must be one of {choices}.", field="security") from None


def _text(values: Mapping[str, JSONValue], name: str) -> str:
    value = values.get(name) or ""
    if not isinstance(value, str):
        raise BadSmtpConfig(f"{name} must be text.", field=name)
    return value


def _whole(values: Mapping[str, JSONValue], name: str, default: int, *, maximum: int) -> int:
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= maximum:
        raise BadSmtpConfig(f"{name} must be a whole number from 1 to {maximum}.", field=name)
    return value


def _flag(values: Mapping[str, JSONValue], name: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise BadSmtpConfig(f"{name} must be true or false.", field=name)
    return value
