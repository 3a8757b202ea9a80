"""Embedded PostgreSQL: the server programs of a Python wheel under a launcher of our own."""

from postroom.config.postgres.layout import PostgresError, socket_directory
from postroom.config.postgres.server import (
    connection_parameters,
    foreground_command,
    is_ready,
    is_running,
    start,
    stop,
)

__all__ = [
    "PostgresError",
    "connection_parameters",
    "foreground_command",
    "is_ready",
    "is_running",
    "socket_directory",
    "start",
    "stop",
]
