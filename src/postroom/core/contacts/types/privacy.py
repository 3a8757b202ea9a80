"""Values of what a person may ask about their own data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """Whom to forget: every key they ever went by, every address, and what else is theirs alone and may stand in texts.

    ``needles`` are texts that cannot mean anybody else; a row of free text that holds one of them is about the person.
    """

    organization_id: int
    contact_ids: tuple[int, ...]
    addresses: tuple[str, ...]
    needles: tuple[str, ...]
