"""Network ports: are they free, does somebody answer."""

import contextlib
import socket
import time


class PortInUse(Exception):
    """Another program listens where we want to."""


def ensure_free(host: str, port: int, setting: str, patience_s: float = 0.0) -> None:
    """Return when ``port`` can be listened on. Raises PortInUse when it cannot within ``patience_s`` seconds."""
    deadline = time.monotonic() + patience_s
    while not is_free(host, port):
        if time.monotonic() > deadline:
            message = f"Port {port} on {host} is in use by another program. Stop that one, or choose with {setting}."
            raise PortInUse(message)
        time.sleep(0.1)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on ``port`` now."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError:
            return False
    return True


def is_answering(host: str, port: int) -> bool:
    """Whether somebody takes connections on ``port``."""
    with contextlib.suppress(OSError), socket.create_connection((reachable_host(host), port), timeout=2):
        return True
    return False


def reachable_host(host: str) -> str:
    """Return where to find, from this machine, a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
