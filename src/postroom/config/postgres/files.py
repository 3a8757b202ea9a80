"""The files we write for the embedded server, and those a killed one leaves behind."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from postroom.config.postgres.layout import Layout

MEGABYTE: Final = 1024 * 1024

CONFIGURATION: Final = """\
# Written at every start. Put your own settings into local.conf beside this file.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = {shared_buffers}MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = {max_wal_size}MB
random_page_cost = 1.1
jit = off
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = ''
log_checkpoints = off
# Neither rows nor statements with their values: a log forgets nobody.
log_error_verbosity = terse
log_min_error_statement = panic
include = 'local.conf'
"""
# Who somebody is, the kernel tells (peer): there are no passwords, and other users of the machine are refused.
ACCESS: Final = "local all all peer map=people\n"


def write_configuration(layout: Layout, people: list[str], *, durable: bool) -> None:
    """Write postgresql.conf, pg_hba.conf and pg_ident.conf; ``people`` are the system users who may connect."""
    configuration = CONFIGURATION.format(
        socket=str(layout.socket).replace("'", "''"),
        shared_buffers=_shared_buffers_mb() if durable else 128,
        max_wal_size=_max_wal_size_mb(layout),
        durable="on" if durable else "off",
    )
    identities = "".join(f'people "{person}" {role}\n' for person in people for role in ("postroom", "postgres"))
    if not (layout.data / "local.conf").exists():
        _replace(layout, "local.conf", "# Your own settings; they win over those of postgresql.conf.\n")
    _replace(layout, "postgresql.conf", configuration)
    _replace(layout, "pg_hba.conf", ACCESS)
    _replace(layout, "pg_ident.conf", identities)


def find_postmaster(data: Path) -> int | None:
    """Return the process id of the live server of ``data``, told from another process that got a dead one's number."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
    except PermissionError:
        pass  # alive, and another account's
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None
    with contextlib.suppress(OSError):  # no /proc on this system: the number is all we have
        name, _, state = Path(f"/proc/{pid}/stat").read_text().partition(") ")
        if not name.endswith("(postgres") or state.startswith("Z"):
            return None
    return pid


def says_ready(data: Path) -> bool:
    """Whether the server of ``data`` says that it takes connections, in the eighth line of its lock file."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def remove_stale_locks(data: Path, socket: Path) -> None:
    """Remove what a killed server left, so that a reused process number does not keep a new one from starting."""
    if find_postmaster(data) is None:
        for path in (data / "postmaster.pid", socket / ".s.PGSQL.5432", socket / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)


def _replace(layout: Layout, name: str, content: str) -> None:
    handle, draft = tempfile.mkstemp(dir=layout.data)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    if layout.account is not None:
        os.chown(draft, layout.account.uid, layout.account.gid)
    Path(draft).replace(layout.data / name)


def _max_wal_size_mb(layout: Layout) -> int:
    """Return a twentieth of the disk, at least 1 GB and at most 4 GB.

    After each checkpoint whole pages are logged, and with many of them a large import writes half as much again.
    """
    return max(1024, min(4096, shutil.disk_usage(layout.data).total // 20 // MEGABYTE))


def _shared_buffers_mb() -> int:
    """Return a quarter of the memory, at least 128 MB and at most 1 GB: the machine is shared with everything else."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(128, min(1024, memory // 4 // MEGABYTE))
