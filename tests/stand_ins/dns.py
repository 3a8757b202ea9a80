"""A name server of one's own: real UDP and TCP on loopback, answering from records that a test may change."""

import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL_S = 60


class Zone:
    """Records by name and type. ``silent`` names get no answer, ``failing`` ones an error."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent: set[str] = set()
        self.failing: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    @property
    def address(self) -> str:
        """Where it answers, as the setting takes it."""
        return f"127.0.0.1:{self.port}"

    def put(self, name: str, type: str, *values: str) -> None:
        """Have ``name`` answer ``values``; TXT values are cut into strings of 255 as servers do. None: forget them."""
        if type == "TXT":
            values = tuple(" ".join(f'"{part}"' for part in _parts(value)) for value in values)
        if values:
            self.records[name.lower(), type] = list(values)
        else:
            self.records.pop((name.lower(), type), None)

    def answer(self, query: dns.message.Message, *, over_udp: bool) -> dns.message.Message | None:
        """Return the response to ``query``; what is too long for UDP asks for TCP."""
        question = query.question[0]
        name, type = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, type))
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        self._fill(response, name, type)
        if over_udp and len(response.to_wire(max_size=65_535)) > 512:
            response.answer.clear()
            response.flags |= dns.flags.TC
        return response

    def _fill(self, response: dns.message.Message, name: str, type: str) -> None:
        values = self.records.get((name, type))
        alias = self.records.get((name, "CNAME"))
        if values:
            response.answer.append(dns.rrset.from_text(f"{name}.", TTL_S, "IN", type, *values))
        elif alias:
            response.answer.append(dns.rrset.from_text(f"{name}.", TTL_S, "IN", "CNAME", *alias))
            self._fill(response, alias[0].rstrip(".").lower(), type)
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        octets, sock = self.request
        response = self.server.zone.answer(dns.message.from_wire(octets), over_udp=True)  # type: ignore[attr-defined]
        if response is not None:
            sock.sendto(response.to_wire(max_size=65_535), self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        (length,) = struct.unpack(">H", self.rfile.read(2))
        query = dns.message.from_wire(self.rfile.read(length))
        response = self.server.zone.answer(query, over_udp=False)  # type: ignore[attr-defined]
        if response is None:
            time.sleep(5)
            return
        octets = response.to_wire(max_size=65_535)
        self.wfile.write(struct.pack(">H", len(octets)) + octets)


@contextmanager
def serve_names() -> Iterator[Zone]:
    """Answer for an empty zone while the block runs."""
    zone = Zone()
    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tcp)
    zone.port = tcp.server_address[1]
    udp = socketserver.ThreadingUDPServer(("127.0.0.1", zone.port), _Udp)
    threads = []
    for server in (tcp, udp):
        server.daemon_threads = True
        setattr(server, "zone", zone)  # noqa: B010  (the handlers read it there)
        threads.append(threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True))
        threads[-1].start()
    try:
        yield zone
    finally:
        for server in (tcp, udp):
            server.shutdown()
            server.server_close()


def _parts(value: str) -> list[str]:
    escaped = [value[start : start + 255] for start in range(0, len(value), 255)] or [""]
    return [part.replace("\\", "\\\\").replace('"', '\\"') for part in escaped]
