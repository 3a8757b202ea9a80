"""Stand-ins for the providers' HTTP interfaces on loopback, answering as the vendors document, mishaps included."""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD: Mapping[str, str] = {
    "authorization": "good-key",
    "api-key": "good-key",
    "x-postmark-server-token": "good-key",
}


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Dialect:
    """How one provider speaks: where it listens, what it makes of a request, how it says yes and no."""

    paths: tuple[str, ...]
    name: str = ""

    def numbers(self, call: Call) -> list[str]:
        """Return our number of each message in a call."""
        raise NotImplementedError

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        raise NotImplementedError

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 422, {}, {"statusCode": 422, "name": "validation_error", "message": words}

    def key(self, call: Call) -> str:
        return ""

    def conflict(self) -> tuple[int, dict[str, str], Any]:
        return 409, {}, {"name": "invalid_idempotent_request", "message": "Same key, other payload."}


class ResendDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        said = call.json if isinstance(call.json, list) else [call.json]
        return [next(tag["value"] for tag in one["tags"] if tag["name"] == "postroom") for one in said]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        if call.path.endswith("/batch"):
            return 200, {}, {"data": [{"id": one} for one in ids]}
        return 200, {}, {"id": ids[0]}

    def key(self, call: Call) -> str:
        return call.headers.get("idempotency-key", "")


class PostmarkDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        said = call.json if isinstance(call.json, list) else [call.json]
        return [one["Metadata"]["postroom"] for one in said]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        said = [{"ErrorCode": 0, "Message": "OK", "MessageID": one, "To": "x@example.net"} for one in ids]
        return 200, {}, said if call.path.endswith("/batch") else said[0]

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 422, {}, {"ErrorCode": 300, "Message": words}


class SendGridDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        (person,) = call.json["personalizations"]
        return [call.json.get("custom_args", person.get("custom_args", {}))["postroom"]]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        return 202, {"X-Message-Id": ids[0]}, None

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 400, {}, {"errors": [{"message": words, "field": "subject", "help": None}]}


class MailerSendDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        return [call.json["tags"][0].removeprefix("postroom-")]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        return 202, {"X-Message-Id": ids[0]}, None

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 422, {}, {"message": words, "errors": {"subject": [words]}}


class BrevoDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        return [json.loads(call.json["headers"]["X-Mailin-custom"])["postroom"]]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        return 201, {}, {"messageId": f"<{ids[0]}>"}

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 400, {}, {"code": "invalid_parameter", "message": words}

    def key(self, call: Call) -> str:
        return str(call.json["headers"].get("idempotencyKey", ""))

    def conflict(self) -> tuple[int, dict[str, str], Any]:
        return 400, {}, {"code": "duplicate_request", "message": "Seen before."}


class MailjetDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        return [json.loads(one["EventPayload"])["postroom"] for one in call.json["Messages"]]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        said = [{"Status": "success", "To": [{"Email": "x", "MessageID": one, "MessageUUID": one}]} for one in ids]
        return 200, {}, {"Messages": said}

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        said = {"Status": "error", "Errors": [{"ErrorCode": "mj-0013", "ErrorMessage": words, "StatusCode": 400}]}
        return 400, {}, {"Messages": [said]}


class SesDialect(Dialect):
    def numbers(self, call: Call) -> list[str]:
        return [next(tag["Value"] for tag in call.json["EmailTags"] if tag["Name"] == "postroom")]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        return 200, {}, {"MessageId": ids[0]}

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 400, {"x-amzn-ErrorType": "MessageRejected"}, {"message": words}


class MailgunDialect(Dialect):
    def form(self, call: Call) -> dict[str, Any]:
        head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser(policy=policy.HTTP).parsebytes(head + call.body)
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in parts.iter_parts()  # type: ignore[attr-defined]
        }

    def numbers(self, call: Call) -> list[str]:
        form = self.form(call)
        assert message_from_bytes(form["message"])["Subject"] is not None
        return [form["v:postroom"].decode()]

    def yes(self, call: Call, ids: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        return 200, {}, {"id": f"<{ids[0]}>", "message": "Queued. Thank you."}

    def no(self, words: str) -> tuple[int, dict[str, str], Any]:
        return 400, {}, {"message": words}


DIALECTS: Mapping[str, Dialect] = {
    "resend": ResendDialect(("/emails", "/emails/batch")),
    "postmark": PostmarkDialect(("/email", "/email/batch")),
    "sendgrid": SendGridDialect(("/mail/send",)),
    "mailersend": MailerSendDialect(("/email",)),
    "brevo": BrevoDialect(("/smtp/email",)),
    "mailjet": MailjetDialect(("/send",)),
    "ses": SesDialect(("/v2/email/outbound-emails",)),
    "mailgun": MailgunDialect(("/v3/mg.example.com/messages.mime",)),
}


@dataclass
class StandIn:
    """A provider. ``moods`` are used up one per call: ok (also when none are left), invalid, denied, slow_down, broken,
    lost (taken, then the connection dies), late (taken, answered after ``late_s``), drop (dies before taking).
    """

    provider: str
    moods: deque[str] = field(default_factory=deque)
    late_s: float = 1.5
    delay_s: float = 0.0
    retry_after: str = "1"
    taken: Counter[str] = field(default_factory=Counter)  # how often each message was taken for sending
    calls: list[Call] = field(default_factory=list)
    keys: dict[str, tuple[bytes, list[str]]] = field(default_factory=dict)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.dialect = DIALECTS[self.provider]
        self._lock = threading.Lock()
        self._busy = 0
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = stand_in.handle(Call("POST", self.path, headers, body))
                if answer is None:
                    self.close_connection = True
                    return
                status, fields, said = answer
                payload = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=lambda: self.server.serve_forever(0.05), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, call: Call) -> tuple[int, dict[str, str], Any] | None:
        with self._lock:
            self.calls.append(call)
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
            mood = self.moods.popleft() if self.moods else "ok"
        try:
            time.sleep(self.delay_s)
            return self._answer(call, mood)
        finally:
            with self._lock:
                self._busy -= 1

    def _answer(self, call: Call, mood: str) -> tuple[int, dict[str, str], Any] | None:
        assert call.path in self.dialect.paths, call.path
        if mood == "drop":
            return None
        if (refusal := self._refuse(call, mood)) is not None:
            return refusal
        answer = self._take(call)
        if mood == "late":
            time.sleep(self.late_s)
        return None if mood == "lost" else answer

    def _refuse(self, call: Call, mood: str) -> tuple[int, dict[str, str], Any] | None:
        if mood == "denied" or not self._is_known(call):
            return 401, {}, {"message": "API key is invalid", "Message": "API key is invalid", "ErrorCode": 10}
        if mood == "slow_down":
            return 429, {"Retry-After": self.retry_after}, {"message": "Too many requests"}
        if mood == "broken":
            return 500, {}, {"message": "Something broke."}
        return self.dialect.no("The subject is not good.") if mood == "invalid" else None

    def _is_known(self, call: Call) -> bool:
        if self.provider in ("ses",):
            return "Credential=AKIAGOOD/" in call.headers.get("authorization", "")
        said = " ".join(call.headers.get(name, "") for name in GOOD)
        return "good-key" in said or "Basic" in said

    def _take(self, call: Call) -> tuple[int, dict[str, str], Any]:
        """Take the messages, unless the key says that they were taken; then say the same again."""
        numbers = self.dialect.numbers(call)
        key = self.dialect.key(call)
        with self._lock:
            if key and key in self.keys:
                body, ids = self.keys[key]
                return self.dialect.yes(call, ids) if body == call.body else self.dialect.conflict()
            self.taken.update(numbers)
            ids = [f"id-{number}" for number in numbers]
            if key:
                self.keys[key] = (call.body, ids)
        return self.dialect.yes(call, ids)
