"""An SMTP server for tests that takes mail, misbehaves as told, and remembers every copy by its Message-ID.

Within a test: ``with Sink(Plan(faults=(Fault("rcpt", reply="450 4.2.1 busy", times=3),))) as sink: … sink.port``.
As a process of its own that outlives whatever the test kills: ``with SinkProcess(log_path, Plan(…)) as sink``, or
``python tests/sinks.py --log FILE [--port N] [--plan JSON]``, which prints its port on the first line.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

Stage = Literal["greeting", "ehlo", "starttls", "auth", "rset", "mail", "rcpt", "data", "content", "dot", "quit"]
Action = Literal["", "drop", "stall", "drip", "flood", "deaf", "slow"]
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at ``stage``: after ``skip`` good turns, ``times`` in a row (0: from then on), counted over all
    connections; with ``match``, only where the command or, at dot, the message contains it.

    ``reply`` replaces the good answer; ``delay_s`` comes before it. ``action`` takes the place of any answer: drop the
    connection, stall (never answer), drip (a reply that never ends, an octet every ``delay_s``), flood (one without end
    at full speed), deaf (stop reading), slow (rest ``delay_s`` after every piece read). At ``content`` the first octets
    after 354 have arrived, at ``dot`` all: from there on drop and stall leave a copy that was never acknowledged.
    """

    stage: Stage
    reply: str = ""
    action: Action = ""
    delay_s: float = 0.0
    skip: int = 0
    times: int = 0
    match: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sink behaves. ``max_messages`` per connection end in a 421; ``login`` is the name and password it wants."""

    faults: tuple[Fault, ...] = ()
    has_pipelining: bool = True
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    size: int = 0
    max_messages: int = 0
    login: tuple[str, str] | None = None
    sign_ins: tuple[str, ...] = ("PLAIN", "LOGIN")
    keeps_bodies: bool = False

    def to_json(self) -> str:
        """Return the plan as text for the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read ``to_json``'s text."""
        fields = json.loads(text)
        fields["login"] = tuple(fields["login"]) if fields.get("login") else None
        fields["faults"] = tuple(Fault(**fault) for fault in fields.get("faults", ()))
        for name in ("extensions", "sign_ins"):
            if name in fields:
                fields[name] = tuple(fields[name])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Copy:
    """One message whose final dot arrived ``at`` (Unix seconds). ``is_acked``: we answered 250."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    is_acked: bool
    body: bytes = b""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Audit:
    """What a comparison of sent messages with the sink's copies showed, by Message-ID."""

    lost: frozenset[str]
    duplicates: dict[str, int]
    copies: Counter[str]


def audit(sent: Iterable[str], copies: Iterable[Copy]) -> Audit:
    """Return the ``sent`` Message-IDs the sink never saw, and those it saw more than once with their extra copies."""
    seen = Counter(copy.message_id for copy in copies)
    duplicates = {message_id: count - 1 for message_id, count in seen.items() if count > 1}
    return Audit(frozenset(sent) - frozenset(seen), duplicates, seen)


@dataclass(slots=True)
class Ledger:
    """What all connections of a sink share: the turns each fault has had, the copies, the commands."""

    plan: Plan
    log: int | None = None
    tls: ssl.SSLContext | None = None
    copies: list[Copy] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    is_chatty: bool = True
    turns: Counter[int] = field(default_factory=Counter)
    open: set["Connection"] = field(default_factory=set)

    def fault_at(self, stage: Stage, text: bytes = b"") -> Fault | None:
        """Return the fault whose turn it is."""
        for number, fault in enumerate(self.plan.faults):
            if fault.stage == stage and fault.match.encode() in text:
                turn = self.turns[number]
                self.turns[number] += 1
                if turn >= fault.skip and (not fault.times or turn < fault.skip + fault.times):
                    return fault
        return None

    def keep(self, copy: Copy) -> None:
        """Remember ``copy``, on disk first when there is a log."""
        if self.log is not None:
            line = [copy.message_id, copy.sender, list(copy.recipients), copy.is_acked, copy.at]
            os.write(self.log, json.dumps(line).encode() + b"\n")
        else:
            self.copies.append(copy)


class Connection(asyncio.Protocol):
    """One client's connection: commands are worked off in order, one waiting answer holds the rest."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._transport: asyncio.Transport
        self._input = bytearray()
        self._scanned = 0  # octets of content known to hold no end
        self._output: list[bytes] = []
        self._is_held = False
        self._in_content = False
        self._content_seen = False
        self._login_step: list[str] | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._messages = 0
        self._rest_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._ledger.connections += 1
        self._ledger.open.add(self)
        self._answer("greeting", "220 sink ESMTP")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._is_held = True
        self._ledger.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Work off what has arrived."""
        self._input += data
        self._work()
        if self._rest_s and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(self._rest_s, self._transport.resume_reading)

    def close(self) -> None:
        """Drop the connection."""
        self._is_held = True
        self._transport.abort()

    def _work(self) -> None:
        while not self._is_held and self._input and self._step():
            pass
        self._flush()

    def _step(self) -> bool:
        if self._in_content:
            return self._read_content()
        end = self._input.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._input[:end])
        del self._input[: end + 2]
        self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        if self._ledger.is_chatty:
            self._ledger.commands.append(line)
        if self._login_step is not None:
            self._continue_login(line)
            return
        verb = line[:4].upper()
        handlers = {
            b"EHLO": self._ehlo,
            b"HELO": self._ehlo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"AUTH": self._auth,
            b"STAR": self._starttls,
            b"QUIT": self._quit,
        }
        handler = handlers.get(verb)
        if handler is None:
            self._say("500 5.5.1 unknown command")
        else:
            handler(line)

    def _ehlo(self, line: bytes) -> None:
        plan = self._ledger.plan
        offers = ["sink", *(["PIPELINING"] if plan.has_pipelining else []), *plan.extensions]
        offers += [f"SIZE {plan.size}"] if plan.size else []
        offers += ["STARTTLS"] if self._ledger.tls and not self._transport.get_extra_info("ssl_object") else []
        offers += ["AUTH " + " ".join(plan.sign_ins)] if plan.login else []
        good = (
            "\r\n".join(f"250-{offer}" for offer in offers[:-1]) + ("\r\n" if offers[1:] else "") + f"250 {offers[-1]}"
        )
        self._answer("ehlo", good if line[:4].upper() == b"EHLO" else "250 sink", line)

    def _mail(self, line: bytes) -> None:
        if self._ledger.plan.max_messages and self._messages >= self._ledger.plan.max_messages:
            self._say("421 4.7.0 enough for one connection")
            self._flush()
            self._transport.close()
            self._is_held = True
        elif self._sender is not None:
            self._say("503 5.5.1 nested MAIL")
        elif self._answer("mail", "250 2.1.0 Ok", line):
            self._sender = line[line.index(b"<") + 1 : line.index(b">")].decode()

    def _rcpt(self, line: bytes) -> None:
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif self._answer("rcpt", "250 2.1.5 Ok", line):
            self._recipients.append(line[line.index(b"<") + 1 : line.rindex(b">")].decode())

    def _data(self, line: bytes) -> None:
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif not self._recipients and not self._forgives_empty():
            self._say("554 5.5.1 no valid recipients")
        elif self._answer("data", "354 go ahead", line):
            self._in_content, self._content_seen = True, False
            self._input[:0] = b"\r\n"  # so that a lone dot is an end of content as well
            self._scanned = 0

    def _forgives_empty(self) -> bool:
        """Whether a fault at ``data`` asks for a 354 even though nobody was accepted (RFC 2920 section 3.1)."""
        return any(fault.stage == "data" and fault.reply.startswith("354") for fault in self._ledger.plan.faults)

    def _read_content(self) -> bool:
        if not self._content_seen and len(self._input) > 2:
            self._content_seen = True
            if not self._answer("content", ""):
                self._is_held = True  # refused early: the rest is read and thrown away
                return False
        end = self._input.find(_END, max(0, self._scanned - len(_END)))
        if end < 0:
            self._scanned = len(self._input)
            return False
        content = bytes(self._input[2 : end + 2])
        del self._input[: end + len(_END)]
        self._in_content = False
        self._take(content)
        return True

    def _take(self, content: bytes) -> None:
        recipients, sender = self._recipients, self._sender or ""
        self._recipients, self._sender = [], None
        if not recipients:
            self._say("554 5.5.1 no valid recipients")
            return
        fault = self._ledger.fault_at("dot", content)
        self._messages += 1
        if fault is None or not fault.reply or fault.reply.startswith("2"):
            found = _MESSAGE_ID.search(content)
            message_id = found[1].decode("ascii", "replace") if found else ""
            body = unstuff(content) if self._ledger.plan.keeps_bodies else b""
            is_acked = fault is None or not fault.action
            self._ledger.keep(Copy(message_id, sender, tuple(recipients), is_acked, body, time.time()))
        self._act(fault, f"250 2.0.0 Ok: queued as {id(content):X}")

    def _rset(self, line: bytes) -> None:
        self._recipients, self._sender = [], None
        self._answer("rset", "250 2.0.0 Ok", line)

    def _quit(self, line: bytes) -> None:
        if self._answer("quit", "221 2.0.0 Bye", line):
            self._flush()
            self._transport.close()

    def _auth(self, line: bytes) -> None:
        fault = self._ledger.fault_at("auth")
        words = line.decode().split()
        if fault is not None:
            self._act(fault, "")
        elif words[1].upper() == "PLAIN":
            _, name, password = base64.b64decode(words[2]).decode().split("\0")
            self._judge_login((name, password))
        else:
            self._login_step = []
            self._say("334 VXNlcm5hbWU6")

    def _continue_login(self, line: bytes) -> None:
        step = self._login_step or []
        step.append(base64.b64decode(line).decode())
        self._login_step = step if len(step) < 2 else None
        if len(step) < 2:
            self._say("334 UGFzc3dvcmQ6")
        else:
            self._judge_login((step[0], step[1]))

    def _judge_login(self, login: tuple[str, str]) -> None:
        is_right = login == self._ledger.plan.login
        self._say("235 2.7.0 welcome" if is_right else "535 5.7.8 Authentication credentials invalid")

    def _starttls(self, line: bytes) -> None:
        if self._answer("starttls", "220 2.0.0 go ahead", line):
            self._flush()
            self._is_held = True
            self._upgrade = asyncio.ensure_future(self._encrypt())

    async def _encrypt(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._ledger.tls is not None
        try:
            upgraded = await loop.start_tls(self._transport, self, self._ledger.tls, server_side=True)
        except OSError:
            self.close()
            return
        assert upgraded is not None
        self._transport = upgraded
        self._is_held = False
        self._work()

    def _answer(self, stage: Stage, good: str, text: bytes = b"") -> bool:
        """Give the good answer, or what a fault wants. Returns whether the client may go on as if all was well."""
        fault = self._ledger.fault_at(stage, text)
        self._act(fault, good)
        return fault is None or (fault.action in {"", "slow"} and (not fault.reply or fault.reply[0] in "23"))

    def _act(self, fault: Fault | None, good: str) -> None:
        if fault is None:
            if good:
                self._say(good)
        elif fault.action == "slow":
            self._rest_s = fault.delay_s
            if good:
                self._say(good)
        elif fault.action in {"drop", "stall", "deaf"}:
            self._fall_silent(fault.action)
        elif fault.action in {"drip", "flood"}:
            self._is_held = True
            self._flush()
            self._babble(fault)
        elif fault.delay_s:
            self._flush()
            self._is_held = True
            asyncio.get_running_loop().call_later(fault.delay_s, self._resume, fault.reply or good)
        else:
            self._say(fault.reply or good)
            if fault.reply.startswith("421"):
                self._flush()
                self._is_held = True
                self._transport.close()

    def _fall_silent(self, action: Action) -> None:
        self._flush()
        self._is_held = True
        if action == "drop":
            self._transport.close()
        elif action == "deaf":
            self._transport.pause_reading()

    def _babble(self, fault: Fault, position: int = 0) -> None:
        if self._transport.is_closing():
            return
        words = b"250-and on it goes\r\n"
        if fault.action == "flood":
            self._transport.write(words * 500)
        else:
            self._transport.write(words[position % len(words) :][:1])
        pause_s = fault.delay_s if fault.action == "drip" else 0.001
        asyncio.get_running_loop().call_later(pause_s, self._babble, fault, position + 1)

    def _resume(self, reply: str) -> None:
        if not self._transport.is_closing():
            self._say(reply)
            self._is_held = False
            self._work()

    def _say(self, reply: str) -> None:
        self._output.append(reply.encode() + b"\r\n")

    def _flush(self) -> None:
        if self._output and not self._transport.is_closing():
            self._transport.write(b"".join(self._output))
        self._output.clear()


def unstuff(content: bytes) -> bytes:
    """Return the message as it was before dot-stuffing (RFC 5321 section 4.5.2)."""
    content = content.replace(b"\r\n..", b"\r\n.")
    return content[1:] if content.startswith(b"..") else content


class Sink:
    """A sink in a thread of this process."""

    def __init__(
        self, plan: Plan | None = None, *, tls: ssl.SSLContext | None = None, is_tls_first: bool = False
    ) -> None:
        self._ledger = Ledger(plan or Plan(), tls=None if is_tls_first else tls)
        self._tls_first = tls if is_tls_first else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="sink", daemon=True)
        self._ready = threading.Event()
        self.port = 0

    @property
    def copies(self) -> list[Copy]:
        """Every message whose final dot has arrived."""
        return list(self._ledger.copies)

    @property
    def commands(self) -> list[bytes]:
        """Every command line of every connection."""
        return list(self._ledger.commands)

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return self._ledger.connections

    def drop_all(self) -> None:
        """Drop every open connection."""
        done = threading.Event()

        def drop() -> None:
            for connection in list(self._ledger.open):
                connection.close()
            self._loop.call_soon(done.set)

        self._loop.call_soon_threadsafe(drop)
        done.wait(5)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(_listen(self._ledger, 0, self._tls_first))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for connection in list(self._ledger.open):
            connection.close()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()


class SinkProcess:
    """A sink in a process group of its own, with its copies in an append-only log that outlives it."""

    def __init__(self, log: Path, plan: Plan | None = None, port: int = 0, host: str = "127.0.0.1") -> None:
        self._log = log
        self._host = host
        self._plan = plan or Plan()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def copies(self) -> list[Copy]:
        """Every message whose final dot has arrived, also in earlier lives of the same log."""
        if not self._log.exists():
            return []
        rows = [json.loads(line) for line in self._log.read_bytes().splitlines()]
        return [Copy(message_id, sender, tuple(to), acked, at=at) for message_id, sender, to, acked, at in rows]

    def __enter__(self) -> Self:
        command = [sys.executable, __file__, "--log", str(self._log), "--host", self._host, "--port", str(self.port)]
        command += ["--plan", self._plan.to_json()]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


async def _listen(
    ledger: Ledger, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(ledger), host, port, ssl=tls, backlog=1024)


async def _main(log: Path, host: str, port: int, plan: Plan) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    server = await _listen(Ledger(plan, log=handle, is_chatty=False), port, host=host)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 — whoever started us reads it
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An SMTP server for tests.")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plan", type=Plan.from_json, default=Plan())
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.log, arguments.host, arguments.port, arguments.plan))
