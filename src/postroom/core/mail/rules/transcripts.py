"""The hand-overs of one claim in few octets: of those that went well, only over which connection; of others, all."""

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from postroom.core.mail.ports import Handover, Outcome, Result

_LEVEL: Final = 1
_OUTCOMES: Final = tuple(Outcome)


class _Words:
    """Texts by number, each kept once."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def pack(handovers: Iterable[Handover]) -> bytes:
    """Return the hand-overs that a server had a word in, packed. Of one that was sent the ledger's row keeps the time
    and the answer, so its number is enough.
    """
    words = _Words()
    plain: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    told: list[list[Any]] = []
    for message_id, at, result, _ in handovers:
        if result is None:
            continue
        if result.outcome is Outcome.SENT and not result.recipient_replies:
            plain[result.session, result.dialogue].append(message_id)
        else:
            told.append(_entry(message_id, at, result, words))
    sent = [[words.number(session), words.number(dialogue), ids] for (session, dialogue), ids in plain.items()]
    document = {"words": list(words.texts), "sent": sent, "told": told}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _LEVEL)


def unpack(packed: bytes) -> list[Handover]:
    """Return the hand-overs; one that was sent has the time 0 and the code 0: the ledger's row knows them."""
    document = json.loads(zlib.decompress(packed))
    words: Sequence[str] = document["words"]
    found = [
        Handover(message_id, 0.0, Result(Outcome.SENT, session=words[session], dialogue=words[dialogue]))
        for session, dialogue, ids in document["sent"]
        for message_id in ids
    ]
    return [*found, *(_read(entry, words) for entry in document["told"])]


def scrub(packed: bytes, *, own: Collection[int], named: Collection[int], needles: Collection[str]) -> bytes:
    """Return a transcript without what was said about the messages ``own``, and without what was said about those
    ``named`` where it contains one of the ``needles`` (in any case); that they were tried, when, and with which codes
    stays.
    """
    looked_for = [needle.lower() for needle in needles]
    kept = []
    for one in unpack(packed):
        said = f"{one.result.text} {one.result.dialogue} {one.result.recipient_replies}".lower() if one.result else ""
        is_theirs = one.message_id in named and any(needle in said for needle in looked_for)
        kept.append(_without_words(one) if one.message_id in own or is_theirs else one)
    return pack(kept)


def _entry(message_id: int, at: float, result: Result, words: _Words) -> list[Any]:
    return [
        message_id,
        at,
        _OUTCOMES.index(result.outcome),
        result.code,
        result.enhanced,
        words.number(result.text),
        words.number(result.session),
        words.number(result.dialogue),
        result.recipient_replies,
    ]


def _read(entry: Sequence[Any], words: Sequence[str]) -> Handover:
    message_id, at, outcome, code, enhanced, text, session, dialogue, replies = entry
    refused = tuple((to, reply, said) for to, reply, said in replies)
    result = Result(
        _OUTCOMES[outcome],
        code,
        enhanced,
        words[text],
        recipient_replies=refused,
        session=words[session],
        dialogue=words[dialogue],
    )
    return Handover(message_id, at, result)


def _without_words(one: Handover) -> Handover:
    if one.result is None:
        return one
    # A sent message's answer stands in its row, which is scrubbed there; without replies it is packed as plain again.
    return one._replace(result=one.result._replace(text="", dialogue="", recipient_replies=()))
