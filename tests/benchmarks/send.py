"""Postroom's engine end to end against ``smtp-source``, a pooled nodemailer and a naive sender; then over slow lines,
and with TLS and a sign-in.
"""

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import perf_counter

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.db import connection

from postroom.core.mail.types import Signing
from postroom.core.workspaces.models import Workspace
from tests.benchmarks.campaign import Costs, campaign, letter, make_sender, sender_processes
from tests.benchmarks.ground import ROOT, find_program
from tests.benchmarks.people import import_people, make_workspace, write_people
from tests.benchmarks.postfix import BODY_LENGTH, smtp_sink, smtp_source
from tests.benchmarks.rounds import Contestant, alternate, say, show

MESSAGES = 40_000
SLOW_MESSAGES = 8_000
NODEMAILER_MESSAGES = 4_000
NAIVE_MESSAGES = {"": 800, "rsa": 150}
CONNECTIONS = 16
FAR_CONNECTIONS = 32
DELAYS_MS = (5, 20)
TARGETS = {Signing.NONE: 0.9, Signing.ED25519: 0.7, Signing.RSA: 0.25}


def run(directory: Path, rounds: int) -> None:
    """Measure all three."""
    near = make_workspace("Near")
    import_people(near, write_people(directory / "people.csv", MESSAGES))
    _run_near(directory, rounds, near)
    far = make_workspace("Far")
    import_people(far, write_people(directory / "some.csv", SLOW_MESSAGES))
    for delay in DELAYS_MS:
        _run_far(directory, rounds, far, delay)
    _run_encrypted(directory, rounds, far)


def _run_near(directory: Path, rounds: int, workspace: Workspace) -> None:
    key = _write_key(directory / "rsa.pem")
    text = directory / "letter.html"
    text.write_text(letter().body)
    costs = {signing: Costs() for signing in TARGETS}
    with smtp_sink(directory) as port, sender_processes(directory) as processes:
        config = {"host": "127.0.0.1", "port": port, "max_connections": CONNECTIONS}
        contestants = [
            Contestant("smtp-source -d -s 16", lambda: smtp_source(port, MESSAGES, "-d"), is_yardstick=True),
            Contestant("smtp-source -s 16", lambda: smtp_source(port, MESSAGES // 4), is_yardstick=True),
            Contestant("openssl speed -multi 2 rsa2048, signs", _openssl_speed),
        ]
        for signing, target in TARGETS.items():
            sender = make_sender(workspace, signing.value, config, signing=signing)
            measure = campaign(workspace, sender, processes, costs[signing])
            contestants.append(Contestant(f"Postroom, {_words(signing)}", measure, target=target))
        contestants += [
            Contestant("nodemailer, no DKIM", lambda: _nodemailer(port, text)),
            Contestant("nodemailer, DKIM RSA-2048", lambda: _nodemailer(port, text, key)),
            Contestant("naive Python, no DKIM", lambda: _naive(port, text)),
            Contestant("naive Python, DKIM RSA-2048", lambda: _naive(port, text, key)),
        ]
        rates = alternate(contestants, rounds)
    show(
        f"A campaign of {MESSAGES:,} into smtp-sink, {len(processes)} sender processes, messages/s", contestants, rates
    )
    _compare(rates)
    for signing, cost in costs.items():
        spent = f"{statistics.median(cost.cpu_s) * 1e6:.0f} us of processor time a message"
        say(f"  {_words(signing)}: {spent} in the sender processes, at most {cost.peak_kb / 1024:.0f} MB in one")
    say(f"  smtp-source repeats one body of {BODY_LENGTH:,} octets")


def _run_far(directory: Path, rounds: int, workspace: Workspace, delay_ms: int) -> None:
    with _far_sink(delay_ms) as port, sender_processes(directory) as processes:
        config = {"host": "127.0.0.1", "port": port, "max_connections": FAR_CONNECTIONS // len(processes)}
        sender = make_sender(workspace, f"far{delay_ms}", config)

        def source() -> float:
            return smtp_source(port, max(500, 10_000 // delay_ms), "-d", sessions=FAR_CONNECTIONS)

        contestants = [
            Contestant(f"smtp-source -d -s {FAR_CONNECTIONS}", source, is_yardstick=True),
            Contestant("Postroom, no DKIM", campaign(workspace, sender, processes), target=3.0),
        ]
        rates = alternate(contestants, rounds)
    title = f"Replies {delay_ms} ms late, {FAR_CONNECTIONS} connections, a campaign of {SLOW_MESSAGES:,}, messages/s"
    show(title, contestants, rates)


def _run_encrypted(directory: Path, rounds: int, workspace: Workspace) -> None:
    certificate, key = _write_certificate(directory)
    with _far_sink(0) as plain, _far_sink(0, certificate, key) as secret, sender_processes(directory) as processes:
        near = {"host": "127.0.0.1", "port": plain, "max_connections": CONNECTIONS}
        safe = {**near, "port": secret, "security": "starttls", "ca_file": str(certificate)}
        login = {"username": "desk", "password": "not so secret"}
        bare = make_sender(workspace, "bare", near)
        signed_in = make_sender(workspace, "secret", safe, credentials=login)
        contestants = [
            Contestant("Postroom, plain", campaign(workspace, bare, processes), is_yardstick=True),
            Contestant("Postroom, STARTTLS and AUTH", campaign(workspace, signed_in, processes)),
        ]
        rates = alternate(contestants, rounds)
    show(f"STARTTLS and AUTH, into a sink in Python, a campaign of {SLOW_MESSAGES:,}, messages/s", contestants, rates)


def _compare(rates: dict[str, list[float]]) -> None:
    """Print the ratios that the first table does not have."""
    pairs = (
        ("Postroom, DKIM RSA-2048", "openssl speed -multi 2 rsa2048, signs", 0.55),
        ("Postroom, no DKIM", "naive Python, no DKIM", 20),
        ("Postroom, DKIM RSA-2048", "naive Python, DKIM RSA-2048", 20),
        ("Postroom, no DKIM", "nodemailer, no DKIM", 1),
        ("Postroom, DKIM Ed25519", "nodemailer, no DKIM", 1),
        ("Postroom, DKIM RSA-2048", "nodemailer, DKIM RSA-2048", 1),
    )
    for ours, theirs, target in pairs:
        ratios = [one / other for one, other in zip(rates[ours], rates[theirs], strict=True)]
        say(f"  {ours} / {theirs}: {statistics.median(ratios):.2f}   (target {target})")


def _words(signing: Signing) -> str:
    return {Signing.NONE: "no DKIM", Signing.ED25519: "DKIM Ed25519", Signing.RSA: "DKIM RSA-2048"}[signing]


def _openssl_speed() -> float:
    command = [find_program("openssl"), "speed", "-seconds", "2", "-multi", "2", "rsa2048"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)", printed)
    if found is None:
        sys.exit(f"openssl speed printed something else:\n{printed}")
    return float(found[1])


def _nodemailer(port: int, text: Path, key: Path | None = None) -> float:
    script = Path(__file__).with_name("nodemailer") / "send.mjs"
    messages = NODEMAILER_MESSAGES // (2 if key else 1)
    arguments = [str(port), str(CONNECTIONS), str(messages), str(text), *([str(key)] if key else [])]
    return _rate([find_program("node"), str(script), *arguments])


def _naive(port: int, text: Path, key: Path | None = None) -> float:
    """Two processes, one per processor, as ours has."""
    messages = NAIVE_MESSAGES["rsa" if key else ""]
    where = connection.get_connection_params()
    dsn = f"host={where['host']} port={where.get('port', '')} dbname={where['dbname']} user={where['user']}"
    arguments = [str(port), str(messages), str(text), dsn, *([str(key)] if key else [])]
    command = [sys.executable, "-m", "tests.benchmarks.naive", *arguments]
    started = perf_counter()
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    reports = [json.loads(process.communicate()[0]) for process in running]
    if perf_counter() - started > 120:
        say("  (the naive sender took more than two minutes)")
    return sum(float(report["rate"]) for report in reports)


def _rate(command: list[str]) -> float:
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    return float(json.loads(printed)["rate"])


@contextmanager
def _far_sink(delay_ms: int, *tls: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.far_sink", str(delay_ms), *map(str, tls)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def _write_key(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, none = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    return path


def _write_certificate(directory: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "far.example")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    certificate = directory / "certificate.pem"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = directory / "certificate.key"
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    return certificate, private
