"""Prints the mails that the sandbox of an installation has taken, as JSON: ``python -m tests.clients.captured``."""

import base64
import json
import sys

import django

django.setup()

# Only now, when Django is set up.
from postroom.core.mail.models import SandboxMail  # noqa: E402


def main() -> None:
    """Print each mail's subject, recipients and octets."""
    mails = [
        {"subject": one.subject, "recipients": one.recipients, "raw": base64.b64encode(bytes(one.raw)).decode()}
        for one in SandboxMail.objects.order_by("pk")
    ]
    sys.stdout.write(json.dumps(mails) + "\n")


if __name__ == "__main__":
    main()
