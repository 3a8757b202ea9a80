"""What every provider's adapter says: how to ask for messages to be sent, and how to read the answer."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from postroom.core.mail.ports import Outcome, Result
from postroom.core.mail.rules.providers import batch_size, key_lifetime_s
from postroom.core.mail.types import Provider, SenderProfile
from postroom.kit.errors import Invalid
from postroom.kit.http import Question, Reply
from postroom.kit.mime import clean_line
from postroom.providers.esp.letters import Letter


class NotSupported(Invalid):
    """The provider cannot carry this message as it is."""

    code = "provider_does_not_support"


class Vendor:
    """One account at one provider. Subclasses know its words; the transport knows none."""

    provider: ClassVar[Provider]
    url: ClassVar[str]
    knows_keys: ClassVar[bool] = False  # whether a call made twice with the same key sends nothing twice

    def __init__(self, profile: SenderProfile) -> None:
        self.config = profile.config
        self.credentials = profile.credentials
        self.batch_size = batch_size(self.provider, profile.config)
        self.key_lifetime_s = key_lifetime_s(self.provider, profile.config)
        self.base = (text_of(profile.config, "api_url") or self.find_url()).rstrip("/") + "/"

    @property
    def name(self) -> str:
        """The provider as people know it."""
        return self.provider.label

    def find_url(self) -> str:
        """Return where the provider's interface is, unless the account says otherwise."""
        return self.url

    def prepare(self, letter: Letter) -> object:
        """Return what of one letter goes into a call. Raises NotSupported."""
        raise NotImplementedError

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        """Return the call that sends what was prepared; ``key`` makes a repeat of it harmless where that is known."""
        raise NotImplementedError

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        """Return what the answer says of each of ``count`` messages; None when it speaks of none of them."""
        raise NotImplementedError

    def fits_batch(self, prepared: object) -> bool:
        """Whether a message may share its call with others."""
        return True

    def is_account_trouble(self, reply: Reply) -> bool:
        """Whether the refusal is about the account, so that every other message would be refused too."""
        return reply.status in (401, 403)

    def is_exhausted(self, reply: Reply) -> bool:
        """Whether the account may send nothing more for a while (a quota), though nothing is wrong with it."""
        return False

    def is_duplicate(self, reply: Reply) -> bool:
        """Whether the answer says that a message of this key was taken before."""
        return False

    def is_in_flight(self, reply: Reply) -> bool:
        """Whether the answer says that a call of this key is being worked on."""
        return False


def accepted(provider_id: object, text: str = "") -> Result:
    """Return that the provider took a message."""
    return Result(Outcome.SENT, 250, provider_id=str(provider_id or "").strip("<>"), text=text, is_relayed=True)


def refused(text: str) -> Result:
    """Return that the provider will not carry a message: no server of the recipient's has said a word yet."""
    return Result(Outcome.FAILED, text=text[:1000], is_relayed=True)


def json_question(url: str, headers: Mapping[str, str], data: object) -> Question:
    """Return a POST of JSON."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    fields = {"Content-Type": "application/json", "Accept": "application/json"}
    return Question("POST", url, {**fields, **headers}, body)


def json_of(reply: Reply) -> Any:
    """Return the answer's JSON, or None when it is none."""
    try:
        return json.loads(reply.body)
    except ValueError:
        return None


def words_of(reply: Reply) -> str:
    """Return what an answer says to a person, whatever the provider calls it."""
    said = json_of(reply)
    found = _words(said) if said is not None else reply.body[:300].decode("utf-8", "replace")
    return f"HTTP {reply.status}: {' '.join(clean_line(found).split())[:900]}".rstrip(": ")


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Return a setting as text, empty without one."""
    return str(values.get(name) or "")


def basic(user: str, password: str) -> str:
    """Return the value of Authorization (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _words(said: Any) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "; ".join(filter(None, map(_words, said)))
    if not isinstance(said, dict):
        return ""
    names = ("message", "Message", "ErrorMessage", "error", "errors", "Errors", "Messages", "detail")
    return "; ".join(filter(None, (_words(said.get(name)) for name in names)))
