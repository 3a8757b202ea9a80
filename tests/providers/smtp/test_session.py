"""Encryption and sign-in: what must be refused, what must work, and what is said when it does not."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postroom.core.mail.ports import Outcome
from postroom.kit.errors import Unavailable
from postroom.providers.smtp import Security
from tests.providers.smtp.outbox import Run, StrictOutbox, deliver, envelope, envelopes, impatient, settings
from tests.sinks import Fault, Plan, Sink

LOGIN = ("ann", "p\u00e4ss w\u00f6rd")


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that nobody but the holder of ``ca_file`` trusts."""

    ca_file: str
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    ca_file, key_file = folder / "ca.pem", folder / "key.pem"
    ca_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(ca_file, key_file)
    return Certificate(str(ca_file), server)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_mail_and_password_travel_encrypted(run: Run, certificate: Certificate, security: Security) -> None:
    outbox = StrictOutbox(envelopes(50))
    is_tls_first = security is Security.TLS
    with Sink(Plan(login=LOGIN), tls=certificate.server, is_tls_first=is_tls_first) as sink:
        chosen = settings(
            sink.port,
            security=security,
            ca_file=certificate.ca_file,
            username=LOGIN[0],
            password=LOGIN[1],
            max_connections=2,
        )
        run(deliver(outbox, chosen))
    assert len(outbox.of(Outcome.SENT)) == 50
    assert len(sink.copies) == 50


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_stranger_s_certificate_is_refused_for_good(run: Run, certificate: Certificate, security: Security) -> None:
    outbox = StrictOutbox(envelopes(1))
    is_tls_first = security is Security.TLS
    with Sink(tls=certificate.server, is_tls_first=is_tls_first) as sink:
        with pytest.raises(Unavailable, match="certificate is not to be trusted") as caught:
            run(deliver(outbox, settings(sink.port, security=security)))
        assert caught.value.permanent
        assert outbox.given_back == {1: 1}
        run(deliver(outbox, settings(sink.port, security=security, verify_tls=False)))
    assert outbox.of(Outcome.SENT) == [1]


def test_the_name_on_the_certificate_must_be_the_server_s(run: Run, certificate: Certificate) -> None:
    with Sink(tls=certificate.server) as sink:
        chosen = settings(sink.port, host="localhost", security=Security.STARTTLS, ca_file=certificate.ca_file)
        with pytest.raises(Unavailable, match="not to be trusted"):
            run(deliver(StrictOutbox(envelopes(1)), chosen))


def test_no_encryption_offered_is_refused_for_good(run: Run) -> None:
    with Sink() as sink, pytest.raises(Unavailable, match="does not offer encryption") as caught:
        run(deliver(StrictOutbox(envelopes(1)), settings(sink.port, security=Security.STARTTLS)))
    assert caught.value.permanent


@pytest.mark.parametrize("is_offered", [True, False], ids=["offered", "not offered"])
def test_encryption_is_taken_where_it_is_offered_when_that_is_all_that_is_asked(
    run: Run, certificate: Certificate, is_offered: bool
) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(tls=certificate.server if is_offered else None) as sink:
        run(deliver(outbox, settings(sink.port, security=Security.OPPORTUNISTIC, max_connections=1)))
        said = sink.commands
    assert outbox.of(Outcome.SENT) == [1, 2, 3]
    assert (b"STARTTLS" in said) == is_offered
    assert ("TLSv1" in outbox.results[1].session) == is_offered


def test_a_password_goes_to_no_server_that_need_not_prove_its_name(run: Run, certificate: Certificate) -> None:
    with Sink(Plan(login=LOGIN), tls=certificate.server) as sink:
        chosen = settings(
            sink.port, host="0.0.0.0", security=Security.OPPORTUNISTIC, username=LOGIN[0], password=LOGIN[1]
        )
        with pytest.raises(Unavailable, match="not be sent without encryption") as caught:
            run(deliver(StrictOutbox(envelopes(1)), chosen))
        assert not any(line.startswith(b"AUTH") for line in sink.commands)
    assert caught.value.permanent


def test_words_slipped_in_before_the_encryption_end_the_connection(run: Run, certificate: Certificate) -> None:
    plan = Plan(faults=(Fault("starttls", reply="220 go ahead\r\n250 slipped in"),))
    with Sink(plan, tls=certificate.server) as sink:
        chosen = settings(sink.port, security=Security.STARTTLS, ca_file=certificate.ca_file)
        with pytest.raises(Unavailable, match="spoke ahead of the encryption") as caught:
            run(deliver(StrictOutbox(envelopes(1)), chosen))
    assert caught.value.permanent
    assert sink.copies == []


def test_no_tls_on_the_port_gives_a_clear_error(run: Run) -> None:
    with Sink() as sink, pytest.raises(Unavailable, match=r"encryption|connect"):
        run(deliver(StrictOutbox(envelopes(1)), settings(sink.port, security=Security.TLS)))


@pytest.mark.parametrize("sign_in", ["PLAIN", "LOGIN"])
def test_both_common_ways_to_sign_in_work(run: Run, sign_in: str) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(Plan(login=LOGIN, sign_ins=(sign_in, "CRAM-MD5"))) as sink:
        run(deliver(outbox, settings(sink.port, username=LOGIN[0], password=LOGIN[1])))
    assert outbox.of(Outcome.SENT) == [1, 2, 3]


@pytest.mark.parametrize("sign_in", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_tried_once_and_permanent(run: Run, sign_in: str) -> None:
    outbox = StrictOutbox(envelopes(20))
    with (
        Sink(Plan(login=LOGIN, sign_ins=(sign_in,))) as sink,
        pytest.raises(Unavailable, match="sign-in: the server answered 535") as caught,
    ):
        run(deliver(outbox, settings(sink.port, username="ann", password="guess", max_connections=8)))
    assert caught.value.permanent
    assert "guess" not in caught.value.message
    assert sink.connections == 1
    assert outbox.given_back == {1: 1}


def test_a_sign_in_that_fails_for_now_may_be_tried_again(run: Run) -> None:
    plan = Plan(login=LOGIN, faults=(Fault("auth", reply="454 4.7.0 Temporary authentication failure"),))
    with Sink(plan) as sink, pytest.raises(Unavailable, match="454") as caught:
        run(deliver(StrictOutbox(envelopes(1)), settings(sink.port, username="ann", password="x")))
    assert not caught.value.permanent


def test_a_server_without_a_sign_in_we_know_is_named(run: Run) -> None:
    with Sink(Plan(login=LOGIN, sign_ins=("GSSAPI",))) as sink, pytest.raises(Unavailable, match="GSSAPI") as caught:
        run(deliver(StrictOutbox(envelopes(1)), settings(sink.port, username="ann", password="x")))
    assert caught.value.permanent


def test_a_password_does_not_leave_the_machine_in_the_clear(run: Run) -> None:
    """0.0.0.0 reaches this machine without being a loopback address."""
    with Sink(Plan(login=LOGIN)) as sink:
        chosen = settings(sink.port, host="0.0.0.0", username=LOGIN[0], password=LOGIN[1])
        with pytest.raises(Unavailable, match="not be sent without encryption") as caught:
            run(deliver(StrictOutbox(envelopes(1)), chosen))
        assert caught.value.permanent
        assert not any(line.startswith(b"AUTH") for line in sink.commands)


def test_the_password_is_not_in_the_settings_text() -> None:
    assert "hush" not in repr(settings(25, password="hush"))


def test_large_messages_travel_encrypted_and_a_deaf_server_leaves_no_doubt(run: Run, certificate: Certificate) -> None:
    large = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 1_000_000
    outbox = StrictOutbox([envelope(1, body=large), envelope(2, body=large), envelope(3)])
    plan = Plan(faults=(Fault("content", action="deaf", skip=1, times=1),))
    with Sink(plan, tls=certificate.server, is_tls_first=True) as sink:
        timeouts = replace(impatient(100), block=0.5)
        run(deliver(outbox, settings(sink.port, security=Security.TLS, ca_file=certificate.ca_file, timeouts=timeouts)))
    assert outbox.of(Outcome.SENT) == [1, 3]
    assert outbox.of(Outcome.DEFERRED) == [2]
