"""What every command does first: settings, logs, Django, and the checks that refuse bad combinations."""

import os

import django
from django.core import checks

from postroom.kit.logs import configure_logs

SETTINGS_MODULE = "postroom.config.settings"


class Refused(Exception):
    """This installation cannot be run like that."""


def prepare(part: str, *, is_checked: bool = True) -> None:
    """Set Django up for one ``part``. Raises BadSetting, or Refused with a line for each check that fails."""
    os.umask(0o077)  # whatever we store is for our own account
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
    configure_logs(part=part)
    django.setup()
    if is_checked:
        refuse_bad_settings()


def refuse_bad_settings() -> None:
    """Raise Refused when a check of the settings finds an error."""
    found = checks.run_checks(tags=[checks.Tags.security, checks.Tags.compatibility])
    errors = [message for message in found if message.is_serious()]
    if errors:
        raise Refused("\n".join(["the settings do not go together:", *(describe(error) for error in errors)]))


def describe(message: checks.CheckMessage) -> str:
    """Return a check's message as one line: its number, what is wrong, what helps."""
    return " ".join(filter(None, (f"{message.id}:", str(message.msg), message.hint)))
