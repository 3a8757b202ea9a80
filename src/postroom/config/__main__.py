"""``python -m postroom.config`` is ``postroom``."""

from postroom.config.cli import main

main()
