"""Certificates of our own servers (X.509): made where there is none, read, and loaded again when their files change."""

import contextlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LASTS: Final = timedelta(days=3650)
_LONGEST_NAME: Final = 64


class BadCertificate(Exception):
    """A certificate or its key cannot be read, or the two do not belong together."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says: the names it is for, until when, and whether nobody but itself vouches for it."""

    names: tuple[str, ...]
    good_until: datetime
    is_self_signed: bool


class ServerCertificate:
    """A TLS context that follows the files of its certificate (a chain, PEM) and key."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises BadCertificate."""
        self._paths = certificate, key
        self._seen = self._look()
        self.context = _make_context(certificate, key)

    def reload(self) -> bool:
        """Load files that have changed, for connections to come; return whether they had. Raises BadCertificate, and
        goes on with what was good.
        """
        seen = self._look()
        if seen == self._seen:
            return False
        _make_context(*self._paths)  # a pair of which only one half is new must not be put into use
        self.context.load_cert_chain(*self._paths)
        self._seen = seen
        return True

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        try:
            stats = [path.stat() for path in self._paths]
        except OSError as error:
            raise BadCertificate(f"Cannot read {error.filename}: {error.strerror}.") from error
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)


def ensure_certificate(certificate: Path, key: Path, *, names: Sequence[str], now: datetime) -> None:
    """Make a certificate for ``names`` that signs itself, good for ten years, unless there is one; its key is readable
    by its owner alone.
    """
    if certificate.exists() and key.exists():
        return
    certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_LONGEST_NAME])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    private = secret.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    _write(key, private)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def read_certificate(certificate: Path) -> CertificateFacts:
    """Return what the first certificate of a PEM file says. Raises BadCertificate."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError as error:
        raise BadCertificate(f"Cannot read {certificate}: {error.strerror}.") from error
    except ValueError as error:
        raise BadCertificate(f"{certificate} is no certificate in PEM form.") from error
    return CertificateFacts(_names_of(found), found.not_valid_after_utc, found.issuer == found.subject)


def _names_of(found: x509.Certificate) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return tuple(str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    hosts = names.get_values_for_type(x509.DNSName)
    return (*hosts, *(str(one) for one in names.get_values_for_type(x509.IPAddress)))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError among them
        raise BadCertificate(f"Cannot use {certificate} with {key}: {error.strerror or error}.") from error
    return context


def _write(path: Path, octets: bytes) -> None:
    """Put a file in its place at once, so that nobody reads half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
