"""A crowd of readers, each of whom does what the hash of the address says, so that it does the same things again.

It stands outside: all it has is the mail as it arrived. It opens and clicks through the front door, and bounces,
complains and replies by SMTP.
"""

import http.client
import re
import smtplib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from hashlib import sha256
from threading import local
from typing import Final
from urllib.parse import urlencode, urlsplit

from postroom.core.mail.rules import magic
from postroom.core.mail.types import InboundMail

PERSON: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
APPLE_PRIVACY: Final = "Mozilla/5.0"  # what Apple's Mail Privacy Protection calls itself when it fetches ahead
SCANNER: Final = "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"

_IMAGE: Final = re.compile(r'<img[^>]+src="([^"]+/o/[^"]+)"')
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_BUTTON: Final = re.compile(r'<button name="([^"]+)" value="([^"]*)"')
_LINK: Final = re.compile(r'<a[^>]+href="([^"]+/c/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Server:
    """Where the installation listens."""

    http_port: int
    smtp_port: int
    inbound_domain: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as its reader has it."""

    recipient: str
    return_path: str
    raw: bytes
    pixel: str
    links: tuple[str, ...]
    unsubscribe: str


def read_letter(recipient: str, return_path: str, raw: bytes) -> Letter:
    """Read what a mail program would find: the pixel, the tracked links, the one-click address (RFC 8058)."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    part = message.get_body(("html",))
    html = part.get_content().replace("&amp;", "&") if part is not None else ""
    pixel = _IMAGE.search(html)
    unsubscribe = str(message.get("List-Unsubscribe", "")).strip("<> ")
    links = tuple(dict.fromkeys(_LINK.findall(html)))
    return Letter(recipient, return_path, raw, pixel[1] if pixel else "", links, unsubscribe)


class Crowd:
    """Acts on letters and counts, by person, what it did: ``done`` maps an act to the number of its people."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.done: Counter[str] = Counter()
        self._local = local()

    def act_on(self, letters: Iterable[Letter]) -> Iterator[Letter]:
        """Let every reader act, sixteen at a time; yield each letter when its reader is through."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            for letter, acts in pool.map(self._act, letters):
                self.done.update(acts)
                yield letter

    def _act(self, letter: Letter) -> tuple[Letter, list[str]]:
        number = int.from_bytes(sha256(letter.recipient.encode()).digest()[:4], "big") % 1000
        acts = [word for start, end, word in _HABITS if start <= number < end]
        for word in acts:
            _DEEDS[word](self, letter)
        return letter, acts

    def get(self, url: str, agent: str, *, method: str = "GET", body: str | None = None) -> str:
        """Ask the front door and return the page it answers with."""
        where = urlsplit(url)
        headers = {"User-Agent": agent, "Host": where.netloc}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = self._connection()
        connection.request(method, where.path, body=body, headers=headers)
        answer = connection.getresponse()
        page = answer.read().decode("utf-8", "replace")
        if answer.status >= 400:
            raise RuntimeError(f"{method} {where.path[:12]}… was answered {answer.status}")
        return page

    def mail(self, mail: InboundMail) -> None:
        """Hand a mail to the inbound port."""
        with smtplib.SMTP("127.0.0.1", self.server.smtp_port, timeout=30) as client:
            client.sendmail(mail.mail_from, mail.recipients, mail.raw)

    def captured(self, letter: Letter) -> magic.Captured:
        """What a report quotes."""
        return magic.Captured(
            return_path=letter.return_path,
            complaints_to=f"abuse@{self.server.inbound_domain}",
            raw=letter.raw,
            at=datetime.now(UTC),
        )

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
        connection: http.client.HTTPConnection = self._local.connection
        return connection


def _open(crowd: Crowd, letter: Letter) -> None:
    crowd.get(letter.pixel, PERSON)


def _prefetch(crowd: Crowd, letter: Letter) -> None:
    crowd.get(letter.pixel, APPLE_PRIVACY)


def _click(crowd: Crowd, letter: Letter) -> None:
    pick = sha256(letter.recipient.encode()).digest()[-1]
    crowd.get(letter.links[pick % len(letter.links)], PERSON)


def _scan(crowd: Crowd, letter: Letter) -> None:
    for link in letter.links:
        crowd.get(link, SCANNER, method="HEAD")


def _one_click(crowd: Crowd, letter: Letter) -> None:
    crowd.get(letter.unsubscribe, PERSON, method="POST", body="List-Unsubscribe=One-Click")


def _unsubscribe_on_page(crowd: Crowd, letter: Letter) -> None:
    page = crowd.get(letter.unsubscribe, PERSON)
    hidden = _HIDDEN.findall(page)
    button = _BUTTON.findall(page)[:1]
    crowd.get(letter.unsubscribe, PERSON, method="POST", body=urlencode(hidden + button))


def _bounce(crowd: Crowd, letter: Letter) -> None:
    crowd.mail(magic.bounce_mail(letter.recipient, crowd.captured(letter)))


def _complain(crowd: Crowd, letter: Letter) -> None:
    crowd.mail(magic.complaint_mail(letter.recipient, crowd.captured(letter)))


def _reply(crowd: Crowd, letter: Letter) -> None:
    crowd.mail(magic.reply_mail(letter.recipient, crowd.captured(letter), "The east bank, please!"))


_DEEDS: Final[dict[str, Callable[[Crowd, Letter], None]]] = {
    "bounced": _bounce,
    "machine_opened": _prefetch,
    "scanner_clicked": _scan,
    "opened": _open,
    "clicked": _click,
    "replied": _reply,
    "complained": _complain,
    "unsubscribed": _one_click,
    "unsubscribed_on_page": _unsubscribe_on_page,
}

# Of a thousand readers, those from the first number up to (without) the second do this.
# A mail that bounced is not read.
_HABITS: Final = (
    (0, 18, "bounced"),
    (18, 160, "machine_opened"),
    (100, 140, "scanner_clicked"),
    (130, 560, "opened"),
    (430, 560, "clicked"),
    (520, 530, "replied"),
    (200, 203, "complained"),
    (210, 222, "unsubscribed"),
    (222, 228, "unsubscribed_on_page"),
)
