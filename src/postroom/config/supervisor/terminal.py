"""The one terminal all parts share: each line says who speaks."""

import contextlib
import sys
from typing import Final, TextIO

COLOURS: Final = ("36", "32", "33", "35", "34", "96")
WIDTH: Final = 10


class Terminal:
    """Prints lines, each behind the name of its speaker, in a colour of its own when people watch."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._has_colours = stream.isatty()
        self._known: dict[str, str] = {}

    def show(self, speaker: str, line: str) -> None:
        """Print one line. A terminal that has gone away is no reason to stop."""
        label = f"{speaker:<{WIDTH}} │"
        if self._has_colours:
            colour = self._known.setdefault(speaker, COLOURS[len(self._known) % len(COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        with contextlib.suppress(OSError, ValueError):
            print(label, line, file=self._stream, flush=True)
