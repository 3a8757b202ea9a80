"""The process beside an import: ``python -m postroom.core.contacts.rules.import_child`` reads a file into batches.

Its standard input holds a pickled ``ChildWork``, its standard output becomes one pickled answer after the other: a
``Batch``, a sentence when the file cannot be read, None at the end. It needs no database and has no settings but the
secret that addresses are hashed with.
"""

import gc
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules.import_batches import Batch, ReadingPlan, read_batches


@dataclass(frozen=True, slots=True)
class ChildWork:
    """What the child is to do: read the open file ``descriptor``."""

    descriptor: int
    plan: ReadingPlan
    secret_keys: tuple[str, ...]


def main() -> None:
    """Answer what standard input asks."""
    gc.set_threshold(200_000, 10, 10)  # a batch is hundreds of thousands of objects, none of them in a ring
    work: ChildWork = pickle.load(sys.stdin.buffer)
    settings.configure(SECRET_KEY=work.secret_keys[0], SECRET_KEY_FALLBACKS=work.secret_keys[1:])
    for answer in _answers(work):
        pickle.dump(answer, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()


def _answers(work: ChildWork) -> Iterator[Batch | str | None]:
    with os.fdopen(work.descriptor, "rb") as file:
        try:
            yield from read_batches(file, work.plan)
        except BadImport as error:
            yield error.message
        except UnicodeError:
            yield "The stored file cannot be read."
    yield None


if __name__ == "__main__":
    # As anybody else would import it: what is pickled here names its class by the module's own name.
    from postroom.core.contacts.rules import import_child

    import_child.main()
