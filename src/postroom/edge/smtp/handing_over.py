"""Mail that was submitted becomes the core's: whatever arrives while a commit runs shares the next one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from postroom.core.mail import services as mail
from postroom.core.mail.types import Once, SubmitRequest
from postroom.edge.smtp.reading import Handed
from postroom.edge.smtp.signing_in import SignedIn
from postroom.edge.smtp.threads import in_database_thread
from postroom.kit import clock
from postroom.kit.group_commit import GroupCommit


@dataclass(slots=True)
class _Parcel:
    """A request on its way, and what became of it."""

    request: SubmitRequest
    outcome: list[UUID] | Exception = field(default_factory=list)


class HandOver:
    """Hands mail over for one event loop."""

    def __init__(self) -> None:
        self._commits = GroupCommit[_Parcel](_store, group_size=100)

    async def put(self, who: SignedIn, handed: Handed, recipients: Sequence[str]) -> UUID:
        """Return the uid of the message once it is durable. Raises AppError where it is refused, and whatever else came
        between.
        """
        parcel = _Parcel(
            SubmitRequest(
                workspace_id=who.workspace_id,
                actor=who.actor,
                submissions=(handed.submission,),
                once=_once(who, handed, recipients),
                mail_domain=who.mail_domain,
            )
        )
        await self._commits.put(parcel)
        if isinstance(parcel.outcome, Exception):
            raise parcel.outcome
        return parcel.outcome[0]

    async def drain(self) -> None:
        """Return once everything taken so far is committed or refused."""
        await self._commits.drain()


async def _store(parcels: Sequence[_Parcel]) -> None:
    requests = [parcel.request for parcel in parcels]
    outcomes = await in_database_thread(lambda: mail.submit_group(requests=requests, now=clock.now()))
    for parcel, outcome in zip(parcels, outcomes, strict=True):
        parcel.outcome = outcome


def _once(who: SignedIn, handed: Handed, recipients: Sequence[str]) -> Once | None:
    """Make a repeat after a lost answer safe: one Message-ID, one key and one envelope are one mail, for a day.

    Programs that send a mail to each of its recipients in turn give it one Message-ID, so the envelope counts.
    """
    if not handed.message_id:
        return None
    parts = (str(who.actor.api_key_id), handed.message_id, *sorted(address.lower() for address in recipients))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return Once(f"smtp:{digest.hex()}", digest)
