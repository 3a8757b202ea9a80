"""``python -m postroom.workers.sender``: a sender on its own, set up from the environment."""

import os

import django

from postroom.kit.logs import configure_logs


def run() -> None:
    """Set Django up and send."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
    configure_logs(part="sender")
    django.setup()
    from postroom.workers.sender.process import main

    main()


if __name__ == "__main__":
    run()
