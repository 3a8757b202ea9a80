"""Processes that leave nothing behind: a child dies with its parent, however the parent dies."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

PR_SET_PDEATHSIG: Final = 1
# Holds the number of a pipe's end, on which a child that serves no port tells its parent that it is up.
READY_VARIABLE: Final = "POSTROOM_READY_FD"

# Loaded once, here: between fork and exec a child must not load anything.
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run as a child; ``uid`` and ``gid`` are None when it runs as ourselves."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    uid: int | None = None
    gid: int | None = None


def die_with_parent(parent: int, signum: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process ``signum`` once ``parent``, which must be its parent process, is gone.

    Linux only; elsewhere it does nothing. Changing the user id clears the request, so call it after that.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signum)


def dying_with_us(signum: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a ``preexec_fn`` that ties a child to this process. The thread that starts the child must outlive it."""
    return partial(die_with_parent, os.getpid(), signum)


def say_ready() -> None:
    """Tell the parent, if it asked to be told, that this process is up."""
    if number := os.environ.pop(READY_VARIABLE, ""):
        os.write(int(number), b"1")
        os.close(int(number))
