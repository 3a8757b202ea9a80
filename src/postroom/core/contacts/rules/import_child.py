"""The process beside an import: ``python -m postroom.core.contacts.rules.import_child`` reads a file into batches.

It needs no database and has no settings but the secret that addresses are hashed with; see ``import_wire``.
"""

import gc
import os
import sys
from collections.abc import Iterator

from django.conf import settings

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules.import_batches import Batch, read_batches
from postroom.core.contacts.rules.import_wire import ChildWork, read_work, write_answer


def main() -> None:
    """Answer the one line of standard input."""
    gc.set_threshold(200_000, 10, 10)  # a batch is hundreds of thousands of objects, none of them in a ring
    work = read_work(sys.stdin.buffer.readline())
    settings.configure(SECRET_KEY=work.secret_keys[0], SECRET_KEY_FALLBACKS=work.secret_keys[1:])
    for answer in _answers(work):
        sys.stdout.buffer.write(write_answer(answer))
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
    main()
