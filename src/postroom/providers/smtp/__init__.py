"""Mail over SMTP: a pooled, pipelining client behind the mail app's transport port."""

from postroom.providers.smtp.factory import build_transport
from postroom.providers.smtp.settings import Security, SmtpSettings, Timeouts
from postroom.providers.smtp.transport import SmtpTransport

__all__ = ["Security", "SmtpSettings", "SmtpTransport", "Timeouts", "build_transport"]
