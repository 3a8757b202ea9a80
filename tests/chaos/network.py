"""Several hosts on one machine: network namespaces on a bridge, whose lines can be cut and mended (Linux, root)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

BRIDGE: Final = "postroom0"
HOME: Final = "10.77.0.1"
"""The address of this machine's own end: database and mail server listen there."""

NETWORK: Final = "10.77.0.0/24"


def is_possible() -> bool:
    """Whether this machine lets us make hosts."""
    return os.geteuid() == 0 and shutil.which("ip") is not None and shutil.which("unshare") is not None


class Host:
    """One host: programs started with ``command`` reach the others only over its line."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self._space = f"postroom-{name}"
        self._line = f"prl{number}"
        _ip("netns", "add", self._space)
        _ip("link", "add", self._line, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        _ip("link", "set", self._line, "master", BRIDGE, "up")
        for arguments in (
            ("addr", "add", f"10.77.0.{10 + number}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self._space, *arguments)

    def command(self, *program: str) -> list[str]:
        """Return the command line that runs a program on this host, which knows the host by its own name."""
        named = f'hostname {self.name} && exec "$@"'
        return ["ip", "netns", "exec", self._space, "unshare", "--uts", "sh", "-c", named, "sh", *program]

    def cut(self) -> None:
        """Cut the line: packets vanish, nobody is told."""
        _ip("link", "set", self._line, "down")

    def mend(self) -> None:
        """Mend the line."""
        _ip("link", "set", self._line, "up")

    def remove(self) -> None:
        """Take the host away."""
        _ip("netns", "del", self._space)


@contextmanager
def network() -> Iterator[None]:
    """Make a network with this machine on it; gone when the block ends."""
    _ip("link", "add", BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{HOME}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        yield
    finally:
        _ip("link", "del", BRIDGE)


@contextmanager
def hosts(*names: str) -> Iterator[dict[str, Host]]:
    """Put hosts on the network until the block ends."""
    made: dict[str, Host] = {}
    try:
        for number, name in enumerate(names):
            made[name] = Host(name, number)
        yield made
    finally:
        for host in made.values():
            host.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
