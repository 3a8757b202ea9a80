"""Reads a file while the database still writes the batch before, in a process of its own when the file is large."""

import subprocess
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import IO, Final

from django.conf import settings

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules.import_batches import Batch, ReadingPlan, read_batches
from postroom.core.contacts.rules.import_wire import ChildWork, read_answer, write_work
from postroom.kit.processes import dying_with_us

WORTH_A_PROCESS: Final = 2_000_000
"""Octets of a file whose reading takes longer than the start of a process."""
_COMMAND: Final = (sys.executable, "-I", "-m", "postroom.core.contacts.rules.import_child")


def read_ahead(file: IO[bytes], plan: ReadingPlan) -> Generator[Batch, None, None]:
    """Yield the batches of an open file, each read by a thread while the caller is still at the one before.

    Raises BadImport or UnicodeError when the file cannot be read.
    """
    with (
        closing(read_beside(file, plan)) as batches,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as pool,
    ):
        waiting = pool.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = pool.submit(next, batches, None)
            yield batch


def read_beside(file: IO[bytes], plan: ReadingPlan) -> Generator[Batch, None, None]:
    """Yield the batches of an open file, read by a process of its own when it is large."""
    size = file.seek(0, 2)
    if size < WORTH_A_PROCESS:
        yield from read_batches(file, plan)
    else:
        yield from _read_in_child(file, plan)


def _read_in_child(file: IO[bytes], plan: ReadingPlan) -> Iterator[Batch]:
    """A thread alone would not do: it takes turns with the one that writes, each waiting for the other's word."""
    descriptor = file.fileno()
    with subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback might hold what stands in the file
        env={},
        pass_fds=(descriptor,),
        preexec_fn=dying_with_us(),
    ) as child:
        try:
            yield from _converse(child, ChildWork(descriptor, plan, _secret_keys()))
        finally:
            child.kill()


def _converse(child: "subprocess.Popen[bytes]", work: ChildWork) -> Iterator[Batch]:
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin:
        child.stdin.write(write_work(work))
    while (answer := read_answer(child.stdout)) is not None:
        if isinstance(answer, str):
            raise BadImport(answer)
        yield answer


def _secret_keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
