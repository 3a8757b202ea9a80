"""What goes wrong between us and an SMTP server."""

from postroom.kit.errors import Invalid, Unavailable


class SmtpUnavailable(Unavailable):
    """The mail server does not take our mail."""

    code = "smtp_unavailable"


class EnvelopeRefused(Invalid):
    """This envelope cannot be said in SMTP, or not to this server. ``enhanced`` is the RFC 3463 code that fits."""

    code = "envelope_refused"

    def __init__(self, message: str, /, *, enhanced: str) -> None:
        super().__init__(message, enhanced=enhanced)
        self.enhanced = enhanced


class BadSmtpConfig(Invalid):
    """The settings of the mail server are incomplete or wrong."""

    code = "bad_smtp_config"
